#!/bin/sh
# Two writers at a time on a file system whose flock does nothing, and one of them killed at a random moment: whatever
# the pair, the store is whole afterwards and takes the rest: TAP.
. "$(dirname "$0")/../e2e/lib.sh"
tiny_model "$T/model"
pictures "$T/pics" 60
pictures "$T/more" 60 100
printf '#include <sys/file.h>\nint flock(int fd, int how) { (void)fd; (void)how; return 0; }\n' >"$T/flock.c"
ok "the shim builds" gcc -shared -fPIC -o "$T/flock.so" "$T/flock.c"
"$scry" index "$T/pics" >/dev/null 2>&1
"$scry" remove "$T/pics/p001.png" >/dev/null 2>&1
cp -r "$SCRY_STORE" "$T/whole"

shimmed() { LD_PRELOAD=$T/flock.so exec "$scry" "$@" >/dev/null 2>"$T/err-$1" </dev/null; }

operation() { # NAME
    case $1 in
    index) shimmed index --jobs 1 "$T/more" ;;
    remove) shimmed remove "$T/pics/p002.png" ;;
    prune) shimmed index --prune --jobs 1 "$T/pics" ;;
    compact) shimmed store compact ;;
    copy) shimmed store copy "$T/whole" "$SCRY_STORE" ;;
    move) shimmed root move "$T/pics" "$T/elsewhere" ;;
    esac
}

mkdir "$T/elsewhere"
for killed in index remove prune compact copy move; do
    bad=0
    for other in index remove prune compact copy move; do
        rm -rf "$SCRY_STORE"
        cp -r "$T/whole" "$SCRY_STORE"
        (operation $killed) &
        first=$!
        (operation $other) &
        second=$!
        sleep "$(printf '0.%03d' $(($(od -An -N2 -tu2 /dev/urandom) % 150)))"
        kill -KILL $first 2>/dev/null
        wait $first 2>/dev/null
        wait $second
        ended=$?
        run verify
        if [ $status != 0 ] || { [ $ended != 0 ] && [ $ended != 1 ] && [ $ended != 2 ]; }; then
            bad=$((bad + 1))
            echo "# $killed killed beside $other: it ended with $ended, verify with $status"
            tail -n 3 "$T/out" "$T/err" | note
        fi
        run index "$T/more"
        [ $status = 0 ] || bad=$((bad + 1))
    done
    is "$killed killed beside each other writer" $bad 0
done
done_testing
