#!/bin/sh
# instructions.sh - how many instructions the same work takes on x86-64 with AVX2 and on aarch64.
#
#     bench/instructions.sh [MODEL]       prints a table of tab-separated values
#
# Counted under qemu-user by a plugin, so that no aarch64 machine is needed and every run gives nearly the same numbers; each
# figure is the difference of two runs that do more and less of the work. Needs build/release, what tools/cross.sh aarch64 built below ROOTS
# (or SYSROOT, a folder with libraries of aarch64, and ARM_BUILD), both with bench/instructions, and qemu-user (not the static one, which
# loads no plugins). WORK="index" counts some of the lines only.
set -eu
cd "$(dirname "$0")/.."
model=${1:-models/starter}
. tools/roots.sh
sysroot=${SYSROOT:-$roots/bookworm-cross}
arm_build=${ARM_BUILD:-$sysroot$tree/build/release}
works=${WORK:-scan approximate resize tower index-but-tower index}
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
cc -shared -fPIC -O2 -o "$temp/count.so" bench/instructions/qemu_count.c

# Instructions of the run of a build with arguments.
count() { # RUNNER ARGUMENT...
    runner=$1
    shift
    rm -f "$temp/counts"
    COUNT_TO=$temp/counts QEMU_PLUGIN=file=$temp/count.so taskset -c 0 $runner "$@" >"$temp/out"
    total
}
total() {
    awk '{ n += $1 } END { printf "%.0f\n", n }' "$temp/counts"
}

# Thousands of instructions for one of the work, with a processor.
measure() { # RUNNER PROGRAM WORK LESS MORE
    less=$(count "$1" "$2" "$3" "$4" "$model")
    more=$(count "$1" "$2" "$3" "$5" "$model")
    echo $(((more - less) / ($5 - $4) / 1000))
}

# One picture of many through the whole program: read, hashed, decoded, resampled, embedded, written. The first run is not counted: it
# computes the model's identity. The decoder is killed when it is no longer needed, and its shell with it, but not the shell below that:
# it then comes to its end, and is waited for.
index() { # RUNNER BUILD MODEL LESS MORE
    programs=$temp/programs
    rm -rf "$programs"
    mkdir -p "$programs"
    cp "$2"/scry-*.so "$2/libscry.so.0" "$programs"
    for p in scry scry-decode; do
        cp "$2/$p" "$programs/$p.bin"
        printf '#!/bin/sh\nexec %s "%s" "$@"\n' "$1" "$programs/$p.bin" >"$programs/$p"
        chmod +x "$programs/$p"
    done
    printf '#!/bin/sh\nsh -c '"'"'%s "%s" "$@"; exit $?'"'"' sh "$@"\n' "$1" "$programs/scry-decode.bin" >"$programs/scry-decode"
    for n in 1 "$4" "$5"; do
        rm -rf "$temp/pictures" "$temp/store"
        mkdir "$temp/pictures"
        find demo/gallery -name '*.jpg' | LC_ALL=C sort | head -n $n | xargs -I{} cp {} "$temp/pictures"
        SCRY_WORDS=no XDG_CACHE_HOME=$temp/cache SCRY_TEST_UNCONFINED=1 count "" "$programs/scry" index --jobs 1 --model "$3" \
            --store "$temp/store" "$temp/pictures" >/dev/null 2>"$temp/err"
        tries=0
        until [ "$(wc -l <"$temp/counts")" = 2 ]; do
            tries=$((tries + 1))
            [ $tries -lt 600 ] || { echo "instructions.sh: the decoder was not counted" >&2; exit 1; }
            sleep 0.1
        done
        total >"$temp/n$n"
    done
    echo $((($(cat "$temp/n$5") - $(cat "$temp/n$4")) / ($5 - $4) / 1000))
}

line() { # NAME BASE COUNTS...
    name=$1
    base=$2
    shift 2
    printf '%s\t%d' "$name" "$base"
    for n; do
        printf '\t%d\t%s' "$n" "$(awk "BEGIN { printf \"%.2f\", $n / $base }")"
    done
    echo
}

arm="qemu-aarch64 -L $sysroot"
x86="qemu-x86_64 -cpu Haswell,-pcid,-x2apic,-tsc-deadline,-hle,-rtm,-invpcid"   # less what qemu has not
set -- "env SCRY_CPU=generic $arm -cpu cortex-a53" "$arm -cpu cortex-a53" "$arm -cpu cortex-a76" "$arm -cpu max"
printf 'thousands of instructions\tAVX2\tplain C\t\tNEON\t\twith dot product\t\twith I8MM and BF16\t\n'
for work in "scan 4 20" "approximate 4 20" "resize 2 6" "tower 1 2"; do
    name=${work%% *}
    case " $works " in *" $name "*) ;; *) continue ;; esac
    counts=
    for runner; do
        counts="$counts $(measure "$runner" "$arm_build/bench/instructions" $work)"
    done
    line "$name" "$(measure "$x86" build/release/bench/instructions $work)" $counts
done
# With a model whose towers are nothing, at the same size, and with the model: four pictures of it take minutes in a run.
tests/e2e/tiny_model.py "$temp/tiny" 1 224 112
for work in "index-but-tower $temp/tiny 4 12" "index $model 2 4"; do
    name=${work%% *}
    case " $works " in *" $name "*) ;; *) continue ;; esac
    counts=
    for runner; do
        counts="$counts $(index "$runner" "$arm_build" ${work#* })"
    done
    line "$name" "$(index "$x86" build/release ${work#* })" $counts
done
