#!/bin/sh
# tools/prove_on.sh: what passed is not run again, what failed is, and fails the run.
cd "$(dirname "$0")/../.." || exit 1
T=$(mktemp -d) || exit 1
trap 'rm -rf "$T"' EXIT
export T
count=0 failed=0
is() { # NAME VALUE WANTED
    count=$((count + 1))
    if [ "$2" = "$3" ]; then echo "ok $count - $1"; else failed=$((failed + 1)); printf '%s\n' "$2" | sed 's/^/# /'; echo "not ok $count - $1"; fi
}
for name in good bad 'two words'; do
    cat >"$T/$name.sh" <<'END_OF_TEST'
#!/bin/sh
echo "$0" >>"$T/runs"
echo 1..1
case $0 in
*bad*) [ -e "$T/mended" ] || printf 'not ' ;;
esac
echo "ok 1 - ${0##*/}"
END_OF_TEST
done
run() {
    rm -f "$T/runs"
    PASSED=$T/passed tools/prove_on.sh -j2 "$T/good.sh" "$T/bad.sh" "$T/two words.sh" >"$T/out" 2>&1
    status=$?
}
run
is "a test that fails fails the run" "$([ $status != 0 ] && grep -c '^NOT OK  .*/bad\.sh' "$T/out")" 1
is "with what it said" "$(grep -c 'Failed 1/1 subtests' "$T/out")" 1
is "all were run" "$(wc -l <"$T/runs")" 3
run
is "what passed is not run again" "$(cat "$T/runs")" "$T/bad.sh"
touch "$T/mended"
run
is "mended, the run passes" "$status $(tail -n 1 "$T/out")" '0 3 passed'
run
is "and has nothing left" "$status $(cat "$T/out" "$T/runs" 2>/dev/null)" '0 3 passed'
echo "1..$count"
[ $failed = 0 ]
