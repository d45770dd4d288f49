#!/bin/sh
# A disk that is full from the n-th write on, for many n: an error that says so, and a store
# that holds what it said it holds and takes the rest afterwards.
. "$(dirname "$0")/../e2e/lib.sh"
tiny_model "$T/model"
pictures "$T/pics" 60
ok "the shim builds" gcc -D_GNU_SOURCE -shared -fPIC -o "$T/fail.so" "$SCRY_TOP/tests/check/fail_write.c" -ldl

failing() { # N ARGUMENT...: run scry with a disk that is full from the N-th write on
    n=$1
    shift
    FAIL_PROGRAM=scry FAIL_AT=$n LD_PRELOAD=$T/fail.so timeout 60 "$scry" "$@" >"$T/out" 2>"$T/err" </dev/null
    status=$?
}

bad=0
for n in 1 2 3 4 5 6 7 8 9 10 12 14 16 18 20 23 26 30 35 40 45 50 60 70 80 100 120 150 200; do
    rm -rf "$SCRY_STORE"
    failing $n index --jobs 1 "$T/pics"
    first=$status
    if [ $first != 0 ] && [ $first != 2 ]; then
        bad=$((bad + 1))
        echo "# write $n: status $first"
        tail -n 3 "$T/err" | note
    fi
    "$scry" verify >"$T/verify" 2>&1
    verified=$?
    if [ $verified != 0 ] && ! grep -qE 'scry index|no collection' "$T/verify"; then
        bad=$((bad + 1))
        echo "# write $n: verify $verified"
        tail -n 3 "$T/verify" | note
    fi
    run index "$T/pics"
    if [ "$status $(stored)" != '0 60' ]; then
        bad=$((bad + 1))
        echo "# write $n: afterwards status $status, $(stored) stored"
        tail -n 3 "$T/err" | note
    fi
done
is "a full disk at 29 places of a first run" $bad 0
pictures "$T/more" 10 100
failing 3 index "$T/more"
is "a full disk in a later run: 2" $status 2
like "and says so" "$T/err" '[Nn]o space|full'
run search x
is "searching goes on" $status 0
rm -rf "$SCRY_STORE"
(ulimit -f 64; exec "$scry" index "$T/pics" >"$T/out" 2>"$T/err" </dev/null)   # blocks of 512 or 1024 bytes
is "a limit on the size of files: 2, no signal" $? 2
like "and says so" "$T/err" 'File too large|too large|cannot write|disk I/O'
# A small file system that really fills up, where we may mount one.
mkdir "$T/small"
if mount -t tmpfs -o size=300k none "$T/small" 2>/dev/null; then
    pictures "$T/many" 600 200
    run index --store "$T/small/store" "$T/many"
    is "a full tmpfs: 2" $status 2
    like "and says so" "$T/err" '[Nn]o space|full'
    run verify --store "$T/small/store"
    is "what was committed is whole" "$([ $status = 0 ] || grep -q 'scry index' "$T/err" && echo fine)" fine
    yes 'a text' | head -n 8000 >"$T/texts"
    run embed --texts "$T/texts" --out "$T/small/x.npy"
    is "embed on a full disk: 2" $status 2
    is "and leaves no half file" "$(ls "$T"/small/x.npy* 2>/dev/null)" ''
    umount "$T/small"
fi
done_testing
