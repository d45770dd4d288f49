#!/bin/sh
# scry text: what pictures say, in each form; pictures without text and what is no picture.
. "$(dirname "$0")/lib.sh"
W=$E2E/words

run text "$W/receipt.png"
is "text: status" $status 0
is "text: the lines from top to bottom" "$(cat "$T/out")" "CORNER PHARMACY
12 Garden Street
Aspirin 500 mg
4.99
Total
4.99"
is "text: nothing on stderr" "$(cat "$T/err")" ""

run text --json "$W/sign.png"
is "json: status" $status 0
is "json: other scripts, oblique" "$(json '" ".join(l["text"] for l in j["lines"])')" "出口 Exit 図書館"
is "json: where it is" "$(json '(j["width"], j["height"], all(0 <= x <= 420 and 0 <= y <= 200 for l in j["lines"] for x, y in l["corners"]))')" "(420, 200, True)"
is "json: corners go clockwise from where the line begins" \
    "$(json 'all(c[0][0] < c[1][0] and c[0][1] < c[3][1] and c[1][1] < c[0][1] for c in (l["corners"] for l in j["lines"]))')" True
is "json: confidence" "$(json 'all(0.5 <= l["confidence"] <= 1 for l in j["lines"])')" True

# An orientation of 3: the picture is upside down as stored.
run text --tsv "$W/wifi.jpg"
is "tsv: the heading" "$(head -n 1 "$T/out")" "path	x0	y0	x1	y1	x2	y2	x3	y3	confidence	text"
is "tsv: the text" "$(sed 1d "$T/out" | cut -f 1,11)" "$W/wifi.jpg	WLAN: Gästehaus
$W/wifi.jpg	Passwort: maus-7291"
ok "tsv: the first line is above the second" test "$(sed -n 2p "$T/out" | cut -f 3)" -lt "$(sed -n 3p "$T/out" | cut -f 3)"
run text --json --no-rotate "$W/wifi.jpg"
is "as stored, lines begin on the right below" "$(json '[l["text"] for l in j["lines"]] and all(l["corners"][0][0] > l["corners"][1][0] for l in j["lines"])')" True
is "as stored, they say the same" "$(json 'sorted(l["text"] for l in j["lines"])')" "['Passwort: maus-7291', 'WLAN: Gästehaus']"

# Pages that are turned or crooked, from their own top to their bottom.
for picture in bill-left bill-over bill-right bill-crooked; do
    run text "$W/pages/$picture.png"
    is "$picture: the order of the page" "$(tr '\n' ' ' <"$T/out")" "Garden Supplies Seeds 2.50 Shovel 18.90 Total 21.40 "
done
run text "$W/pages/till.png"
is "a line that alone would be read upside down" "$(grep -A1 RÜCKGELD "$T/out" | tr '\n' ' ')" "RÜCKGELD 9,63 "

# What is transparent is a middle grey: letters of any colour are seen, though the pixels below are of the same one.
for picture in black.png white.png holes.png black.webp black.gif; do
    run text "$W/clear/$picture"
    is "on nothing: $picture" "$(tr '\n' ' ' <"$T/out")" "Garden Supplies "
done

# A long scan is read much smaller than it is: that is said, and of no other.
python3 - "$T/long.png" <<'P'
import struct, sys, zlib
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
rows = zlib.compress((b"\0" + b"\xff" * 1200) * 20000)
with open(sys.argv[1], "wb") as f:
    f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 1200, 20000, 8, 0, 0, 0, 0)) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))
P
run text "$T/long.png" "$W/nothing.png"
is "a long scan: status" "$status" 1
is "... the reason" "$(sed "s,$T/,," "$T/err")" \
    "scry: long.png has 1200 x 20000 pixels and was read at 120 x 2000, as those with a side over 2000 are: cut it into parts to read small print"

# ---- several files ----
cd "$W" || exit 1
run text receipt.png nothing.png sign.png
is "several: status" $status 0
is "several: headings" "$(grep -c . "$T/out") $(grep -n ':$' "$T/out" | tr '\n' ' ')" "11 1:receipt.png: 9:sign.png: "
run text nothing.png
is "no text: 1" "$status $(wc -c <"$T/out")" "1 0"
run text --json nothing.png
is "no text: an object without lines" "$status $(json 'j["lines"]')" "1 []"
cp receipt.png "$T/a	b.png"
echo text >"$T/x.png"
head -c 3000 receipt.png >"$T/cut.png"
run text --tsv "$T/x.png" "$T/none.png" "$T/a	b.png"
is "skipped ones: 1" $status 1
is "skipped ones are told" "$(grep -c '^skipped: ' "$T/err")" 2
is "the others are read, names in a table are escaped" "$(sed 1d "$T/out" | cut -f 1 | uniq -c | tr -s ' ')" " 6 $T/a\\tb.png"
mkdir "$T/folder"
run text "$T/folder" "$T/cut.png"
ok "a folder and a cut picture: no crash" test $status -le 1

# ---- misuse ----
run text
is "no file: 2" $status 2
run text --json --tsv receipt.png
is "two forms: 2" $status 2
mkdir "$T/app"
cp "$SCRY_BUILD/scry" "$SCRY_BUILD/libscry.so.0" "$SCRY_BUILD/scry-decode" "$T/app"
"$T/app/scry" text receipt.png >"$T/out" 2>"$T/err"
is "without weights: 2" $? 2
like "without weights: what to do" "$T/err" 'share/scry/models/words.*SCRY_DATA_DIR'
mkdir -p "$T/data-dir/models/words"
cp "$SCRY_TOP/models/words/characters.txt" "$T/data-dir/models/words/"
head -c 1000 "$SCRY_TOP/models/words/words.safetensors" >"$T/data-dir/models/words/words.safetensors"
SCRY_DATA_DIR=$T/data-dir SCRY_DECODER=$SCRY_BUILD/scry-decode "$scry" text receipt.png >"$T/out" 2>"$T/err"
is "damaged weights: 2" $? 2
like "damaged weights: the file is named" "$T/err" 'words.safetensors'
done_testing
