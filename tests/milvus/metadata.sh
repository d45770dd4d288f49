#!/bin/bash
# What headers, sidecars and companions say, on milvus 2.3.5: kept, shown and filtered by as in the embedded store; RAWs and their
# JPEGs; a collection of scry 0.1.0, which has no fields for all that.
cd "$(dirname "$0")/../.." || exit 1
. tests/milvus/lib.sh

tiny_model "$T/model"
P=$T/pics
mkdir -p "$P/other" "$P/$(printf 'caf\303\251')" "$P/$(printf 'u\314\210ber')"
pictures "$T/made" 10
set -- "$T"/made/*
raw() { { cat tests/pictures/camera.dng; printf '%s' "$1"; } >"$P/$1"; }
for name in IMG_1.DNG IMG_2.DNG IMG_3.DNG IMG_4.DNG; do raw $name; done
cp "$1" "$P/IMG_1.JPG"
cp "$2" "$P/IMG_2.jpeg"
cp "$3" "$P/other/IMG_4.JPG"
cp "$4" "$P/IMG_20150704_123015.jpg"
cp "$5" "$P/rated.jpg"
cp "$6" "$P/taken.jpg"
cp "$7" "$P/$(printf 'caf\303\251')/a.jpg"
cp "$8" "$P/$(printf 'u\314\210ber')/b.jpg"
cp tests/pictures/damaged-no-end.jpg tests/pictures/exif-offset.jpg "$P"
cat >"$P/rated.xmp" <<'X'
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmp:Rating="4">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">The "old" harbour</rdf:li></rdf:Alt></dc:title>
<dc:subject><rdf:Bag><rdf:li>Boats</rdf:li><rdf:li>Sea</rdf:li></rdf:Bag></dc:subject>
</rdf:Description></rdf:RDF></x:xmpmeta>
X
cat >"$P/taken.jpg.json" <<'X'
{"title": "taken.jpg", "description": "On the pier", "photoTakenTime": {"timestamp": "1400000000"},
 "geoData": {"latitude": 48.137, "longitude": 11.575, "altitude": 0.0}}
X
touch -d '2020-05-05 12:00:00Z' "$P"/*.jpg

ok "the server starts" milvus_start "$T/milvus"
run index "$P"
run index --store $M "$P"
is "index" "$status" 0

# Everything that JSON says of each picture, in either store.
facts() { # STORE [OPTION]...
    store=$1
    shift
    run search --store "$store" --json -n 50 "$@" a picture
    json "sorted((r['name'], {k: v for k, v in r.items() if k not in ('rank', 'score', 'group', 'copies', 'folded', 'folded_ids')}) for r in j['results'])"
}
is "all that is known of the pictures" "$(facts $M)" "$(facts "$SCRY_STORE")"
is "... with all copies" "$(facts $M --all-copies)" "$(facts "$SCRY_STORE" --all-copies)"
run search --store $M --json -n 50 a picture
is "title, keywords and rating" "$(json "[(r['title'], r['keywords'], r['rating']) for r in j['results'] if r['name'] == 'rated.jpg']")" \
    "[('The \"old\" harbour', ['Boats', 'Sea'], 4)]"
is "the local time and its offset" "$(json "[r['taken_at'] for r in j['results'] if r['name'] == 'exif-offset.jpg']")" \
    "$(run search --json -n 50 a picture; json "[r['taken_at'] for r in j['results'] if r['name'] == 'exif-offset.jpg']")"

named() { run search --store $M --paths -n 50 "$@" a picture; sed 's,.*/,,' "$T/out" | sort | tr '\n' ' '; }
is "by rating" "$(named --min-rating 4)" 'rated.jpg '
is "by a higher rating" "$(named --min-rating 5)" ''
is "by a keyword, whatever its case" "$(named --keyword boats --keyword SEA)" 'rated.jpg '
is "a part of a keyword is not one" "$(named --keyword boat)" ''
is "by the date in a name" "$(named --after 2015-07-04T12:30 --before 2015-07-04T12:31)" 'IMG_20150704_123015.jpg '
run search --store $M --json --after 2000 --in "$P/rated.jpg" a picture
is "how many have only the time of their file" "$(json 'j["undated"]')" 1
run search --store $M --json --after 2000 --in "$P/IMG_20150704_123015.jpg" a picture
is "... none, where the name has one" "$(json 'j["undated"]')" 0
is "by place" "$(named --near 48.1,11.5,20)" 'taken.jpg '
is "a pair is one result" "$(named --in "$P")" \
    'IMG_1.JPG IMG_2.jpeg IMG_20150704_123015.jpg IMG_3.DNG IMG_4.DNG IMG_4.JPG a.jpg b.jpg damaged-no-end.jpg exif-offset.jpg rated.jpg taken.jpg '
