#!/bin/bash
# Collections moved between a folder and milvus 2.3.5, either way, and compared.
cd "$(dirname "$0")/../.." || exit 1
. tests/milvus/lib.sh

tiny_model "$T/model"
P=$T/pics
pictures "$P/a" 20
pictures "$P/b" 12 20
cp "$P/a/p000.png" "$P/b/copy.png"
cp "$P/a/p001.png" "$P/b/$(printf 'caf\351 "q".png')"
echo broken >"$P/a/bad.png"
(echo id,path,label; echo "k1,$P/a/p002.png,dog") >"$T/list.csv"
run index "$P" "$T/list.csv"
is "a folder of 34 pictures" "$(stored)" 34
ok "the server starts" milvus_start "$T/milvus"

run store copy "$SCRY_STORE" $M/gallery --to-collection moved
is "to Milvus, into a new database: 0" $status 0
like "all of it" "$T/err" '^34 copied, 0 there already, 1 remembered'
run verify --against $M/gallery --against-collection moved
is "both are equal" "$status $(cat "$T/out")" "0 both are equal: 34 files"
run status --json
mine=$(json '(j["identity"], j["model"], j["precision"], j["files"], j["contents"], j["skipped"], j["roots"])')
run status --json --store $M/gallery --collection moved
is "the same model, numbers, and roots under the same ids" \
    "$(json '(j["identity"], j["model"], j["precision"], j["files"], j["contents"], j["skipped"], j["roots"])')" "$mine"
for q in "a white dog" @"$P/a/p005.png" "--key k1 dog" "--label dog x" "--in $P/b dog"; do
    is "searched as the original: $q" "$("$scry" search --by look --paths $q --store $M/gallery --collection moved)" \
        "$("$scry" search --by look --paths $q)"
done
run index --store $M/gallery --collection moved "$P"
like "an index run finds nothing to do, the unreadable one remembered" "$T/err" '^0 added, 0 updated, 34 unchanged, 1 skipped'
run store copy $M/gallery "$T/back" --collection moved
like "and back into a folder" "$T/err" '^34 copied, 0 there already, 1 remembered'
run verify --against "$T/back" --against-collection moved
like "which equals the first" "$T/out" '^both are equal: 34 files'
run store copy $M/gallery $M --collection moved --to-collection other --milvus-index hnsw:M=8,efConstruction=64
like "from one database into another, with another index" "$T/err" '^34 copied'
run verify --store $M --collection other --against "$SCRY_STORE" --against-collection default
like "equal again" "$T/out" '^both are equal: 34 files'
is "as pymilvus sees it" "$(compare check other 34)" ok
touch "$P/a/p006.png"
rm "$P/a/p007.png"
run index --prune "$P"
run store copy "$SCRY_STORE" $M --to-collection other
like "later, only what changed is sent" "$T/err" '^1 copied, 32 there already'
run verify --against $M --against-collection other
is "and what only the server has is told" "$status $(cat "$T/out")" "2 $P/a/p007.png: only there"

# ---- another index, partitions ----
index_of() { "$PYMILVUS" tests/milvus/compare.py index "$@" 2>&1 | tail -n 1; }
is "the index is the one asked for" "$(index_of other)" "HNSW 8 64"
run index --store $M --collection other --milvus-index hnsw:M=16 --progress "$P"
like "another one replaces it, with a message" "$T/err" '^scry: the index HNSW of the collection other is replaced by hnsw:M=16'
is "with what was asked for" "$(index_of other)" "HNSW 16 200"
run index --store $M --collection other --milvus-index hnsw:M=16 "$P"
unlike "the same one replaces nothing" "$T/err" 'replaced'
run search --store $M --collection other --milvus-index flat dog
is "searches take what there is" "$status $(index_of other)" "0 HNSW 16 200"
run index --store $M --collection other --milvus-index hnsw:M=100000 "$P"
is "what the server refuses leaves the old one" "$status $(index_of other)" "2 HNSW 16 200"
run index --store $M --collection other --milvus-index scann:nlist=8 "$P"
run search --store $M --collection other --milvus-search nprobe=8,reorder_k=40 --by look --paths dog
is "scann, which compares again: searched as the original, all lists" "$(cat "$T/out") $(index_of other)" \
    "$("$scry" search --by look --paths dog) SCANN None None"
run search --store $M --collection other --milvus-search speed=8 dog
like "search parameters are named" "$T/err" 'ef=NUMBER, nprobe=NUMBER, reorder_k=NUMBER or search_list=NUMBER'
run index --store $M --collection other --milvus-index hnsw_sq:sq_type=SQ8 "$P"
is "an index of later servers: refused, the old one stays" "$status $(index_of other)" "2 SCANN None None"
run index --store $M --collection other --milvus-index 'hnsw:M=1"6' "$P"
like "parameters are NAME=VALUE" "$T/err" 'NAME=VALUE'
run index --store $M --collection other --milvus-index flat "$P"
is "back to the exact one: searched as the original" \
    "$("$scry" search --by look --paths dog --store $M --collection other --in "$P/b")" "$("$scry" search --by look --paths dog --in "$P/b")"
run index --store $M --collection parted --milvus-partitions "$P/a" "$P/b"
is "roots in partitions" "$("$PYMILVUS" tests/milvus/compare.py partitions parted 2>&1 | tail -n 1)" "14 19"
for q in dog "--in $P/b dog" "--in $P/a/p003.png dog" "--key none dog"; do
    is "searched as the original: $q" "$("$scry" search --by look --paths $q --store $M --collection parted)" \
        "$("$scry" search --by look --paths $q)"
