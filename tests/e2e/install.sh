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
for plugin in "$SCRY_BUILD"/scry-*.so; do
    ok "plugin ${plugin##*/}" test -f "$T/usr/libexec/scry/${plugin##*/}"
done
ok "the program finds its library without LD_LIBRARY_PATH, wherever the tree is moved" \
    sh -c 'mv usr moved && env -i moved/bin/scry --version; status=$?; mv moved usr; exit $status'
env -i "HOME=$T/h" "$scry" serve --store milvus://127.0.0.1:1 >"$T/out" 2>"$T/err"
is "plugins are found: the server and Milvus's" "$?" 2
like "which cannot be reached" "$T/err" '127.0.0.1'
unlike "but is installed" "$T/err" 'plugin|cannot load'
is "paths are shown as they are" "$(env -i "HOME=$T/h" "$scry" model list --json | grep -o '"[^"]*/models/starter"' | head -n 1)" \
    "\"$T/usr/share/scry/models/starter\""

export PKG_CONFIG_PATH=$T/usr/lib/pkgconfig
missing=
for required in $(pkg-config --print-requires --print-requires-private scry | cut -d' ' -f1); do
    package=$(dpkg-query -S "*/pkgconfig/$required.pc" 2>/dev/null | head -n 1 | cut -d: -f1)
    sed -n '/^Package: libscry-dev$/,/^Description/p' "$SCRY_TOP/debian/control" | grep -Eq "[ ,]${package:-$required},? " || missing="$missing $required"
done
is "libscry-dev depends on the packages of what scry.pc requires" "$missing" ''
ok "the example builds with the shared library" \
    sh -c 'gcc -Wall -Werror "$1" -o find $(pkg-config --cflags --libs scry)' sh "$SCRY_TOP/examples/find.c"
LD_LIBRARY_PATH=$T/usr/lib ./find pics 'a dog' >"$T/out" 2>"$T/err"
is "and searches" "$? $(wc -l <"$T/out")" '0 3'
exported() { # NODE: the names that the library exports in this version node
    nm -D --defined-only "$T/usr/lib/libscry.so" | sed -n "s/^[0-9a-f]* [A-Z] \(.*\)@@$1\$/\1/p" | sort
}
is "the library shows C programs the public functions and nothing else" "$(exported SCRY_0)" \
    "$(sed 's,/\*.*\*/,,' usr/include/scry/*.h | grep -v '^typedef' | grep -ohE '\bscry_[a-z0-9_]+\(' | tr -d '(' | sort -u)"
is "which are those that mk/libscry0.symbols lists" "$(exported SCRY_0)" \
    "$(sed -n 's/^ \(scry_.*\)@SCRY_0 .*/\1/p' "$SCRY_TOP/mk/libscry0.symbols" | sort)"
is "and to its plugins functions of scry only" "$(exported SCRY_PRIVATE | grep -v '^scry_')" ''
ok "which are some" test "$(exported SCRY_PRIVATE | wc -l)" -gt 100
is "a C program links none of those" \
    "$(nm -D --undefined-only find | grep SCRY_PRIVATE)" ''

# ---- the other examples: the first program made find.store ----
found=$(LD_LIBRARY_PATH=$T/usr/lib ./find pics 'a dog')
example() { # NAME FILE COMPILER FLAG...
    example_name=$1 example_file=$2
    shift 2
    ok "examples/$example_file builds without warnings" \
        sh -c 'out=$1 in=$2; shift 2; "$@" -Wall -Wextra -Werror "$in" -o "$out" $(pkg-config --cflags --libs scry) -lm -pthread' \
        sh "$example_name" "$SCRY_TOP/examples/$example_file" "$@"
}
example threads threads.c gcc -std=c11
LD_LIBRARY_PATH=$T/usr/lib ./threads find.store 'a dog' 'a cat' 'a castle' >"$T/out" 2>"$T/err"
is "threads: each finds" "$? $(grep -c 'pics/p00' "$T/out")" '0 9'
is "threads: what the first program finds" "$(sed -n '2,4s/^  //p' "$T/out")" "$found"
example embed embed.c gcc -std=c11
LD_LIBRARY_PATH=$T/usr/lib ./embed pics/p001.png 'a dog' >"$T/out" 2>"$T/err"
is "embed: status" $? 0
is "embed: the cosine of the picture's bytes is the score of its file" "$(cut -d ' ' -f 1 "$T/out")" \
    "$(echo "$found" | sed -n 's/ .*p001.png$//p')"
LD_LIBRARY_PATH=$T/usr/lib ./embed "$SCRY_TOP/Makefile" 'a dog' >"$T/out" 2>"$T/err"
is "embed: what is no picture is said" "$? $(grep -c 'picture 0: not a picture' "$T/err")" '2 1'
example serve serve.c gcc -std=c11
LD_LIBRARY_PATH=$T/usr/lib ./serve find.store 127.0.0.1:0 >"$T/serve.out" 2>"$T/serve.err" &
server=$!
tries=0
until url=$(sed -n 's,.*\(http://127.*\)/$,\1,p' "$T/serve.err") && [ -n "$url" ] || [ $tries = 600 ]; do
    tries=$((tries + 1))
    sleep 0.1
done
is "serve: it answers" "$(curl -s -o /dev/null -w '%{http_code}' "$url/readyz")" 200
is "serve: and finds" "$(curl -s "$url/api/v1/search?q=a+dog" | python3 -c 'import json, sys; print(len(json.load(sys.stdin)["results"]))')" 3
kill "$server"
wait "$server"
is "serve: it stops when it is told to, by the program's own handler" "$? $(cat "$T/serve.out")" "0 stopped by the program's own handler"
LD_LIBRARY_PATH=$T/usr/lib ./serve "$T/none" 127.0.0.1:0 >"$T/out" 2>"$T/err"
is "serve: a store that is not there" "$? $(grep -c "$T/none" "$T/err")" '2 1'
if command -v g++ >/dev/null; then
    example find_cc find.cc g++ -std=c++17
    is "in C++: what the first program finds" "$(LD_LIBRARY_PATH=$T/usr/lib ./find_cc pics 'a dog')" "$found"
fi

ok "the example builds with the static library" \
    sh -c 'gcc -o static "$1" -I usr/include usr/lib/libscry.a $(pkg-config --static --libs scry | sed s/-lscry//)' \
    sh "$SCRY_TOP/examples/find.c"
SCRY_DATA_DIR='' ./static pics 'a dog' >"$T/out" 2>"$T/err"
is "moved away from the installation, it finds no decoder, and says what to do" \
    "$? $(grep -c 'SCRY_DATA_DIR' "$T/err")" '2 1'
is "which then works" "$(SCRY_DATA_DIR=$T/usr ./static pics 'a dog')" "$found"
is "the library shows no other names either" \
    "$(nm --defined-only --extern-only usr/lib/libscry.a | awk 'NF == 3 && $3 !~ /^scry_/ { print $3 }')" ''
ok "man pages" test -s usr/share/man/man1/scry.1 -a -s usr/share/man/man1/scry-search.1
like "a unit for systemd" usr/lib/systemd/user/scry-watch.service '^ExecStart=/.*/bin/scry watch$'
like "and for the machine's server" usr/lib/systemd/system/scry-server.service '^ExecStart=/.*/bin/scry serve '
is "each public function has a man page" "$(sed -n 's/^ \(scry_[a-z0-9_]*\)@SCRY_0 .*/\1/p' "$SCRY_TOP/mk/libscry0.symbols" |
    while read -r function; do [ -s usr/share/man/man3/$function.3 ] || echo $function; done)" ''
