#!/bin/sh
# notes.sh - what a picture's name, its sidecars and its companions say: shown, and filtered by.
. "$(dirname "$0")/lib.sh"

tiny_model "$T/model"
mkdir "$T/pics"
pictures "$T/made" 6
set -- "$T"/made/*
cp "$1" "$T/pics/IMG_20150704_123015.jpg"
cp "$2" "$T/pics/rated.jpg"
cp "$3" "$T/pics/taken.jpg"
cp "$4" "$T/pics/live.jpg"
cp "$5" "$T/pics/plain.jpg"
: >"$T/pics/live.MOV"
touch -d '2020-05-05 12:00:00Z' "$T"/pics/*.jpg
cat >"$T/pics/rated.xmp" <<'X'
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmp:Rating="4">
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">The old harbour</rdf:li></rdf:Alt></dc:title>
<dc:subject><rdf:Bag><rdf:li>Boats</rdf:li><rdf:li>Ёлка</rdf:li></rdf:Bag></dc:subject>
</rdf:Description></rdf:RDF></x:xmpmeta>
X
cat >"$T/pics/taken.jpg.json" <<'X'
{"title": "taken.jpg", "description": "On the pier", "photoTakenTime": {"timestamp": "1400000000"},
 "geoData": {"latitude": 48.137, "longitude": 11.575, "altitude": 0.0}}
X
run index "$T/pics"
is "index" "$status" 0
run search --json a picture
facts() { json "[r.get(k) for r in j['results'] if r['name'] == '$1' for k in '$2'.split()]"; }
is "the date in a name" "$(facts IMG_20150704_123015.jpg 'taken_at taken_at_source')" "['2015-07-04T12:30:15', 'file_name']"
is "an .xmp sidecar" "$(facts rated.jpg 'rating title keywords')" "[4, 'The old harbour', ['Boats', 'Ёлка']]"
is "Takeout's .json" "$(facts taken.jpg 'taken_at_source description latitude longitude')" "['sidecar', 'On the pier', 48.137, 11.575]"
is "the video of a live photo" "$(facts live.jpg companion)" "['live.MOV']"
is "nothing beside a picture" "$(facts plain.jpg 'taken_at_source title companion')" "['file_time', None, None]"

named() { run search --paths "$@" a picture; sed 's,.*/,,' "$T/out" | sort | tr '\n' ' '; }
is "by the date in a name" "$(named --after 2015-07-04T12:30 --before 2015-07-04T12:31)" 'IMG_20150704_123015.jpg '
run search --after 2020 a picture
like "how many have only the time of their file" "$T/err" '^of the pictures that pass the filters, 3 have only the time of their files$'
run search --json --after 2020 --min-rating 4 a picture
is "... in JSON, of those that pass all filters" "$(json 'j["undated"]')" 1
run search --json --min-rating 4 a picture
is "... where the time is asked for" "$(json '"undated" in j')" False
run list --before 2021 -n 1
like "... and in lists" "$T/err" '^of the pictures that pass the filters, 3 have only the time of their files$'
run list --json --sort date --before 2021 -n 1
is "... sorted ones, too" "$(json 'j["undated"]')" 3
is "by rating" "$(named --min-rating 4)" 'rated.jpg '
is "by a higher rating" "$(named --min-rating 5)" ''
is "by a keyword, whatever its case" "$(named --keyword boats)" 'rated.jpg '
is "... and accents" "$(named --keyword елка)" 'rated.jpg '
is "a part of a keyword is not one" "$(named --keyword boat)" ''
is "by place" "$(named --near 48.1,11.5,20)" 'taken.jpg '

