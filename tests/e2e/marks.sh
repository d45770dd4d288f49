#!/bin/sh
# Favourites, kept near duplicates and saved searches: set, filtered by, exported, kept when pictures move; over HTTP as on the command line.
. "$(dirname "$0")/lib.sh"
. "$SCRY_TOP/tests/server/lib/serve.sh"
command -v curl >/dev/null || { echo "1..0 # SKIP no curl"; exit 0; }
tiny_model "$T/model"
P=$T/pics
pictures "$P" 12
ok "index" "$scry" index "$P"

# Favourites.
run favourite add "$P/p003.png" "$P/p005.png"
is "add by path" $status 0
like "says how many" "$T/err" '^2 pictures marked as favourites$'
run list --favourites --json
is "list --favourites" "$(json '[r["name"] for r in j["results"]]')" "['p003.png', 'p005.png']"
is "each says so" "$(json '[r["favourite"] for r in j["results"]]')" '[True, True]'
id3=$(json 'j["results"][0]["id"]') id5=$(json 'j["results"][1]["id"]')
run search --favourites --json red
is "search --favourites" "$(json 'sorted(r["name"] for r in j["results"])')" "['p003.png', 'p005.png']"
run favourite remove "id:$id3"
is "remove by id" $status 0
run list --favourites --paths
is "one is left" "$(cat "$T/out")" "$P/p005.png"
run favourite add "$T/nothing.png"
is "a path that is not in the index: status" $status 2
like "and what to do" "$T/err" 'is not a picture of the index: .scry index'
run favourite add "$P/p001.png" "@id:00000000000000000000000000000000"
is "an unknown id: status" $status 2
run list --favourites --paths
is "nothing of that was marked" "$(cat "$T/out")" "$P/p005.png"
run favourite exprot
like "a misspelled verb" "$T/err" 'did you mean export'

# A mark belongs to the content: it survives a move, also while the file is not in the index.
mv "$P/p005.png" "$T/away.png"
ok "pruned" "$scry" index --prune "$P"
run list --favourites
is "none is there: status" $status 1
like "why" "$T/err" 'no picture passes --favourites: none is marked as one'
mkdir "$P/new" && mv "$T/away.png" "$P/new/moved.png"
ok "indexed at another place" "$scry" index "$P"
run list --favourites --paths
is "the mark is there again" "$(cat "$T/out")" "$P/new/moved.png"

# Saved searches.
run saved
is "none is saved: status" $status 1
run saved add "Red ones" red - blue --in "$P" --after "last century" --sort date --favourites
is "a date that is none is refused" $status 2
scry=$(realpath "$scry")
here=$PWD
cd "$T" || exit 1
run saved add "Red ones" red - 0.5:blue --in pics --after "last year" --format png --format jpeg --sort name
is "save a search" $status 0
cd "$here" || exit 1
like "says how to use it" "$T/err" 'scry search --saved "Red ones"'
run saved list --json
is "kept as it was written" "$(json 'j[0]["search"]')" \
    "{'parts': [{'text': 'red', 'weight': 1}, {'text': 'blue', 'weight': -0.5}], 'sort': 'name', 'filter': {'in': ['$P'], 'after': ['last year'], 'format': ['png', 'jpeg']}}"
run search --json --limit 3 red - 0.5:blue --in "$P" --after "last year" --format png --format jpeg --sort name
wanted=$(json '[r["id"] for r in j["results"]]')
run search --json --limit 3 --saved "Red ones"
is "it finds what the search finds" "$(json '[r["id"] for r in j["results"]]')" "$wanted"
run saved add Stars --favourites --sort date
like "filters alone are for list" "$T/err" 'scry list --saved "Stars"'
run list --saved Stars --paths
is "list --saved" "$(cat "$T/out")" "$P/new/moved.png"
run list --saved "Red ones"
is "a query is not for list: status" $status 2
run search --saved Stars
is "filters are no query: status" $status 2
run search --saved Stars --json red
is "with a query: the filter holds" "$(json '[r["name"] for r in j["results"]]')" "['moved.png']"
run search --saved "Red one"
is "a misspelled name: status" $status 2
like "a misspelled name: suggestion" "$T/err" 'did you mean Red ones'
run saved add "A picture" "@$P/p001.png"
is "a picture by path is refused" $status 2
run saved add Nothing
is "an empty search is refused" $status 2
run saved add "$(printf 'a\nb')" red
is "a name of two lines is refused" $status 2
run saved add Ten red --limit 10
like "a limit is refused" "$T/err" 'limit is not saved'

