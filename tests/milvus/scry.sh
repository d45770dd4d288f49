#!/bin/bash
# The program on milvus 2.3.5: the same commands, the same results as on the embedded store,
# pymilvus as the outside checker, a collection of another program, and faults.
cd "$(dirname "$0")/../.." || exit 1
. tests/milvus/lib.sh

tiny_model "$T/model"
P=$T/pics
pictures "$P/a" 30
pictures "$P/b" 20 30
cp "$P/a/p000.png" "$P/b/copy.png"
cp "$P/a/p001.png" "$P/b/$(printf 'caf\351 \"q\".png')"
echo broken >"$P/a/bad.png"
paths() { "$scry" search "$@" --by look --paths --limit 20 2>"$T/err"; }

# ---- absent ----
before=$(date +%s)
run search --store $M dog
is "absent server: an error" $status 2
like "absent server: says what to do" "$T/err" 'cannot connect .*127.0.0.1:19530.*is it running'
ok "absent server: within half a minute" test $(($(date +%s) - before)) -lt 30

ok "the server starts" milvus_start "$T/milvus" common.session.ttl=20

# ---- the same commands ----
run search --store $M dog
is "missing collection: an error" $status 2
like "missing collection: says what to do" "$T/err" 'no collection default .*index some pictures'
run index "$P"
run index --store $M "$P"
is "index: a broken file gives status 1" $status 1
like "index: summary" "$T/err" '^52 added, 0 updated, 0 unchanged, 1 skipped'
run index --store $M "$P"
like "again: nothing to do, the bad file remembered" "$T/err" '^0 added, 0 updated, 52 unchanged'
unlike "again: nothing embedded" "$T/err" 'embedded'
is "pymilvus finds rows, schema and each vector itself" "$(compare check default 52)" ok
for q in "a white dog" "red" "+ something - else"; do
    is "search: as the embedded store: $q" "$(paths --store $M $q)" "$(paths $q)"
done
is "search: below a folder" "$(paths --store $M --in "$P/b" dog)" "$(paths --in "$P/b" dog)"
is "search: a folder's name is no prefix" "$(paths --store $M --in "$P/b/c" dog)" ""
is "search: by format and date" "$(paths --store $M --format png --after 2020 dog)" "$(paths --format png --after 2020 dog)"
is "search: near a place" "$(paths --store $M --near 48,11,500 dog)" "$(paths --near 48,11,500 dog)"
mcp() { # TOOL ARGUMENTS: the text of its answer
    printf '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"%s","arguments":%s}}\n' "$1" "$2" |
        "$scry" mcp --store $M 2>/dev/null | python3 -c 'import json, sys; r = json.load(sys.stdin)["result"]; print(r["isError"], r["content"][0]["text"])'
}
for tool in list_favourites list_saved_searches; do
    is "MCP: $tool: none yet" "$(mcp $tool '{}' | grep -c '^False ')" 1
done
is "MCP: a search is saved" "$(mcp save_search '{"name":"a","search":{"query":"dog"}}' | grep -c '^False ')" 1
is "MCP: ... and listed" "$(mcp list_saved_searches '{}' | grep -c '"dog"')" 1
is "search: in a box" "$(paths --store $M --box 5,45,15,55 dog)" "$(paths --box 5,45,15,55 dog)"
is "search: by a picture" "$(paths --store $M @"$P/a/p007.png")" "$(paths @"$P/a/p007.png")"
is "search: with an offset" "$(paths --store $M --offset 7 dog)" "$(paths --offset 7 dog)"
run search --store $M --limit 20000 dog
like "search: Milvus's limit is told" "$T/err" '16384'
for level in strong session eventually; do
    is "search: $level" "$(paths --store $M --milvus-consistency $level red)" "$(paths red)"
