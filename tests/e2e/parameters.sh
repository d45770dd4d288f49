#!/bin/sh
# Every search parameter, with right and wrong values, through every interface: parameters.py.
. "$(dirname "$0")/lib.sh"
. "$SCRY_TOP/tests/server/lib/serve.sh"
tiny_model "$T/model"
mkdir -p "$T/data" "$T/pics/a" "$T/pics/b"
P=$T/pics
pictures "$P/a" 9
pictures "$P/b" 9 9
cp "$SCRY_TOP/tests/pictures/exif-big.jpg" "$SCRY_TOP/tests/pictures/exif-maker.jpg" "$P/b"
{
    echo id,path,label,label
    for i in 0 1 2 3; do
        echo "k$i,$P/a/p00$i.png,sea,sand"
    done
    echo "k4,$P/a/p004.png,sea,"
} >"$T/list.csv"
cat >"$P/a/p001.xmp" <<'X'
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmp:Rating="3">
<dc:subject><rdf:Bag><rdf:li>shore</rdf:li><rdf:li>Sand</rdf:li></rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>
X
"$scry" index "$P" || exit 1
"$scry" index "$T/list.csv" || exit 1
start || exit 1
timeout 600 python3 "$E2E/parameters.py" "$scry" "$url" "$P"
status=$?
kill -TERM $server
wait $server
exit $status
