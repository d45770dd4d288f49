#!/bin/sh
# cyrillic.sh - lines in Cyrillic are read by Tesseract where it is installed, in a confined process; without it everything else is as before.
. "$(dirname "$0")/lib.sh"
unset SCRY_WORDS
picture=$E2E/words/cyrillic/pharmacy.png
latin=$E2E/words/receipt.png
mkdir "$T/none" "$T/bad"
text() { run text "$@"; cat "$T/out"; }

export TESSDATA_PREFIX="$T/none"
is "without the data of a language Latin is read" "$(text "$picture" | grep -c 'Coffee to go')" 1
is "... and no Cyrillic" "$(grep -c 'молоко' "$T/out")" 0
text "$latin" >"$T/latin"
tiny_model "$T/model"
mkdir "$T/pics"
cp "$picture" "$T/pics/a.png"
run index "$T/pics"
is "... an index run reads words" "$status" 0
run search --by words coffee
is "... which are found" "$status" 0
run search --by words молоко
is "... but none in Cyrillic" "$status" 1

echo 'no data' >"$T/bad/rus.traineddata"
export TESSDATA_PREFIX="$T/bad"
mkdir "$T/broken"
echo 'no library' >"$T/broken/libtesseract.so.5"
LD_LIBRARY_PATH=$T/broken run text "$picture"
is "data without the library is as no data" "$status $(grep -c 'Coffee to go' "$T/out")" '0 1'
run text "$latin"
is "lines of which the networks are sure need no Tesseract" "$status" 0

data=/usr/share/tesseract-ocr/5/tessdata
if ldconfig -p | grep -q libtesseract.so.5; then
    run text "$picture"
    is "data that cannot be used: an error" "$status" 2
    like "... says which" "$T/err" 'cannot start: .*([Tt]esseract)'
else
    data=$T/none
fi
if ! [ -r "$data/rus.traineddata" ]; then
    for what in "Cyrillic is read" "an index run reads again what was read without it"; do
        count=$((count + 1))
        echo "ok $count - $what # SKIP tesseract-ocr-rus is not installed"
    done
    done_testing
    exit
fi
export TESSDATA_PREFIX="$data"
is "Cyrillic is read" "$(text "$picture" | tr '\n' '|')" 'АПТЕКА|Хлеб и молоко 150 руб.|Coffee to go|'
is "... in JSON" "$(run text --json "$picture"; json "[(x['text'], 0.7 <= x['confidence'] <= 1, len(x['corners'])) for x in j['lines']][0]")" "('АПТЕКА', True, 4)"
is "Latin is read as without" "$(text "$latin")" "$(cat "$T/latin")"
run index "$T/pics"
is "an index run reads again what was read without it" "$status" 0
run search --by words молоко
is "... and it is found" "$status" 0
like "... with its line" "$T/out" 'Хлеб и молоко'
done_testing
