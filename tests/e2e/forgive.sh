#!/bin/sh
# What is misspelled, or finds nothing, is answered with what was probably meant and what there is.
. "$(dirname "$0")/lib.sh"
tiny_model "$T/model"
P=$T/pics
pictures "$P/holiday" 4
pictures "$P/work" 2 4
cp "$SCRY_TOP/tests/pictures/exif-big.jpg" "$SCRY_TOP/tests/pictures/exif-maker.jpg" "$P/work"
cat >"$P/work/p004.xmp" <<'E'
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmp:Rating="3">
<dc:subject><rdf:Bag><rdf:li>shore</rdf:li></rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>
E
printf 'id,path,label\nk0,%s,sunset\nk1,%s,mountain\n' "$P/holiday/p000.png" "$P/holiday/p001.png" >"$T/list.csv"
run index --collection empty "$T/list.csv"   # before the files below are indexed: only these two
run index "$P"
run index "$T/list.csv"

# ---- names ----
says() { # STATUS PATTERN ARGUMENT...
    wanted=$1 pattern=$2
    shift 2
    run "$@"
    is "scry $*: $wanted" $status $wanted
    like "scry $*: says what is meant" "$T/err" "$pattern"
}
says 2 'no command "serach": did you mean `scry search`\?' serach dog
says 2 'no command "white": `scry search white dog ...` looks' white dog outside
says 2 "no command \"$P\": \`scry index $P\` adds the pictures in that folder" "$P"
says 2 'no command "x": see' x
says 2 'did you mean `scry index`' help indx
says 2 'not "lst": did you mean list\?' store lst
says 2 'not "mvoe": did you mean move\?' root mvoe
says 2 'not "inof": did you mean info\?' model inof
says 2 'not "bahs": did you mean bash\?' completion bahs
says 2 'unknown option --limt \(did you mean --limit\?\)' search red --limt=3
says 2 'unknown option --camra \(did you mean --camera\?\)' list --camra nikon
says 2 'no command "find": did you mean `scry search`\?' find dog
says 2 'no command "ls": did you mean `scry list`\?' ls -l
says 2 'no command "gui": did you mean `scry serve`\?' gui
says 2 'no command "pictures": `scry search pictures of ...` looks' pictures of dogs
says 2 'no command "-V": did you mean `scry --version`\?' -V
says 2 'is an address, and scry opens none: download the picture' search @https://example.org/a.jpg
says 2 'cannot index an empty path' index ''
says 2 'standard input: --from-file -' index -
says 2 'is an address: give the path' index "file://$P"
says 2 'the region "0.1,0,.5,1" is not x,y,w,h in whole pixels' search "@$P/work/p000.png#0.1,0,.5,1"
says 2 'the region "-1,0,5,5" is not x,y,w,h in whole pixels' search "@$P/work/p000.png#-1,0,5,5"
says 2 'the region "0,0,50%,50%" is not x,y,w,h in whole pixels' search "@$P/work/p000.png#0,0,50%,50%"
says 2 'no command "version": did you mean `scry --version`\?' version
says 2 'unknown option --year \(did you mean --date\?\)' search red --year=2020
says 2 'unknown option --since \(did you mean --after\?\)' list --since 2020
says 2 'unknown option --folder \(did you mean --in\?\)' search red --folder x
says 2 'unknown option --threshold \(did you mean --similarity\?\)' duplicates --threshold 0.9
says 2 'unknown option --threshold \(did you mean --min-score\?\)' search red --threshold 0.9
says 2 'unknown option --bind \(did you mean --listen\?\)' serve --bind 80
says 2 'unknown option --xyzzy \(see' search red --xyzzy
says 2 'in -limit \(did you mean --limit\?\)' search -limit 5 red
says 2 '^scry: -people is read as options: .* - people$' search beach -people
says 2 '^scry: -night is read as options: .* - night$' search beach -night
says 2 'takes a whole number .* not "x"' search beach -nx
says 2 'not "jpge": did you mean jpeg\?' search --format jpge red
says 2 'not "dat": did you mean date\?' list --sort dat
says 2 'takes one of jpeg .* not "docx"$' search --format docx red

# ---- commands without operands ----
for command in serve status verify mcp; do
    says 2 "^scry: $command takes no \"$P\": it (checks|shows|serves) the whole collection" $command "$P"
done
says 2 'takes no "x": the table is --captions FILE' tune x
says 2 'takes no "x": put the lines into a file, or pipe them' embed --texts - --out x.npy x
is "no help has an option without a blank behind it" "$(for c in $("$scry" help --commands); do
    "$scry" "$c" --help | grep -E '^ +(-., )?--[a-z-]+=[A-Z]+[a-z]'
