#!/bin/sh
# scry index: which files of a tree are indexed, whatever their names.
. "$(dirname "$0")/lib.sh"
tiny_model "$T/model"
P=$T/pics
pictures "$P" 12
cd "$P" || exit 1

nl='
'
latin=$(printf 'caf\351.png')
mv p000.png "two${nl}lines.png"
mv p001.png "$latin"
mv p002.png 'with space & "quotes".png'
mv p003.png ./-dash.png
mv p004.png 'snow☃.PNG'
run index "$P"
like "odd names are indexed" "$T/err" '^12 added'
run search --json --limit 100 x
is "all are found" "$(json 'len(j["results"])')" 12
is "JSON is valid and gives the newline" "$(json 'any("two\nlines.png" in r["path"] for r in j["results"])')" True
is "path_base64 where a path is not UTF-8" \
    "$(json '[__import__("base64").b64decode(r["path_base64"])[-8:] for r in j["results"] if "path_base64" in r]')" "[b'caf\\xe9.png']"
run search --paths -0 --limit 100 x
is "-0: every path is a file" "$(xargs -0 ls -d <"$T/out" 2>/dev/null | wc -l)" 13
is "-0: twelve paths" "$(tr -cd '\0' <"$T/out" | wc -c)" 12
run remove "$P/$latin"
is "a path that is not UTF-8 can be removed" $status 0
run remove -- -dash.png
is "a name that begins with a dash can be removed" $status 0
is "ten are left" "$(stored)" 10

# Hidden names, .nomedia, patterns.
export SCRY_STORE=$T/store2
pictures sub 3 20
pictures .hidden 2 30
pictures quiet 2 40
: >quiet/.nomedia
cp sub/p020.png .dot.png
echo hello >sub/readme.txt
run index "$P"
is "hidden names and .nomedia are passed over" "$(stored)" 15
run index --hidden "$P"
is "--hidden takes hidden names in" "$(stored)" 18
export SCRY_STORE=$T/store3
run index --include '*02?.png' "$P"
is "--include" "$(stored)" 3
run index --exclude 'sub/*' --exclude 'p*' "$P"
is "--exclude" "$(stored)" 8

# Links, cycles, and what is not a regular file.
export SCRY_STORE=$T/store4
mkdir "$T/links"
cd "$T/links" || exit 1
ln -s . circle
ln -s "$P/sub" there
ln -s "$P/sub/p020.png" link.png
ln -s nowhere dangling.png
mkfifo pipe.png
mkdir folder.png
run index .
like "a link to a file counts, links to folders do not" "$T/err" '^1 added'
is "a FIFO and a broken link do not stop the run" "$([ $status -le 1 ] && echo fine)" fine
run index --follow .
is "--follow takes linked folders in and ends in a circle" "$(stored)" 4
run index "$P/sub"
run search --paths --in link.png x
is "--in of a link means the link" "$(cat "$T/out")" "$T/links/link.png"
run remove link.png
is "remove of a link forgets the link" "$status $(cat "$T/err")" '0 1 forgotten'
run search --paths --in "$P/sub/p020.png" x
is "and not what it leads to" "$(cat "$T/out")" "$P/sub/p020.png"
mkdir "$T/gone"
cp "$P/sub/p021.png" "$T/gone/a.png"
cp "$P/sub/p022.png" "$T/gone/b.png"
run index "$T/gone"
rm "$T/gone/a.png"
run remove ./../gone//./a.png
is "a file that is gone is found by a relative path" "$status $(cat "$T/err")" '0 1 forgotten'
rm -r "$T/gone"
run search --paths --in ../gone/ x
is "--in of a folder that is gone" "$(cat "$T/out")" "$T/gone/b.png"
run remove ../gone/b.png
is "a file whose folder is gone, too" "$status $(cat "$T/err")" '0 1 forgotten'
run remove ""
is "an empty path is not the folder one is in: 2" $status 2
run search --in "" x
is "nor is it with --in" $status 2
mkdir "$T/before"
cp "$P/sub/p021.png" "$T/before/a.png"
run index "$T/before"
mv "$T/before" "$T/after"
run root move ../before ../after
is "root move of a relative path that is gone" $status 0
timeout 900 "$scry" index pipe.png >"$T/out" 2>"$T/err" </dev/null
is "a FIFO by name is skipped, not waited for" $? 1
like "and says why" "$T/err" 'pipe\.png: '

