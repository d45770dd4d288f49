#!/bin/sh
# scry list and --sort, on the command line and over HTTP, against an order computed from the files themselves.
. "$(dirname "$0")/lib.sh"
. "$SCRY_TOP/tests/server/lib/serve.sh"
tiny_model "$T/model"
P=$T/pics
pictures "$P/a" 4
pictures "$P/b" 8 4
cp "$P/a/p001.png" "$P/b/copy of p001.png"
cp "$P/b/p004.png" "$P/b/img10.png"
cp "$P/b/p005.png" "$P/b/img9.png"
cp "$SCRY_TOP/tests/pictures/exif.jpg" "$P/a/shot.jpg"
cp "$SCRY_TOP/tests/pictures/camera.dng" "$P/a/shot.dng"
day=10
for f in "$P"/*/*.png; do
    touch -d "2020-01-$day 12:00 UTC" "$f"
    day=$((day + 1))
done
cat >"$P/a/p002.xmp" <<'X'
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4"></rdf:Description></rdf:RDF></x:xmpmeta>
X
while read -r name latitude longitude; do   # the first two and the last two are less than a cell of the map apart; p005 is copied to img9
    cat >"$P/b/$name.png.xmp" <<X
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="$latitude" exif:GPSLongitude="$longitude"/></rdf:RDF></x:xmpmeta>
X
done <<X
p005 48,51.520N 2,17.670E
p006 48,51.530N 2,17.680E
p007 48,52.500N 2,17.670E
p008 16,47.000S 179,58.000W
p009 16,47.010S 179,57.990W
X
ok "index" "$scry" index --formats all "$P"
find "$P" -type f ! -name '*.xmp' | LC_ALL=C sort >"$T/all"

run list --paths
is "every file: 0" $status 0
is "in order of path" "$(cat "$T/out")" "$(cat "$T/all")"
run list
is "a table has their dates" "$(grep -c "^20[0-9-]*  $P/" "$T/out")" "$(wc -l <"$T/all")"
run list --json -n 3
is "JSON" "$(json '(len(j["results"]), j["total"], j["has_more"], "rank" in j["results"][0])')" "(3, $(wc -l <"$T/all"), True, False)"
run list --json
cp "$T/out" "$T/list.json"

# The order of what is listed, by Python over what the files say.
cat >"$T/order.py" <<'X'
import json, os, re, sys
files = json.load(open(sys.argv[1]))["results"]
natural = lambda f: [int(p) if p.isdigit() else p for p in re.split(r"(\d+)", f["name"])]
keys = {"date": lambda f: f["taken_at"][:19], "name": natural, "size": lambda f: os.path.getsize(f["path"]), "rating": lambda f: f.get("rating", -9)}
down = sys.argv[2] != "name"
reverse = len(sys.argv) > 3
if down != reverse:   # equal ones stay in order of path
    files.sort(key=keys[sys.argv[2]], reverse=True)
else:
    files.sort(key=keys[sys.argv[2]])
print("\n".join(f["path"] for f in files))
X
for sort in date name size rating; do
    run list --paths --sort $sort
    is "--sort $sort" "$(cat "$T/out")" "$(python3 "$T/order.py" "$T/list.json" $sort)"
    run list --paths --sort $sort -r
    is "--sort $sort -r" "$(cat "$T/out")" "$(python3 "$T/order.py" "$T/list.json" $sort r)"
done
run list --paths --sort name
is "img9 is before img10" "$(grep -n 'img9' "$T/out" | cut -d: -f1)" "$(($(grep -n 'img10' "$T/out" | cut -d: -f1) - 1))"
run list --paths -r
is "-r alone" "$(cat "$T/out")" "$(LC_ALL=C sort -r "$T/all")"
run list --paths --sort size --limit 3 --offset 2
is "a part of it" "$(cat "$T/out")" "$(python3 "$T/order.py" "$T/list.json" size | sed -n 3,5p)"
pictures "$P/c" 1 90
ok "index one more" "$scry" index "$P"
run list --paths --sort added --limit 1
is "--sort added: the last one" "$(cat "$T/out")" "$P/c/p090.png"
run list --paths --unique
is "--unique: no copies, no RAW beside its JPEG" "$(wc -l <"$T/out") $(grep -c 'shot.dng' "$T/out") $(grep -c 'shot.jpg' "$T/out")" \
    "14 0 1"
run list --in "$P/a" --format png --paths
is "filters" "$(cat "$T/out")" "$(ls "$P"/a/*.png)"
is "a format by what its files end in" "$("$scry" list --format .PNG --paths)" "$("$scry" list --format png --paths)"
run list --format nef
like "but not by one camera's: all of RAW is one format" "$T/err" '^scry: --format takes one of .* raw .*, not .nef.$'
run list --format gif
is "nothing: 1" $status 1
like "and it says so" "$T/err" 'nothing found'
run list --paths -0 -n 2
is "-0" "$(tr '\0' '\n' <"$T/out")" "$(head -n 2 "$T/all")"
run list --html "$T/page.html" --sort date -n 4
is "--html" "$status $(grep -o '<img ' "$T/page.html" | wc -l)" "0 4"
unlike "a page of a list has no scores" "$T/page.html" 'class="facts">0\.'
for date in 'January 2020' '01.01.2020' '2020/1/1' '1 jan 2020'; do
    run list --paths --after "$date" --before 'feb 2020'
    cp "$T/out" "$T/dated"
    run list --paths --after 2020-01 --before 2020-02
    is "--after $date" "$status $(wc -l <"$T/out") $(cat "$T/dated")" "0 15 $(cat "$T/out")"
done
for date in 'January 2020' 'январь 2020' '01.01.2020 - 31.01.2020' '1-31 Jan 2020'; do
    run list --paths --date "$date"
    is "--date $date" "$status $(cat "$T/out")" "0 $(cat "$T/dated")"
done
run list --paths --after 2020-01 --until 2020-01
is "--until: the end is included" "$(cat "$T/out")" "$(cat "$T/dated")"
run list --paths --date 'January 2019' --date 'January 2020'
is "--date: any of them" "$(cat "$T/out")" "$(cat "$T/dated")"
run list --paths --after yesterday --before '9 days ago'
is "after yesterday and before that: nothing" $status 1
run list --paths --format png --after yesterday
is "--after yesterday: what was made just now" "$(cat "$T/out")" "$P/c/p090.png"
run list --after 03/04/2020
is "a date that may be two: 2" $status 2
like "and both are named" "$T/err" '^scry: --after: 03/04/2020 may be 2020-04-03 or 2020-03-04 '
run list --sort colour
is "an unknown order: 2" $status 2
like "and what there is" "$T/err" 'one of date name size added rating'
run list beach
is "a query: 2" $status 2
like "and what to do" "$T/err" 'scry search beach'

run search --json --limit 6 red
python3 "$T/order.py" "$T/out" name >"$T/wanted"
run search --paths --limit 6 --sort name red
is "search --sort: the same results, by name" "$(cat "$T/out")" "$(cat "$T/wanted")"
run search --json --limit 6 --sort name red
is "their ranks stay those of the scores" "$(json 'sorted(j["results"], key=lambda r: r["rank"]) == sorted(j["results"], key=lambda r: -r["score"])')" True
run search --json --paths red
is "--json and --paths: 2" $status 2
like "and why" "$T/err" 'two forms of output'
run list -0 --json
is "--json and -0: 2" $status 2

# Over HTTP.
start || exit 1
paths='"\n".join(r["path"] for r in j["results"])'
for sort in date name size added rating; do
    for reverse in 0 1; do
        get "$url/api/v1/images?sort=$sort&reverse=$reverse&limit=1000"
        json "$paths" >"$T/http"
        [ $reverse = 0 ] && r= || r=-r
        run list --paths --sort $sort $r
        is "GET images: sort=$sort reverse=$reverse is what the command lists" "$code $(cat "$T/http")" "200 $(cat "$T/out")"
    done
done
get "$url/api/v1/images?unique=1&limit=1000"
is "unique" "$(json '(j["total"], len(j["results"]), j["cursor"])')" "(14, 14, None)"
get "$url/api/v1/images?sort=date&offset=5&limit=4"
json "$paths" >"$T/page"
cursor=$(json 'j["cursor"]')
get "$url/api/v1/images?sort=date&cursor=$cursor&limit=3"
json "$paths" >>"$T/page"
is "offset, then cursor" "$(cat "$T/page")" "$("$scry" list --paths --sort date | sed -n 6,12p)"
get "$url/api/v1/images?sort=date&offset=5&cursor=$cursor"
is "both: 400" $code 400
get "$url/api/v1/images?after=January+2020&before=feb+2020&limit=1000"
is "a date as people write it" "$code $(json "$paths")" "200 $(cat "$T/dated")"
get -G --data-urlencode 'date=Jan 2020' "$url/api/v1/images?sort=name"
is "a period" "$code $(json 'sorted(r["path"] for r in j["results"])')" "200 $(python3 -c 'import sys; print(sorted(sys.stdin.read().splitlines()))' <"$T/dated")"
get "$url/api/v1/images?after=03/04/2020"
is "one that may be two: 400" "$code $(json '"2020-04-03 or 2020-03-04" in j["detail"]')" "400 True"
get "$url/api/v1/images?limit=2"
is "without an order nothing changed" "$(json '(list(j), len(j["results"]))')" "(['results', 'cursor', 'damage'], 2)"
get "$url/api/v1/timeline?unique=1"
is "timeline: as many as the list" "$code $(json 'j["total"] == sum(d["count"] for d in j["days"]) == 14')" "200 True"
is "newest first" "$(json '[d["day"] for d in j["days"]] == sorted({d["day"] for d in j["days"]}, reverse=True)')" True
cp "$T/out" "$T/days"
get "$url/api/v1/images?sort=date&unique=1&limit=1000"
is "and each day begins where it says" "$(python3 - "$T/days" "$T/out" <<'X'
import json, sys
days, files = json.load(open(sys.argv[1]))["days"], json.load(open(sys.argv[2]))["results"]
print(all(f["taken_at"][:10] == d["day"] for d in days for f in files[d["offset"]:d["offset"] + d["count"]]))
X
)" True
get "$url/api/v1/timeline?format=jpeg"
is "timeline: filters" "$(json 'j["total"]')" 1
get "$url/api/v1/timeline?unique=1"
ok "timeline: again" cmp "$T/days" "$T/out"
get "$url/api/v1/timeline?limit=3"
is "timeline: no pages: 400" $code 400
get "$url/api/v1/images?sort=date&unique=1&limit=1000"
cp "$T/out" "$T/newest.json"
get "$url/api/v1/map?unique=1"
is "map: cells of 1/1024 degree, each with its newest picture" "$code $(python3 - "$T/newest.json" "$T/out" <<'X'
import json, math, sys
files, map_ = json.load(open(sys.argv[1]))["results"], json.load(open(sys.argv[2]))
placed, cells = [f for f in files if "latitude" in f], {}
for f in placed:
    cells.setdefault((math.floor((f["latitude"] + 90) * 1024), math.floor((f["longitude"] + 180) * 1024)), []).append(f)
mean = lambda of, key: sum(f[key] for f in of) / len(of)
near = lambda c, of: all(abs(c[k] - mean(of, k)) < 2e-5 for k in ("latitude", "longitude"))
print(len(placed) >= 5, len(cells) < len(placed), map_["total"] == len(placed), map_["cell_degrees"], len(map_["cells"]) == len(cells),
      all((c["count"], c["id"]) == (len(of), of[0]["id"]) and near(c, of) for c, (_, of) in zip(map_["cells"], sorted(cells.items()))))
X
)" "200 True True True 0.000976562 True True"
cp "$T/out" "$T/map"
get "$url/api/v1/map?unique=1"
ok "... and again" cmp "$T/map" "$T/out"
get "$url/api/v1/map?format=jpeg"
is "map: filters" "$(json 'j["total"] == sum(c["count"] for c in j["cells"])')" True
get "$url/api/v1/images?sort=date&limit=1000"
cp "$T/out" "$T/newest.json"
get "$url/api/v1/facets"
is "facets: each folder with its newest picture" "$(python3 - "$T/newest.json" "$T/out" <<'X'
import json, sys
newest = {}
for f in json.load(open(sys.argv[1]))["results"]:
    newest.setdefault(f["folder"], f["taken_at"][:19])
taken = {f["id"]: f["taken_at"][:19] for f in json.load(open(sys.argv[1]))["results"]}
folders = json.load(open(sys.argv[2]))["folders"]
print(len(folders) == len(newest) >= 2, all(taken[f["id"]] == newest[f["name"]] for f in folders))
X
)" "True True"
get "$url/api/v1/facets?unique=1"
is "facets of each picture once: by the bytes of the files, of folders with what is below" "$(python3 - "$T/newest.json" "$T/out" <<'X'
import hashlib, json, sys
files, facets = json.load(open(sys.argv[1]))["results"], json.load(open(sys.argv[2]))
def counts(key):
    seen = {}
    for f in files:
        if f.get(key):
            seen.setdefault(f[key], set()).add(hashlib.sha256(open(f["path"], "rb").read()).digest())
    return {value: len(of) for value, of in seen.items()}
def below(folder):
    return {hashlib.sha256(open(f["path"], "rb").read()).digest() for f in files
            if (f["folder"] + "/").startswith(folder + "/") and f["name"] != "shot.dng"}   # its JPEG stands for it
got = {name: {f["name"]: f["count"] for f in facets[name]} for name in ("formats", "cameras", "folders")}
print(got["formats"] == counts("format"), got["cameras"] == counts("camera"), got["folders"] == {name: len(below(name)) for name in counts("folder")}, sum(got["formats"].values()) < len(files))
X
)" "True True True True"
get "$url/api/v1/images?unique=1&camera=no+such"
like "an empty list says which filter lets nothing pass" "$T/out" '"total":0,.*"nothing_found":"no picture passes camera no such'
get "$url/api/v1/images?unique=1&format=jpeg"
unlike "... and no other does" "$T/out" nothing_found
get "$url/api/v1/facets?unique=maybe"
is "... takes true or false: 400" $code 400
get "$url/api/v1/map?near=48.86,2.29,1&unique=1"
is "by position" "$(json '(j["total"], len(j["cells"]))')" "(2, 1)"
get "$url/api/v1/map?box=2.28,48.85,2.3,48.87&unique=1"
is "in a box" "$(json '(j["total"], len(j["cells"]))')" "(2, 1)"
get "$url/api/v1/map?box=2.3,48.85,2.28,48.87&unique=1"
is "in all longitudes but those" "$(json 'j["total"]')" 0
get "$url/api/v1/map?sort=name"
is "map: no orders: 400" $code 400
pictures "$P/c" 1 91
ok "index another one" "$scry" index "$P"
for _ in $(seq 100); do   # the server looks several times a second
    get "$url/api/v1/timeline?unique=1"
    [ "$(json 'j["total"]')" = 15 ] && break
    sleep 0.1
done
is "a list follows the collection" "$(json 'j["total"]')" 15
get "$url/api/v1/search?q=red&limit=6&sort=name"
is "GET search: sort" "$(json "$paths")" "$("$scry" search --paths --limit 6 --sort name red)"
stop

# A row that is not as it was written is shown by no reader, and each says so.
all=$("$scry" list --paths 2>"$T/err" | wc -l)
spoilt=$("$scry" list --paths --limit 1 2>"$T/err")
python3 -c 'import os, sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("UPDATE files SET mtime_ns = mtime_ns + 1000000000 WHERE relative = ?", (os.path.relpath(sys.argv[2], sys.argv[3]),))
assert db.total_changes == 1
db.commit()' "$SCRY_STORE/collections/default/index.db" "$spoilt" "$P"
for how in list 'list --paths' 'list --json' 'list --sort date' 'list --unique' 'duplicates' 'duplicates --json'; do
    rm -f "$SCRY_STORE/collections/default/damaged"
    run $how
    like "damaged row: $how says so" "$T/err" 'is damaged, what it finds may be wrong: .*the row of '
    unlike "damaged row: $how does not show it" "$T/out" "$spoilt"
done
rm -f "$SCRY_STORE/collections/default/damaged"
ok "starts" start --check-interval 0
get "$url/api/v1/images?limit=1000"
is "damaged row: a list over HTTP" "$code $(json '(len(j["results"]), "the row of" in j["damage"])')" "200 ($((all - 1)), True)"
is "damaged row: is not in it" "$(json "'$spoilt' in [f['path'] for f in j['results']]")" False
for route in timeline map facets albums duplicates; do
    get "$url/api/v1/$route"
    is "damaged row: $route" $code 200
    unlike "damaged row: is not in it" "$T/out" "$spoilt"
done
get "$url/api/v1/images?sort=date&limit=1000"
is "damaged row: a sorted list over HTTP" "$(json '(j["total"], "the row of" in j["damage"])')" "($((all - 1)), True)"
get "$url/api/v1/status"
is "damaged row: the status" "$(json '"the row of" in j["damage"]')" True
stop
run remove "$spoilt"
is "a damaged row can be removed" "$status" 0
ok "then the store is whole" "$scry" verify
run list
is "and lists say nothing" "$(cat "$T/err")" ''
done_testing