done
run search --store $M --milvus-consistency sometimes red
like "search: no such consistency" "$T/err" 'strong, session, bounded or eventually'
run search --store $M --offset 16370 --limit 14 dog
is "search: up to the limit of 16,384" "$status $(cat "$T/err")" "1 nothing found"
run status --store $M --json
is "status: files and contents" "$(json "j['files'], j['contents']")" "(52, 50)"
run verify --store $M
is "verify: all is well" $status 0
. tests/server/lib/serve.sh
ok "serve" start --store $M
get "$url/readyz"
is "serve: ready" "$code" 200
run search --store $M --json --limit 5 red
want=$(json '[r["id"] for r in j["results"]]')
get "$url/api/v1/search?q=red&limit=5"
is "serve: the API finds the same" "$(json '[r["id"] for r in j["results"]]')" "$want"
compare release default >"$T/released"
get "$url/api/v1/search?q=red&limit=5"
is "serve: a collection that was released is loaded again" "$code $(json '[r["id"] for r in j["results"]]')" "200 $want"
stop
compare release default >"$T/released"
run search --store $M red
is "not loaded: it is loaded" $status 0
run remove --store $M --in "$P/b"
is "remove" $status 0
is "removed pictures are gone at once" "$(paths --store $M --in "$P/b" dog)" ""
is "and no other" "$(compare count default)" 30
run index --store $M "$P"
like "indexed again" "$T/err" '^22 added'

# ---- files that change places, roots taken in and names given in the same run ----
V=$T/moves
pictures "$V/2023" 4 60
echo id,path,label >"$T/names.csv"
echo "7,$V/2023/p060.png,red" >>"$T/names.csv"
run index --store $M --collection moves "$T/names.csv" "$V/2023" "$V"
like "a table, its folder and the one around it: each file is added once" "$T/err" '^4 added, [01] updated, [0-9]+ unchanged, 0 skipped'
run root list --store $M --collection moves
is "one root is left, with all files" "$(sed 's/^[0-9a-f]* *//' "$T/out")" "4  $V"
run search --store $M --collection moves --json --label red x
is "the table's names are kept" "$(json '[(r["key"], r["path"]) for r in j["results"]]')" "[('7', '$V/2023/p060.png')]"
mv "$V/2023/p061.png" "$V/t"
mv "$V/2023/p062.png" "$V/2023/p061.png"
mv "$V/t" "$V/2023/p062.png"
run index --store $M --collection moves "$V"
like "two files swapped" "$T/err" '^0 added, 2 updated, 2 unchanged, 0 skipped'
mv "$V/2023/p063.png" "$V/2023/p060.png"   # waits for its commit while the next one is given up
echo broken >"$V/2023/p063.png"
run index --store $M --collection moves --jobs 1 "$V"
like "a picture moved and a broken one in its place" "$T/err" '^0 added, 1 updated, 2 unchanged, 1 skipped'
for colour in 120 200; do   # of one size whatever they show
    python3 -c 'import struct, sys, zlib
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
rows = b"".join(b"\0" + bytes(int(sys.argv[2]) if i % 7 else (i + y) % 251 for i in range(120)) for y in range(32))
open(sys.argv[1], "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 40, 32, 8, 2, 0, 0, 0)) +
                              chunk(b"IDAT", zlib.compress(rows, 0)) + chunk(b"IEND", b""))' "$T/$colour.png" $colour
done
cp "$T/120.png" "$V/2023/kept.png"
run index --store $M --collection moves "$V"
like "another picture" "$T/err" '^1 added, 0 updated, 3 unchanged, 1 skipped'
edit_kept "$V/2023/kept.png" "$T/200.png"
ok "it was edited in place" cmp "$V/2023/kept.png" "$T/200.png"
run index --store $M --collection moves "$V"
like "edited in place with size and mtime kept: noticed by its change time" "$T/err" '^0 added, 1 updated, 3 unchanged, 1 skipped'
run search --store $M --collection moves --json --limit 1 "@$T/200.png"
is "and found by what it shows now" "$(json '[(r["path"], r["score"] > 0.9999) for r in j["results"]]')" "[('$V/2023/kept.png', True)]"
head -c "$(wc -c <"$T/200.png")" /dev/zero >"$V/2023/kept.png"
run index --store $M --collection moves "$V"
like "it is broken" "$T/err" '^0 added, 0 updated, 3 unchanged, 2 skipped'
edit_kept "$V/2023/kept.png" "$T/120.png"
run index --store $M --collection moves "$V"
like "and mended with size and mtime kept: noticed by its change time" "$T/err" '^1 added, 0 updated, 3 unchanged, 1 skipped'
run verify --store $M --collection moves
is "moves: verify finds all well" $status 0

# ---- indexes ----
for spec in hnsw:M=8,efConstruction=64 ivf_flat:nlist=4 autoindex; do
    name=${spec%%:*}
    run index --store $M --collection $name --milvus-index $spec "$P"
    like "index $name: summary" "$T/err" '^52 added'
    is "index $name: the best match is the exact one" "$(paths --store $M --collection $name --milvus-search nprobe=4 \
        @"$P/a/p003.png" | head -n 1)" "$P/a/p003.png"
