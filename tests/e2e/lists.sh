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
ls pics/p002.png pics/p003.png | timeout 60 "$scry" index --from-file - 2>"$T/err"
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
printf 'id,path\n1,"pics/p006.png\n' >broken.csv
run index broken.csv
is "a broken CSV: 2" $status 2
like "and says where" "$T/err" 'broken\.csv'
done_testing
