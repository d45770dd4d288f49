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
done_testing
