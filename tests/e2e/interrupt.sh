#!/bin/sh
# scry index: Ctrl-C, SIGTERM and kill -9 lose nothing; the next run resumes.
. "$(dirname "$0")/lib.sh"
tiny_model "$T/model"
P=$T/pics
pictures "$P" 600

# Pictures that hang their decoder, two seconds each: a run over them does not end by itself.
mkdir "$T/slow"
for i in $(seq 10 29); do
    { cat "$SCRY_TOP/tests/pictures/photo.jpg"; printf '%s scry-test:hang' $i; } >"$T/slow/h$i.jpg"
done
export SCRY_TEST_DECODER_FAULTS=1
mib=$((500 + $$ % 89))   # tells the decoders of this test from others
decoders() { grep -lE -- "[-]-memory=$((mib << 20))" /proc/[0-9]*/cmdline 2>/dev/null; }

start() { # PATH...: an index run, $pid; sh ignores SIGINT for background jobs
    python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$scry" index --jobs 1 --decoder-memory=$mib --time-limit=2 "$@" \
        >"$T/out" 2>"$T/err" </dev/null &
    pid=$!
}

stop() { # SIGNAL
    kill -"$1" $pid 2>/dev/null
    wait $pid
    status=$?
}

interrupt() { # SIGNAL: once a decoder is at work and something is stored
    start "$P" "$T/slow"
    for i in $(seq 300); do
        [ -n "$(decoders)" ] && [ "$(stored 2>/dev/null || echo 0)" -gt 0 ] && break
        sleep 0.05
    done
    stop "$1"
}

interrupt INT
before=$(stored)
is "Ctrl-C: 130" $status 130
like "Ctrl-C: the summary is printed" "$T/err" ' added, '
is "Ctrl-C: the summary tells what is stored" "$(sed -n 's/^\([0-9]*\) added.*/\1/p' "$T/err")" "$before"
run verify
is "verify: 0" $status 0
interrupt TERM
is "SIGTERM: 130, too" $status 130
is "what was stored stays" "$([ "$(stored)" -ge "$before" ] && echo fine)" fine

for i in 05 10 15 20 25; do
    rm -rf "$SCRY_STORE"
    start "$P"
    sleep 0.$i
    stop KILL
    "$scry" verify >"$T/out" 2>"$T/err"
    verified=$?
    is "kill -9 after 0.$i s: what is committed is whole" \
        "$([ $verified = 0 ] || grep -qE 'scry index|no collection' "$T/err" && echo fine)" fine
    run index "$P"
    is "kill -9 after 0.$i s: the next run ends what is left" "$status $(stored)" '0 600'
done
run verify
is "verify: 0" $status 0
is "no decoder is left behind" "$(grep -ls "$SCRY_BUILD/scry-decod[e]" /proc/[0-9]*/cmdline | wc -l)" 0
done_testing