done
run search --store $M --collection hnsw --milvus-index nonsense dog
is "a nonsensical index is refused" $status 2

# ---- a collection that pymilvus made ----
ls "$P"/a/p*.png >"$T/list"
"$scry" embed --images "$T/list" --out "$T/v.npy" 2>/dev/null
dim=$(python3 -c 'import sys
h = open(sys.argv[1], "rb").read(128).decode("latin1")
print(h[h.index("shape") :].split("(")[1].split(")")[0].split(",")[1].strip())' "$T/v.npy")
(echo id,path,label; awk '{ print NR "," $0 ",x" }' "$T/list") >"$T/map.csv"
is "pymilvus makes the tutorial's collection" "$(compare make tutorial "$dim" "$T/v.npy")" ok
run search --store $M --collection tutorial dog
is "its search gives keys" "$(head -n 1 "$T/out" | grep -c 'id:')" 1
is "with a map, paths; scores are cosines" "$(paths --store $M --collection tutorial --milvus-map "$T/map.csv" \
    --milvus-search nprobe=4 @"$P/a/p004.png" | head -n 1)" "$P/a/p004.png"
ok "serve takes the same options" start --store $M --collection tutorial --milvus-map "$T/map.csv" --milvus-consistency strong
get -F "image=@$P/a/p004.png" -F limit=1 "$url/api/v1/search"
is "and gives paths too" "$(json '[r["path"] for r in j["results"]]')" "['$P/a/p004.png']"
stop
ok "serve: no such consistency" test "$("$scry" serve --listen 127.0.0.1:0 --store $M --milvus-consistency sometimes 2>&1 |
    grep -c 'strong, session, bounded or eventually')" = 1
"$PYMILVUS" -c 'import numpy, sys; numpy.save(sys.argv[1], numpy.eye(8, dtype="f4"))' "$T/narrow.npy"
is "and one of another dimension" "$(compare make narrow 8 "$T/narrow.npy")" ok
run search --store $M --collection narrow dog
like "which is refused, with both dimensions" "$T/err" 'narrow.* 8 .*16'
run search --store $M --collection tutorial --in "$P" dog
like "a filter needs fields it has not" "$T/err" 'not made by scry'
run index --store $M --collection tutorial "$P/b"
like "pictures can be added" "$T/err" '^22 added'
run index --store $M --collection tutorial "$P/b"
like "again: none twice" "$T/err" '^0 added, 0 updated, 22 unchanged'
is "rows are the old and the new" "$(compare count tutorial)" 52
is "and are found by path" "$(paths --store $M --collection tutorial --milvus-search nprobe=4 @"$P/b/p040.png" | head -n 1)" \
    "$P/b/p040.png"

# ---- killed in the middle of indexing, started again ----
pictures "$T/many" 2500 100
"$scry" index --store $M --collection killed --progress "$T/many" >"$T/out" 2>"$T/err" </dev/null &
indexing=$!
rows=0
for i in $(seq 1200); do
    rows=$(sed -n 's|^\[.*\] \([0-9]*\)/.*|\1|p' "$T/err" | tail -n 1)
    [ "${rows:-0}" -lt 300 ] || break
    sleep 0.05
done
milvus_kill
ok "killed with -9 in the middle: ${rows:-0} of 2500 rows" kill -0 $indexing
sleep 2
milvus_start "$T/milvus"
wait $indexing
status=$?
is "the index run went on by itself" "$status" 0
run index --store $M --collection killed "$T/many"
is "after the crash: nothing is missing" "$status $(compare count killed)" "0 2500"
run verify --store $M --collection killed
is "after the crash: verify finds all well" $status 0

# ---- wrong dimension, model, name ----
tiny_model "$T/other" 7
run index --store $M --model "$T/other" "$P"
like "another model is refused, with the way out" "$T/err" 'was built with model .*--rebuild'
run index --store $M --collection no-dash "$P"
like "a name Milvus cannot have" "$T/err" 'letters, digits and _'
run search --store milvus://user:secret@127.0.0.1:19530 dog
like "no password in the address" "$T/err" 'SCRY_MILVUS_PASSWORD'
run store list --store $M
like "collections are listed" "$T/out" '^killed '
milvus_stop
done_testing
