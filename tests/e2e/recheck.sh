#!/bin/sh
# scry serve: the store's files are checked while it runs, and what is found is said.
. "$(dirname "$0")/lib.sh"
. "$SCRY_TOP/tests/server/lib/serve.sh"
command -v curl >/dev/null || { echo "1..0 # SKIP no curl"; exit 0; }
tiny_model "$T/model"
P=$T/pics C=$SCRY_STORE/collections/default
pictures "$P" 40
ok "index" "$scry" index "$P"

flip() { # FILE OFFSET
    python3 -c '
import sys
with open(sys.argv[1], "r+b") as f:
    f.seek(int(sys.argv[2]))
    byte = f.read(1)[0] ^ 16
    f.seek(int(sys.argv[2]))
    f.write(bytes([byte]))' "$@"
}
# Until the expression about the status is true: the checks follow each other every second.
until_status() { # EXPRESSION
    for _ in $(seq 300); do
        get "$url/api/v1/status"
        [ "$(json "$1")" != True ] || return 0
        sleep 0.2
    done
    return 1
}

ok "starts" start --check-interval 1
ok "the first check ends" until_status 'j["check"]["finished_at"] > 0'
is "a sound store: no problems" "$(json 'j["check"]["problems"], j["check"]["partial"], j["damage"]')" '(0, False, None)'
is "all was read" "$(json 'j["check"]["bytes"] > 4096')" True
get "$url/api/v1/search?q=red"
is "a search says nothing of damage" "$(json 'j["damage"]')" None
before=$(json '[(r["id"], r["score"]) for r in j["results"]]')
run search --json --limit 4 red
four=$(json '[(r["id"], r["score"]) for r in j["results"]]')

# A damaged cache is not used: nothing wrong is shown. Without a check codes of scale 0 would hide every picture but a few.
cp "$C/codes-1.cache" "$T/codes"
dd if=/dev/zero of="$C/codes-1.cache" bs=4096 seek=1 count=1 conv=notrunc 2>/dev/null
run search --json --limit 4 red
is "a damaged cache: the command line finds the same" "$(json '[(r["id"], r["score"]) for r in j["results"]]')" "$four"
like "and says what to do" "$T/err" 'codes-1\.cache is damaged: .*remove the file'
ok "the server's check notices it" until_status 'j["check"]["cache_problems"] > 0'
is "a cache damages no search" "$(json 'j["damage"]')" None
like "the log names the file and says what to do" "$T/serve.err" 'codes-1\.cache: bytes .* have changed.*remove the file'
get "$url/api/v1/search?q=red"
is "the same is found" "$(json '[(r["id"], r["score"]) for r in j["results"]]')" "$before"
cat "$T/codes" >"$C/codes-1.cache"
ok "it is sound again" until_status 'j["check"]["state"] == "done" and j["check"]["problems"] == 0'

# A vector: searches, here and in other processes, say that they may be wrong.
flip "$C/vectors-1.seg" 4100
ok "a bit of a vector is noticed" until_status 'j["damage"] is not None'
like "status says what is damaged and what to do" "$T/out" 'vectors-1\.seg: bytes .* have changed.*scry verify'
get "$url/api/v1/search?q=red"
is "a search is answered" $code 200
like "and says that it may be wrong" "$T/out" '"damage":"the collection default of .* is damaged'
get "$url/metrics"
like "so do the metrics" "$T/out" '^scry_store_damaged 1$'
run search red
like "and the command line" "$T/err" 'is damaged, what it finds may be wrong.*vectors-1\.seg'
run status
like "and scry status" "$T/err" 'is damaged, what it finds may be wrong'
flip "$C/vectors-1.seg" 4100
run verify
is "restored and verified: 0" $status 0
ok "the status says so" until_status 'j["damage"] is None'

# Small cached files: thumbnails, pictures to search by, the model's identity.
get "$url/api/v1/search?q=red&limit=1"
id=$(json 'j["results"][0]["id"]')
get "$url/api/v1/images/$id/thumbnail"
cp "$T/out" "$T/thumbnail"
cached=$(find "$XDG_CACHE_HOME/scry/thumbs" -type f)
is "a thumbnail is cached" "$(echo "$cached" | wc -l)" 1
flip "$cached" 300
get "$url/api/v1/images/$id/thumbnail"
ok "a damaged thumbnail is made again" cmp "$T/out" "$T/thumbnail"
get -F image=@"$P/p000.png" "$url/api/v1/search"
is "a search by a picture" $code 200
query=$(json 'j["query"]')
cached=$(find "$XDG_CACHE_HOME/scry/queries" -type f)
get -G --data-urlencode "q=$query" "$url/api/v1/search"
is "once more by its address" $code 200
flip "$cached" 40
get -G --data-urlencode "q=$query" "$url/api/v1/search"
ok "a picture that has changed is not searched with" test $code -ge 400
stop
is "stops" $status 0
cached=$(find "$XDG_CACHE_HOME/scry/identity" -type f)
flip "$cached" $(($(stat -c %s "$cached") - 20))   # a digit before the seal
run search --json --limit 4 red
is "a damaged identity is computed again" "$(json '[(r["id"], r["score"]) for r in j["results"]]')" "$four"

# Where nothing can be written the server says what it found itself.
flip "$C/vectors-1.seg" 4100
if drop_root; then
    chmod -R a+rX,a-w "$SCRY_STORE"
    program=$scry
    printf '#!/bin/sh\nexec %s %s "$@"\n' "$unprivileged" "$program" >"$T/reader"
    chmod a+rx "$T/reader"
    scry=$T/reader
    ok "starts on a read-only store" start --check-interval 1
    ok "its damage is noticed" until_status 'j["damage"] is not None'
    get "$url/api/v1/search?q=red"
    like "its searches say so" "$T/out" '"damage":"the collection .*is damaged'
    stop
    scry=$program
    chmod -R u+w "$SCRY_STORE"
else
    report 0 "damage of a read-only store # SKIP no setpriv"
fi
ok "starts without checks" start --check-interval 0
get "$url/api/v1/status"
is "no checks" "$(json 'j["check"]["state"]')" off
stop
is "stops again" $status 0
run serve --check-interval -1
is "an interval below 0: 2" $status 2

# Files of the store that are something else: no command waits for a FIFO, or ends in another way than with a status.
cp -a "$SCRY_STORE" "$T/good"
for f in codes-1.cache columns-1.cache vectors-1.seg lock index.db index.db-wal index.db-shm index.db-journal sums sums.old damaged ../../scry-store; do
    problem=
    for kind in fifo folder loop; do
        rm -rf "$SCRY_STORE"
        cp -a "$T/good" "$SCRY_STORE"
        rm -f "$C/$f"
        case $kind in
        fifo) mkfifo "$C/$f" ;;
        folder) mkdir "$C/$f" ;;
        loop) ln -s "$(basename "$f")" "$C/$f" ;;
        esac
        for command in "search red" verify status "index $P" "store compact" "store drop --yes default"; do
            timeout 900 "$scry" $command >"$T/out" 2>"$T/err" </dev/null
            ended=$?
            [ $ended -le 2 ] || problem="$problem $kind: $command: $ended;"
        done
    done
    is "$(basename "$f") is a FIFO, a folder, a link to itself" "$problem" ""
done
done_testing