# verify, copy, compact, rebuild and export know of them.
ok "verify" "$scry" verify
run favourite export "$T/marks.json"
is "export" $status 0
ok "copied to another store" "$scry" store copy "$SCRY_STORE" "$T/copy"
run --help >/dev/null
run list --store "$T/copy" --favourites --paths
is "the copy has the favourites" "$(cat "$T/out")" "$P/new/moved.png"
run saved --store "$T/copy"
is "and the saved searches" "$(cut -d' ' -f 1 "$T/out" | tr '\n' ' ')" "Red Stars "
ok "embedded again" "$scry" index --rebuild
run list --favourites --paths
is "a rebuilt collection has them" "$(cat "$T/out")" "$P/new/moved.png"
ok "another store" "$scry" index --store "$T/other" "$P"
run favourite import "$T/marks.json" --store "$T/other"
like "import" "$T/err" '^1 favourites, 0 pictures kept beside each other, 2 saved searches$'
run list --store "$T/other" --favourites --paths
is "imported" "$(cat "$T/out")" "$P/new/moved.png"
echo '{"format": "scry-marks 1", "favourites": [{"sha256": "12"}]}' >"$T/bad.json"
run favourite import "$T/bad.json"
is "a broken document is refused" $status 2
echo '{"favourites": []}' >"$T/bad.json"
run favourite import "$T/bad.json"
like "so is another one" "$T/err" 'these are no marks of scry'
run saved remove Stars
is "remove a search" $status 0
run saved remove Stars
is "twice: status" $status 2

# A store that a scry without marks made is read as having none, and gets the table from the first writer, also under a reader.
python3 - "$T/copy/collections/default" <<'P'
import os, sqlite3, sys
d = sqlite3.connect(sys.argv[1] + "/index.db")
d.execute("DROP TABLE marks")
d.commit()
d.execute("PRAGMA wal_checkpoint(TRUNCATE)")
d.close()
for name in ("sums", "sums.old"):
    if os.path.exists(sys.argv[1] + "/" + name):
        os.remove(sys.argv[1] + "/" + name)
P
run list --store "$T/copy" --favourites
is "an older store has none: status" $status 1
run list --store "$T/copy" --json
is "and is read" "$(json 'j["total"]')" 12
export SCRY_STORE="$T/copy"
ok "serves an older store" start
get "$url/api/v1/images?favourites=1"
is "no favourites" "$(json 'j["results"]')" '[]'
ok "another process writes" "$scry" favourite add "$P/p001.png"
for _ in $(seq 300); do
    get "$url/api/v1/images?favourites=1"
    [ "$(json '[r["name"] for r in j["results"]]')" = "[]" ] || break
    sleep 0.1
done
is "the server sees it" "$(json '[r["name"] for r in j["results"]]')" "['p001.png']"
stop
ok "verify" "$scry" verify
export SCRY_STORE="$T/store"

# Over HTTP.
ok "starts" start
get "$url/api/v1/status"
is "marks are allowed" "$(json 'j["marks_allowed"]')" True
get -X PUT "$url/api/v1/images/$id3/favourite"
is "PUT" "$code $(json 'j')" "200 {'favourite': True, 'pictures': 1}"
get "$url/api/v1/images/$id3"
is "the record says so" "$(json 'j["favourite"]')" True
get "$url/api/v1/images?favourites=1&sort=name"
is "a list" "$(json '[r["name"] for r in j["results"]]')" "['moved.png', 'p003.png']"
get "$url/api/v1/images?favourites=0&sort=name"
is "the others" "$(json 'j["total"]')" 10
get "$url/api/v1/search?q=red&favourites=1"
is "a search" "$(json 'sorted(r["name"] for r in j["results"])')" "['moved.png', 'p003.png']"
get -X POST -d '{"q": "red", "filter": {"favourites": true}}' "$url/api/v1/search"
is "by JSON" "$(json 'sorted(r["name"] for r in j["results"])')" "['moved.png', 'p003.png']"
get -X DELETE "$url/api/v1/images/$id3/favourite"
is "DELETE" "$code $(json 'j')" "200 {'favourite': False, 'pictures': 1}"
get -X PUT "$url/api/v1/images/00000000000000000000000000000000/favourite"
is "an unknown picture: 404" $code 404

