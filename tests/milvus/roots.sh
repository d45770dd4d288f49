#!/bin/bash
# Folders within each other that several machines index at once, none of which is a root before: each picture is stored once.
cd "$(dirname "$0")/../.." || exit 1
. tests/milvus/lib.sh
export SCRY_ROOTS=$T/roots

programs() { # TESTS [FILTER]
    SCRY_TEST_STORE=$M CMOCKA_MESSAGE_OUTPUT=TAP "$SCRY_BUILD/tests/milvus_roots" ${2:+"$2"} >"$T/out" 2>&1
    is "... programs" "$? $(grep -c '^ok' "$T/out")" "0 $1"
    note <"$T/out"
}
ok "milvus-lite starts" lite_start "$T/lite"
programs 1 '*written_to' # it cannot change properties twice at once itself: of two that rename its schema.json.tmp one fails
lite_stop
ok "milvus starts" milvus_start "$T/milvus"
programs 3

# The same by the command line: four processes that begin together.
tiny_model "$T/model"
P=$T/pics
pictures "$P" 12
pictures "$P/in" 40 100
pictures "$P/in/side" 30 200
pictures "$P/beside" 20 300
for round in 1 2; do
    indexers=
    for folder in "$P/in" "$P" "$P/in/side" "$P/beside"; do
        "$scry" index --store $M --collection round$round --jobs 1 "$folder" >"$T/out" 2>"$T/err.$(basename "$folder")" </dev/null &
        indexers="$indexers $!"
    done
    all=0
    for indexer in $indexers; do
        wait "$indexer"
        all=$((all + $?))
    done
    is "round $round: four at once" $all 0
    [ $all = 0 ] || cat "$T"/err.* | note
    is "... every row once" "$(compare count round$round)" 102
    run root list --store $M --collection round$round
    is "... in one root" "$(awk '{ print $2, $3 }' "$T/out")" "102 $P"
    run index --store $M --collection round$round "$P"
    like "... which has all" "$T/err" '102 unchanged'
done

# As another process sees a collection that is being made: it goes on where that one is.
client 'c.release_collection(sys.argv[1]); c.drop_index(sys.argv[1], "vector")' round1 >/dev/null
run search --store $M --collection round1 dog
is "a collection without an index is not there yet" "$status" 2
like "... which is said" "$T/err" 'has no index yet: run scry index once'
run index --store $M --collection round1 "$P/in"
like "... and scry index makes it" "$T/err" '^0 added, 0 updated, 70 unchanged'
milvus_stop
done_testing
