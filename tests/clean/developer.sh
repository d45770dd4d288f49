#!/bin/sh
# developer.sh - libscry-dev as a developer finds it: the examples compile with what pkg-config says, as C11 and C++17, and run.
#
# tools/everywhere.sh runs it inside a root file system with the packages and a compiler, with the tree at /files.
SCRY_TOP=/files SCRY_BUILD=/usr/bin
. /files/tests/e2e/lib.sh
unset SCRY_MODEL SCRY_STORE SCRY_WORDS
examples=/usr/share/doc/libscry-dev/examples
mkdir "$T/photos"
cp /files/demo/gallery/animals/bison.jpg /files/demo/gallery/animals/panda.jpg "$T/photos/"
cd "$T" || exit 1
builds() { # NAME FILE COMPILER...
    builds_out=$1 builds_in=$2
    shift 2
    ok "$builds_in builds without warnings" sh -c \
        'out=$1 in=$2; shift 2; "$@" -Wall -Wextra -Werror "$in" -o "$out" $(pkg-config --cflags --libs scry) -lm -pthread' \
        sh "$builds_out" "$examples/$builds_in" "$@"
}
builds find find.c gcc -std=c11
./find photos 'a bison' >"$T/out" 2>"$T/err"
is "it indexes and finds" "$? $(head -n 1 "$T/out" | sed 's,.*/,,')" '0 bison.jpg'
builds find17 find.cc g++ -std=c++17
./find17 photos 'a panda' >"$T/out" 2>"$T/err"
is "so does the one in C++" "$? $(head -n 1 "$T/out" | sed 's,.*/,,')" '0 panda.jpg'
builds threads threads.c gcc -std=c11
./threads find.store 'a bison' 'a panda' >"$T/out" 2>"$T/err"
is "threads search" $? 0
builds embed embed.c gcc -std=c11
./embed photos/bison.jpg 'a bison' >"$T/out" 2>"$T/err"
is "pictures in memory are embedded" $? 0
builds serve serve.c gcc -std=c11
ok "the headers compile alone as C and C++" sh -c '
    for header in /usr/include/scry/*.h; do
        gcc -std=c11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only "$header" && g++ -std=c++17 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -x c++ "$header" || exit 1
    done'
ok "a static program builds and finds its data" sh -c 'gcc "$1/find.c" -o static -I/usr/include $(pkg-config --variable=libdir scry | sed s,$,/libscry.a,) \
    $(pkg-config --static --libs-only-l scry | sed "s/-lscry//") -lm -ldl -pthread && SCRY_DATA_DIR=/usr ./static photos "a bison"' sh $examples
done_testing
