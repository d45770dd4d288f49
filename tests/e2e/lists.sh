#!/bin/sh
# scry index: files named in lists and CSV tables, with keys and labels.
. "$(dirname "$0")/lib.sh"
tiny_model "$T/model"
P=$T/pics
pictures "$P" 8
cd "$T" || exit 1

printf '%s\n' pics/p000.png pics/p001.png pics/none.png >list
run index --from-file list
is "--from-file: 1 when a file is not there" $status 1
like "--from-file: the others are added" "$T/err" '^2 added'
like "--from-file: the missing one is named" "$T/err" 'none\.png'
ls pics/p002.png pics/p003.png | timeout 900 "$scry" index --from-file - 2>"$T/err"
is "--from-file -" $? 0
is "four are stored" "$(stored)" 4
run index --from-file nowhere
is "a list that is not there: 2" $status 2

cat >table.csv <<'END'
id,path,label
7,pics/p004.png,"red, or nearly",big
8,"pics/p005.png",blue
9,pics/p000.png,old
END
run index table.csv
is "CSV: 0" $status 0
like "CSV: two added, one known gets its labels" "$T/err" '^2 added, 1 updated'
run search --json --label blue x
is "--label" "$(json '[r["path"][-8:] for r in j["results"]]')" "['p005.png']"
is "key and labels are shown" "$(json '(j["results"][0]["key"], j["results"][0]["labels"])')" "('8', ['blue'])"
run search --json --label 'red, or nearly' --label big x
is "two labels at once" "$(json '[r["key"] for r in j["results"]]')" "['7']"
run search --json --key 9 --key 8 x
is "--key" "$(json 'sorted(r["key"] for r in j["results"])')" "['8', '9']"
run search --label none x
is "nothing found: 1" $status 1
run index table.csv
like "CSV again: unchanged" "$T/err" '^0 added, 0 updated, 3 unchanged'
run index "$P"
is "the folder afterwards: 0" $status 0
run search --json --key 8 x
is "labels stay when the folder is indexed" "$(json 'j["results"][0]["labels"]')" "['blue']"

# Names as a table has them (composed), and as they were copied from a Mac (decomposed), in a folder whose name is composed.
typed=$(printf 'M\303\274ll/Caf\303\251.png') there=$(printf 'M\303\274ll/Cafe\314\201.png')
mkdir "${there%/*}"
cp pics/p007.png "$there"
printf 'id,path\n5,%s\n' "$typed" >forms.csv
run index --collection forms forms.csv
is "a name in another Unicode form" "$status $(run list --collection forms --json; json "[(r['path'].endswith('$there'), r['key']) for r in j['results']]")" "0 [(True, '5')]"
run index --collection forms "$typed"
like "... as an operand" "$T/err" '^0 added, 0 updated, 1 unchanged'
printf 'id,path\n1,"pics/p006.png\n' >broken.csv
run index broken.csv
is "a broken CSV: 2" $status 2
like "and says where" "$T/err" 'broken\.csv'

# A file that several rows name, of one table or of several, however its path is written: the last row counts, and that is said.
pictures twice 6 100
{
    echo 'id,path,label'
    for n in $(seq 20); do
        echo "$n,twice/p100.png,first$n"
        echo "$n,$T/twice/../twice/p101.png,first$n"
    done
    printf '90,twice/p100.png,last,more\n91,twice/p102.png,one\n91,twice/p102.png,one\n92,./twice/p101.png,last\n'
} >twice.csv
printf 'id,path,label\n93,twice,folder\n94,twice/p103.png,own\n95,twice/p102.png,two\n' >second.csv
run index --collection twice twice.csv
is "a path twice: 0" "$status $(grep -c . "$T/err")" '0 2'
like "and said, with the lines" "$T/err" '^scry: line 4 of twice.csv is for .*p100\.png, which line 2 has otherwise, and so it is with 39 more rows: the last row of each file counts$'
labels_of() { run search --collection twice --json --all-copies x; json 'sorted((r["name"][1:4], r.get("key", ""), r.get("labels", [])) for r in j["results"])'; }
is "the last row counts" "$(labels_of)" "[('100', '90', ['last', 'more']), ('101', '92', ['last']), ('102', '91', ['one'])]"
run index --collection twice twice.csv
like "again: unchanged" "$T/err" '^0 added, 0 updated, 3 unchanged'
mkfifo pipe.csv
cat second.csv >pipe.csv &
run index --collection twice twice.csv pipe.csv
is "two tables, one a pipe, a folder in one: 0" $status 0
is "the last row of all, and a file's own before its folder's" "$(labels_of)" \
    "[('100', '90', ['last', 'more']), ('101', '92', ['last']), ('102', '95', ['two']), ('103', '94', ['own']), ('104', '93', ['folder']), ('105', '93', ['folder'])]"

