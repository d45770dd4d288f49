#!/bin/sh
# cross.sh - scry on processors that this machine is not: builds and tests under qemu-user.
#
#     tools/cross.sh aarch64     packages cross-built for Debian's arm64, tested; then installed in an arm64 system, and run there
#     tools/cross.sh x86-64      the native build on processors without AVX2, and with AVX2 only
#
# Needs qemu-user-static, and for aarch64 root and debootstrap: the committed tree is built by dpkg-buildpackage -aarm64 in a root file
# system with cross-compilers (bookworm-cross below ROOTS: tools/roots.sh), and installed in one of arm64. Tested are the unit tests
# below, the kernels as several processors, and the whole program: pictures decoded, indexed, searched, served. Prints TAP. Slow:
# nothing of this is part of `make check`. A run for aarch64 that was stopped goes on where it was.
set -eu
cd "$(dirname "$0")/.."
top=$PWD
. tools/roots.sh
cross=bookworm-cross   # amd64 with cross-compilers and the libraries of arm64
installed=arm64-installed
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

one_test() { # MARK LABEL LOG COMMAND...
    mark=$1
    label=$2
    log=$3
    shift 3
    if has_passed $cross "$mark"; then
        echo "ok - $label, in an earlier run"
    elif "$@" >"$log" 2>&1; then
        passed $cross "$mark"
        echo "ok - $label"
    else
        failed=$((failed + 1))
        echo "not ok - $label ($log)"
    fi
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
        one_test "$name-$t" "$name: test_$t" "$build/emulated/$t.log" "$@" "$build/emulated/tests/test_$t"
    done
    for t in $e2e; do
        one_test "$name-$t.sh" "$name: $t.sh" "$build/emulated/$t.log" sh "tests/e2e/$t.sh"
    done
}

# A command with its output in ROOTS/NAME.log; its TAP is printed.
part() { # NAME COMMAND...
    name=$1
    shift
    if has_passed $cross $name; then
        echo "ok - $name, in an earlier run"
    elif "$@" >"$roots/$name.log" 2>&1 </dev/null; then
        passed $cross $name
        sed -n "s/^ok [0-9]* - /ok - $name: /p" "$roots/$name.log"
        echo "ok - $name"
    else
        failed=$((failed + 1))
        tail -n 20 "$roots/$name.log" | sed 's/^/# /'
        echo "not ok - $name ($roots/$name.log)"
        return 1
    fi
}

cross_root() {
    [ ! -x "$roots/$cross/usr/bin/aarch64-linux-gnu-gcc" ] || return 0
    make_root ${cross%%-*} && rm -rf "${roots:?}/$cross" && cp -a "$roots/${cross%%-*}" "$roots/$cross" &&
        inside $cross 'dpkg --add-architecture arm64 && apt-get -qq update && apt-get -qqy install --no-install-recommends \
            dpkg-dev make crossbuild-essential-arm64 libcmocka-dev:arm64'
}

# The packages beside the tree, the tests in its build/release.
build_arm64() {
    copy_tree $cross && rm -f "$roots/$cross${tree%/*}"/*.deb
    inside $cross 'apt-get -qqy build-dep --no-install-recommends -a arm64 ./ &&
        DEB_BUILD_OPTIONS="nocheck crossbuildcanrunhostbinaries parallel=$(nproc)" dpkg-buildpackage -aarm64 -b -us -uc &&
        eval "$(dpkg-architecture -aarm64 -s)" && eval "$(dpkg-buildflags --export=sh)" &&
        make -j"$(nproc)" DEPS=no CROSS_COMPILE=aarch64-linux-gnu- PKG_CONFIG=aarch64-linux-gnu-pkg-config \
            all-tests build/release/bench/instructions' $tree
}

# In an arm64 system that has nothing else; a decoder that qemu runs cannot be confined.
install_arm64() { # few|all
    fresh_root $installed bookworm-arm64 || return
    FILES=$roots/$cross${tree%/*}
    if [ "$1" = few ]; then
        inside $installed 'apt-get -qq update && apt-get -qqy install --no-install-recommends /files/scry_*.deb /files/libscry0_*.deb \
            /files/scry-models-starter_*.deb' || return
    else
        inside $installed 'apt-get -qq update && apt-get -qqy install /files/*.deb' || return
    fi
    FILES=$top
    inside $installed "SCRY_TEST_UNCONFINED=1 sh /files/tests/clean/installed.sh $1"
}

aarch64() {
    need_roots cross.sh
    emulate_arm64
    part arm64-root cross_root && part arm64-packages build_arm64 || return 0
    build=$roots/$cross$tree/build/release
    run_tests aarch64 "$build" qemu-aarch64-static -L "$roots/$cross"
    e2e=
    unit='nn vector resize outliers store_random'
    for cpu in cortex-a53 cortex-a76; do   # without dot products, and with them; the first run has everything
        run_tests $cpu "$build" qemu-aarch64-static -cpu $cpu -L "$roots/$cross"
    done
    part arm64-installed install_arm64 few && part arm64-recommended install_arm64 all || return 0
}

x86_64() {
    AGAIN=yes   # the working tree, which may be no commit
    make --no-print-directory -j"$(nproc)" all all-tests
    for cpu in core2duo Nehalem Haswell; do
        run_tests $cpu "$top/build/release" qemu-x86_64-static -cpu $cpu
    done
}

case ${1-} in
aarch64) aarch64 ;;
x86-64) x86_64 ;;
*) sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
echo "$failed failed"
[ $failed = 0 ]
