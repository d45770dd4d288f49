#!/bin/bash
# `scry store export` and milvus 2.3.5's bulk import of what it writes: the same collection as after `scry store copy`.
cd "$(dirname "$0")/../.." || exit 1
. tests/milvus/lib.sh
two_models
printf 'id,path,label\nK-1,%s,"a ""b"" \\ c"\nK-2,%s,Ü\n' "$P/a/p001.png" "$P/b/p031.png" >"$T/list.csv"
cp "$P/a/p001.png" "$P/a/\"quoted\" \\ и.png"
echo broken >"$P/a/bad.png"
"$scry" index --quiet --model "$T/one" "$P" 2>/dev/null
"$scry" index --quiet --model "$T/one" "$T/list.csv"
ok "favourite" "$scry" favourite add "$P/a/p003.png"
ok "the server starts" milvus_start "$T/milvus"

run store export "$SCRY_STORE" $M "$T/bulk"
is "export" $status 0
like "... says what to do" "$T/err" '^51 rows for a bulk import are in .*/bulk/rows-\*\.json: docs/milvus.md.*scry store copy'
is "... one whole file" "$(ls "$T/bulk")" rows-00001.json
is "... which is JSON" "$(python3 -c 'import json, sys; print(len(json.load(open(sys.argv[1]))["rows"]))' "$T/bulk/rows-00001.json")" 51
is "... sent no row" "$(client "print(c.query('default', 'id != \"\"', output_fields=['count(*)'], consistency_level='Strong')[0]['count(*)'])")" 0
is "imported" "$("$PYMILVUS" examples/milvus_import.py http://127.0.0.1:19530 default "$T/bulk/rows-00001.json" 2>"$T/err" | tail -n 1)" "51 rows imported"
run verify --against $M
is "it is the same collection" "$status $(cat "$T/out")" "0 both are equal: 51 files"
run store copy "$SCRY_STORE" $M
like "nothing is left to copy" "$T/err" '^0 copied, 51 there already'
is "searched" "$(paths --store $M --model "$T/one" red)" "$(paths --model "$T/one" red)"
run list --store $M --paths --label 'a "b" \ c'
is "by a label" "$status $(cat "$T/out")" "0 $P/a/p001.png"
is "with its favourite" "$("$scry" list --store $M --paths --favourites)" "$P/a/p003.png"
run status --store $M --skipped
like "and the file that is none" "$T/out" 'bad.png'
run index --store $M --model "$T/one" "$P"
like "an index run goes on" "$T/err" '^0 added, [0-9]+ updated, [0-9]+ unchanged, 1 skipped'
run verify --store $M
is "sound" $status 0

# What is refused.
run store export "$SCRY_STORE" $M "$T/again"
is "into a collection with rows: status" $status 2
like "... would double them" "$T/err" 'has 51 rows, which a bulk import would double: .scry store copy'
run store export --to-collection other "$SCRY_STORE" $M "$T/bulk"
like "a folder with rows" "$T/err" 'rows-00001.json is there already: give an empty folder'
run store export --to-collection parts --milvus-partitions "$SCRY_STORE" $M "$T/third"
like "partitions" "$T/err" 'has a partition for each root'
run store export "$SCRY_STORE" "$T/folder" "$T/fourth"
like "into a folder" "$T/err" 'a bulk import is for collections on Milvus'
mkdir "$T/full"
run store export --to-collection full "$SCRY_STORE" $M /dev/full/x
is "a folder that cannot be made" $status 2
done_testing