# What the server, its decoder and scry watch open by a fixed name (disk_away.c only compares): the profile allows each.
profile=$SCRY_TOP/debian/apparmor/scry-server
missing=
for path in $(grep -hoE '"/(proc|sys|run)/[^"%]*"' $(find "$SCRY_TOP/src" -name '*.c' ! -path '*/decoder/faults.c') | tr -d '"' | sort -u); do
    case $path in
    /proc/self | /proc/self/exe | /proc/self/fd/) continue ;;
    /proc/self/*) grep -Eq "@\{pid\}/(\{[^}]*)?\b${path##*/}\b" "$profile" || missing="$missing $path" ;;
    *) grep -q "^  /$(echo "$path" | cut -d/ -f2-3)/" "$profile" || missing="$missing $path" ;;
    esac
done
is "the AppArmor profile has every file of the system that is opened by name" "$missing" ''
like "and lets the server start scry watch" "$profile" '^  /usr/bin/scry mrix,$'
like "an entry for desktops" usr/share/applications/scry.desktop '^Exec=scry serve --open'
like "and one that serves" usr/lib/systemd/user/scry-serve.service '^ExecStart=/.*/bin/scry serve --watch$'
like "completion for fish" usr/share/fish/vendor_completions.d/scry.fish '^complete -c scry '
ok "completion for bash" bash -n usr/share/bash-completion/completions/scry
printf '%s\n' "$T"/usr/include/scry/*.h | sed 's,.*/scry/,#include <scry/,; s,$,>,' >all.c
ok "the headers are whole" sh -c 'gcc -Wall -Werror -c all.c $(pkg-config --cflags scry)'
if command -v g++ >/dev/null; then
    cp all.c all.cc
    ok "for C++, too" sh -c 'g++ -Wall -Werror -c all.cc $(pkg-config --cflags scry)'
    # A variable of each structure that has an initializer, as C and as C++17.
    cat "$T"/usr/include/scry/*.h | sed -n 's/^#define \(SCRY_\([A-Z_]*\)_INIT\) .*/\1 \2/p; s/^#define \(SCRY_\([A-Z_]*\)_INIT\)$/\1 \2/p' |
        grep -v ZERO | while read -r macro type; do
        type=scry_$(echo "$type" | tr A-Z a-z)
        echo "$type make_$type(void); $type make_$type(void) { $type x = $macro; return x; }"
    done >made
    is "there are initializers" "$(wc -l <made)" 18
    cat all.c made >inits.c
    cp inits.c inits.cc
    ok "initializers are clean in C" sh -c 'gcc -std=c11 -Wall -Wextra -Werror -c inits.c $(pkg-config --cflags scry)'
    ok "and in C++17" sh -c 'g++ -std=c++17 -Wall -Wextra -Werror -c inits.cc $(pkg-config --cflags scry)'
fi

cd "$SCRY_TOP" || exit 1
ok "make uninstall" make_quietly uninstall
is "leaves nothing" "$(find "$T/usr" -type f -o -type l)" ''
done_testing