# Folders that NAS systems, desktops and photo programs fill with copies and deleted pictures.
export SCRY_STORE=$T/store5
mkdir "$T/nas"
pictures "$T/nas" 1 100
n=101
for f in @eaDir/a.jpg '#recycle' '#snapshot/daily' '$RECYCLE.BIN' @Recycle lost+found .Trash-1000/files .@__thumb .thumbnails \
    'Catalog Previews.lrdata/0' 'My.photoslibrary/resources/derivatives' 'My.photoslibrary/originals/0' \
    RECYCLER/S-1 @tmp 'Old.migratedphotolibrary/Thumbnails/a' Old.aplibrary/Previews Old.aplibrary/Masters; do
    mkdir -p "$T/nas/$f"
    pictures "$T/nas/$f" 1 $n
    n=$((n + 1))
done
run index "$T/nas"
is "NAS folders, trash and previews are passed over: 0" "$status" 0
run search --paths --limit 100 x
is "only the picture and the original of Photos are there" "$(sed "s,$T/nas/,," "$T/out" | sort | tr '\n' ' ')" \
    'My.photoslibrary/originals/0/p112.png Old.aplibrary/Masters/p117.png p100.png '
run status --skipped
is "status --skipped lists what was passed over" "$(grep -c 'passed over because of its name' "$T/out")" 12
like "by its path" "$T/out" '/nas/@eaDir'
run index "$T/nas"
like "the next run finds the same" "$T/err" '^0 added, 0 updated, 3 unchanged, 0 skipped'
run index "$T/nas/@eaDir"
is "a folder that is given itself is indexed" "$(stored)" 4
run index --hidden --no-default-excludes "$T/nas"
is "--no-default-excludes takes all in" "$(stored)" 18
run status --skipped
is "and nothing is listed as passed over" "$(cat "$T/out")" ''

# Names in the two Unicode forms.
export SCRY_STORE=$T/store6
nfc=$(printf 'M\303\274nchen')
nfd=$(printf 'Mu\314\210nchen')
mkdir -p "$T/forms/$nfd/$nfc/$nfd"
pictures "$T/forms/$nfd/$nfc/$nfd" 1 120
run index "$T/forms"
for p in "$nfd" "$nfc" "$nfd/$nfc" "$nfc/$nfd" "$nfc/$nfc/$nfc"; do
    run search --paths --in "$T/forms/$p" x
    is "--in $p: found in whatever form" "$status $(wc -l <"$T/out")" '0 1'
done
mv "$T/forms" "$T/gone"
run search --paths --in "$T/forms/Munchen" x
is "--in of another name: 1" $status 1
mkdir -p "$T/one/$nfd"
pictures "$T/one/$nfd" 1 121
run index "$T/one"
rm -r "$T/one"
run search --paths --in "$T/one/$nfc" x
is "--in of a folder that is gone, in the other form" $status 0

# Folders that cannot be looked at.
export SCRY_STORE=$T/store7
python3 - "$T/nas/p100.png" "$T/deep" <<'END'
import os, sys
data = open(sys.argv[1], "rb").read()
os.mkdir(sys.argv[2])
os.chdir(sys.argv[2])
for i in range(45):
    os.mkdir("d" * 100)
    os.chdir("d" * 100)
open("p.png", "wb").write(data)
END
run index "$T/deep"
is "a folder whose path is too long: 1" $status 1
like "and it is named" "$T/err" '^skipped: /.*/d{100}: its path is longer than 4,095 bytes$'

if drop_root; then
    export SCRY_STORE=$T/open/store XDG_CACHE_HOME=$T/open/cache
    mkdir -m 777 "$T/open"
    pictures "$T/locked" 2 60
    chmod 0 "$T/locked/p060.png"
    run_unprivileged index "$T/locked"
    is "an unreadable file is skipped" $status 1
    like "and named" "$T/err" 'p060\.png: '
    like "the others are read" "$T/err" '^1 added'
    mkdir "$T/closed"
    chmod 0 "$T/closed"
    run_unprivileged index "$T/closed"
    is "an unreadable folder is skipped" $status 1
    like "and named, too" "$T/err" "^skipped: $T/closed: "
    mkdir -p "$T/listed/below"
    chmod 644 "$T/listed"
    run_unprivileged index "$T/listed"
    is "a folder below one that can only be listed: 1" $status 1
    like "is named" "$T/err" "^skipped: $T/listed/below: Permission denied"
fi
done_testing
