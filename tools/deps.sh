#!/bin/sh
# deps.sh - install the Debian packages that scry is built from.
#
#     tools/deps.sh [--list] SET...      SET is build, test, lint, check or deb
#
# Installs what is missing: as root, else with `sudo -n`; else prints the command to run and
# stops with status 1. Never asks. DEPS=no leaves the system alone; --list only prints the
# names. `a|b` means either: a name differs between Debian 12, Debian 13 and Ubuntu 24.04. `a?` is
# wanted where apt has it: libheif's decoder of HEIC is a package of its own since 1.16.
set -u

build='gcc|clang make pkg-config|pkgconf libc6-dev
    libjansson-dev libssl-dev libsqlite3-dev
    libvips-dev libheif-plugin-libde265? libjpeg-dev|libjpeg62-turbo-dev|libjpeg-turbo8-dev libjxl-dev libraw-dev zlib1g-dev libbrotli-dev libseccomp-dev
    libnghttp2-dev libprotobuf-c-dev protobuf-c-compiler libcurl4-openssl-dev|libcurl4-gnutls-dev libmicrohttpd-dev libgnutls28-dev libchafa-dev'
test='libcmocka-dev perl python3 curl unzip xz-utils python3-numpy python3-pil python3-pytest python3-venv jq tesseract-ocr tesseract-ocr-rus'
lint=pmccabe
check="clang clang-format-14|clang-format lintian debhelper dh-python dh-apparmor dpkg-dev abigail-tools mypy libasan8|libasan6 libubsan1
    $(case $(. /etc/os-release 2>/dev/null && echo "$VERSION_CODENAME") in
        trixie) echo libclang-rt-19-dev ;; noble) echo libclang-rt-18-dev ;; *) echo libclang-rt-14-dev ;; esac)"
# The browser's tests: Ubuntu's Chromium is no package of its archive; a node from elsewhere will do.
check="$check $(. /etc/os-release 2>/dev/null; [ "${ID-}" = ubuntu ] || echo chromium) $(command -v npm >/dev/null || echo nodejs npm) nginx-light haproxy caddy"

deb='debhelper dh-python dh-apparmor dpkg-dev'

list_only=no
if [ "${1-}" = --list ]; then
    list_only=yes
    shift
fi
wanted=
for set in "$@"; do
    case $set in
    build) wanted="$wanted $build" ;;
    test) wanted="$wanted $test" ;;
    lint) wanted="$wanted $lint" ;;
    check) wanted="$wanted $check" ;;
    deb) wanted="$wanted $deb" ;;
    *) echo "deps.sh: there is no set \"$set\": build, test, lint, check or deb" >&2; exit 2 ;;
    esac
done
if [ $list_only = yes ]; then
    printf '%s\n' $wanted | tr -d '?'
    exit 0
fi
[ "${DEPS-}" = no ] && exit 0
if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    echo "deps.sh: no Debian package system here; these packages (or their like) are needed:" $(echo $wanted | tr -d '?') >&2
    exit 0
fi

is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | head -n 1)" = installed ]
}

known() { # NAME: apt has a package of that name
    [ -n "$(apt-cache show --no-all-versions "$1" 2>/dev/null | head -c 1)" ]
}

# The name to install for "a|b": the first that apt knows, else the first.
name_of() {
    for name in $(echo "$1" | tr '|' ' '); do
        if known "$name"; then
            echo "$name"
            return
        fi
    done
    echo "${1%%|*}"
}

missing_now() {
    for either in $wanted; do
        found=no
        case $either in
        *\?)
            either=${either%?}
            known "$either" || continue ;;
        esac
        for name in $(echo "$either" | tr '|' ' '); do
            is_installed "$name" && found=yes && break
        done
        [ $found = no ] && name_of "$either"
    done
}

all_known() {
    for name in $missing; do
        known "$name" || return 1
    done
}

missing=$(missing_now | tr '\n' ' ')
missing=${missing% }
[ -n "$missing" ] || exit 0
echo "Missing Debian packages: $missing"

as_root=
if [ "$(id -u)" != 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        as_root='sudo -n'
    else
        echo "They need root. Run this, then the same make again (or add DEPS=no to go on without):" >&2
        all_known || echo "  sudo apt-get update" >&2
        echo "  sudo apt-get install --no-install-recommends $missing" >&2
        exit 1
    fi
fi

apt() {
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@" </dev/null
}
apt_install() {
    apt install -y --no-install-recommends $missing >"$log" 2>&1
}

log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT
if ! all_known || ! apt_install; then
    echo "Updating the package lists ..."
    apt update >"$log" 2>&1 || tail -n 3 "$log" >&2
    missing=$(missing_now | tr '\n' ' ')
    if ! apt_install; then
        tail -n 15 "$log" >&2
        echo "deps.sh: apt-get could not install them: see above, or go on without by DEPS=no" >&2
        exit 1
    fi
fi
echo "Installed."
