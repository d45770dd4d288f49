#!/bin/sh
# What reaches a terminal: file names quoted as GNU ls does, and no character that acts on it or is invisible.
. "$(dirname "$0")/lib.sh"
tiny_model "$T/model"
python3 "$E2E/make_pictures.py" "$T/img" 3
run index "$T/img"

# ---- names with control sequences ----
title=$(printf '\033]0;x\007\302\233')
escaped="(\\\\x1b|'[$]'\\\\033''|[?])\\]0;x(\\\\x07\\\\xc2\\\\x9b|'[$]'\\\\a\\\\302\\\\233'|[?]\\\\xc2\\\\x9b)"   # errors have a ? for what is no text
mkdir "$T/bad"
echo text >"$T/bad/$title.png"
printf '%s\n' "$T/bad/$title.png" >"$T/list"
printf 'file,caption\n%s.png,a dog\np001.png,a cat\n' "$title" >"$T/bad/captions.csv"
cp "$T/img/p000.png" "$T/bad/p001.png"
for errors in 'index "$1/bad"' 'embed --images "$1/list" --out "$1/bad.npy"' 'classify --labels a,b "$1/bad/"*' \
    'eval --captions "$1/bad/captions.csv"' 'search --image "$1/bad/"*x*.png'
do
    in_terminal dumb sh -c "exec \"\$2\" $errors >/dev/null" sh "$T" "$scry"
    like "in a terminal: a name is escaped: ${errors%% *}" "$T/screen" "$escaped"
    unlike "in a terminal: and not passed on: ${errors%% *}" "$T/screen" "$(printf '\033]|\302\233')"
done
in_terminal dumb "$scry" status --skipped
like "in a terminal: a name is escaped on standard output" "$T/screen" "$escaped"
unlike "in a terminal: and not passed on there" "$T/screen" "$(printf '\033]|\302\233')"
run status --skipped
like "elsewhere names keep their bytes" "$T/out" "$title"

# ---- names that a shell would split or expand: as GNU ls ----
mkdir "$T/names"
cd "$T/names" || exit 1
tab=$(printf '\t') esc=$(printf '\033')
line='nl
x'
for name in 'a b' "it's" "it's \$x" 'q"d' "$line" '
start' '~home' 'x~y' '#h' 'x#y' 'b{c' '{' '}' 'eq=1' 'at@x' 'per%c,+-:_' 'ex!' 'st*' "it's #1" "it's@x" 'back\slash' \
    "tab$tab'q" "$(printf 'bad\377')" 'é' "é it's" "$(printf 'csi\302\233x')" "~it's" "a'~b" "a'{b" 'caret^' \
    "e$esc[31m'" 'x?y' ']x' "q\\'r" "two$esc${esc}x" 'a|b' '(c)' 'semi;' 'emoji 🐕'
do
    : >"$name"
done
is "names" "$(find . -type f | LC_ALL=C tr -cd '\0-\177' | tr '\n' ' ' | tr -s ' ' '\n' | grep -c '^\./')" 39
LC_ALL=C.UTF-8 "$(command -v gnuls || echo ls)" -1 --quoting-style=shell-escape >"$T/ls"
in_terminal dumb "$scry" classify --labels a,b -- *
sed -n 's/^skipped: \(.*\): empty\r*$/\1/p' "$T/screen" | LC_ALL=C sort >"$T/ours"
LC_ALL=C sort "$T/ls" >"$T/theirs"
is "quoted as GNU ls does" "$(diff "$T/theirs" "$T/ours")" ''
cd "$T" || exit 1

# ---- characters that reorder or hide text ----
turned=$(printf 'x\342\200\256gpj')   # U+202E: what follows reads from right to left
mkdir "$T/turned"
cp "$T/img/p000.png" "$T/turned/$turned.png"
cp "$T/img/p001.png" "$T/turned/$(printf 'c1\302\205next').png"
cp "$T/img/p002.png" "$T/turned/$(printf 'tag\363\240\201\201').png"
run index --collection turned "$T/turned"
is "names with U+202E, U+0085 and U+E0041: 0" $status 0
unsafe=$(printf '\342\200\256|\302\205|\363\240|\342\201\246')
for form in --paths '--paths -0' '' --json; do
    in_terminal dumb "$scry" search $form --collection turned "dog $(printf '\342\201\246')"
    like "search $form in a terminal: shows the names" "$T/screen" 'x.*gpj'
    unlike "search $form in a terminal: no such characters" "$T/screen" "$unsafe"
done
in_terminal dumb "$scry" search --json --collection turned "dog $(printf '\342\201\246')"
grep -v '^scry: SCRY_TEST_UNCONFINED' "$T/screen" >"$T/out"   # which sanitizer builds say
is "JSON in a terminal says the same" "$(json 'ascii(sorted(r["path"].rsplit("/", 1)[1] for r in j["results"]) + [j["query"]])')" \
    "['c1\\x85next.png', 'tag\\U000e0041.png', 'x\\u202egpj.png', 'dog \\u2066']"
run search --json --collection turned dog
like "elsewhere JSON has the characters themselves" "$T/out" "$turned"
run search --paths --collection turned dog
is "elsewhere paths have their bytes" "$(grep -c "/turned/$turned.png\$" "$T/out")" 1
in_terminal dumb env LC_ALL=C "$scry" search --paths --collection turned dog
unlike "in another character set, only ASCII" "$T/screen" '[^ -~[:space:]]'
done_testing
