#!/bin/sh
# scry index: files that change places, roots that are taken in while their files are under way.
. "$(dirname "$0")/lib.sh"
tiny_model "$T/model"

# ---- swapped and renumbered ----
S=$T/swap
pictures "$S" 6
mkdir "$T/expected"
cp -p "$S"/* "$T/expected"
run index "$S"
mv "$S/p000.png" "$S/t"
mv "$S/p001.png" "$S/p000.png"
mv "$S/t" "$S/p001.png"
run index "$S"
is "two files swapped: 0" $status 0
like "two files swapped: both are updated" "$T/err" '^0 added, 2 updated, 4 unchanged, 0 skipped'
run search --paths --limit 1 "@$T/expected/p000.png"
is "a swapped file is found by its new content" "$(cat "$T/out")" "$S/p001.png"
for i in 5 4 3 2 1 0; do
    mv "$S/p00$i.png" "$S/p00$((i + 1)).png"
done
pictures "$T/new" 1 50
mv "$T/new/p050.png" "$S/p000.png"
run index "$S"
is "renumbered: 0" $status 0
like "renumbered: all are updated" "$T/err" '^1 added, 6 updated, 0 unchanged, 0 skipped'
mv "$S/p006.png" "$S/p000.png"   # waits for its commit while the next one is given up
echo broken >"$S/p006.png"
run index --jobs 1 "$S"
is "a picture moved and a broken one in its place: 1 for that one" $status 1
like "the moved picture is there" "$T/err" '^0 added, 1 updated, 5 unchanged, 1 skipped'
run verify
is "the store is well" $status 0
done_testing