# A table and its folder in one run: whichever comes first, each file is added once and gets its names.
for order in "both.csv new" "new both.csv"; do
    rm -rf new
    pictures new 3 40
    cp new/p041.png new/copy.png
    printf 'id,path,label\n1,new/p040.png,red\n2,new/p041.png,blue\n3,new/copy.png,green\n' >both.csv
    collection=$(echo "$order" | tr -cd a-z)
    run index --collection "$collection" $order
    is "$order: 0" $status 0
    like "$order: each file is added once" "$T/err" '^4 added'
    run search --collection "$collection" --json --all-copies x
    is "$order: keys and labels" "$(json 'sorted(r.get("key", "") + "".join(r.get("labels", [])) for r in j["results"])')" \
        "['', '1red', '2blue', '3green']"
done
touch new/p040.png
run index --collection newbothcsv new
like "a touched file with labels is not updated" "$T/err" '^0 added, 0 updated, 4 unchanged'
run search --collection newbothcsv --json --key 1 x
is "and keeps them" "$(json 'j["results"][0]["labels"]')" "['red']"

# ---- lists as other programs write them ----
mark=$(printf '\357\273\277')
rm -rf made
pictures made 8 60
cp made/p060.png "made/two
lines.png"
listed() { # NAME ARGUMENT...: index into a new collection
    listed_name=$1
    shift
    run index --collection "$listed_name" "$@"
}
find made -name '*.png' -print0 | LC_ALL=C sort -z >list0
listed zero -0 --from-file list0
is "-0: every path, also one with a line end" "$status $(cut -d, -f1 err)" '0 9 added'
find made -name 'p06[12].png' -print0 | timeout 900 "$scry" index --collection zero2 -0 --from-file - 2>err
is "-0 --from-file -" "$? $(grep -v '^scry: SCRY_TEST_UNCONFINED' err | cut -d, -f1)" '0 2 added'
listed nozero --from-file list0
is "a list with zero bytes without -0: 2" $status 2
like "and names the option" err 'line 1 of list0 contains a zero byte: give -0'
printf '%smade/p060.png\r\nmade/p061.png' "$mark" >bom
listed bom --from-file bom
is "a byte order mark and CRLF" "$status $(cut -d, -f1 err)" '0 2 added'
printf '\377\376m\000a\000' >utf16
listed utf16 --from-file utf16
is "UTF-16: 2" $status 2
like "UTF-16: and says what to do" "$T/err" 'utf16 is UTF-16: iconv -f UTF-16 -t UTF-8'
listed none --from-file nowhere
like "a list that is not there is named" err 'cannot open nowhere: No such file'

