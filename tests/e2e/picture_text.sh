#!/bin/sh
# picture_text.sh - words that were read in pictures: found, shown, in JSON, over HTTP and MCP. (A test stores them as a reader would.)
. "$(dirname "$0")/lib.sh"
case $SCRY_BUILD in
*/release) ;;
*)
    echo '1..0 # SKIP Python cannot load a library that was built with the sanitizers'
    exit 0
    ;;
esac

tiny_model "$T/model"
pictures "$T/pics" 8
run index "$T/pics"
is "index" "$status" 0
run status
unlike "status: nobody has read" "$T/out" '^words'
plain() { run search --json --limit 30 "$@"; sed 's/"took_ms":[^,]*//' "$T/out" | sha256sum; }
before=$(plain a green field)

put_texts() { python3 "$E2E/put_texts.py" "$SCRY_BUILD/libscry.so.0" "$SCRY_STORE" "$@"; }
ok "texts" put_texts "$T/pics/p000.png" "Guest WiFi
Password: Sunflower42" "$T/pics/p001.png" "Аптека на углу" "$T/pics/p002.png" "" "$T/pics/p003.png" "!took longer than 30 s" \
    "$T/pics/p004.png" "北京旅行 \"a\" <b>"
run status
like "status" "$T/out" '^words +read in 4 pictures, 3 with text, 1 could not be read, 3 not read yet \(scry index --words only\)$'
run status --json
is "status: JSON" "$(json "[j['words_' + k] for k in ('read', 'with_text', 'failed', 'unread')]")" '[4, 3, 1, 3]'

names() { sed 's,.*/,,' "$T/out" | sort | tr '\n' ' '; }
by_words() { run search --paths --limit 1000 --by words "$@"; names; }
is "words of a line" "$(by_words wifi passwords)" 'p000.png '
is "a part of a word is split as in names" "$(by_words sunflower 42)" 'p000.png '
is "Russian forms" "$(by_words аптеки)" 'p001.png '
is "a script without spaces" "$(by_words 旅行)" 'p004.png '
is "together with the name of the file" "$(by_words wifi p 000)" 'p000.png '
run list --paths --words sunfl
is "--words finds parts" "$(names)" 'p000.png '
run search --by words wifi
like "the line on the command line" "$T/out" "p000\.png +\(by words: picture\)  \"Guest WiFi\"$"
run search --json --limit 3 the wifi password
is "at the top" "$(json "[(r['name'], r['found_in'], r['matched']) for r in j['results'][:1]]")" "[('p000.png', ['picture'], 'Guest WiFi')]"
is "no matching words: as before" "$(plain a green field)" "$before"
run search --json --fold 0.01 --limit 30 sunflower
is "a group of near-identical pictures shows the one that has the words" \
    "$(json "[(r['name'], r['matched'], r['folded'], r['id'] in r['folded_ids'], len(set(r['folded_ids']))) for r in j['results']][0]")" \
    "('p000.png', 'Password: Sunflower42', 7, False, 7)"
run search --json --by words '"a" b'
is "the line is text" "$(json "j['results'][0]['matched']")" '北京旅行 "a" <b>'
run verify
is "verify" "$status" 0

# A copy, a compaction, a file that is removed, another folder.
run store copy "$SCRY_STORE" "$T/copy"
is "copy" "$status" 0
run search --store "$T/copy" --paths --by words wifi
is "... has the words" "$(names)" 'p000.png '
mv "$T/pics" "$T/moved"
run root move "$T/pics" "$T/moved"
is "a moved folder" "$(by_words sunflower)" 'p000.png '
cp "$T/moved/p000.png" "$T/moved/again.png"
run index "$T/moved"
is "a copied file" "$(run search --paths --all-copies --by words sunflower; names)" 'again.png p000.png '
run index --rebuild --precision int8
is "rebuild" "$status" 0
is "... keeps the words" "$(by_words sunflower)" 'again.png '
run remove "$T/moved/p000.png" "$T/moved/again.png"
is "removed" "$(by_words sunflower)" ''
run status
like "... from the counts" "$T/out" '^words +read in 3 pictures, 2 with text'

# --words of scry index.
run index --words maybe "$T/moved"
is "--words maybe" "$status" 2
like "... says what it takes" "$T/err" '^scry: --words takes yes, no or only, not "maybe"'
run index --words only "$T/moved"
is "--words only takes no paths" "$status" 2
like "... says so" "$T/err" 'give no paths'
run index --words no "$T/moved"
is "--words no" "$status" 0

# Over HTTP.
. "$SCRY_TOP/tests/server/lib/serve.sh"
ok "serve" start
id_of() { run search --json --by words "$1"; json "j['results'][0]['id']"; }
id=$(id_of аптека)
get "$url/api/v1/images/$id/text?q=аптеки"
is "a picture's text" "$code $(json "j['read'], j['reason'], j['text'], [(l['text'], l['matches'], l['confidence']) for l in j['lines']]")" \
    "200 (True, None, 'Аптека на углу', [('Аптека на углу', True, 0.9)])"
is "... its corners" "$(json "j['lines'][0]['corners']")" '[[0.1, 0.1], [0.9, 0.1], [0.9, 0.18], [0.1, 0.18]]'
get "$url/api/v1/images/$id/text"
is "... without a query" "$(json "sorted(j['lines'][0])")" "['confidence', 'corners', 'text']"
run list --json
torn=$(json "[r['id'] for r in j['results'] if r['name'] == 'p003.png'][0]")
unread=$(json "[r['id'] for r in j['results'] if r['name'] == 'p005.png'][0]")
get "$url/api/v1/images/$torn/text"
is "one that could not be read" "$(json "j['read'], j['reason'], j['lines']")" "(False, 'took longer than 30 s', [])"
get "$url/api/v1/images/$unread/text"
is "one that nobody has read" "$(json "j['read'], j['reason'], j['text']")" "(False, None, '')"
get "$url/api/v1/images/00000000000000000000000000000000/text"
is "one that is not there" "$code" 404
get "$url/api/v1/status"
is "the counts" "$(json "j['words']")" "{'read': 3, 'with_text': 2, 'failed': 1, 'unread': 4, 'reading': False}"
ok "texts while it is served" put_texts "$T/moved/p006.png" "Departures Gate 17"
found=
for _ in $(seq 300); do
    get "$url/api/v1/search?q=departures&by=words"
    found=$(json "[r['matched'] for r in j['results']]")
    [ "$found" = "['Departures Gate 17']" ] && break
    sleep 0.1
done
is "... are found" "$found" "['Departures Gate 17']"
stop
is "the server ends" "$status" 0

# MCP.
printf '%s\n' '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_image","arguments":{"id":"'"$id"'"}}}' >"$T/in"
timeout 900 "$scry" mcp <"$T/in" >"$T/out" 2>"$T/err"
is "get_image over MCP" "$(json "[__import__('json').loads(c['text'])['words_in_picture']['text'] for c in j['result']['content'] if c['type'] == 'text']")" "['Аптека на углу']"
done_testing