done)" ''

# ---- help fits the terminal ----
for width in 60 80 200; do
    in_terminal dumb sh -c "stty cols $width; exec '$scry' search --help"
    is "help in $width columns: no line is longer, nothing is lost" \
        "$(tr -d '\r' <"$T/screen" | python3 -c "import sys; print(max(len(l.rstrip()) for l in sys.stdin) <= $width)") $(tr -s '[:space:]' ' ' <"$T/screen")" \
        "True $("$scry" search --help | tr -s '[:space:]' ' ')"
done
is "in a pipe each option is one line" "$("$scry" search --help | grep -c 'min-score=X .* probably matches this query$')" 1

# ---- filters that let nothing pass ----
says 1 'passes --camera nikno: did you mean NIKON\? There are FUJIFILM X-T4 \(1\), NIKON D90 \(1\)$' search --camera nikno red
says 1 'passes --camera leica: there are .*NIKON' list --camera leica
says 1 "passes --in $P/holliday: did you mean $P/holiday\? There are $P \(8\)" search --in "$P/holliday" red
says 1 "passes --in $P/worm or $P/holliday: did you mean $P/work\\? Or $P/holiday\\?" list --in "$P/worm" --in "$P/holliday"
says 1 "passes --in $P/nowhere: there are $P \(8\)" list --in "$P/nowhere"   # the folder above is no likeness
says 1 "passes --in $T/holiday: did you mean $P/holiday\? There are" list --in "$T/holiday"   # a folder by its name, from another folder
says 1 "passes --in $T/x/Wrok: did you mean $P/work\? There are" list --in "$T/x/Wrok"
says 1 "passes --in $P/holliday: did you mean $P/holiday" duplicates "$P/holliday"
says 1 'passes --camera nikno: did you mean NIKON' duplicates --camera nikno
says 1 "passes --in $P/holliday: did you mean $P/holiday" remove "$P/holliday"
says 1 'passes --camera nikno: did you mean NIKON' remove --camera nikno --dry-run
run duplicates "$P/holiday"
unlike "pictures without duplicates pass the filters" "$T/err" 'no picture passes'
says 2 "cannot index $P/holliday: it does not exist; did you mean $P/holiday\?" index "$P/holliday"
says 2 "cannot index $T/pisc/work: it does not exist; did you mean $P/work\?" index "$T/pisc/work"
says 2 "cannot index $T/elsewhere: it does not exist\$" index "$T/elsewhere"
says 1 'passes --label sunst: did you mean sunset\? There are mountain \(1\), sunset \(1\)$' list --label sunst
says 1 'passes --label sunst: ' list --label sunset --label sunst
says 1 'passes --keyword shoer: did you mean shore\? There are shore \(1\)' list --keyword shoer
says 1 'passes --words zzz: no picture has "zzz"$' list --words zzz
says 1 'passes --words holliday: no picture has "holliday": did you mean holiday\?$' list --words hollidays
says 1 'no picture has the words of the query: no picture has "holidya": did you mean holiday\?$' search --by words my holidya
says 1 'no picture has the words of the query: each of the words is in a picture, and none has them all$' search --by words holiday work
says 1 'passes --key k7: ' list --key k7
says 1 'passes --format gif: there are png \(6\), jpeg \(2\)$' list --format gif
says 1 'passes --format gif or webp: there are png' list --format gif --format webp
says 1 'passes --before 1900-01-01: they are from [12][0-9-]* to 2' list --before 1900-01-01
says 1 'passes --until 1899-12-31: they are from [12][0-9-]* to 2' list --until 1899
says 1 'passes --date 1890-01-01 to 1899-12-31 or 1900-05-17: they are from [12][0-9-]* to 2' list --date 1890s --date 'May 17, 1900'
says 1 'passes --date since 2199-01-01: they are from' list --date 'since 2199'
says 2 'date takes a date or a span such as .* not "someday"' list --date someday
says 2 'may be the one that began in 2019-12 or in 2020-12: write winter 2019-2020' list --date 'winter 2020'
says 2 'until takes a date such as .* not "since 2020"' list --until 'since 2020'
says 1 'passes --min-rating 5: the highest rating is 3' list --min-rating 5
says 1 'passes --min-width 100000: the widest has [0-9]* pixels' list --min-width 100000
says 1 'passes --near 0,0,1: none was taken there' list --near 0,0,1
says 1 'passes --box 170,-10,-170,10: none was taken there' list --box 170,-10,-170,10
says 1 'passes --camera nikon and --format png together; each of them alone' search --camera nikon --format png red
says 1 'passes --camera nikon, --format jpeg and --min-rating 1 together; without the last some pass' list --camera nikon --format jpeg --min-rating 1
run search --min-score 0.999 --format png red
like "a score that none has" "$T/err" '^scry: 6 pictures were searched, none with a score of 0.999 or more'
run search --camera nikno --paths red
is "paths: not a word" "$status $(cat "$T/out" "$T/err")" '1 '
run search --camera nikno -q red
is "--quiet: neither" "$status $(cat "$T/out" "$T/err")" '1 '
run search --camera nikno --json red
is "JSON: nor" "$status $(cat "$T/err")" '1 '
run list --collection empty --keyword shore
like "without any keyword" "$T/err" 'passes --keyword shore: there are no keywords'
run list --collection empty --camera nikon
like "nor a camera" "$T/err" 'no picture names its camera'
printf '%s\n' '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","arguments":{"query":"red","camera":"nikno"}}}' |
    "$scry" mcp >"$T/out" 2>"$T/err"
