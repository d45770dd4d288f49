#!/bin/sh
# pairs.sh - a RAW and the JPEG that the camera wrote beside it are one result, whatever interface asks.
. "$(dirname "$0")/lib.sh"
. "$SCRY_TOP/tests/server/lib/serve.sh"

# DNGs with contents of their own; IMG_1 and IMG_2 have a JPEG, IMG_3 has none, IMG_4's is in another folder.
raw() { # NAME
    { cat "$SCRY_TOP/tests/pictures/camera.dng"; printf '%s' "$1"; } >"$T/pics/$1"
}
tiny_model "$T/model"
mkdir -p "$T/pics/other"
pictures "$T/made" 6
set -- "$T"/made/*
for name in IMG_1.DNG IMG_2.DNG IMG_3.DNG IMG_4.DNG; do raw $name; done
cp "$1" "$T/pics/IMG_1.JPG"
cp "$2" "$T/pics/IMG_2.jpeg"
cp "$3" "$T/pics/other/IMG_4.JPG"
cp "$4" "$T/pics/plain.jpg"
run index "$T/pics"
is "index" "$status" 0

named() { run search --paths -n 20 "$@"; sed "s,^$T/pics/,," "$T/out" | sort | tr '\n' ' '; }
one='IMG_1.JPG IMG_2.jpeg IMG_3.DNG IMG_4.DNG other/IMG_4.JPG plain.jpg '
all='IMG_1.DNG IMG_1.JPG IMG_2.DNG IMG_2.jpeg IMG_3.DNG IMG_4.DNG other/IMG_4.JPG plain.jpg '
is "a pair is one result" "$(named a picture)" "$one"
is "--all-copies shows both" "$(named --all-copies a picture)" "$all"
is "with a filter that both pass" "$(named --in "$T/pics" a picture)" "$one"
is "near-identical pictures folded, too: the two DNGs" "$(named --fold 1 a picture)" "$(echo "$one" | sed 's/IMG_4.DNG //')"
is "a RAW whose JPEG does not pass is shown" "$(named --format raw a picture)" 'IMG_1.DNG IMG_2.DNG IMG_3.DNG IMG_4.DNG '
is "similar pictures" "$(named "@$T/pics/IMG_1.DNG")" "$one"

run search --json a picture
is "the RAW is named" "$(json "{r['name']: r['raw'] for r in j['results'] if 'raw' in r}")" "{'IMG_1.JPG': 'IMG_1.DNG', 'IMG_2.jpeg': 'IMG_2.DNG'}"
run search --json --all-copies a picture
is "the RAW names its JPEG" "$(json "{r['name']: r['companion'] for r in j['results'] if 'companion' in r}")" \
    "{'IMG_1.DNG': 'IMG_1.JPG', 'IMG_2.DNG': 'IMG_2.jpeg'}"
run search -n 20 a picture
like "... for people" "$T/out" 'IMG_1.JPG  \(\+IMG_1.DNG\)'

# Pages have as many results as were asked for, and none twice.
run search --paths a picture -n 20
whole=$(cat "$T/out")
pages=$(for at in 0 2 4; do "$scry" search --paths -n 2 --offset $at a picture </dev/null; done)
is "pages of two are the whole" "$pages" "$whole"

# One count everywhere: what a facet or an album says is how many pictures the list shows that it leads to.
cat >"$T/labels.csv" <<X
path,label
pics/IMG_1.DNG,both
pics/IMG_1.JPG,both
pics/IMG_2.DNG,raw
X
run index "$T/labels.csv"
cp "$T/pics/IMG_3.DNG" "$T/pics/other/again.dng"
cp "$T/pics/plain.jpg" "$T/pics/other/plain.jpg"
run index "$T/pics"
start
cat >"$T/counts.py" <<'X'
import json, sys, urllib.parse, urllib.request
url = sys.argv[1]
get = lambda path: json.load(urllib.request.urlopen(url + path))
total = lambda **filters: get("/api/v1/images?sort=name&unique=1&limit=1&" + urllib.parse.urlencode(filters))["total"]
facets, wrong = get("/api/v1/facets?unique=1"), []
for kind, name in (("folders", "in"), ("cameras", "camera"), ("formats", "format"), ("labels", "label")):
    wrong += [(kind, f["name"], f["count"], n) for f in facets[kind] for n in [total(**{name: f["name"]})] if f["count"] != n]
wrong += [(a["folder"], a["count"]) for a in get("/api/v1/albums")["albums"] if a["count"] != total(**{"in": a["folder"]})]
timeline = get("/api/v1/timeline?unique=1")
wrong += [("timeline", timeline["total"])] * (timeline["total"] != total() or sum(d["count"] for d in timeline["days"]) != total())
print(wrong, len(facets["folders"]), len(facets["labels"]), len(facets["cameras"]), len(facets["formats"]), total())
X
is "facets, albums and the timeline count as lists show" "$(python3 "$T/counts.py" "$url")" "[] 2 2 1 2 6"
stop
rm "$T/pics/other/again.dng" "$T/pics/other/plain.jpg" "$T/labels.csv"
run index --prune "$T/pics"

# The JPEG goes, and comes back into the columns that lack it; a long list of changes is the same as a new store.
mv "$T/pics/IMG_1.JPG" "$T/away.jpg"
run index --prune "$T/pics"
is "without its JPEG the RAW is a result" "$(named a picture)" "$(echo "$one" | sed s/IMG_1.JPG/IMG_1.DNG/)"
mv "$T/away.jpg" "$T/pics/IMG_1.JPG"
run index "$T/pics"
is "a JPEG that comes later leads" "$(named a picture)" "$one"
raw plain.DNG
run index "$T/pics"
is "a RAW that comes later is hidden" "$(named a picture)" "$one"
run store compact
is "after compaction" "$(named a picture)" "$one"
run remove "$T/pics/IMG_2.jpeg"
is "after the JPEG was forgotten" "$(named a picture)" "$(echo "$one" | sed s/IMG_2.jpeg/IMG_2.DNG/)"

# Names of other habits: Google's camera, capitals. Edited copies, other folders and a JPEG with a HEIC of the same name are not pairs.
rm -r "$T/pics"
mkdir -p "$T/pics/other"
for name in PXL_1.RAW-02.ORIGINAL.dng PXL_2.RAW-02.ORIGINAL.dng PXL_3.dng IMG_4.Dng IMG_5.dng IMG_6.dng img_7.dng; do raw $name; done
n=0
for name in PXL_1.RAW-01.COVER.jpg PXL_2.RAW-01.MP.COVER.jpg PXL_3.MP.jpg IMG_4.Jpg IMG_5-Edit.jpg IMG_7.jpg; do
    cp "$T/made/p00$n.png" "$T/pics/$name"
    n=$((n + 1))
done
cp "$SCRY_TOP/tests/pictures/picture.heic" "$T/pics/IMG_6.heic"
cp "$SCRY_TOP/tests/pictures/photo.jpg" "$T/pics/IMG_6.JPG"
: >"$T/pics/PXL_3.MP"
: >"$T/pics/PXL_2.RAW-01.MP.mp4"
run index --prune "$T/pics"
habits='IMG_4.Jpg IMG_5-Edit.jpg IMG_5.dng IMG_6.JPG IMG_6.heic IMG_7.jpg PXL_1.RAW-01.COVER.jpg PXL_2.RAW-01.MP.COVER.jpg PXL_3.MP.jpg img_7.dng '
is "pairs of other habits" "$(named a picture)" "$(printf '%s\n' $habits | sort | tr '\n' ' ')"
run search --json -n 20 a picture
is "their RAWs are named" "$(json "sorted(r['raw'] for r in j['results'] if 'raw' in r)")" \
    "['IMG_4.Dng', 'IMG_6.dng', 'IMG_6.dng', 'PXL_1.RAW-02.ORIGINAL.dng', 'PXL_2.RAW-02.ORIGINAL.dng', 'PXL_3.dng']"
is "a motion photo's video is beside it" "$(json "{r['name']: r['companion'] for r in j['results'] if 'companion' in r}")" "{'PXL_3.MP.jpg': 'PXL_3.MP'}"
mv "$T/pics/PXL_1.RAW-02.ORIGINAL.dng" "$T/pics/other/"
run index --prune "$T/pics"
is "a RAW that was moved away is shown" "$(named a picture | tr ' ' '\n' | grep -c PXL_1)" 2
rm "$T/pics/PXL_3.MP.jpg"
run index --prune "$T/pics"
is "and one whose JPEG is gone" "$(named a picture | tr ' ' '\n' | grep PXL_3)" PXL_3.dng
run verify
is "verify" "$status" 0
done_testing