done
"$PYMILVUS" tests/milvus/tap.py 29531 "$T/sent" &
tap=$!
partitions_of() { # SEARCH...: how many partitions the requests name
    : >"$T/sent"
    run search --store milvus://127.0.0.1:29531 --collection parted "$@"
    grep -aoE 'root_[0-9a-f]{32}' "$T/sent" | sort -u | wc -l
}
until (exec 3<>/dev/tcp/127.0.0.1/29531) 2>/dev/null; do sleep 0.1; done
is "a search below a root names its partition alone" "$(partitions_of --in "$P/b" dog)" 1
is "a search of everything names none" "$(partitions_of dog)" 0
kill $tap
run store copy $M $M --collection parted --to-collection parted2 --milvus-partitions
like "copied into partitions" "$T/err" '^33 copied'
run verify --store $M --collection parted --against-collection parted2
is "and equal" $status 0
run index --store $M --collection other --milvus-partitions "$P"
like "what was made without them says so" "$T/err" 'without partitions: scry store copy'

# ---- shards, replicas ----
run index --store $M --collection sharded --milvus-shards 3 "$P/b"
is "three shards" "$status $(compare shards sharded)" "0 3"
run index --store $M --collection twice --milvus-replicas 2 "$P/b"
is "two replicas on one machine: refused by the server" "$status" 2
like "... in its words" "$T/err" 'LoadCollection.*(resource|replica|not enough)'
run index --store $M --milvus-shards 17 "$P/b"
is "shards have a limit" "$status" 2

# ---- vectors in half precision, on what stands for a newer server ----
run index --store $M --collection half --milvus-half "$P"
is "2.3.5 has none: refused" "$status" 2
like "... with the reason" "$T/err" 'v2\.3\.5.* no vectors of half precision.*omit --milvus-half'
"$PYMILVUS" tests/milvus/newer.py 29532 >"$T/newer" 2>&1 &
newer=$!
until (exec 3<>/dev/tcp/127.0.0.1/29532) 2>/dev/null; do sleep 0.1; done
N=milvus://127.0.0.1:29532
run store copy "$SCRY_STORE" $N --to-collection half
like "copied as halves, which is the default there" "$T/err" '^33 copied'
kind_of() { "$PYMILVUS" -c 'import sys; from pymilvus import MilvusClient
print([int(f["type"]) for f in MilvusClient("http://127.0.0.1:29532").describe_collection(sys.argv[1])["fields"] if f["name"] == "vector"][0])' "$1"; }
is "... as pymilvus sees" "$(kind_of half)" 102
run verify --against $N --against-collection half
is "and equal, to the bit" "$status $(cat "$T/out")" "0 both are equal: 33 files"
scores() { "$scry" search --by look --json "$@" | python3 -c 'import json, sys
print([(r["path"], round(r["score"], 3)) for r in json.load(sys.stdin)["results"]])'; }
is "searched as the original, but for the rounding of the query" "$(scores --store $N --collection half dog)" "$(scores dog)"
is "copies are folded, too" "$(scores --store $N --collection half --fold 0.05 cat)" "$(scores --fold 0.05 cat)"
id=$("$scry" search --json dog | python3 -c 'import json, sys; print(json.load(sys.stdin)["results"][0]["id"])')
is "like a stored one" "$(scores --store $N --collection half "@id:$id")" "$(scores "@id:$id")"
pictures "$P/halves" 4 80
run index --store $N --collection half "$P/halves"
like "indexed as halves" "$T/err" '^4 added'
run index --store $N --collection other --milvus-half "$P/halves"
like "what was made without says so" "$T/err" 'single precision: scry store copy'
run index --store $N --collection other "$P/halves"
is "... and stays as it is" "$status $(kind_of other)" "0 101"
run index --store $N --collection floats --milvus-single "$P/halves"
is "single precision where it is wanted" "$status $(kind_of floats)" "0 101"
run index --store $N --collection floats --rebuild
is "... still, when embedded again" "$status $(kind_of floats)" "0 101"
run index --store $N --collection half --milvus-single "$P/halves"
like "what was made as halves says so" "$T/err" 'half precision: scry store copy.*--milvus-single'
run index --store $N --collection neither --milvus-half --milvus-single "$P/halves"
is "both are refused" $status 2
run index --store $N --collection half --rebuild
is "embedded again as halves" "$status" 0
run status --store $N --collection half --json
is "... all of them" "$(json 'j["files"]')" 37
like "the server is told who connects" "$T/newer" "^scry [0-9]"
unlike "and understands everything" "$T/newer" 'Error|Traceback'
kill $newer

# ---- killed in the middle ----
pictures "$T/many" 2500 100
run index --collection many "$T/many"
"$scry" store copy "$SCRY_STORE" $M --collection many 2>/dev/null &
copying=$!
for i in $(seq 600); do
    rows=$(compare count many)
    [ "${rows:-0}" -lt 1 ] 2>/dev/null || break
    sleep 0.05
done
kill -9 $copying 2>/dev/null
wait $copying 2>/dev/null
run store copy "$SCRY_STORE" $M --collection many
is "a copy that was killed goes on" $status 0
run verify --collection many --against $M
is "and everything is there once" "$status $(compare count many)" "0 2500"
milvus_stop
done_testing