printf 'made/p060.png\rmade/p061.png\r' >mac
listed maclist --from-file mac
is "a list with CR ends" "$status $(cut -d, -f1 err)" '0 2 added'
printf '%smade/p060.png\rmade/p061.png' "$mark" | "$scry" index --collection maclist2 --from-file - 2>err
is "with a mark and no last end, piped" "$(grep -v '^scry: SCRY_TEST_UNCONFINED' err | cut -d, -f1)" '2 added'
cr=$(printf 'made/with\rcr.png')
cp made/p060.png "$cr"
printf '%s\n' "$cr" >within
listed within --from-file within
is "a CR within a name stays where lines end with LF" "$status $(cut -d, -f1 err)" '0 1 added'
rm -f "$cr"
printf 'path;label\nmade/p060.png;"a; b, c"\nmade/p061.png;\n' >semicolon.csv
listed semicolon semicolon.csv
is "semicolons" "$status $(cut -d, -f1 err)" '0 2 added'
run search --collection semicolon --json --label 'a; b, c' x
is "and a label with one" "$(json 'len(j["results"])')" 1
printf 'sep=;\r\nid;path;label\r\n7;made/p060.png;red\r\n' >sep.csv
listed sep sep.csv
is "a spreadsheet's line that says so" "$status $(cut -d, -f1 err)" '0 1 added'
run list --collection sep --json --key 7 --label red
is "and its columns" "$(json 'len(j["results"])')" 1
printf '\377\376p\000a\000t\000h\000' >utf16.csv
listed utf16csv utf16.csv
is "CSV in UTF-16: 2" "$status" 2
like "CSV in UTF-16: and says what to do" "$T/err" 'utf16.csv is UTF-16: save it as CSV in UTF-8'
for name in filename File image_path; do
    printf '%s,label\nmade/p062.png,red\n' "$name" >name.csv
    listed "name-$name" name.csv
    is "paths in a column $name" "$status $(cut -d, -f1 err)" '0 1 added'
done
printf 'filename,caption\nmade/p062.png,red\n' >caption.csv
listed caption caption.csv
is "an unknown column beside it is refused" $status 2
like "and named, too" "$T/err" 'caption.csv: the column "caption" is neither path, id nor label'
printf 'id,path,label\r1,made/p060.png,bear\r2,made/p061.png,\r' >mac.csv
listed mac mac.csv
is "CSV with CR ends: 0" "$status $(cut -d, -f1 err)" '0 2 added'
run search --collection mac --json --label bear x
is "and its labels" "$(json '[(r["key"], r["labels"]) for r in j["results"]]')" "[('1', ['bear'])]"
printf '%slabel,Path,label2,ID\nred,made/p060.png,big,7\n,made/p061.png,blue,8,extra\n' "$mark" >order.csv
listed order order.csv
is "columns in another order: 0" "$status $(cut -d, -f1 err)" '0 2 added'
run search --collection order --json x
is "keys and labels by their names" "$(json 'sorted((r["key"], r["labels"]) for r in j["results"])')" \
    "[('7', ['red', 'big']), ('8', ['blue', 'extra'])]"
printf 'path\nmade/p062.png\n' >only.csv
listed only only.csv
is "paths alone" "$status $(cut -d, -f1 err)" '0 1 added'
printf 'path,width,label\nmade/p062.png,300,red\n' >wide.csv
listed wide wide.csv
is "an unknown column is refused" $status 2
like "and named" err 'wide\.csv: the column "width" is neither path, id nor label'
printf 'serial,path,animal,colour\n5,made/p063.png,cat,black\n' >named.csv
listed named named.csv
run search --collection named --json --label cat --label black --key 5 x
is "path in the second column: the others are id and labels, whatever their names" "$(json 'len(j["results"])')" 1

# ---- texts, labels, tables of captions ----
printf '%sa dog\r\na cat\n' "$mark" >texts
printf 'a dog\na cat\n' >plain
run embed --texts texts --out texts.npy
run embed --texts plain --out plain.npy
ok "a byte order mark is not part of the first text" cmp texts.npy plain.npy
printf 'a dog\0a cat\n' >zero
run embed --texts zero --out zero.npy
is "a zero byte in texts: 2" "$status $(ls zero.npy 2>/dev/null)" '2 '
like "and says where" err 'line 1 of zero contains a zero byte'
printf '%sred\r\nblue\r\n' "$mark" >labels
run classify --json --labels-file labels made/p060.png
is "labels of a file with a byte order mark" "$(json 'sorted(l["label"] for l in j["labels"])')" "['blue', 'red']"
printf '%sfile,caption\rp060.png,a dog\rp061.png,a cat\r' "$mark" >made/captions.csv
run eval --json --captions made/captions.csv
is "captions with CR ends and a byte order mark" "$(json 'j["models"][0]["texts"]')" 2
done_testing