# A sidecar that is written, changed or removed later is seen, and only its picture is read again.
run index "$T/pics"
like "nothing changed" "$T/err" '^0 added, 0 updated, 5 unchanged, 0 skipped in'
sed 's/Rating="4"/Rating="5"/' "$T/pics/rated.xmp" >"$T/pics/plain.xmp"
run index --json "$T/pics"
is "a new sidecar" "$status $(json "[j[k] for k in ('unchanged', 'embedded', 'headers')]") $(named --min-rating 5)" '0 [5, 0, 0] plain.jpg '
sed -i 's/Rating="5"/Rating="3"/' "$T/pics/plain.xmp"
run index "$T/pics"
is "a changed one" "$(named --min-rating 3)" 'plain.jpg rated.jpg '
rm "$T/pics/plain.xmp" "$T/pics/taken.jpg.json"
run index "$T/pics/plain.jpg" "$T/pics/taken.jpg"
is "one that is gone, of a picture that is named" "$(named --min-rating 3)$(named --near 48.1,11.5,20)" 'rated.jpg '
: >"$T/pics/plain.MOV"
run index "$T/pics"
run search --json a picture
is "a companion that came later" "$(facts plain.jpg companion)" "['plain.MOV']"
mv "$T/pics/plain.MOV" "$T/pics/plain_HEVC.MOV"
run index "$T/pics"
run search --json a picture
is "as iCloud's downloaders name it" "$(facts plain.jpg companion)" "['plain_HEVC.MOV']"
mv "$T/pics/plain_HEVC.MOV" "$T/pics/plain.Mp4"
run index "$T/pics"
run search --json a picture
is "with a capital" "$(facts plain.jpg companion)" "['plain.Mp4']"
cp "$T/pics/plain.jpg" "$T/pics/PXL_1.MP.jpg"
: >"$T/pics/PXL_1.MP"
run index "$T/pics"
run search --json --all-copies a picture
is "a Pixel's, out of Google's Takeout" "$(facts PXL_1.MP.jpg companion)" "['PXL_1.MP']"
rm "$T"/pics/PXL_1.*
run index --prune "$T/pics"
printf '{"photoTakenTime": {"timestamp": "1400000000"}}' >"$T/pics/plain.jpg.supplemental-metadata.json"
run index "$T/pics"
run search --json a picture
is "a .json that came later" "$(facts plain.jpg taken_at_source)" "['sidecar']"

# Damaged pictures that are shown are counted.
mkdir "$T/damaged"
cp "$SCRY_TOP/tests/pictures/damaged-no-end.jpg" "$SCRY_TOP/tests/pictures/photo.jpg" "$T/damaged"
run index --json "$T/damaged"
is "--json counts damaged pictures" "$(json "[j[k] for k in ('found', 'added', 'skipped', 'damaged')]")" '[2, 2, 0, 1]'
like "... and so does the summary" "$T/err" '^2 added, .* 1 damaged in'
run verify
is "verify" "$status" 0
# A time of GPS, which is in UTC, counts where there is no other but the file's: one content under names and beside files that say more, or not.
python3 "$E2E/make_headers.py" "$T/headers"
mkdir "$T/gps"
for name in plain named_20150704_123015 rated dated; do cp "$T/headers/gps-both.jpg" "$T/gps/$name.jpg"; done
cp "$5" "$T/gps/beside.jpg"
for pair in rated:xmp:Rating=\'4\' "dated:exif:DateTimeOriginal='2014-05-17T10:30:00'" "beside:exif:GPSTimeStamp='2013-06-15T12:30:15Z'"; do
    echo "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description
        xmlns:xmp='http://ns.adobe.com/xap/1.0/' xmlns:exif='http://ns.adobe.com/exif/1.0/' ${pair#*:}/></rdf:RDF></x:xmpmeta>" >"$T/gps/${pair%%:*}.xmp"
done
export SCRY_STORE="$T/gps-store"
run index "$T/gps"
run list --json --sort date
is "times of GPS" "$(json '[(r["name"], r["taken_at"], r["taken_at_source"]) for r in j["results"]]')" \
    "[('plain.jpg', '2021-06-15T12:30:15+00:00', 'gps'), ('rated.jpg', '2021-06-15T12:30:15+00:00', 'gps'), ('named_20150704_123015.jpg', '2015-07-04T12:30:15', 'file_name'), \
('dated.jpg', '2014-05-17T10:30:00', 'sidecar'), ('beside.jpg', '2013-06-15T12:30:15+00:00', 'gps')]"
is "... are filtered by" "$(run list --paths --after 2021-06-15T12:30 --before 2021-06-15T12:31; sed 's,.*/,,' "$T/out" | sort | tr '\n' ' ')" 'plain.jpg rated.jpg '
run verify
is "... verified" "$status" 0
done_testing
