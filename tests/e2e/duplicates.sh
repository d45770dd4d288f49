#!/bin/sh
# scry duplicates: groups against brute force over the same vectors and files, which one is kept, all forms of output.
. "$(dirname "$0")/lib.sh"
tiny_model "$T/model"
P=$T/pics
pictures "$P" 12
python3 "$E2E/duplicates.py" make "$P"
mkdir "$P/sub"
cp "$P/p001.png" "$P/sub/copy.png"
cp "$P/p001.png" "$P/a longer name.png"
cp "$P/p005.png" "$P/sub/five.png"
touch -d 2020-01-01 "$P/sub/copy.png"
touch -d 2021-01-01 "$P/p001.png"
touch -d 2022-01-01 "$P/a longer name.png" "$P/p005.png" "$P/sub/five.png"
ok "index" "$scry" index --quiet "$P"
find "$P" -type f | LC_ALL=C sort >"$T/paths"
ok "vectors" "$scry" embed --images "$T/paths" --out "$T/v.npy"

# By brute force: the contents from best to worst, each takes in those near it.
ours='__import__("json").dumps(sorted([g["keep"]["path"], sorted(o["path"] for o in g["others"])] for g in j["groups"]))'
for t in 0.9999 0.95 0.8 0.5 0.01; do
    run duplicates --json --similarity $t
    is "as brute force, from $t" "$(json "$ours")" "$(python3 "$E2E/duplicates.py" expect "$T/paths" "$T/v.npy" $t)"
done
is "the last has groups" "$(json 'len(j["groups"]) > 0')" True
run duplicates --json --exact
is "--exact: 0" $status 0
is "the same bytes" "$(json "$ours")" "$(python3 "$E2E/duplicates.py" expect "$T/paths" "$T/v.npy" 0)"
is "said of each" "$(json 'all(o["same_bytes"] and o["cosine"] == 1 for g in j["groups"] for o in g["others"])')" True
is "the oldest is kept" "$(json '[g["keep"]["name"] for g in j["groups"] if len(g["others"]) == 2]')" "['copy.png']"
is "counts" "$(json '(j["others"], j["bytes"] == sum(o["size"] for g in j["groups"] for o in g["others"]))')" "(3, True)"
is "the shorter path of the same time" "$(json '[g["keep"]["name"] for g in j["groups"] if len(g["others"]) == 1]')" "['p005.png']"
run duplicates --json --similarity 0.98 --min-width 120 "$P"
is "dated, then least compressed" "$(json '[[g["keep"]["name"], sorted(o["name"] for o in g["others"])] for g in j["groups"]]')" \
    "[['dated.png', ['cut.png', 'large.png', 'large0.png']]]"   # wide.png has another shape
mkdir "$T/undated"
mv "$P/dated.png" "$T/undated"
ok "forget the dated one" "$scry" remove --quiet "$P/dated.png"
run duplicates --json --similarity 0.98 "$P"
is "largest, then least compressed" "$(json '[g["keep"]["name"] for g in j["groups"] if "small.png" in [o["name"] for o in g["others"]]]')" "['large0.png']"

# Other forms.
run duplicates --exact --paths
is "--paths: the rest" "$(LC_ALL=C sort "$T/out")" "$(printf '%s\n' "$P/a longer name.png" "$P/p001.png" "$P/sub/five.png")"
cp "$T/out" "$T/lines"
run duplicates --exact --paths -0
is "-0" "$(tr '\0' '\n' <"$T/out")" "$(cat "$T/lines")"
run duplicates --exact
like "a table: the kept one" "$T/out" "^  keep  +[0-9]+ x [0-9]+ +[0-9.]+ MB  $P/sub/copy.png\$"
like "and the others" "$T/out" "^  same  +[0-9]+ x [0-9]+ +[0-9.]+ MB  $P/a longer name.png\$"
like "how much" "$T/err" '^2 groups: 3 pictures \([0-9.]+ k?B\) besides the ones to keep'
run duplicates --exact --html "$T/page.html"
is "a page" "$(grep -o '<img ' "$T/page.html" | wc -l) $(grep -c 'Group [12]: keep the first' "$T/page.html")" "5 2"
run duplicates --exact "$P/sub"
is "below a folder that has none: 1" $status 1
like "and says so" "$T/err" '^0 groups'
run duplicates --exact --format jpeg
is "filters" $status 1
for x in 2 0 abc -1 ''; do
    run duplicates --similarity "$x"
    is "--similarity '$x': 2" $status 2
done
run duplicates --json --paths
is "two forms: 2" $status 2
run duplicates a b
is "two folders: 2" $status 2
is "nothing was deleted" "$(find "$P" "$T/undated" -type f | wc -l)" "$(wc -l <"$T/paths")"

# A RAW and its JPEG are one picture; copies of the pair are duplicates.
mkdir -p "$T/raw/one" "$T/raw/two"
cp "$SCRY_TOP/tests/pictures/exif.jpg" "$T/raw/one/shot.jpg"
cp "$SCRY_TOP/tests/pictures/camera.dng" "$T/raw/one/shot.dng"
ok "index a pair" "$scry" index --quiet --collection raw --formats all "$T/raw"
run duplicates --collection raw --json --similarity 0.000001
is "a pair is no group" "$(json '(j["groups"], j["others"])')" "([], 0)"
cp "$T/raw/one/shot.jpg" "$T/raw/one/shot.dng" "$T/raw/two"
ok "index its copy" "$scry" index --quiet --collection raw --formats all "$T/raw"
run duplicates --collection raw --json
is "its copy is" "$(json 'sorted([g["keep"]["name"]] + [o["name"] for o in g["others"]] for g in j["groups"])')" \
    "[['shot.dng', 'shot.dng'], ['shot.jpg', 'shot.jpg']]"

# A group that is larger than the first look, and more contents than a batch.
mkdir "$T/many"
python3 "$E2E/duplicates.py" many "$T/many" 400
ok "index many" "$scry" index --quiet --collection many "$T/many"
run duplicates --collection many --json --similarity 0.9
is "one group of 400" "$(json '[len(g["others"]) for g in j["groups"]]')" "[399]"
done_testing
