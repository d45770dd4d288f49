#!/bin/sh
# rebuild.sh - stores of earlier starters, and `scry index --rebuild`.
#
# stores/starter-0.1.0.tar.xz: cat.jpg, giraffe.jpg and goldfish.jpg of demo/gallery/animals below /srv/pictures, indexed
# through a CSV with ids and labels by the starter of 22 November 2026.
. "$(dirname "$0")/lib.sh"
unset SCRY_MODEL

# An installation whose starter is another model than the store's.
mkdir -p "$T/app/models"
cp "$SCRY_BUILD/scry" "$SCRY_BUILD/libscry.so.0" "$SCRY_BUILD/scry-decode" "$SCRY_BUILD/scry-formats.so" "$SCRY_BUILD/scry-serve.so" "$T/app"
tiny_model "$T/app/models/starter"
cp "$SCRY_TOP/models/starter/FORMER.tsv" "$T/app/models/starter"
scry=$T/app/scry
tar -C "$T" -xJf "$E2E/stores/starter-0.1.0.tar.xz"
mkdir "$T/pics"
for f in cat giraffe goldfish; do
    cp "$SCRY_TOP/demo/gallery/animals/$f.jpg" "$T/pics/"
    touch -d '2020-05-05 12:00:00Z' "$T/pics/$f.jpg"
done
offer='newer version since the collection .default. was indexed: `scry index --rebuild` embeds its 3 pictures again'
timed="$offer \\(about 1 minute\\)\$"
hidden=$SCRY_STORE/collections/.default.rebuild

run verify
is "a store of an earlier starter is verified" "$status" 0
run status --json
is "... its identity is one of FORMER.tsv" "$(grep -c "^$(json 'j["identity"]')	" "$SCRY_TOP/models/starter/FORMER.tsv")" 1
run store copy "$SCRY_STORE" "$T/export"
is "... exported" "$status" 0
run verify --against "$T/export"
is "... and compared" "$status" 0
run search a cat
is "search: 2" "$status" 2
like "search offers to embed again; none of the pictures is there to tell how long it takes" "$T/err" "$offer\$"
is "search: one line" "$(wc -l <"$T/err")" 1
run root move /srv/pictures "$T/pics"
is "a root is moved" "$status" 0

# Without a model: moved, unchanged and known pictures.
run index "$T/pics"
like "index offers to embed again, and says how long it takes" "$T/err" "$timed"
like "... and goes through the folder" "$T/err" '0 added, 0 updated, 3 unchanged, 0 skipped'
is "... 0" "$status" 0
cp "$T/pics/cat.jpg" "$T/pics/copy.jpg"
cp "$SCRY_TOP/demo/gallery/animals/two-dogs.jpg" "$T/pics/new.jpg"
rm "$T/pics/giraffe.jpg"
run index --prune "$T/pics"
is "index: a new picture waits: 1" "$status" 1
like "... and is named" "$T/err" 'skipped: .*/new.jpg: new or changed: it waits for .scry index --rebuild'
like "... a known one is added, a vanished one forgotten" "$T/err" '^1 added, 0 updated, 2 unchanged, 1 skipped, 1 forgotten'
unlike "nothing was embedded, and nobody is told to install again" "$T/err" 'embedded\b|install again'

# The rebuild: what stays, what is said.
python3 - "$SCRY_STORE/collections/default/index.db" >"$T/before" <<'EOF'
import sqlite3, sys
for row in sqlite3.connect(sys.argv[1]).execute("SELECT id, relative, key, labels FROM files ORDER BY id"):
    print(row)
EOF
mv "$T/pics" "$T/away"
run index --rebuild
is "no picture can be read: 2" "$status" 2
like "... is the disk mounted" "$T/err" 'none of the pictures in .*/pics can be read now: is its disk mounted'
mv "$T/away" "$T/pics"
run search a cat
like "... nothing was swapped" "$T/err" "embeds its 2 pictures again"
run index --rebuild "$T/pics"
is "--rebuild takes no path" "$status" 2
run index --rebuild
is "rebuild: 0" "$status" 0
like "... says first what it takes" "$T/err" '^embedding 2 pictures with model starter, about 1 minute; .* MiB more \([0-9]+ MiB are free\)$'
like "... embeds each picture once" "$T/err" '^3 added, .*\(2 embedded'
python3 - "$SCRY_STORE/collections/default/index.db" >"$T/after" <<'EOF'
import sqlite3, sys
for row in sqlite3.connect(sys.argv[1]).execute("SELECT id, relative, key, labels FROM files ORDER BY id"):
    print(row)
