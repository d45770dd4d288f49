#!/bin/sh
# scry index: which files are added, unchanged, recognised, removed and skipped.
. "$(dirname "$0")/lib.sh"
tiny_model "$T/model"
P=$T/pics
pictures "$P/a" 6
pictures "$P/b" 4 6

run status
is "no index yet: status of scry status" $status 2
like "no index yet: says how to make one" "$T/err" 'scry index'
run index
is "index of nothing is an error" $status 2
run index "$P/none"
is "index of a path that is not there is an error" $status 2
like "and names the path" "$T/err" 'pics/none'

run index "$P"
is "index: 0 when all went well" $status 0
like "index: summary" "$T/err" '^10 added, 0 updated, 0 unchanged, 0 skipped'
is "index: standard output stays empty" "$(cat "$T/out")" ''
is "all are stored" "$(stored)" 10

run index "$P"
like "again: nothing to do" "$T/err" '^0 added, 0 updated, 10 unchanged, 0 skipped'
unlike "again: nothing embedded" "$T/err" 'embedded'

touch "$P/a/p000.png"
run index "$P"
unlike "a touched file is not embedded again" "$T/err" 'embedded'
mv "$P/a/p001.png" "$P/a/moved.png"
cp "$P/a/p002.png" "$P/b/copy.png"
run index "$P"
is "moved and copied files" $status 0
unlike "moved and copied files are not embedded again" "$T/err" 'embedded'
is "the copy is a file of its own" "$(stored)" 12
run index --prune "$P"
like "the file's old name is forgotten with --prune" "$T/err" '1 forgotten'
is "eleven files are left" "$(stored)" 11
run status --json
is "ten contents" "$(json 'j["contents"]')" 10

pictures "$T/new" 1 50
cp "$T/new/p050.png" "$P/a/p000.png"
run index "$P"
like "a changed file is updated" "$T/err" '^0 added, 1 updated, 10 unchanged.*1 embedded'

# Edited with size and mtime kept: noticed by its ctime. Where that is unknown, --recheck reads it.
cp "$P/a/p003.png" "$T/edited"
pictures "$T/other" 1 77
edit_kept "$P/a/p003.png" "$T/other/p077.png"
run index "$P"
unlike "an edit with size and mtime kept is noticed" "$T/err" '11 unchanged, 0 skipped'
edit_kept "$P/a/p003.png" "$T/edited"
python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("DELETE FROM seen")
db.commit()' "$SCRY_STORE/collections/default/index.db"
run index "$P"
like "without a known ctime it is not" "$T/err" '^0 added, 0 updated, 10 unchanged, 1 skipped|^0 added, 0 updated, 11 unchanged, 0 skipped'
run index "$P" --recheck
like "--recheck notices it" "$T/err" '^(1 added, 0 updated, 10|0 added, 1 updated, 10) unchanged, 0 skipped'
cp "$T/edited" "$P/a/p003.png"
run index "$P" --recheck
run index "$P"
like "afterwards nothing is read" "$T/err" '^0 added, 0 updated, 11 unchanged, 0 skipped'

# A bad file that becomes a good one, with size and mtime kept, is noticed, also after its root became part of another.
mkdir -p "$T/tree/sub"
cp "$P/a/p003.png" "$T/edited"
head -c "$(wc -c <"$T/edited")" /dev/zero >"$T/zeros"
for at in sub .; do
    cp "$T/zeros" "$T/tree/sub/p.png"
    run index --store "$T/tree.store" "$T/tree/sub"
    like "a bad file is skipped" "$T/err" '^0 added.* 1 skipped'
    run index --store "$T/tree.store" "$T/tree/$at"
    like "and remembered" "$T/err" '^0 added, 0 updated, 0 unchanged, 1 skipped'
    edit_kept "$T/tree/sub/p.png" "$T/edited"
    run index --store "$T/tree.store" "$T/tree/$at"
    like "until it becomes a picture" "$T/err" '^1 added, 0 updated, 0 unchanged, 0 skipped'
done

rm "$P/b/p009.png"
run index "$P/a" --prune
is "--prune looks below the given paths only" "$(stored)" 11

# Bad files: skipped, recorded, tried again once they change.
mkdir "$P/bad"
echo "no picture" >"$P/bad/text.jpg"
head -c 300 "$P/a/p003.png" >"$P/bad/cut.png"
: >"$P/bad/empty.png"
cp "$P/a/p004.png" "$P/bad/good.jpg"   # what a file is called does not matter
run index "$P/bad"
is "some skipped: 1" $status 1
like "skipped: path and reason" "$T/err" 'skipped: .*/bad/text\.jpg: .+'
like "skipped: an empty file" "$T/err" 'bad/empty\.png: .+'
like "skipped: a cut file" "$T/err" 'bad/cut\.png: .+'
like "a PNG called .jpg is read" "$T/err" '^1 added, 0 updated, 0 unchanged, 3 skipped'
run status --skipped
is "status --skipped lists them" "$(grep -c /bad/ "$T/out")" 3
run index "$P/bad"
is "again: still 1" $status 1
like "again: remembered" "$T/err" '^0 added, 0 updated, 1 unchanged, 3 skipped'
cp "$P/a/p005.png" "$P/bad/text.jpg"
run index "$P/bad"
like "a bad file that changed is tried again" "$T/err" '^1 added, 0 updated, 1 unchanged, 2 skipped'
run status --skipped
is "and is no longer listed" "$(grep -c text.jpg "$T/out")" 0

run verify
is "verify: 0" $status 0
run index "$T/new/p050.png"
is "a single file" $status 0
run --help
is "help: 0" $status 0
run index --nonsense
is "an unknown option: 2" $status 2
run nonsense
is "an unknown command: 2" $status 2
run index --jobs 0 "$P"
is "a number out of range: 2" $status 2
run index --jobs 1 --quiet "$P"
is "--quiet says nothing" "$(cat "$T/err")" ''
done_testing
