#!/bin/sh
# scry index: which files of a tree are looked at, whatever they are called.
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

# Links, circles, things that are no files.
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
timeout 20 "$scry" index pipe.png >"$T/out" 2>"$T/err" </dev/null
is "a FIFO by name is skipped, not waited for" $? 1
like "and says why" "$T/err" 'pipe\.png: '
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
fi
done_testing
