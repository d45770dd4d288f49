#!/bin/sh
# everywhere.sh [SUITE]... - what the README says, on other releases: Debian's trixie and sid, or Ubuntu's noble and later.
#
# Each in a root file system of its own, which debootstrap makes below ROOTS (/var/tmp/scry-everywhere, about 3 GB a suite) and
# later runs use again. There the committed tree is copied below a folder that only root can enter, `make demo` and `make test`
# are run as root, and everything is compiled with every gcc from 12 to 16 and clang that the suite has. A warning fails.
# Needs root, debootstrap and a mirror (MIRROR, for Ubuntu UBUNTU_MIRROR). One line a step; slow: no part of `make check`.
set -u
cd "$(dirname "$0")/.."
roots=${ROOTS:-/var/tmp/scry-everywhere}
tree=/root/private/scry
failed=0

step() { # SUITE NAME COMMAND...: with its output in ROOTS/SUITE-NAME.log
    log=$roots/$1-$2.log
    name="$1: $2"
    shift 2
    if "$@" >"$log" 2>&1 </dev/null && ! grep -q 'warning: ' "$log"; then
        echo "ok      $name"
        return 0
    else
        failed=$((failed + 1))
        grep -E 'warning: |error: |^Failed|^  Failed' "$log" | head -n 20
        tail -n 20 "$log"
        echo "NOT OK  $name: $log"
        return 1
    fi
}

make_root() { # SUITE
    case $1 in
    bookworm | trixie | forky | sid) mirror=${MIRROR:-http://deb.debian.org/debian} components=main ;;
    *) mirror=${UBUNTU_MIRROR:-http://archive.ubuntu.com/ubuntu} components=main,universe ;;
    esac
    [ -f "$roots/$1/etc/debian_version" ] && [ ! -d "$roots/$1/debootstrap" ] ||
        debootstrap --variant=minbase --components=$components "$1" "$roots/$1" "$mirror" || return
    # A mirror may be a snapshot whose date has passed.
    echo 'Acquire::Check-Valid-Until "false";' >"$roots/$1/etc/apt/apt.conf.d/99everywhere"
    rm -rf "$roots/$1$tree"
    mkdir -p -m 700 "$roots/$1/root/private" && mkdir "$roots/$1$tree" && git archive HEAD | tar -x -C "$roots/$1$tree"
}

# A command as root in the root file system, in namespaces for processes and mounts that end with it.
inside() { # SUITE COMMAND
    unshare --mount --pid --fork --kill-child sh -c '
        mount --make-rprivate / && mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev" && mount -t tmpfs tmp "$1/tmp" &&
            mount -t tmpfs shm "$1/dev/shm" && cp -L /etc/resolv.conf /etc/hosts "$1/etc/" && exec chroot "$1" env -i \
                PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive sh -c "cd $3 && $2"' \
        sh "$roots/$1" "$2" "${3:-/}"
}

compilers() { # SUITE: those that it has
    inside "$1" 'for c in gcc-12 gcc-13 gcc-14 gcc-15 gcc-16 clang; do [ -z "$(apt-cache show $c 2>/dev/null)" ] || echo $c; done'
}

everywhere() { # SUITE
    step "$1" root make_root "$1" || return
    step "$1" update inside "$1" 'apt-get -qq update && apt-get -qqy upgrade && apt-get -qqy install --no-install-recommends make' || return
    step "$1" demo inside "$1" 'make demo' $tree
    step "$1" test inside "$1" 'make test' $tree
    for compiler in $(compilers "$1"); do
        step "$1" "$compiler" inside "$1" "apt-get -qqy install --no-install-recommends $compiler &&
            make -j$(nproc) O=build/$compiler CC=$compiler DEV=1 all-tests && rm -rf build/$compiler" $tree
    done
}

if [ "$(id -u)" != 0 ] || ! command -v debootstrap >/dev/null; then
    echo 'everywhere.sh: needs root and debootstrap (apt-get install debootstrap)' >&2
    exit 2
fi
mkdir -p "$roots"
[ $# != 0 ] || set -- trixie sid
for suite in "$@"; do
    everywhere "$suite"
done
echo "$failed failed"
[ $failed = 0 ]
