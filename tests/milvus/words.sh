#!/bin/bash
# Words on milvus-lite 3.2.2 and milvus 2.3.5: names, texts, places and what was read in pictures are found, listed, copied and verified
# as in a folder with the same pictures; collections of an earlier scry, which have no words.
cd "$(dirname "$0")/../.." || exit 1
. tests/milvus/lib.sh
. tests/milvus/words_data.sh
. tests/server/lib/serve.sh

tiny_model "$T/model"
P=$T/pics
word_pictures
run index "$P"
is "index" "$status" 0
run index "$T/list.csv"
is "... a table" "$status" 0
ok "texts in a folder" put_texts "$SCRY_STORE"

on_server() { # NAME
    run index --store $M "$P"
    is "$1: index" "$status" 0
    run index --store $M "$T/list.csv"
    is "... a table" "$status" 0
    ok "... texts" put_texts $M
    answers $M >"$T/there"
    ok "... the same answers" cmp "$T/here" "$T/there"
    diff "$T/here" "$T/there" | head -n 6 | cut -c 1-300 | note
    run status --store $M --json
    is "... what was read" "$(json "[j['words_' + k] for k in ('read', 'with_text', 'failed', 'unread')]")" "$(run status --json; json "[j['words_' + k] for k in ('read', 'with_text', 'failed', 'unread')]")"
    run verify --against $M
    is "... verify --against" "$status" 0
    run verify --store $M
    is "... verify" "$status" 0

    # A file that is indexed again, and another name of a picture, keep its text.
    cp "$P/p008.png" "$P/again.png"
    touch -d '2021-01-01 12:00:00Z' "$P/p008.png"
    for store in "$SCRY_STORE" $M; do run index --store "$store" "$P"; done
    is "... a copy says the same" "$(run search --store $M --paths --all-copies --by words sunflower42; names)" 'again.png p008.png '
    run verify --against $M
    is "... the stores are equal" "$status" 0
    rm "$P/again.png"
    for store in "$SCRY_STORE" $M; do run index --store "$store" --prune "$P"; done

    # Copied in both directions.
    run store copy --to-collection fresh "$SCRY_STORE" $M
    is "... copied from a folder" "$status" 0
    answers $M --collection fresh >"$T/there"
    ok "... the same answers" cmp "$T/here" "$T/there"
    run store copy --collection fresh --to-collection default $M "$T/back"
    is "... and back" "$status" 0
    answers "$T/back" >"$T/there"
    ok "... the same answers" cmp "$T/here" "$T/there"
    run store copy "$SCRY_STORE" $M
    like "... once more: nothing is sent" "$T/err" '^0 copied, 40 there already'
    rm -rf "$T/back"

    # A text that differs, or is on one side only.
    ok "... another text" put_text $M "$P/p009.png" 'something else'
    run verify --against $M
    is "... is a difference" "$status $(grep -c 'different text in the picture' "$T/out")" '2 1'
    run store copy "$SCRY_STORE" $M
    run verify --against $M
    is "... which a copy mends" "$status" 0

    # Over HTTP.
    serve_there
    # A collection of an earlier scry: what is asked for is compared file by file, the rest is by look.
    is "... a collection of format 2" "$(compare old before default 2)" ok
    is "... by words" "$(run search --store $M --collection before --paths --by words anna wedding; names)" 'p000.png p001.png '
    is "... --words" "$(run list --store $M --collection before --paths --words holid; names)" 'p005.png '
    is "... --place" "$(run search --store $M --collection before --paths --place Munich red; names)" 'p006.png '
    run search --store $M --collection before --json wedding
    is "... others are by look" "$(json "'found_by' in j['results'][0]")" False
    run index --store $M --collection before --words only
    is "... texts are not kept there" "$status" 2
    like "... with the command" "$T/err" 'scry store copy --to-collection NEW STORE STORE'
    run status --store $M --collection before
    like "... status has it" "$T/out" '^words .*compared file by file'
    run store copy "$SCRY_STORE" $M --to-collection before
    is "... a copy into it" "$status" 0
    run store copy --collection before --to-collection after $M $M
    is "... and from it into a new one" "$(run search --store $M --collection after --paths --by words anna wedding; names)" 'p000.png p001.png '

    # Words that another scry made are compared, too.
    is "... rows by other rules" "$(compare rules fresh)" True
    is "... by words" "$(run search --store $M --collection fresh --paths --limit 99 --by words white dog; names)" "$(run search --paths --limit 99 --by words white dog; names)"
    is "... not by theirs" "$(run search --store $M --collection fresh --paths --by words other; names)" ''
    is "... --words" "$(run list --store $M --collection fresh --paths --words holid --words p005; names)" 'p005.png '
}

