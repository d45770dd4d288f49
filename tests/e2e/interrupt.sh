#!/bin/sh
# scry index: Ctrl-C, SIGTERM and kill -9 lose nothing; the next run goes on.
. "$(dirname "$0")/lib.sh"
tiny_model "$T/model"
P=$T/pics
pictures "$P" 600

interrupt() { # SIGNAL SECONDS, or SIGNAL some: once some pictures are stored
    had=$(stored 2>/dev/null || echo 0)
    # sh ignores SIGINT for background jobs
    python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$scry" index --jobs 1 "$P" >"$T/out" 2>"$T/err" </dev/null &
    pid=$!
    if [ "$2" = some ]; then
        for i in $(seq 200); do
            sleep 0.05
            [ "$(stored 2>/dev/null || echo 0)" -gt "${had:-0}" ] && break
        done
    else
        sleep "$2"
    fi
    kill -"$1" $pid 2>/dev/null
    wait $pid
    status=$?
}

interrupt INT some
before=$(stored)
is "Ctrl-C: 130 (or 0, when it was quicker)" "$([ $status = 130 ] || [ $status = 0 ] && echo fine)" fine
like "Ctrl-C: the summary is printed" "$T/err" ' added, '
is "Ctrl-C: the summary tells what is stored" "$(sed -n 's/^\([0-9]*\) added.*/\1/p' "$T/err")" "$before"
run verify
is "verify: 0" $status 0
interrupt TERM some
is "SIGTERM stops it, too" "$([ $status != 139 ] && [ $status != 137 ] && echo fine)" fine
is "what was stored stays" "$([ "$(stored)" -ge "$before" ] && echo fine)" fine

for i in 1 2 3 4 5; do
    rm -rf "$SCRY_STORE"
    interrupt KILL 0.$((i * 7 % 6 + 1))
    "$scry" verify >"$T/out" 2>"$T/err"
    verified=$?
    is "kill -9 ($i): what is committed is whole" \
        "$([ $verified = 0 ] || grep -qE 'scry index|no collection' "$T/err" && echo fine)" fine
    run index "$P"
    is "kill -9 ($i): the next run ends what is left" "$status $(stored)" '0 600'
done
run verify
is "verify: 0" $status 0
is "no decoder is left behind" "$(grep -ls "$SCRY_BUILD/scry-decod[e]" /proc/[0-9]*/cmdline | wc -l)" 0
done_testing