is "MCP says it too" "$(json '"no picture passes camera nikno: did you mean NIKON?" in j["result"]["content"][1]["text"]')" True

# ---- what a query may have been meant to be, on a terminal ----
in_terminal dumb "$scry" search "$P/holiday/p000.png"
like "a picture that is here" "$T/screen" "p000.png is searched for as a text; @$P/holiday/p000.png searches by that picture"
in_terminal dumb "$scry" search "@$P/holiday/p000.png"
unlike "with an @ there is nothing to say" "$T/screen" 'searched for as a text'
in_terminal dumb "$scry" search "@$P/holliday/p000.png"
like "a picture that is not there" "$T/screen" "did you mean @$P/holiday/p000.png\\?"
in_terminal dumb "$scry" search "@$P/holiday"
like "a folder" "$T/screen" "is a folder, and @ takes a picture; --in $P/holiday finds only"
in_terminal dumb "$scry" list --sort size --limit 1
like "sizes in the unit that fits" "$T/screen" ' [0-9.]+ k?B  '
run list --sort size --limit 1
like "... and in a pipe as ever" "$T/out" '^ +[0-9]+\.[0-9][0-9] MB  '
in_terminal dumb "$scry" search "beach -people red"
like "a minus within a text" "$T/screen" '^scry: -people is searched for as a text; .* - people'
in_terminal dumb "$scry" search "black-and-white - 5"
unlike "a hyphen is none" "$T/screen" 'searched for as a text'
in_terminal dumb "$scry" search red beach in summer 2019
like "a date in a text" "$T/screen" '^scry: "in summer 2019" is searched for as a text; --date "in summer 2019" finds only'
in_terminal dumb "$scry" search red beach last Christmas
like "a relative one" "$T/screen" '"last Christmas" is searched for as a text; --date'
for text in 'a march of 3000' 'runner 2990' 'flowers in spring' 2019; do
    in_terminal dumb "$scry" search "$text"
    unlike "$text: none" "$T/screen" 'searched for as a text'
done
for dash in – — − － ‐; do
    in_terminal dumb "$scry" search beach $dash people at night
    like "$dash is no minus" "$T/screen" "^scry: $dash is searched for as a text: subtracting takes the sign of the keyboard.*: - people"
done
in_terminal dumb "$scry" search "beach –people"
like "– before a word" "$T/screen" 'subtracting takes .*: - people'
in_terminal dumb "$scry" search "beach ＋ people"
like "nor is ＋ a plus" "$T/screen" 'adding takes .*: [+] people'
in_terminal dumb "$scry" search "the years 1914–1918, black‑and‑white –"
unlike "dashes within words and at the end" "$T/screen" 'searched for as a text'
in_terminal dumb "$scry" search red "@$P/holiday/p000.png"
like "a picture behind words" "$T/screen" "^scry: @$P/holiday/p000.png is searched for as a text; [+] @$P"
in_terminal dumb "$scry" search "red @home"
unlike "a word with an @" "$T/screen" 'searched for as a text'
in_terminal dumb "$scry" search "0,5:red" + blue
like "a decimal comma" "$T/screen" '"0,5:" is searched for as a text: a weight has a point, 0.5'
in_terminal dumb "$scry" search "10,000 people: a crowd"
unlike "a comma in a number" "$T/screen" 'searched for as a text'
run search "beach -people"
is "not a word of it elsewhere" "$(cat "$T/err")" ''
done_testing
