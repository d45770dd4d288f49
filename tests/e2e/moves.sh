#!/bin/sh
# scry index: files that are moved, roots that are merged while their files are queued, disks that are
# not mounted.
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

# ---- a folder becomes a root while files of a folder below it are queued ----
R=$T/roots
pictures "$R/2023/june" 3
pictures "$R" 2 10
cp "$R/p010.png" "$R/2023/june/same.png"
run index --collection nested "$R/2023/june" "$R/2023" "$R"
is "folders below, then the one around them: 0" $status 0
like "folders below: each file is added once" "$T/err" '^6 added, 0 updated, [0-9]+ unchanged, 0 skipped'
run root list --collection nested
is "one root is left" "$(grep -c / "$T/out")" 1
like "with all files" "$T/out" "  6  $R\$"
run verify --collection nested
is "nested: the store is well" $status 0
run index --collection nested "$R"
like "nested: nothing is left to do" "$T/err" '^0 added, 0 updated, 6 unchanged, 0 skipped'
echo broken >"$R/2023/june/a.jpg"
find "$R/2023" "$R"/*.png -type f | sort >"$T/list"
"$scry" index --collection listed --from-file - <"$T/list" >"$T/out" 2>"$T/err"
is "a list, a folder before the one around it: 1 for the broken file" $? 1
like "a list: each file is added once" "$T/err" '^6 added, 0 updated, 0 unchanged, 1 skipped'
run index --collection listed "$R"
like "a list: nothing is left to do, the broken file is remembered" "$T/err" '^0 added, 0 updated, 6 unchanged, 1 skipped'

# ---- a disk that is not mounted ----
pictures "$T/disk" 3 20
run index --collection disks "$S" "$T/disk"
mkdir "$T/elsewhere"
mv "$T/disk"/* "$T/elsewhere"
run index --collection disks --prune "$S" "$T/disk"
is "--prune of an empty folder beside one with pictures: 2" $status 2
like "it names the folder and says what to do" "$T/err" 'none of the .* indexed pictures in .*disk exists any more.*mounted.*scry remove --in'
run status --collection disks --json
is "its pictures are still known" "$(json 'j["files"]')" 9
mv "$T/elsewhere/p020.png" "$T/disk"
run index --collection disks --prune "$S" "$T/disk"
like "--prune where one picture is left" "$T/err" '^0 added, 0 updated, 7 unchanged, 1 skipped, 2 forgotten'
# A disk that is mounted below an indexed folder, beside other pictures of it; and below a folder where disks come and go.
pictures "$T/library/home" 3 40
pictures "$T/library/usb/2020" 2 50
pictures "$T/library/old" 1 60
run index --collection below "$T/library"
mv "$T/library/usb/2020" "$T/away"
rm -r "$T/library/old" "$T/library/home/p041.png"
run index --collection below --prune "$T/library"
is "--prune with an empty folder in it: 1" $status 1
like "it says what stays" "$T/err" 'library/usb: none of its 2 indexed pictures is there, as where a disk is not mounted: they stay in the index'
like "and what was deleted is forgotten" "$T/err" '^0 added, 0 updated, 2 unchanged, 1 skipped, 2 forgotten'
run list --collection below --in "$T/library/usb" --paths
is "its pictures are still listed" "$(wc -l <"$T/out")" 2
run search --collection below --json --limit 10 --in "$T/library/usb" red
is "and found" "$(json 'len(j["results"])')" 2
mv "$T/away" "$T/library/usb/2020"
run index --collection below --prune "$T/library"
like "mounted again: nothing to do" "$T/err" '^0 added, 0 updated, 4 unchanged, 0 skipped'
run remove --collection below --in "$T/library/usb"
is "what was deleted is removed by name" $status 0
# A folder renamed on its disk: the run says what it did not find, and results show the copy that exists.
pictures "$T/folders/animals" 4 300
run index --collection renamed "$T/folders"
mv "$T/folders/animals" "$T/folders/zoo"
run index --collection renamed "$T/folders"
is "a renamed folder: 0" $status 0
like "and how many pictures are not there any more" "$T/err" '^4 indexed pictures were not found any more: --prune forgets them'
run search --collection renamed --json --limit 4 a thing
is "results show the copies that exist" "$(json '[r["path"].split("/")[-2] for r in j["results"]]')" "['zoo', 'zoo', 'zoo', 'zoo']"
run index --collection renamed --prune "$T/folders"
unlike "with --prune none are missing" "$T/err" 'not found any more'
run index --collection renamed "$T/folders"
unlike "nor afterwards" "$T/err" 'not found any more'
rm "$T/folders/zoo/p301.png"
run index --collection renamed "$T/folders"
like "one deleted file" "$T/err" '^1 indexed picture was not found any more'

# ---- a root behind a link ----
L=$T/linked
pictures "$L/one/pics" 3 400
ln -s one/pics "$L/link"
ln -s one "$L/above"
export SCRY_STORE=$T/store-linked
run index "$L/link"
run root
like "a root is where the link leads" "$T/out" "  3  $L/one/pics\$"
is "nothing is said of a root that is there" "$(cat "$T/err")" ""
mv "$L/one" "$L/two"
run root
like "a root that is gone is said to be" "$T/err" "$L/one/pics does not exist: mount its disk, or.*scry root move"
run index "$L/link"
is "a link that leads nowhere is not indexed: 2" $status 2
like "it says where it led" "$T/err" "$L/link: it is a link to $L/one/pics, which does not exist.*scry root move"
cp -a "$SCRY_STORE" "$T/store-copy"
run root move "$L/link" "$L/two/pics"
is "the old path by a link that leads nowhere: 0" $status 0
run root
like "the root is moved" "$T/out" "  3  $L/two/pics\$"
rm -r "$SCRY_STORE"
cp -a "$T/store-copy" "$SCRY_STORE"
run root move "$L/above/pics" "$L/two/pics"
is "by a link above it: 0" $status 0
rm -r "$SCRY_STORE"
cp -a "$T/store-copy" "$SCRY_STORE"
ln -sfn two/pics "$L/link"
run root move "$L/link" "$L/link"
is "the old path by a link that was set to the new place: 2" $status 2
like "it says so" "$T/err" "$L/link leads to $L/two/pics itself, the new place: give the old path as scry root list shows it"
run root move "$L/one/pics" "$L/link"
is "the new path by a link: 0" $status 0
run index "$L/link"
like "nothing is left to do" "$T/err" '^0 added, 0 updated, 3 unchanged, 0 skipped'
run root move "$L/link" "$L/link"
is "once more: 0" $status 0
like "says where the root is" "$T/err" "^the root is at $L/two/pics: nothing to do"
ln -s loop "$L/loop"
run root move "$L/loop" "$L/link"
is "a link to itself: 2" $status 2
run index "$L/loop"
is "is not indexed: 2" $status 2
run root move "$L/loop/a/b" "$L/link"
is "nor is anything below it a root: 2" $status 2
mv "$L/two" "$L/three"
run index "$L/three"
like "a moved folder that is indexed again" "$T/err" '^3 added, 0 updated'
like "its old place is named" "$T/err" "$L/two/pics, which was indexed, does not exist any more.*scry remove"
run remove "$L/two/pics"
is "what it says to do works: 0" $status 0
run index "$L/three"
unlike "then there is nothing to say" "$T/err" 'does not exist'
done_testing
