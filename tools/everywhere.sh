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
# The first three are for the release that runs here. Root file systems: tools/roots.sh. One line a step; slow, and no part of `make check`.
set -u
cd "$(dirname "$0")/.."
. tools/roots.sh
here=$(. /etc/os-release && echo "$VERSION_CODENAME")

compilers() { # SUITE: those that it has
    inside "$1" 'for c in gcc-12 gcc-13 gcc-14 gcc-15 gcc-16 clang; do [ -z "$(apt-cache show $c 2>/dev/null)" ] || echo $c; done'
}

release() { # SUITE
    step "$1" root make_root "$1" && copy_tree "$1" || return
    step "$1" update inside "$1" 'apt-get -qq update && apt-get -qqy upgrade && apt-get -qqy install --no-install-recommends make' || return
    step "$1" demo inside "$1" 'make demo' $tree
    step "$1" test inside "$1" 'make test' $tree
    for compiler in $(compilers "$1"); do
        step "$1" "$compiler" inside "$1" "apt-get -qqy install --no-install-recommends $compiler &&
            make -j$(nproc) O=build/$compiler CC=$compiler DEV=1 all-tests && rm -rf build/$compiler" $tree
    done
}

packages() {
    step "$here" make-deb make deb || return
    step packages root fresh_root packages "$here" || return
    FILES=$PWD
    few='/files/dist/scry_*.deb /files/dist/libscry0_*.deb /files/dist/scry-models-starter_*.deb'
    # At most 59.9 MB with all that they need.
    step packages small inside packages "apt-get -qq update; apt-get install --assume-no --no-install-recommends $few 2>&1 | tee /dev/stderr |
        grep -Eq '^Need to get (.*/)?[1-5]?[0-9](\.[0-9])? MB of archives'"
    step packages install inside packages "apt-get -qq update && apt-get -qqy install --no-install-recommends $few" || return
    step packages alone inside packages 'sh /files/tests/clean/installed.sh few'
    fresh_root packages "$here"   # recommended packages come with an installation, not later
    step packages recommended inside packages 'apt-get -qq update && apt-get -qqy install /files/dist/*.deb && sh /files/tests/clean/installed.sh all'
    step packages developer inside packages 'apt-get -qqy install --no-install-recommends gcc g++ libc6-dev pkgconf && sh /files/tests/clean/developer.sh'
    step packages python inside packages 'sh /files/tests/clean/python.sh python3'
    step packages remove inside packages 'apt-get -qqy purge scry libscry0 && ! find /usr /etc /var/lib -name "*scry*" | grep -v "/dpkg/\|scry-models\|/share/scry$\|fscrypt"'
}

twice() {
    for name in short long; do
        folder=$roots/twice/$name$([ $name = short ] || echo '-and-far-below/of/it')
        rm -rf "$roots/twice/$name"*
        mkdir -p "$folder/scry" && git archive HEAD | tar -x -C "$folder/scry" || return
        step twice $name sh -c 'cd "$1" && tools/deps.sh build deb && DEB_BUILD_OPTIONS="nocheck parallel=$(nproc)" dpkg-buildpackage -b -us -uc' sh "$folder/scry" || return
        rm -rf "$folder/scry"
    done
    step twice same sh -c 'cd "$1/short" && ls *.deb && for deb in *.deb; do cmp "$deb" "$2/$deb" || exit; done' sh "$roots/twice" "$folder"
}

wheel() {
    step "$here" make-wheel make wheel || return
    step wheel root fresh_root wheel "$here" || return
    FILES=$PWD
    step wheel install inside wheel 'apt-get -qq update && apt-get -qqy install --no-install-recommends python3-venv ca-certificates &&
        python3 -m venv /venv && /venv/bin/pip install /files/dist/scry-*.whl' || return
    step wheel alone inside wheel 'sh /files/tests/clean/python.sh /venv/bin/python'
    formats=$(dpkg-query -W -f '${Package} ' 'libvips42*' 'libjxl0*' 'libraw2*')
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

# FROM is a root of that release, or of the one in CONTAINER_SUITE; the second stage finds in /files what the first one built.
container() {
    suite=${CONTAINER_SUITE:-$(sed -n 's,^FROM docker.io/library/debian:\([a-z]*\)-slim$,\1,p' Containerfile)}
    context=$roots/container-context
    step container root fresh_root container-build "$suite" || return
    rm -rf "$context" && mkdir "$context" && git archive HEAD | tar -x -C "$context" || return
    FILES=$context
    step container build inside container-build "$(stage 1)" || return
    cp -r "$roots/container-build/upper/src/dist" "$context/" && step container image-root fresh_root container-image "$suite" || return
    step container image inside container-image "$(stage 2)" || return
    step container run inside container-image 'unshare --net sh /files/tests/clean/container.sh'
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