EOF
ok "ids, keys and labels stayed" cmp "$T/before" "$T/after"
like "... and there were some" "$T/after" 'C-1.*pet'
ok "nothing is left beside it" test ! -e "$hidden"
run search --json a cat
is "the collection is searched with the new model" "$status $(json 'len(j["results"])')" "0 2"
run verify
is "... and sound" "$status" 0
run index --rebuild
is "a second time there is nothing to do" "$status $(cat "$T/err")" '0 the collection "default" has the vectors of this model already'
run index "$T/pics"
like "the new picture is added now" "$T/err" '^1 added, 0 updated, 3 unchanged'

# The server: all but searching works, and one request embeds again.
rm -rf "$SCRY_STORE" "$T/pics/new.jpg" "$T/pics/copy.jpg"
cp -p "$SCRY_TOP/demo/gallery/animals/giraffe.jpg" "$T/pics/"
tar -C "$T" -xJf "$E2E/stores/starter-0.1.0.tar.xz"
run root move /srv/pictures "$T/pics"
"$scry" serve --listen 127.0.0.1:0 --allow-index >"$T/url" 2>"$T/log" &
server=$!
tries=0
until grep -q 'http://' "$T/url" "$T/log" || [ $tries -gt 200 ]; do
    tries=$((tries + 1))
    sleep 0.05
done
url=$(cat "$T/url" "$T/log" | grep -o 'http://127.0.0.1:[0-9]*' | head -n 1)
get() { code=$(curl -s -m 20 -o "$T/out" -w '%{http_code}' "$@"); }
like "serve says what is due" "$T/log" "embeds its 3 pictures again"
get "$url/api/v1/status"
is "the status says what it takes" "$code $(json 'j["rebuild"]')" "200 {'pictures': 3, 'minutes': 1}"
get "$url/api/v1/images"
is "pictures are listed" "$code $(json 'len(j["results"])')" "200 3"
get "$url/api/v1/search?q=cat"
is "a search is refused" "$code" 409
like "... with the reason" "$T/out" "embeds its 3 pictures again"
get -H 'Content-Type: application/json' -d '{"rebuild":true,"paths":["/x"]}' "$url/api/v1/index"
is "a rebuild takes no paths" "$code" 400
get -H 'Content-Type: application/json' -d '{"rebuild":true}' "$url/api/v1/index"
is "one request embeds again" "$code" 202
curl -s -m 60 -o "$T/events" "$url/api/v1/index/1/events"
like "... and ends" "$T/events" '"state":"done"'
get "$url/api/v1/search?q=cat"
is "the server searches the new vectors at once" "$code $(json 'sorted((r["name"], r["key"]) for r in j["results"])')" \
    "200 [('cat.jpg', 'C-1'), ('giraffe.jpg', 'G-2'), ('goldfish.jpg', 'F-3')]"
get "$url/api/v1/status"
is "nothing is due any more" "$(json 'j["rebuild"]')" None
get -H 'Content-Type: application/json' -d '{"rebuild":true}' "$url/api/v1/index"
curl -s -m 60 -o "$T/events" "$url/api/v1/index/2/events"
like "... so that another request does nothing" "$T/events" '"state":"done".*"embedded":0'
kill "$server"
wait "$server"

