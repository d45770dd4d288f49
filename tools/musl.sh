#!/bin/sh
# musl.sh - whether the sources compile with musl instead of glibc: all of src/ whose libraries' headers are in C (Debian's musl-tools).
#
# The headers of the libraries are the system's, in a folder of their own, since those of glibc beside them must not be found. Debian has no
# library that is built for musl, so only what needs none is linked and run: the scan of vectors, exact and approximate, and the resampling
# of pictures (bench/instructions.c), whose results are to be those of a build with glibc.
set -eu
cd "$(dirname "$0")/.."
temp=$(mktemp -d)
trap 'rm -rf "$temp"' EXIT
triplet=$(gcc -print-multiarch)
for name in jansson.h jansson_config.h sqlite3.h zlib.h zconf.h seccomp.h seccomp-syscalls.h jpeglib.h jmorecfg.h jerror.h jconfig.h microhttpd.h \
    gnutls nghttp2 curl openssl linux asm asm-generic; do
    for folder in /usr/include "/usr/include/$triplet"; do
        [ ! -e "$folder/$name" ] || cp -RL "$folder/$name" "$temp/"
    done
done
count=0
failed=0
# scry-formats.so (GLib, libvips), scry-thumbs.so (GLib) and Milvus's messages are left out: their headers include glibc's.
for file in $(find src -name '*.c' | grep -vE 'src/decoder/formats/|src/thumbs/|src/milvus/|src/store/milvus/' | LC_ALL=C sort); do
    count=$((count + 1))
    musl-gcc -std=gnu11 -fsyntax-only -Werror=implicit-function-declaration -Iinclude -Isrc -Ibuild/release/gen -isystem "$temp" -D_GNU_SOURCE -DSCRY_VERSION='"0"' "$file" 2>"$temp/err" || {
        failed=$((failed + 1))
        grep "error: " "$temp/err"
    }
done
echo "$count files, $failed of them do not compile with musl"

# Other functions of these files than those that run may need libraries: they are left out, or undefined.
build() { # COMPILER
    "$1" -std=gnu11 -O2 -static -ffp-contract=off -ffunction-sections -w -Iinclude -Isrc -Ibench -isystem "$temp" -D_GNU_SOURCE \
        -DSCRY_VERSION='"0"' bench/instructions.c src/base/*.c src/vector/*.c src/resize/*.c -pthread -lm \
        -Wl,--gc-sections,--unresolved-symbols=ignore-all -o "$temp/with-$1" 2>"$temp/err" || { cat "$temp/err"; exit 1; }
}
build musl-gcc
build gcc
for work in 'scan 4' 'approximate 4' 'resize 2'; do
    if result=$("$temp/with-musl-gcc" $work) && [ "$result" = "$("$temp/with-gcc" $work)" ]; then
        echo "with musl as with glibc: $work: $result"
    else
        failed=$((failed + 1))
        echo "other with musl than with glibc: $work: $result"
    fi
done
[ $failed = 0 ]
