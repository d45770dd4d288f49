#!/bin/sh
# Scores on request, why nothing was found in JSON and over HTTP, the hint that is given once, and neighbours in time.
. "$(dirname "$0")/lib.sh"
. "$SCRY_TOP/tests/server/lib/serve.sh"
command -v curl >/dev/null || { echo "1..0 # SKIP no curl"; exit 0; }
tiny_model "$T/model"
P=$T/pics
pictures "$P" 9
for i in 0 1 2 3 4 5 6 7 8; do
    touch -d "2010-01-0$((i + 1)) 12:00 UTC" "$P/p00$i.png"
done
ok "index" "$scry" index --quiet "$P"

# Scores.
run search --limit 2 red
like "a table has ranks and no scores" "$T/out" "^   1  $P/p00[0-9].png\$"
run search --limit 2 --scores red
like "--scores" "$T/out" "^   1  [ -]0\\.[0-9]{3}  $P/p00[0-9].png\$"
run search --limit 1 --json red
is "JSON always has them" "$(json '-1 <= j["results"][0]["score"] <= 1')" True
run search --limit 2 --html "$T/page.html" red
unlike "a page has none" "$T/page.html" 'class="facts">-?0\.'
run search --limit 2 --scores --html "$T/page.html" red
like "but with --scores" "$T/page.html" 'class="facts">-?0\.'

# The hint.
in_terminal xterm "$scry" search --limit 1 red
like "the first table on a terminal says how to open results" "$T/screen" 'said once'
in_terminal xterm "$scry" search --limit 1 red
unlike "the second does not" "$T/screen" 'said once'

# Nothing.
run search --json --format jpeg red
like "JSON says why" "$T/out" '"nothing_found":"no picture passes --format jpeg: there are png \(9\)"'
run search --json red
unlike "and is silent where there are results" "$T/out" 'nothing_found'
run list --json --camera nikno
is "a list, too" "$(json 'j["nothing_found"]')" "no picture passes --camera nikno: no picture names its camera"
ok "starts" start
get "$url/api/v1/search?q=red&format=jpeg"
is "HTTP says why" "$code $(json 'j["nothing_found"]')" "200 no picture passes format jpeg: there are png (9)"
is "beside what it says otherwise" "$(json '(j["results"], j["cursor"], j["query"])')" "([], None, 'red')"
get "$url/api/v1/search?q=p000&by=words&format=jpeg"
is "a search by words" "$code $(json 'j["nothing_found"]')" "200 no picture passes format jpeg: there are png (9)"
is "and in parts" "$(json 'j["nothing_found_by"]')" \
    "{'filters': [{'name': 'format', 'value': 'jpeg'}], 'meant': [], 'values': [{'name': 'png', 'count': 9}], 'more_values': 0}"
get "$url/api/v1/images?sort=date&format=png&after=2099&until=2100"
is "a list in parts: two that are one date" "$(json '[f["name"] for f in j["nothing_found_by"]["filters"]], sorted(j["nothing_found_by"])')" "(['after'], ['filters', 'first', 'last'])"
get "$url/api/v1/images?sort=date&favourites=1"
is "a flag in parts" "$(json 'j["nothing_found_by"]')" "{'filters': [{'name': 'favourites'}]}"
get "$url/api/v1/images?sort=date&near=1,1,1"
is "a position in parts" "$(json 'j["nothing_found_by"]["placed"]')" False
get "$url/api/v1/images?sort=date&date=soon"
is "a value that is none: its name" "$code $(json 'j["code"]')" "400 bad_parameter"
get "$url/api/v1/nothing"
is "other problems have none" "$code $(json '"code" in j')" "404 False"
get "$url/api/v1/search?q=p00&by=words&limit=1"
unlike "words of four letters and less are not guessed" "$T/out" 'did you mean'
get "$url/api/v1/search?q=qqqqqqq&by=words"
is "words that no picture has, without a filter" "$code $(json 'j["nothing_found"]')" '200 no picture has the words of the query: no picture has "qqqqqqq"'
is "... and in parts" "$(json 'j["nothing_found_by"]')" "{'filters': [], 'missing': ['qqqqqqq'], 'meant': []}"
get "$url/api/v1/search?q=red&limit=1"
unlike "no reason where there are results" "$T/out" nothing_found

# Neighbours in time: against the list by date.
get "$url/api/v1/images?sort=date"
list=$(json '[r["id"] for r in j["results"]]')
middle=$(json 'j["results"][4]["id"]') newest=$(json 'j["results"][0]["id"]') oldest=$(json 'j["results"][8]["id"]')
get "$url/api/v1/images/$middle/neighbours?limit=3"
is "before and after" "$code $(json '(j["offset"], j["total"], [r["id"] for r in j["before"]], [r["id"] for r in j["after"]])')" \
    "200 $(python3 -c "l = $list; print((4, 9, l[5:8], l[3:0:-1]))")"
get "$url/api/v1/images/$newest/neighbours"
is "the newest" "$(json '(j["offset"], [r["id"] for r in j["before"]], j["after"])')" "$(python3 -c "l = $list; print((0, l[1:], []))")"
get "$url/api/v1/images/$oldest/neighbours?unique=1"
is "the oldest" "$(json '(j["offset"], j["before"], [r["id"] for r in j["after"]])')" "$(python3 -c "l = $list; print((8, [], l[7::-1]))")"
get "$url/api/v1/images/$middle/neighbours?before=2010-01-04"
is "not in the list: 404" $code 404
for q in limit=0 limit=101 sort=name reverse=1 offset=1 colour=red; do
    get "$url/api/v1/images/$middle/neighbours?$q"
    is "refused: $q" $code 400
done
get "$url/api/v1/images/x/neighbours"
is "no id: 404" $code 404
stop
is "stops" $status 0
done_testing
