#!/bin/sh
# The built programs, library and plugins are hardened, contain no path of the source tree, and are built with the
# packager's flags. The compiler that built them is gcc, whose debug information names its options.
. "$(dirname "$0")/../e2e/lib.sh"
built="scry scry-decode libscry.so.0"
for f in "$SCRY_BUILD"/scry-*.so; do
    built="$built ${f##*/}"
done
is "programs, library and plugins" "$(echo $built | wc -w)" 9

dump() { # OPTION FILE
    LC_ALL=C readelf -W "$1" "$SCRY_BUILD/$2" >"$T/dump"
}
for f in $built; do
    dump -h "$f"
    like "$f: position independent" "$T/dump" 'Type: +DYN'
    dump -l "$f"
    like "$f: RELRO" "$T/dump" 'GNU_RELRO'
    like "$f: a stack that is not executable" "$T/dump" 'GNU_STACK.* RW +0x'
    unlike "$f: no memory writable and executable" "$T/dump" ' RWE '
    dump -d "$f"
    like "$f: all symbols bound at start, so that RELRO is full" "$T/dump" 'BIND_NOW|FLAGS_1.* NOW'
    unlike "$f: no relocations in the code" "$T/dump" 'TEXTREL'
    case $f in scry | scry-decode) like "$f: PIE" "$T/dump" 'FLAGS_1.* PIE' ;; esac
    ok "$f: no path of the source tree" sh -c '! grep -aqF "$1" "$2"' - "$SCRY_TOP" "$SCRY_BUILD/$f"
done
dump --dyn-syms libscry.so.0
like "libscry: fortified" "$T/dump" 'UND __(memcpy|vsnprintf|snprintf|vasprintf|fprintf|read)_chk'
like "libscry: stack protector" "$T/dump" 'UND __stack_chk_fail'

# Every unit of C was compiled with these.
case $(uname -m) in
x86_64) set -- -fstack-protector-strong -fstack-clash-protection -fcf-protection=full ;;
aarch64) set -- -fstack-protector-strong -fstack-clash-protection -mbranch-protection=standard ;;
*) set -- -fstack-protector-strong -fstack-clash-protection ;;
esac
for f in $built; do
    LC_ALL=C readelf --debug-dump=info --dwarf-depth=1 "$SCRY_BUILD/$f" 2>/dev/null | grep 'DW_AT_producer.*GNU C' >"$T/units"
    for flag; do
        is "$f: units without $flag" "$(grep -vcF -e "$flag" "$T/units")" 0
    done
    ok "$f: there are units" test -s "$T/units"
done
if [ "$(uname -m)" = x86_64 ]; then
    find "$SCRY_BUILD/src" "$SCRY_BUILD/gen" -name '*.o' | while read -r f; do
        LC_ALL=C readelf -nW "$f" | grep -q 'x86 feature: IBT, SHSTK' || echo "$f"
    done >"$T/unmarked"
    is "objects not marked for CET" "$(cat "$T/unmarked")" ''
fi

# What a packager sets is in every command; FORTIFY_SOURCE is his if he sets it.
commands() { # VARIABLE=VALUE...
    make -C "$SCRY_TOP" --no-print-directory -n V=1 MODE=release O="$T/o" "$@" all >"$T/commands" 2>&1
    grep -E '^(g?cc|clang|[^ ]*-gcc) .* -c ' "$T/commands" >"$T/compile"
    grep -E '^(g?cc|clang|[^ ]*-gcc) ' "$T/commands" | grep -vE ' -c ' >"$T/link"
}
commands CPPFLAGS=-DPACKAGER_CPP CFLAGS=-DPACKAGER_C LDFLAGS=-Wl,-O1
ok "commands that compile" test "$(wc -l <"$T/compile")" -gt 100
is "programs and libraries linked" "$(wc -l <"$T/link")" 9
is "compiled without CPPFLAGS" "$(grep -vc PACKAGER_CPP "$T/compile")" 0
is "compiled without CFLAGS" "$(grep -v PACKAGER_C"$(printf '$')" "$T/compile" | grep -vcE 'PACKAGER_C ')" 0
is "linked without LDFLAGS" "$(grep -vc -e -Wl,-O1 "$T/link")" 0
is "compiled without FORTIFY_SOURCE" "$(grep -vcE '_FORTIFY_SOURCE=[23]' "$T/compile")" 0
commands CPPFLAGS=-D_FORTIFY_SOURCE=1
is "FORTIFY_SOURCE of the packager alone" "$(grep -o '_FORTIFY_SOURCE=.' "$T/compile" | sort -u)" '_FORTIFY_SOURCE=1'
done_testing
