#!/bin/sh
# read_words.sh - `scry index` and `scry serve` read the words in pictures: the second pass, its options, stopping and going on.
. "$(dirname "$0")/lib.sh"
unset SCRY_WORDS
tiny_model "$T/model"
mkdir "$T/pics"
cp "$E2E"/words/*.png "$E2E"/words/*.jpg "$T/pics"
counts() { run status --json; json "[j['words_' + k] for k in ('read', 'with_text', 'failed', 'unread')]"; }
names() { sed 's,.*/,,' "$T/out" | sort | tr '\n' ' '; }
by_words() { run search --paths --limit 1000 --by words "$@"; names; }

run index --words no "$T/pics"
is "--words no" "$status $(counts)" '0 [0, 0, 0, 4]'
SCRY_WORDS=no run index "$T/pics"
is "SCRY_WORDS=no" "$status $(counts)" '0 [0, 0, 0, 4]'
run index "$T/pics"
is "the second pass" "$status" 0
like "is announced" "$T/err" '^reading the words in 4 pictures \('
like "... and counted" "$T/err" '^words read in 4 pictures, 3 with text in '
is "... stored" "$(counts)" '[4, 3, 0, 0]'
is "a receipt's words" "$(by_words aspirin)" 'receipt.png '
is "... a sign's" "$(by_words 図書館)" 'sign.png '
is "... a note's" "$(by_words passwort)" 'wifi.jpg '
run search --by words passwort asprin
is "words that no picture has" "$status" 1
like "... and the near one in a picture" "$T/err" 'no picture has "asprin": did you mean Aspirin\?$'
run list --words 'passwort aspirin'
like "... words of two pictures" "$T/err" 'each of the words is in a picture, and none has them all$'
run index "$T/pics"
unlike "a second run reads nothing" "$T/err" 'words'

# New pictures; damaged ones; --json; what is not there any more.
cp "$T/pics/sign.png" "$T/pics/also sign.png"
run index --json "$T/pics"
is "a copy is not read again" "$(json "j['added'], j['words_read']")" '(1, 0)'
is "... and is found" "$(run search --paths --all-copies --by words exit; names)" 'also sign.png sign.png '
for name in later gone; do
    { cat "$T/pics/wifi.jpg"; echo $name; } >"$T/pics/$name.jpg"   # other bytes, the same picture
done
run index --words no "$T/pics"
mv "$T/pics/gone.jpg" "$T/kept.jpg"
run index --words only --json
is "--words only" "$status" 0
is "... with a picture that is gone" "$(json "j['words_read'], j['words_missing']")" '(1, 1)'
is "... which stays unread" "$(counts)" '[5, 4, 0, 1]'
mv "$T/kept.jpg" "$T/pics/gone.jpg"
run index --words only
is "... and is read when it is back" "$(counts)" "[6, 5, 0, 0]"
is "... found" "$(by_words passwort)" 'gone.jpg later.jpg wifi.jpg '
run verify
is "verify" "$status" 0

# Large letters, which the first look divides: all of them are read.
mkdir "$T/large"
cp "$E2E"/words/large/*.png "$T/large"
SCRY_STORE=$T/large-store run index "$T/large"
large() { SCRY_STORE=$T/large-store run search --paths --by words "$@"; names; }
is "a large sign, and large letters in a line" "$(large stop) $(large hello world)" 'stop.png  hello.png '

# Ctrl-C.
many=400   # 8 ms each
case $SCRY_BUILD in
*/asan) many=12 ;;   # a second each
esac
all=$((many + 6))
pictures "$T/many" $many
run index --words no "$T/many"
"$scry" index --words only --progress >"$T/out" 2>"$T/err" </dev/null &
pid=$!
ok "some are read" pause_when $pid grep -q "[^0-9][1-9][0-9]*/$many" "$T/err"
kill -INT $pid
kill -CONT $pid
wait $pid
is "Ctrl-C" "$?" 130
like "... says what to do" "$T/err" 'run the same command again to go on'
read=$(run status --json; json "j['words_read']")
ok "... keeps what was read" test "$read" -gt 6 -a "$read" -lt $all
run index --words only
is "... and goes on" "$(counts)" "[$all, $(json "j['words_with_text']"), 0, 0]"

# A server reads in the background, also what comes later.
. "$SCRY_TOP/tests/server/lib/serve.sh"
run_dir=$T/served
mkdir "$run_dir"
cp "$E2E/words/receipt.png" "$run_dir"
SCRY_STORE=$T/store2
export SCRY_STORE
run index --words no "$run_dir"
ok "serve" start --allow-index
ok "reads what was not read" words_served '(1, 0, False)'
cp "$E2E/words/sign.png" "$run_dir"
curl -s -X POST -H 'Content-Type: application/json' -d '{"paths": ["'"$run_dir"'"]}' "$url/api/v1/index" >"$T/out"
ok "... and what is indexed later" words_served '(2, 0, False)'
get "$url/api/v1/search?q=pharmacy&by=words"
is "... finds it" "$(json "[r['name'] for r in j['results']]")" "['receipt.png']"
stop
is "the server ends" "$status" 0
cp "$E2E/words/wifi.jpg" "$run_dir"
run index --words no "$run_dir"
ok "serve --no-words" start --allow-index --no-words
sleep 1
ok "... reads nothing" words_served '(2, 1, False)'
stop
ok "without --allow-index" start
ok "... nothing is written" words_served '(2, 1, False)'
stop
done_testing
