#!/bin/sh
# formats.sh - stores of earlier formats: read as they are, brought to today's by the first writing.
#
# stores/format-1.tar.xz was written by revision d47ccad: exif.jpg, exif-offset.jpg and grey.png of
# tests/pictures below /srv/pictures, with the model of tiny_model.py.
#
# stores/format-2.tar.xz was written by revision 85a003d, with the same model: these three in a/ and beside it, a copy of grey.png, a
# sidecar of grey.png, words/sign.png, a bad.jpg, a label, a removed picture, words that were read, a favourite, two pictures to keep
# beside each other and a saved search. docs/upgrades.md says which fixtures are made when.
. "$(dirname "$0")/lib.sh"

tiny_model "$T/model"
mkdir "$T/pics"
for f in exif.jpg exif-offset.jpg grey.png; do
    cp "$SCRY_TOP/tests/pictures/$f" "$T/pics/"
    touch -d '2020-05-05 12:00:00Z' "$T/pics/$f"
done
tar -C "$T" -xJf "$E2E/stores/format-1.tar.xz"
format() { python3 -c 'import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute("PRAGMA user_version").fetchone()[0])' \
    "$SCRY_STORE/collections/default/index.db"; }

run search --json a picture
is "an old store is searched" "$status $(json 'len(j["results"])')" "0 3"
is "times that it has are shown, their source is not known" \
    "$(json 'sorted((r["name"], r["taken_at"], r.get("taken_at_source")) for r in j["results"])')" \
    "[('exif-offset.jpg', '2000-02-29T05:30:00', None), ('exif.jpg', '2024-05-17T08:30:00', None), ('grey.png', '2020-05-05T12:00:00Z', 'file_time')]"
run status
like "status names the command that reads headers again" "$T/out" 'scry index --rebuild-metadata'
run verify
is "an old store is verified" "$status" 0
is "reading changed nothing" "$(format)" 1

run root move /srv/pictures "$T/pics"
is "the first writing brings it to format 2" "$status $(format)" "0 2"
run index "$T/pics"
is "an ordinary run reads nothing again" "$status $(cat "$T/err" | cut -d' ' -f1-6)" "0 0 added, 0 updated, 3 unchanged,"
run index --rebuild-metadata "$T/pics"
is "headers are read again" "$status" 0
like "... of all pictures" "$T/err" 'headers of 3 read again'
unlike "... without embedding one" "$T/err" 'embedded'
run search --json a picture
is "local time with its offset, and its source" \
    "$(json 'sorted((r["name"], r["taken_at"], r["taken_at_source"]) for r in j["results"])')" \
    "[('exif-offset.jpg', '2000-02-29T00:00:00-05:30', 'exif_original'), ('exif.jpg', '2024-05-17T10:30:00+02:00', 'exif_original'), ('grey.png', '2020-05-05T12:00:00Z', 'file_time')]"
run status --json
is "nothing is left to be read again" "$(json 'j["old_headers"]')" 0
run verify
is "the store is sound" "$status" 0
run search --paths --after 2000-02-29 --before 2000-02-29T01:00 a picture
is "filters go by the clock at the place" "$(cat "$T/out")" "$T/pics/exif-offset.jpg"

# A newer format is refused with both numbers, and stays as it is.
python3 -c 'import sqlite3, sys; d = sqlite3.connect(sys.argv[1]); d.execute("PRAGMA user_version = 3"); d.commit()' \
    "$SCRY_STORE/collections/default/index.db"
run search a picture
is "a newer format is refused" "$status" 2
like "... with both numbers" "$T/err" 'format 3.*formats 1 to 2'

# ---- what a store of format 2 had in it when the first fixture of that was made ----
rm -rf "$SCRY_STORE"
tar -C "$T" -xJf "$E2E/stores/format-2.tar.xz"
names() { sed 's,^/srv/pictures/,,' "$T/out" | sort | tr '\n' ' '; }
before=$(cat "$SCRY_STORE"/collections/default/* | cksum)
run search --json a picture
is "format 2: it is searched" "$status $(json 'sorted(r["name"] for r in j["results"])')" "0 ['copy.png', 'exif-offset.jpg', 'exif.jpg', 'sign.png']"
run list --paths
is "... listed" "$status $(names)" '0 a/copy.png a/exif-offset.jpg a/exif.jpg grey.png sign.png '
is "... words that were read" "$(run search --paths --by words exit; names)$(run search --paths --by words 図書館; names)" 'sign.png sign.png '
is "... a place and a text of a sidecar" "$(run search --paths --by words munich; names)$(run search --paths --by words an old wall; names)" 'grey.png grey.png '
is "... a label and a key" "$(run list --paths --label 'a red flag'; names)$(run list --paths --key K1; names)" 'a/exif.jpg a/exif.jpg '
is "... a favourite" "$(run list --paths --favourites; names)" 'a/exif.jpg '
is "... a saved search" "$(run saved list --json; json '[(s["name"], s["search"]["filter"]["camera"]) for s in j]')" "[('Walls', ['canon'])]"
run favourite export
is "... what is kept beside each other" "$(json '[[sha256[:8] for sha256 in group] for group in j["kept"]]')" "[['7e9afe74', 'c88fc4e4']]"
run status --json
is "... a skipped file, words read" "$(json '(j["skipped"], j["words_read"], j["words_with_text"])')" '(1, 4, 1)'
run verify
is "... it is verified" "$status" 0
is "reading changed nothing" "$(cat "$SCRY_STORE"/collections/default/* | cksum)" "$before"
run remove /srv/pictures/grey.png
is "it is written to" "$status $(run list --paths; names)" '0 a/copy.png a/exif-offset.jpg a/exif.jpg sign.png '
run store compact
is "... and compacted" "$status" 0
run verify
is "... and verified" "$status" 0
run list --paths --favourites
is "its marks stay" "$(names)" 'a/exif.jpg '
done_testing
