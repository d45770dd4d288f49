# roots.sh - root file systems of releases and processors, below ROOTS (/var/tmp/scry-everywhere). tools/everywhere.sh and tools/cross.sh read it.
#
# A run that was stopped goes on: what passed for the commit is not done again, as long as its root is there (AGAIN=yes does all again).
#
# A root is made by debootstrap, once, and named SUITE or SUITE-ARCHITECTURE; about 300 MB, 3 GB with all that tests install. Needs root
# and a mirror (MIRROR, for Ubuntu UBUNTU_MIRROR); another architecture's programs are run by qemu-user-static.
roots=${ROOTS:-/var/tmp/scry-everywhere}
failed=0

need_roots() { # NAME: of the program that needs them
    if [ "$(id -u)" != 0 ] || ! command -v debootstrap >/dev/null; then
        echo "$1: needs root and debootstrap (apt-get install debootstrap)" >&2
        exit 2
    fi
    mkdir -p "$roots"
}

# What passed for the commit is noted in its root, so that a new root begins anew.
commit=$(git rev-parse HEAD)
has_passed() { # ROOT NAME
    [ "${AGAIN-}" != yes ] && [ "$(cat "$roots/$1/.passed-$2" 2>/dev/null)" = "$commit" ]
}
passed() { # ROOT NAME
    [ ! -d "$roots/$1" ] || echo "$commit" >"$roots/$1/.passed-$2"
}

step() { # ROOT NAME COMMAND...: with its output in ROOTS/ROOT-NAME.log
    log=$roots/$1-$2.log
    name="$1: $2"
    root=$1 part=$2
    shift 2
    if has_passed "$root" "$part"; then
        echo "ok      $name, in an earlier run"
        return 0
    elif "$@" >"$log" 2>&1 </dev/null && ! grep -q 'warning: ' "$log"; then
        passed "$root" "$part"
        echo "ok      $name"
        return 0
    else
        failed=$((failed + 1))
        grep -E 'warning: |error: |^not ok|^Failed|^  Failed' "$log" | head -n 20
        tail -n 20 "$log"
        echo "NOT OK  $name: $log"
        return 1
    fi
}

# The kernel runs programs of aarch64 by qemu, in every root.
emulate_arm64() {
    formats=/proc/sys/fs/binfmt_misc
    [ "$(uname -m)" != aarch64 ] || return 0
    [ -e $formats/register ] || mount -t binfmt_misc binfmt_misc $formats || return
    [ -e $formats/qemu-aarch64 ] || cat /usr/lib/binfmt.d/qemu-aarch64.conf >$formats/register
}

make_root() { # ROOT
    suite=${1%%-*}
    architecture=$(case $1 in *-arm64) echo arm64 ;; *) dpkg --print-architecture ;; esac)
    case $suite in
    bookworm | trixie | forky | sid) mirror=${MIRROR:-http://deb.debian.org/debian} components=main like=sid ;;
    *) mirror=${UBUNTU_MIRROR:-http://archive.ubuntu.com/ubuntu} components=main,universe like=jammy ;;
    esac
    [ "$architecture" != arm64 ] || emulate_arm64 || return
    [ ! -e "/usr/share/debootstrap/scripts/$suite" ] || like=$suite   # one that debootstrap does not know yet is made as the last
    [ -f "$roots/$1/etc/debian_version" ] && [ ! -d "$roots/$1/debootstrap" ] ||
        debootstrap --variant=minbase --components=$components --arch="$architecture" "$suite" "$roots/$1" "$mirror" "$like" || return
    # A mirror may be a snapshot whose date has passed.
    echo 'Acquire::Check-Valid-Until "false";' >"$roots/$1/etc/apt/apt.conf.d/99everywhere"
}

# A root that starts as another one is and leaves that as it is: ROOTS/ROOT has the differences.
fresh_root() { # ROOT OF
    make_root "$2" || return
    rm -rf "${roots:?}/$1"
    mkdir -p "$roots/$1/upper" "$roots/$1/work" "$roots/$1/root"
    echo "$2" >"$roots/$1/of"
}

# A command as root in a root, in namespaces for processes and mounts that end with it. FILES is its /files, read-only.
inside() { # ROOT COMMAND [FOLDER]
    unshare --mount --pid --fork --kill-child sh -c '
        root=$1
        mount --make-rprivate / || exit
        if [ -f "$1/of" ]; then
            root=$1/root
            mount -t overlay -o "lowerdir=${1%/*}/$(cat "$1/of"),upperdir=$1/upper,workdir=$1/work" overlay "$root" || exit
        fi
        mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" && mount -t tmpfs tmp "$root/tmp" && mount -t tmpfs shm "$root/dev/shm" || exit
        cp -L /etc/resolv.conf /etc/hosts "$root/etc/" || exit
        # For pip: the certificates that this system trusts, to which a network may have added its own.
        [ ! -f /etc/ssl/certs/ca-certificates.crt ] || cp /etc/ssl/certs/ca-certificates.crt "$root/etc/host-certificates.crt" || exit
        if [ -n "$4" ]; then
            mkdir -p "$root/files" && mount --bind -o ro "$4" "$root/files" || exit
        fi
        exec chroot "$root" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
            PIP_CERT=/etc/host-certificates.crt sh -c "cd $3 && $2"' \
        sh "$roots/$1" "$2" "${3:-/}" "${FILES-}"
}

# The committed tree in a root, below a folder that only root can enter.
tree=/root/private/scry
copy_tree() { # ROOT
    folder=$roots/$1
    [ ! -f "$folder/of" ] || folder=$folder/upper
    rm -rf "$folder$tree"
    mkdir -p -m 700 "$folder/root/private" && mkdir "$folder$tree" && git archive HEAD | tar -x -C "$folder$tree"
}