# Another model; killed in the middle, continued, searched meanwhile by the old vectors.
tiny_model "$T/other" 2
mkdir "$T/many"
for i in 1 2 3 4; do   # of different contents, long enough to be killed in the middle
    cp -r "$SCRY_TOP/demo/gallery" "$T/many/$i"
    for f in "$T/many/$i"/*/*.jpg; do
        echo "$i" >>"$f"
    done
done
run index --quiet --collection big "$T/many"
is "a gallery" "$status" 0
all=$("$scry" status --json --collection big | python3 -c 'import json, sys; print(json.load(sys.stdin)["files"])')
run search --model "$T/other" --collection big x
like "another model: the command that helps" "$T/err" 'scry index --rebuild --model .*/other'
big=$SCRY_STORE/collections/.big.rebuild
rows() { python3 -c 'import sqlite3, sys
try: print(sqlite3.connect("file:%s?mode=ro" % sys.argv[1], uri=True).execute("SELECT files FROM head").fetchone()[0])
except sqlite3.Error: print(0)' "$1"; }
"$scry" index --quiet --jobs 1 --rebuild --model "$T/other" --collection big >"$T/out" 2>&1 &
pid=$!
committed() { [ "$(rows "$big/index.db")" -gt 0 ]; }
ok "its first commit" pause_when $pid committed
run search --collection big --json x
is "meanwhile the old vectors are searched" "$status $(json 'len(j["results"])')" "0 10"
run index --collection big "$T/many"
is "... and other writers are refused" "$status" 2
kill -9 $pid
wait $pid 2>"$T/ok.out"
made=$(rows "$big/index.db")
ok "killed in the middle ($made of $all)" test "$made" -gt 0 -a "$made" -lt "$all"
run search --collection big --json x
is "after a kill, too" "$status $(json 'len(j["results"])')" "0 10"
run store list
unlike "the unfinished one is not listed" "$T/out" 'rebuild'
gone=$(find "$T/many/4" -type f ! -name '*.md' ! -name '*.tsv' | wc -l)
rm -r "$T/many/4"
run index --rebuild --model "$T/other" --collection big
like "it continues where it stopped" "$T/err" "^[0-9]+ added, 0 updated, [1-9][0-9]* unchanged"
is "pictures that are gone: named" "$status $(grep -c '^skipped: .*/many/4/.*: it no longer exists' "$T/err")" "1 $gone"
run search --collection big --json x
is "it is searched with the model that it has now" "$status" 0
run status --json --collection big
is "its name is recorded" "$(json 'j["model"]')" "$(realpath "$T/other")"
run verify --collection big
is "it is sound" "$status" 0

# The model is gone, or is where its name does not lead.
run search --collection big --json x
json '[r["id"] for r in j["results"]]' >"$T/there"
mv "$T/other" "$T/elsewhere"
run search --collection big x
is "a model that is gone: 2" "$status" 2
like "... the command that helps" "$T/err" 'other .or embed the pictures again: .scry index --rebuild --model NAME'
run index --rebuild --model "$T/elsewhere" --collection big
is "rebuild with the model from where it is now: 0" "$status" 0
like "... nothing is to be embedded" "$T/err" 'has the vectors of this model already'
like "... what makes it known" "$T/err" "there is no model \".*/other\" any more: .scry model add NAME $T/elsewhere., under any name"
run model add moved "$T/elsewhere"
run search --collection big --json x
is "added under another name: it is found" "$status" 0
json '[r["id"] for r in j["results"]]' >"$T/moved"
ok "... and finds the same" cmp "$T/there" "$T/moved"
run index --collection big "$T/many"
like "... and indexes" "$T/err" '^0 added, 0 updated, [1-9][0-9]* unchanged'
cp -r "$XDG_DATA_HOME/scry/models/moved" "$XDG_DATA_HOME/scry/models/a-pair"
sed -i 's/"family": *"clip"/"family": "clip with texts of M-CLIP"/; s/"moved"/"a-pair"/' "$XDG_DATA_HOME/scry/models/a-pair/scry.json"
run model list
like "a pair of the same pictures" "$T/out" '^a-pair'
run model rm moved
run search --collection big x
is "a pair, whose texts are others, does not take its place: 2" "$status" 2

# What a crash leaves where folders cannot be exchanged: between the two renames.
mv "$SCRY_STORE/collections/big" "$SCRY_STORE/collections/.big.aside"
run verify --collection big
is "the collection is put back" "$status" 0

# The starter that is published now.
scry=$SCRY_BUILD/scry
rm -rf "$SCRY_STORE"
tar -C "$T" -xJf "$E2E/stores/starter-0.1.0.tar.xz"
run root move /srv/pictures "$T/pics"
run index --rebuild
is "today's starter: 0" "$status" 0
run search --json a goldfish
is "... finds" "$(json '(j["results"][0]["name"], j["results"][0]["key"])')" "('goldfish.jpg', 'F-3')"
done_testing