# A star leaves the lists as they are that do not ask for favourites; a change of the files does not.
lists_made() { get "$url/metrics"; sed -n 's/^scry_lists_made_total //p' "$T/out"; }
ask_lists() { for list in 'images?sort=date&limit=3' 'timeline' 'images?favourites=1&sort=size'; do get "$url/api/v1/$list"; done; }
ask_lists
made=$(lists_made)
ask_lists
is "lists are kept" "$(lists_made)" "$made"
get -X PUT "$url/api/v1/images/$id3/favourite"
get "$url/api/v1/images?sort=date&limit=100"
is "a star: the list shows it" "$(json '[r["favourite"] for r in j["results"] if r["id"] == "'"$id3"'"]')" '[True]'
get "$url/api/v1/timeline"
is "a star: and was not made again" "$(lists_made)" "$made"
get "$url/api/v1/images?favourites=1&sort=size"
is "a star: that of favourites was" "$(json '"'"$id3"'" in [r["id"] for r in j["results"]]') $(lists_made)" "True $((made + 1))"
ok "another process sets one" "$scry" favourite add "$P/p007.png"
others_star() { get "$url/api/v1/images?favourites=1&sort=size"; json 'j["total"]'; }
soon "a star of another process: that of favourites has it" 3 others_star
made=$(lists_made)
get "$url/api/v1/images?sort=date&limit=3"
is "a star of another process: the list is kept" "$(lists_made)" "$made"
ok "it takes the star back" "$scry" favourite remove "$P/p007.png"
cp "$P/p001.png" "$P/again.png"
ok "another process adds a file" "$scry" index "$P"
files_listed() { get "$url/api/v1/images?sort=date&limit=3"; json 'j["total"]'; }
soon "a file: the list is made again" 13 files_listed
rm "$P/again.png"
ok "and removes it" "$scry" index --prune "$P"
soon "without it, too" 12 files_listed
get -X DELETE "$url/api/v1/images/$id3/favourite"
get "$url/api/v1/images?favourites=0&limit=5"
five=$(json 'json.dumps([r["id"] for r in j["results"]])')
get -X POST -d "{\"ids\": $five}" "$url/api/v1/favourites"
is "many at once" "$code $(json 'j')" "200 {'favourite': True, 'pictures': 5}"
get -X POST -d "{\"ids\": $five, \"favourite\": false}" "$url/api/v1/favourites"
is "and back" "$code $(json 'j["pictures"]')" "200 5"
for body in '{"ids": []}' '{"ids": "x"}' '{"ids": ["x"]}' '{}' '{"ids": ["'"$id3"'"], "favourite": 1}' '{"ids": ["'"$id3"'"], "x": 1}' '[]' 'x'; do
    get -X POST -d "$body" "$url/api/v1/favourites"
    is "refused: $body" $code 400
done
get -X PUT -d '{"name": "Über/см", "search": {"q": "snow", "filter": {"after": "last year"}}}' "$url/api/v1/searches"
is "save a search" $code 200
get "$url/api/v1/searches"
is "searches" "$(json '[s["name"] for s in j["searches"]]')" "['Red ones', 'Über/см']"
is "as it was given" "$(json 'j["searches"][1]["search"]')" "{'q': 'snow', 'filter': {'after': 'last year'}}"
for body in '{"name": "x", "search": {}}' '{"name": "", "search": {"q": "a"}}' '{"name": "x"}' '{"name": "x", "search": {"q": "a", "limit": 5}}' \
    '{"name": "x", "search": {"q": "a", "colour": 5}}' '{"name": "x", "search": {"parts": [{"picture": "00112233445566778899aabbccddeeff"}]}}'; do
    get -X PUT -d "$body" "$url/api/v1/searches"
    is "refused: $body" $code 400
done
get -X DELETE -G --data-urlencode "name=Über/см" "$url/api/v1/searches"
is "remove it" $code 200
get -X DELETE -G --data-urlencode "name=Über/см" "$url/api/v1/searches"
is "twice: 404" $code 404
get "$url/api/v1/marks"
cp "$T/out" "$T/all.json"
is "all marks" "$(json '[j["format"], len(j["favourites"]), [s["name"] for s in j["searches"]]]')" "['scry-marks 1', 1, ['Red ones']]"
get -X POST --data-binary "@$T/all.json" "$url/api/v1/marks"
is "and back" "$code $(json 'j')" "200 {'favourites': 1, 'kept': 0, 'searches': 1}"
get -X POST -d "{\"ids\": [\"$id3\"]}" "$url/api/v1/kept"
is "one picture is no burst: 400" $code 400
stop
ok "starts where everybody may look" start --no-auth
get -X PUT "$url/api/v1/images/$id3/favourite"
is "nobody may mark: 403" $code 403
get "$url/api/v1/status"
is "the status says so" "$(json 'j["marks_allowed"]')" False
stop
ok "starts where everybody may mark" start --no-auth --allow-marks
get -X PUT "$url/api/v1/images/$id3/favourite"
is "200" $code 200
stop
ok "verify" "$scry" verify

# A damaged row is found.
python3 - "$SCRY_STORE/collections/default/index.db" <<'P'
import sqlite3, sys
d = sqlite3.connect(sys.argv[1])
d.execute("UPDATE marks SET set_at = set_at + 1 WHERE kind = 1")
d.commit()
P
run verify
is "a changed row: status" $status 2
like "which" "$T/out" 'a row of the marks of kind 1 is damaged'
done_testing