is "a RAW whose JPEG does not pass is shown" "$(named --format raw)" 'IMG_1.DNG IMG_2.DNG IMG_3.DNG IMG_4.DNG '
is "a pair in a box around a place" "$(named --near 48,11,15000 --format raw)" "$(run search --paths --near 48,11,15000 --format raw a picture; sed 's,.*/,,' "$T/out" | sort | tr '\n' ' ')"
is "the RAW is named" "$(run search --store $M --json -n 50 a picture; json "{r['name']: r['raw'] for r in j['results'] if 'raw' in r}")" \
    "{'IMG_1.JPG': 'IMG_1.DNG', 'IMG_2.jpeg': 'IMG_2.DNG'}"
run search --store $M --paths a picture -n 20
whole=$(cat "$T/out")
is "pages of two are the whole" "$(for at in 0 2 4 6 8 10; do "$scry" search --store $M --paths -n 2 --offset $at a picture </dev/null; done)" "$whole"

# A folder is found in either Unicode form.
is "a composed name, given decomposed" "$(named --in "$P/$(printf 'cafe\314\201')")" 'a.jpg '
is "a decomposed name, given composed" "$(named --in "$P/$(printf '\303\274ber')")" 'b.jpg '

# A sidecar that changes is noticed.
sed -i 's/Rating="4"/Rating="5"/' "$P/rated.xmp"
run index --store $M "$P"
is "a changed sidecar" "$status $(named --min-rating 5)" '0 rated.jpg '
run index "$P"

# Copied in both directions, nothing is lost.
run store copy --to-collection back $M "$T/back"
is "copied back" "$status" 0
is "... with all that is known" "$(facts "$T/back" --collection back)" "$(facts "$SCRY_STORE")"
run verify --against $M
is "the stores are equal" "$status" 0

# A collection of scry 0.1.0 stays usable; what it has no fields for is refused with the commands that help.
is "pymilvus makes a collection of format 1" "$(compare old before default)" ok
is "it is searched" "$(named --collection before --in "$P/other")" 'IMG_4.JPG '
is "pairs in it" "$(named --collection before --format raw)" 'IMG_1.DNG IMG_2.DNG IMG_3.DNG IMG_4.DNG '
run search --store $M --collection before --min-rating 1 a picture
is "a filter on ratings is refused" "$status" 2
like "... with the command" "$T/err" 'scry store copy --to-collection NEW .*--rebuild-metadata'
run status --store $M --collection before
like "status says so" "$T/out" 'scry store copy --to-collection'
cp "$9" "$P/new.jpg"
run index --store $M --collection before --rebuild-metadata "$P"
is "--rebuild-metadata works" "$status" 0
like "... and says what is left out" "$T/err" 'scry store copy --to-collection'
is "the new picture is there" "$(named --collection before --in "$P/new.jpg")" 'new.jpg '
run store copy --collection before --to-collection after $M $M
is "a copy of it has the fields" "$status" 0
run index --store $M --collection after --rebuild-metadata "$P"
is "... and --rebuild-metadata fills them in" "$(named --collection after --min-rating 5)" 'rated.jpg '
run verify --store $M --collection after
is "verify" "$status" 0
done_testing