# The page's API says what the command line does.
serve_there() {
    ok "... serve" start --store $M
    get "$url/api/v1/search?q=wifi+password&by=words"
    is "... serve: by words" "$(json "[(r['name'], r['found_in'], r['matched']) for r in j['results']]")" "[('p008.png', ['picture'], 'Guest WiFi password: Sunflower42')]"
    id=$(json "j['results'][0]['id']")
    get "$url/api/v1/images/$id/text"
    is "... the text and its corners" "$(json "[(l['text'], l['corners'][0]) for l in j['lines']]")" \
        "[('Welcome', [0.1, 0.1]), ('Guest WiFi password: Sunflower42', [0.1, 0.2])]"
    get "$url/api/v1/places?q=mun"
    is "... places are suggested" "$(json "[p['name'] for p in j['places']]")" "['Munich, Germany']"
    get "$url/api/v1/images?words=holid"
    is "... a list" "$(json "[r['name'] for r in j['results']]")" "['p005.png']"
    stop
}

answers "$SCRY_STORE" >"$T/here"
ok "milvus-lite starts" lite_start "$T/lite"
on_server "milvus-lite 3.2.2"
lite_stop
rm -rf "$XDG_DATA_HOME/scry/milvus"
ok "milvus starts" milvus_start "$T/milvus"
on_server "milvus 2.3.5"

# A search that has words is one request more, whether or not there are pictures with them.
"$PYMILVUS" tests/milvus/newer.py 29540 calls >>"$T/calls" 2>"$T/newer.err" &
newer=$!
until (exec 3<>/dev/tcp/127.0.0.1/29540) 2>/dev/null; do sleep 0.1; done
requests() { # OPTION... QUERY
    : >"$T/calls"
    run search --store milvus://127.0.0.1:29540 "$@"
    grep -c '^[A-Z][A-Za-z]*$' "$T/calls"
}
look=$(requests --by look white dog)
ok "a search by look needs some requests" test "$look" -ge 3
is "one more with words" "$(requests white dog)" $((look + 1))
is "... where no picture has it" "$(requests absent)" $((look + 1))
is "two more where none has all of several" "$(requests absent words)" $((look + 2))
is "... alone" "$(requests --by words white dog)" "$look"
is "none without words" "$(requests the picture of)" "$look"
is "a filter on words" "$(requests --by look --words holid red)" "$look"
kill $newer

# The second pass of an index run, with the reader: it is stopped, and goes on.
unset SCRY_WORDS
R=$T/read
mkdir "$R"
cp "$E2E"/words/*.png "$E2E"/words/*.jpg "$R"
words_read() { run status --store $M --collection read --json; json "[j['words_' + k] for k in ('read', 'with_text', 'failed', 'unread')]"; }
run index --store $M --collection read --words no "$R"
is "--words no" "$status $(words_read)" '0 [0, 0, 0, 4]'
mv "$R/wifi.jpg" "$T/kept.jpg"
run index --store $M --collection read --words only --json
is "--words only, with a picture that is gone" "$status $(json "j['words_read'], j['words_missing']")" '0 (3, 1)'
is "... which stays unread" "$(words_read)" '[3, 2, 0, 1]'
mv "$T/kept.jpg" "$R/wifi.jpg"
run index --store $M --collection read "$R"
like "... and is read by the next run" "$T/err" '^words read in 1 pictures, 1 with text'
is "... all" "$(words_read)" '[4, 3, 0, 0]'
is "... found" "$(run search --store $M --collection read --paths --by words passwort; names)" 'wifi.jpg '
run index --store $M --collection read "$R"
unlike "a further run reads nothing" "$T/err" 'words'
pictures "$T/more" 400
run index --store $M --collection read --words no "$T/more"
"$scry" index --store $M --collection read --words only --progress >"$T/out" 2>"$T/err" </dev/null &
pid=$!
ok "some are read" pause_when $pid grep -q '[^0-9][1-9][0-9]*/400' "$T/err"
kill -INT $pid
kill -CONT $pid
wait $pid
is "Ctrl-C" $? 130
run index --store $M --collection read --words only
is "the rest is read" "$status $(words_read)" '0 [404, 3, 0, 0]'
run index --store $M --collection read --rebuild
is "embedded again, the texts stay" "$status $(words_read)" '0 [404, 3, 0, 0]'

# A server reads in the background, also what it indexes later.
R=$T/served
mkdir "$R"
cp "$E2E/words/receipt.png" "$R"
run index --store $M --collection served --words no "$R"
ok "serve --allow-index" start --store $M --collection served --allow-index
ok "reads what was not read" words_served '(1, 0, False)'
cp "$E2E/words/sign.png" "$R"
curl -s -X POST -H 'Content-Type: application/json' -d '{"paths": ["'"$R"'"]}' "$url/api/v1/index" >"$T/out"
ok "... and what it indexes later" words_served '(2, 0, False)'
get "$url/api/v1/search?q=exit&by=words"
is "... finds it" "$(json "[r['name'] for r in j['results']]")" "['sign.png']"
stop
is "the server ends" "$status" 0
done_testing
