#!/bin/sh
# cross.sh - scry on processors that this machine is not: builds and tests under qemu-user.
#
#     tools/cross.sh aarch64     cross-built against Debian's arm64 packages, then tested; the kernels as several processors
#     tools/cross.sh x86-64      the native build on processors without AVX2, and with AVX2 only
#
# Needs qemu-user-static, and for aarch64 gcc-aarch64-linux-gnu and mmdebstrap, which puts the
# packages into build/arm64-sysroot (about 700 MB; SYSROOT=DIR takes another folder). Tested
# are the unit tests below and, with a tiny model, the whole program: pictures decoded, indexed,
# searched. Prints TAP. Slow: nothing of this is part of `make check`.
set -eu
cd "$(dirname "$0")/.."
top=$PWD
unit='base utf8 csv query filter score ranking resize vector nn outliers tokenizer safetensors
    model_golden formats store_random store_damage'   # test_decoder needs real limits and kills
e2e='embed search'

# DIR/scry and DIR/scry-decode: the programs of the build $1, run by the command $3.
wrap_programs() { # BUILD DIR COMMAND...
    from=$1
    to=$2
    shift 2
    rm -rf "$to"
    mkdir -p "$to/tests"   # a test finds the wrapped decoder above its folder, and the models
    ln -s "$top/models" "$to/models"
    for so in "$from"/scry-*.so; do
        ln -s "$so" "$to/"
    done
    # A copy: plugins and the decoder are looked for beside the file, not beside a link to it.
    cp "$from/libscry.so.0" "$to/"
    for program in scry scry-decode; do
        cp "$from/$program" "$to/$program.bin"
        printf '#!/bin/sh\nexec %s "%s" "$@"\n' "$*" "$to/$program.bin" >"$to/$program"
        chmod +x "$to/$program"
    done
}

# Unit and end-to-end tests of a build under an emulator; the address space and system calls of
# the decoder cannot be confined there.
run_tests() { # NAME BUILD COMMAND...
    name=$1
    build=$2
    shift 2
    wrap_programs "$build" "$build/emulated" "$@"
    export SCRY_TOP="$top" SCRY_BUILD="$build/emulated" SCRY_TEST_UNCONFINED=1
    for t in $unit; do
        cp "$build/tests/test_$t" "$build/emulated/tests/"
        if "$@" "$build/emulated/tests/test_$t" >"$build/emulated/$t.log" 2>&1; then
            echo "ok - $name: test_$t"
        else
            failed=$((failed + 1))
            echo "not ok - $name: test_$t ($build/emulated/$t.log)"
        fi
    done
    for t in $e2e; do
        if sh "tests/e2e/$t.sh" >"$build/emulated/$t.log" 2>&1; then
            echo "ok - $name: $t.sh"
        else
            failed=$((failed + 1))
            echo "not ok - $name: $t.sh ($build/emulated/$t.log)"
        fi
    done
}

make_sysroot() { # DIR
    mkdir -p "$1"
    packages=$(tools/deps.sh --list build test | tr '|' '\n' |
        grep -e '-dev$' | grep -vE 'libjpeg62-turbo-dev|libjpeg-turbo8-dev|gnutls' | tr '\n' ',')
    mmdebstrap --variant=extract --architectures=arm64 --include="$packages" \
        "${SUITE:-bookworm}" "$1" ${MIRROR:+"$MIRROR"}
}

aarch64() {
    sysroot=${SYSROOT:-$top/build/arm64-sysroot}
    [ -d "$sysroot/usr/lib/aarch64-linux-gnu" ] || make_sysroot "$sysroot"
    PKG_CONFIG_LIBDIR=$sysroot/usr/lib/aarch64-linux-gnu/pkgconfig:$sysroot/usr/share/pkgconfig \
    PKG_CONFIG_SYSROOT_DIR=$sysroot make --no-print-directory -j"$(nproc)" O=build/aarch64 DEV=1 \
        CC=aarch64-linux-gnu-gcc CFLAGS="--sysroot=$sysroot" \
        LDFLAGS="--sysroot=$sysroot" all all-tests
    run_tests aarch64 "$top/build/aarch64" qemu-aarch64-static -L "$sysroot"
    e2e=
    unit='nn vector resize'
    for cpu in cortex-a53 cortex-a76; do   # without dot products, and with them; the first run has everything
        run_tests $cpu "$top/build/aarch64" qemu-aarch64-static -cpu $cpu -L "$sysroot"
    done
}

x86_64() {
    make --no-print-directory -j"$(nproc)" all all-tests
    for cpu in core2duo Nehalem Haswell; do
        run_tests $cpu "$top/build/release" qemu-x86_64-static -cpu $cpu
    done
}

failed=0
case ${1-} in
aarch64) aarch64 ;;
x86-64) x86_64 ;;
*) sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
echo "$failed failed"
[ $failed = 0 ]
