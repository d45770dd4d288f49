#!/bin/sh
# make install, uninstall: what is installed runs from any place, and C programs build with it.
. "$(dirname "$0")/lib.sh"
tiny_model "$T/model"
pictures "$T/pics" 3
cd "$SCRY_TOP" || exit 1
case $SCRY_BUILD in
*/release) ;;
*)
    echo '1..0 # SKIP only what make installs by default is installed'
    exit 0
    ;;
esac
make_quietly() {
    MAKEFLAGS= make -s --no-print-directory DEPS=no DESTDIR= PREFIX="$T/usr" "$@"
}

ok "make install" make_quietly install
scry=$T/usr/bin/scry
cd "$T" || exit 1
is "the program" "$(env -i "$scry" --version)" "$("$SCRY_BUILD/scry" --version)"
env -i "HOME=$T/h" "$scry" index --model "$T/model" --store "$T/s" pics >"$T/out" 2>"$T/err"
is "it indexes, with nothing in the environment" $? 0
env -i "HOME=$T/h" "$scry" search --store "$T/s" --paths x >"$T/out" 2>"$T/err"
is "and finds" "$(wc -l <"$T/out")" 3
for part in "$SCRY_BUILD"/scry-*.so; do
    ok "part ${part##*/}" test -f "$T/usr/libexec/scry/${part##*/}"
done

export PKG_CONFIG_PATH=$T/usr/lib/pkgconfig
ok "the example builds with the shared library" \
    sh -c 'gcc -Wall -Werror "$1" -o find $(pkg-config --cflags --libs scry)' sh "$SCRY_TOP/examples/find.c"
LD_LIBRARY_PATH=$T/usr/lib ./find pics 'a dog' >"$T/out" 2>"$T/err"
is "and searches" "$? $(wc -l <"$T/out")" '0 3'
is "the library shows the public functions and nothing else" \
    "$(nm -D --defined-only "$T/usr/lib/libscry.so" | awk '$3 !~ /^scry_/ { print $3 }')" ''
ok "the example builds with the static library" \
    sh -c 'gcc -o static "$1" -I usr/include usr/lib/libscry.a $(pkg-config --static --libs scry | sed s/-lscry//)' \
    sh "$SCRY_TOP/examples/find.c"
is "which shows no other names either" \
    "$(nm --defined-only --extern-only usr/lib/libscry.a | awk 'NF == 3 && $3 !~ /^scry_/ { print $3 }')" ''
ok "man pages" test -s usr/share/man/man1/scry.1 -a -s usr/share/man/man1/scry-search.1
ok "completion for bash" bash -n usr/share/bash-completion/completions/scry
printf '%s\n' "$T"/usr/include/scry/*.h | sed 's,.*/scry/,#include <scry/,; s,$,>,' >all.c
ok "the headers are whole" sh -c 'gcc -Wall -Werror -c all.c $(pkg-config --cflags scry)'
if command -v g++ >/dev/null; then
    cp all.c all.cc
    ok "for C++, too" sh -c 'g++ -Wall -Werror -c all.cc $(pkg-config --cflags scry)'
fi

cd "$SCRY_TOP" || exit 1
ok "make uninstall" make_quietly uninstall
is "leaves nothing" "$(find "$T/usr" -type f -o -type l)" ''
done_testing
