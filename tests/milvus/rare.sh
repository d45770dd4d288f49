#!/bin/bash
# Words that pictures have together, where none has all of a query: on milvus-lite 3.2.2 by the server's BM25, as pymilvus sees and does it,
# too; on milvus 2.3.5, in collections without the fields for that, and where the server refuses, by scry. newer.py stands for 2.5.
cd "$(dirname "$0")/../.." || exit 1
. tests/milvus/lib.sh
. tests/milvus/words_data.sh
tiny_model "$T/model"
tiny_model "$T/other" 2
P=$T/pics
word_pictures

rare() { "$SCRY_BUILD/tests/milvus_rare" "$@" 2>"$T/err" | tr '\n' ','; }   # STORE COLLECTION TEXT...
kept() { rare "$1" "$2" 'screenshot wifi password' 'dog in Munich' '東京 absent' absent 'собака Москвы white'; }
same='wifi password,munich,東京,,собак москв,'
known() { # RANKS ROWS
    SCRY_TEST_STORE=$M SCRY_TEST_ROWS=$2 SCRY_TEST_RANKS=$1 CMOCKA_MESSAGE_OUTPUT=TAP "$SCRY_BUILD/tests/milvus_rare" >"$T/out" 2>&1 && [ "$(wc -l <"$T/out")" = 3 ]
}
proxy() { # [calls|unranked]
    "$PYMILVUS" tests/milvus/newer.py 29541 "$@" >"$T/calls" 2>&1 &
    newer=$!
    until (exec 3<>/dev/tcp/127.0.0.1/29541) 2>/dev/null; do sleep 0.1; done
}
N=milvus://127.0.0.1:29541
asked() { grep -Ecx "$1 $2" "$T/calls"; }   # CALL COLLECTION
filled() { # STORE COLLECTION
    run index --store "$1" --collection "$2" "$P"
    run store copy "$SCRY_STORE" "$1" --to-collection "$2"
}
run index "$P"
ok "texts in a folder" put_texts "$SCRY_STORE"

ok "milvus-lite starts" lite_start "$T/lite"
ok "3,000 rows whose words are known, by BM25" known 1 3000
note <"$T/out"
filled $M default
is "copied" "$status" 0
run verify --against $M
is "... as it was" "$status" 0
is "pymilvus ranks them" "$(compare ranked default 'wifi password')" p008.png
is "... in Russian" "$(compare ranked default 'москв собак')" 'Москва/Собаки/p003.png'
is "words" "$(kept $M default)" "$same"
is "... nothing is said" "$(cat "$T/err")" ''

# As a server of 2.5 is asked.
proxy calls
run index --store $N --collection later "$P"
is "a collection of 2.5" "$status $(wc -l <"$T/err")" '0 1'
run store copy "$SCRY_STORE" $N --to-collection later
queries=$(asked Query later)
is "... its words" "$(kept $N later)" "$same"
is "... by one search each" "$(asked Search later) $(asked Query later)" "5 $queries"
run index --store $N --collection later --rebuild --model "$T/other"
is "... embedded again" "$status $(kept $N later)" "0 $same"
kill $newer
is "... pymilvus ranks them still" "$(compare ranked later 'wifi password')" p008.png
proxy unranked
is "where it refuses to rank: the same" "$(kept $N later)" "$same"
is "... which is said once" "$(grep -c 'does not rank the collection later by words (BM25), so that scry compares them: .*no index' "$T/err") $(wc -l <"$T/err")" '1 1'
kill $newer

# A collection of an earlier scry, which has words and not the fields.
is "without the fields" "$(compare old before default 3)" ok
proxy calls
is "... the same words" "$(kept $N before)" "$same"
is "... by queries" "$(asked Search before) $(asked Query before)" '0 5'
kill $newer
cp "$P/p020.png" "$P/p020 wifi.png"
run index --store $M --collection before "$P"
like "... goes on" "$T/err" '^1 added'
run index --store $M --collection before --rebuild --model "$T/other"
is "... embedded again it has them" "$status $(compare ranked before 'white password')" '0 p008.png'
run store export "$SCRY_STORE" $M --to-collection bulk "$T/bulk"
is "an export has the words, and not what the server makes" \
    "$(python3 -c 'import json, sys; r = json.load(open(sys.argv[1]))["rows"][0]; print("all_words" in r, "word_ranks" in r)' "$T/bulk/rows-00001.json")" 'True False'
lite_stop
rm -rf "$XDG_DATA_HOME/scry/milvus"

ok "milvus starts" milvus_start "$T/milvus"
ok "3,000 rows whose words are known, by queries" known 0 3000
note <"$T/out"
filled $M default
is "words" "$(kept $M default)" "$same"
is "... nothing is said" "$(cat "$T/err")" ''
run store export "$SCRY_STORE" $M --to-collection bulk "$T/bulk2"
is "an export has what the collection has" \
    "$(python3 -c 'import json, sys; r = json.load(open(sys.argv[1]))["rows"][0]; print("all_words" in r, "words" in r)' "$T/bulk2/rows-00001.json")" 'False True'
proxy calls
run index --store $N --collection later "$P"
like "a server of 2.5 without functions" "$T/err" 'refuses to rank by words \(BM25\), so that scry compares them: .*functions are not supported'
run store copy "$SCRY_STORE" $N --to-collection later
is "... the same words" "$status $(kept $N later)" "0 $same"
is "... by queries" "$(asked Search later)" 0
kill $newer
milvus_stop
done_testing
