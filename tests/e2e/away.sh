#!/bin/sh
# Pictures of a disk that is not there: listed, found and marked, with the thumbnails that were made before.
. "$(dirname "$0")/lib.sh"
. "$SCRY_TOP/tests/server/lib/serve.sh"
tiny_model "$T/model"
P=$T/disk/photos
pictures "$P" 3
pictures "$P/card" 2 3
cp "$SCRY_TOP/demo/gallery/animals/cat.jpg" "$P"   # its thumbnail is larger than an answer that says what is wrong
"$scry" index --quiet "$P" || exit 1
start || exit 1
# Until the answer has it, some seconds.
until_json() { # EXPRESSION ADDRESS
    for _ in $(seq 300); do
        get "$2"
        [ "$(json "$1")" = True ] && return
        sleep 0.1
    done
    echo "# not in 30 s: $1 of $2: $(head -c 300 "$T/out")"
    return 1
}
# Thumbnails are cached once their file is known not to be being written: a tag says so.
thumbnail() { # ID SIZE
    for _ in $(seq 100); do
        get "$url/api/v1/images/$1/thumbnail?size=$2"
        grep -qi '^etag:' "$T/headers" && return
        sleep 0.1
    done
    return 1
}
get "$url/api/v1/images"
for i in 0 1 2 3 4; do
    eval "id$i=$(json "[h['id'] for h in j['results'] if h['name'] == 'p00$i.png'][0]")"
done
cat=$(json "[h['id'] for h in j['results'] if h['name'] == 'cat.jpg'][0]")
is "no picture is away" "$(json '[h for h in j["results"] if "away" in h]')" "[]"
ok "a thumbnail is cached" thumbnail $id0 320
cp "$T/out" "$T/thumbnail"
ok "one of a picture in a folder, in another size" thumbnail $id3 640
cp "$T/out" "$T/other"
ok "a large one" thumbnail $cat 640
cp "$T/out" "$T/large"

# ---- the disk of the root ----
mv "$P" "$T/elsewhere"
mkdir "$P"
ok "an empty root: its pictures are away" until_json 'all(h.get("away") for h in j["results"]) and len(j["results"]) == 6' "$url/api/v1/images"
for list in "images?sort=date" "search?q=red" "images/$id0/similar"; do
    get "$url/api/v1/$list"
    is "in $list, too" "$code $(json 'bool(j["results"]) and all(h["away"] for h in j["results"])')" "200 True"
done
get "$url/api/v1/images/$id0"
is "its record" "$(json 'j["away"]')" True
get "$url/api/v1/images/$id0/thumbnail?size=320"
is "the thumbnail comes from the cache" "$code" 200
ok "as it was" cmp "$T/thumbnail" "$T/out"
get "$url/api/v1/images/$cat/thumbnail?size=640"
ok "the large one, too" cmp "$T/large" "$T/out"
get "$url/api/v1/images/$id0/thumbnail?size=320"
ok "without a tag" sh -c "! grep -qi ^etag: '$T/headers'"
get "$url/api/v1/images/$id0/thumbnail?size=640"
ok "... of another size, rather than none" cmp "$T/thumbnail" "$T/out"
get "$url/api/v1/images/$id1/thumbnail?size=320"
is "of a picture that was never shown: 404, in words" "$code $(json '"the disk of this picture is not there" in j["detail"]')" "404 True"
for what in view file; do
    get "$url/api/v1/images/$id0/$what"
    is "$what: 404, in words" "$code $(json '"the disk of this picture is not there" in j["detail"]')" "404 True"
done
get -H 'Content-Type: application/json' -d "{\"ids\":[\"$id0\"]}" "$url/api/v1/zip"
is "a ZIP names what is missing, and why" "$code $(python3 -c 'import sys, zipfile
z = zipfile.ZipFile(sys.argv[1])
print(any("the disk of this picture is not there" in z.read(n).decode() for n in z.namelist()))' "$T/out")" "200 True"
# Groups of duplicates; the pictures of the tiny model are alike.
get "$url/api/v1/duplicates?similarity=0.01"
all_away='{h.get("away") for g in j["groups"] for h in [g["keep"], *g["others"]]} == {True}'
ok "in groups of duplicates they are marked" until_json "$all_away" "$url/api/v1/duplicates?similarity=0.01"
run duplicates --similarity 0.01 --json
is "on the command line, too" "$status $(json "$all_away")" "0 True"
in_terminal dumb "$scry" duplicates --similarity 0.01
ok "on a terminal, too" grep -q '(its disk is not there)' "$T/screen"
for command in "list --sort name" "search red"; do
    run $command --json
    is "on the command line: $command" "$status $(json 'len(j["results"]), all(h["away"] for h in j["results"])')" "0 (6, True)"
    run $command
    is "in a pipe its lines are as they were" "$status $(grep -c 'not there' "$T/out")" "0 0"
    in_terminal dumb "$scry" $command
    is "on a terminal they are marked" "$(grep -o '(its disk is not there)' "$T/screen" | wc -l)" 6
done
rmdir "$P"
get "$url/api/v1/images/$id0/thumbnail?size=320"
ok "a root that is missing: the same" cmp "$T/thumbnail" "$T/out"
mv "$T/elsewhere" "$P"
run list --sort name --json
is "the command line marks nothing any more" "$(json '[h for h in j["results"] if "away" in h]')" "[]"
ok "the disk is back" until_json 'not any("away" in h for h in j["results"])' "$url/api/v1/images"
get "$url/api/v1/images/$id1/thumbnail?size=320"
is "and all is shown" $code 200

# ---- a disk below the root ----
mv "$P/card" "$T/card"
mkdir "$P/card"
get "$url/api/v1/images/$id3/thumbnail?size=640"
is "an empty folder below a root: from the cache" $code 200
ok "as it was" cmp "$T/other" "$T/out"
get "$url/api/v1/images?sort=date"
is "now all of that folder are marked, and no other" "$(json 'sorted(h["name"] for h in j["results"] if h.get("away"))')" "['p003.png', 'p004.png']"
rm "$P/p002.png"
get "$url/api/v1/images/$id2/thumbnail?size=320"
is "a file that was deleted is not away" "$code $(json '"does not exist any more" in j["detail"]')" "404 True"
rmdir "$P/card"
mv "$T/card" "$P/card"
ok "that disk is back, too" until_json 'not any("away" in h for h in j["results"])' "$url/api/v1/images"
stop
done_testing
