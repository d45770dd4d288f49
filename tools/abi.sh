#!/bin/sh
# abi.sh [REVISION] - compares libscry.so.0 with that of an earlier revision, by abidiff (Debian's abigail-tools).
#
# Without REVISION: the last tag, else the first revision that had mk/libscry0.layout. Both are built with debugging information in
# build/abi. Functions and variables that are gone fail; what structures have more is printed. Only what the public headers
# declare is compared. Slow (two builds of the library): `make check` runs it where abidiff is installed and there is a revision.
set -eu
cd "$(dirname "$0")/.."
top=$PWD
base=${1:-$(git describe --tags --abbrev=0 2>/dev/null || git log --diff-filter=A --format=%H -- mk/libscry0.layout 2>/dev/null | tail -n 1)}
if [ -z "$base" ] || ! git rev-parse -q --verify "$base^{commit}" >/dev/null 2>&1; then
    echo "there is no earlier revision to compare with"
    exit 0
fi
out=$top/build/abi
build() { # TREE
    make --no-print-directory -C "$1" -j"$(nproc)" DEPS=no O="$1/build/abi-debug" CFLAGS='-g -O0 -w' "$1/build/abi-debug/libscry.so.0" >"$out/build.log" 2>&1 ||
        { tail -n 20 "$out/build.log"; exit 2; }
}
rm -rf "$out/then"
mkdir -p "$out/then"
git archive "$base" | tar -x -C "$out/then"
build "$out/then"
build "$top"
# The node SCRY_PRIVATE is for plugins of the same build, which refuse another.
printf '[suppress_function]\n  symbol_version = SCRY_PRIVATE\n[suppress_variable]\n  symbol_version = SCRY_PRIVATE\n' >"$out/private"
status=0
abidiff --suppressions "$out/private" --drop-private-types --headers-dir1 "$out/then/include" --headers-dir2 "$top/include" \
    "$out/then/build/abi-debug/libscry.so.0" "$top/build/abi-debug/libscry.so.0" >"$out/report" 2>&1 || status=$?
cat "$out/report"
rm -rf "$out/then"
[ $((status & 11)) = 0 ] || { echo "libscry.so.0 is not compatible with $(git rev-parse --short "$base") (abidiff: $status)"; exit 1; }
echo "libscry.so.0 has all functions of $(git rev-parse --short "$base")"
