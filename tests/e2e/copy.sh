#!/bin/sh
# scry store copy and scry verify --against, from one folder to another. The same with a Milvus
# server: tests/milvus/copy.sh.
. "$(dirname "$0")/lib.sh"
tiny_model "$T/model"
P=$T/pics
pictures "$P/a" 20
pictures "$P/b" 12 20
cp "$P/a/p000.png" "$P/b/copy.png"
cp "$P/a/p001.png" "$P/b/$(printf 'caf\351 "q".png')"
echo broken >"$P/a/bad.png"
(echo id,path,label; echo "k1,$P/a/p002.png,dog"; echo "k2,$P/a/p003.png,cat") >"$T/list.csv"
run index "$P" "$T/list.csv"
is "index: one is unreadable" $status 1
B=$T/second

run verify --against "$B"
is "nothing to compare with: 2" $status 2
run store copy "$SCRY_STORE" "$B"
is "copy: 0" $status 0
like "copy: all of it" "$T/err" '^34 copied, 0 there already, 1 remembered'
run verify --against "$B"
is "both are equal: 0" $status 0
like "and it says so" "$T/out" '^both are equal: 34 files'
run verify --store "$B"
is "the copy itself is well" $status 0
run status --json
mine=$(json '(j["identity"], j["model"], j["precision"], j["files"], j["contents"], j["skipped"], j["roots"])')
run status --json --store "$B"
is "the same model, numbers, and roots under the same ids" \
    "$(json '(j["identity"], j["model"], j["precision"], j["files"], j["contents"], j["skipped"], j["roots"])')" "$mine"
for q in "a white dog" @"$P/a/p005.png" "--key k2 dog" "--label dog x" "--in $P/b dog"; do
    is "searched as the original: $q" "$("$scry" search --json $q --store "$B" | sed 's/.*"results"//')" \
        "$("$scry" search --json $q | sed 's/.*"results"//')"
done
run index --store "$B" "$P"
like "an index run finds nothing to do, the unreadable one remembered" "$T/err" '^0 added, 0 updated, 34 unchanged, 1 skipped'
unlike "and embeds nothing" "$T/err" 'embedded'

run store copy "$SCRY_STORE" "$B"
like "again: nothing is sent" "$T/err" '^0 copied, 34 there already'
pictures "$P/c" 3 40
rm "$P/a/p004.png"
touch "$P/a/p005.png"
run index --prune "$P"
run store copy --progress "$SCRY_STORE" "$B"
like "later: what is new or changed is sent" "$T/err" '^4 copied, 32 there already'
like "with a progress bar" "$T/err" '^\[#+\] 36/36'
run verify --against "$B"
is "what only the copy has: 2" $status 2
is "it is told" "$(cat "$T/out")" "$P/a/p004.png: only there"
like "and counted" "$T/err" '36 equal, 0 only here, 1 only there, 0 different'
run verify --store "$B" --against "$SCRY_STORE"
is "seen from the other side" "$(cat "$T/out")" "$P/a/p004.png: only here"
rm -r "$B"
run store copy "$SCRY_STORE" "$B"
touch "$P/a/p006.png"
run index --store "$B" "$P"
run verify --against "$B"
is "a difference is told with what differs" "$(cat "$T/out")" "$P/a/p006.png: different modification time"

run store copy "$SCRY_STORE" "$SCRY_STORE" --to-collection second
is "copied within a store under another name" $status 0
run verify --against-collection second
is "and equal" $status 0
run store copy "$SCRY_STORE" "$SCRY_STORE"
is "not onto itself: 2" $status 2
tiny_model "$T/other" 2
run index --model "$T/other" --collection theirs --store "$B" "$P/c"
run store copy "$SCRY_STORE" "$B" --to-collection theirs
is "into another model's collection: 2" $status 2
like "both are named" "$T/err" 'built with model .*other.*model'
run verify --against "$B" --against-collection theirs
like "nor compared with it" "$T/err" 'model .*other'
run index --collection inner --store "$B" "$P/c"
run store copy "$SCRY_STORE" "$B" --to-collection inner
is "a root that overlaps one of the copy's: 2" $status 2
like "which is named" "$T/err" "overlaps the root $P/c"
run store copy "$T/none" "$B"
is "nothing there to copy: 2" $status 2
run store copy "$B"
is "copy takes two stores: 2" $status 2

# Killed at any moment and run again: it resumes, and nothing is duplicated.
pictures "$T/many" 2600 100
run index --collection many "$T/many"
is "many pictures" $status 0
for ms in 05 15 25; do
    rm -rf "$B"
    "$scry" store copy "$SCRY_STORE" "$B" --collection many 2>/dev/null &
    sleep 0.$ms
    kill -9 $! 2>/dev/null
    wait $! 2>/dev/null
    run store copy "$SCRY_STORE" "$B" --collection many
    is "killed after .$ms s, it goes on" $status 0
    run verify --collection many --against "$B"
    like "and everything is there once" "$T/out" '^both are equal: 2600 files'
done
done_testing
