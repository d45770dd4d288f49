#!/bin/sh
# everywhere.sh [PART]... - what the README says, on other releases, processors and in empty systems.
#
#     packages    the packages of `make deb` in a system that has nothing else: as a user installs them, and as a C developer
#     twice       the packages built by dpkg-buildpackage in two folders are the same bytes
#     wheel       the wheel of `make wheel` in a system with Python alone
#     container   the image of Containerfile, its steps run in root file systems: built, started as its user, asked
#     aarch64     tools/cross.sh aarch64: packages for arm64, installed and run under qemu
#     trixie, sid, noble ...    a release of Debian or Ubuntu: `make demo` and `make test` as root, and every gcc from 12 to 16 and
#                 clang that it has; a warning fails
#
# The first three are for the release that runs here. Root file systems: tools/roots.sh. One line a step; slow, and no part of `make check`. A run that
# was stopped goes on where it was.
set -u
cd "$(dirname "$0")/.."
. tools/roots.sh
here=$(. /etc/os-release && echo "$VERSION_CODENAME")

compilers() { # ROOT: those that it has
    inside "$1" 'for c in gcc-12 gcc-13 gcc-14 gcc-15 gcc-16 clang; do [ -z "$(apt-cache show $c 2>/dev/null)" ] || echo $c; done'
}

# In a root of its own, so that SUITE stays as empty as the other parts need it.
release() { # SUITE
    at=$1-tests
    step "$at" root fresh_root "$at" "$1" && step "$at" tree copy_tree "$at" || return
    step "$at" update inside "$at" 'apt-get -qq update && apt-get -qqy upgrade && apt-get -qqy install --no-install-recommends make' || return
    step "$at" demo inside "$at" 'make demo' $tree
    step "$at" test inside "$at" "make test PROVE=tools/prove_on.sh PASSED=/var/tmp/passed-$commit" $tree
    for compiler in $(compilers "$at"); do
        step "$at" "$compiler" inside "$at" "apt-get -qqy install --no-install-recommends $compiler &&
            make -j$(nproc) O=build/$compiler CC=$compiler DEV=1 all-tests && rm -rf build/$compiler" $tree
    done
}

packages() {
    step host make-deb make deb || return
    step packages root fresh_root packages "$here" || return
    FILES=$PWD
    few='/files/dist/scry_*.deb /files/dist/libscry0_*.deb /files/dist/scry-models-starter_*.deb'
    # At most 59.9 MB with all that they need.
    step packages small inside packages "apt-get -qq update; apt-get install --assume-no --no-install-recommends $few 2>&1 | tee /dev/stderr |
        grep -Eq '^Need to get (.*/)?[1-5]?[0-9](\.[0-9])? MB of archives'"
    step packages install inside packages "apt-get -qq update && apt-get -qqy install --no-install-recommends $few" || return
    step packages alone inside packages 'sh /files/tests/clean/installed.sh few'
    step packages-all root fresh_root packages-all "$here" || return   # recommended packages come with an installation, not later
    step packages-all recommended inside packages-all 'apt-get -qq update && apt-get -qqy install /files/dist/*.deb && sh /files/tests/clean/installed.sh all'
    step packages-all developer inside packages-all 'apt-get -qqy install --no-install-recommends gcc g++ libc6-dev pkgconf && sh /files/tests/clean/developer.sh'
    step packages-all python inside packages-all 'sh /files/tests/clean/python.sh python3'
    step packages-all remove inside packages-all 'apt-get -qqy purge scry libscry0 && ! find /usr /etc /var/lib -name "*scry*" | grep -v "/dpkg/\|scry-models\|/share/scry$\|fscrypt"'
}

built_in() { # FOLDER
    rm -rf "$1" && mkdir -p "$1/scry" && git archive HEAD | tar -x -C "$1/scry" || return
    (cd "$1/scry" && tools/deps.sh build deb && DEB_BUILD_OPTIONS="nocheck parallel=$(nproc)" dpkg-buildpackage -b -us -uc) && rm -rf "$1/scry"
}

twice() {
    mkdir -p "$roots/twice"
    for name in short long; do
        folder=$roots/twice/$name$([ $name = short ] || echo '-and-far-below/of/it')
        step twice $name built_in "$folder" || return
    done
    step twice same sh -c 'cd "$1/short" && ls *.deb && for deb in *.deb; do cmp "$deb" "$2/$deb" || exit; done' sh "$roots/twice" "$folder"
}

wheel() {
    step host make-wheel make wheel || return
    step wheel root fresh_root wheel "$here" || return
    FILES=$PWD
    step wheel install inside wheel 'apt-get -qq update && apt-get -qqy install --no-install-recommends python3-venv ca-certificates &&
        python3 -m venv /venv && /venv/bin/pip install /files/dist/scry-*.whl' || return
    step wheel alone inside wheel 'sh /files/tests/clean/python.sh /venv/bin/python'
    formats=$(dpkg-query -W -f '${Package} ' 'libvips42*' 'libheif-plugin-libde265' 'libjxl0*' 'libraw2*' 2>/dev/null)
    step wheel formats inside wheel "apt-get -qqy install --no-install-recommends $formats && /venv/bin/pip install pillow &&
        sh /files/tests/clean/python.sh /venv/bin/python"
}

# The steps of a stage of Containerfile as commands of a shell; what it copies lies in /files.
stage() { # NUMBER
    awk -v wanted="$1" '
        !line && (/^#/ || !NF) { next }
        { line = line $0 }
        sub(/\\$/, "", line) { next }
        { word = rest = line; line = ""; sub(/ .*/, "", word); sub(/^[A-Z]+ /, "", rest) }
        word == "FROM" { n++ }
        n != wanted { next }
        word == "RUN" { print "( " rest " ) || exit" }
        word == "WORKDIR" { print "mkdir -p " rest " && cd " rest " || exit" }
        word == "COPY" {
            sub(/^--from=build /, "", rest)
            n_paths = split(rest, path, " ")
            command = path[n_paths] ~ /\/$/ ? "mkdir -p " path[n_paths] " && cp -a" : "cp -a"
            for (i = 1; i < n_paths; i++) {
                sub(/^\/src\//, "", path[i])
                command = command " /files/" path[i]
            }
            print command " " path[n_paths] " || exit"
        }' Containerfile
}

container_context() {
    rm -rf "$context" && mkdir "$context" && git archive HEAD | tar -x -C "$context"
}

# FROM is a root of that release, or of the one in CONTAINER_SUITE; the second stage finds in /files what the first one built.
container() {
    suite=${CONTAINER_SUITE:-$(sed -n 's,^FROM docker.io/library/debian:\([a-z]*\)-slim$,\1,p' Containerfile)}
    context=$roots/container-context
    step container-build root fresh_root container-build "$suite" && step container-build context container_context || return
    FILES=$context
    step container-build build inside container-build "$(stage 1)" || return
    rm -rf "$context/dist" && cp -r "$roots/container-build/upper/src/dist" "$context/" || return
    step container-image root fresh_root container-image "$suite" && step container-image image inside container-image "$(stage 2)" || return
    step container-image run inside container-image 'unshare --net sh /files/tests/clean/container.sh'
}

need_roots everywhere.sh
[ $# != 0 ] || set -- packages twice wheel container aarch64 trixie sid
for part in "$@"; do
    case $part in
    packages | twice | wheel | container) $part ;;
    aarch64) step here aarch64 tools/cross.sh aarch64 ;;
    *) release "$part" ;;
    esac
done
echo "$failed failed"
[ $failed = 0 ]
