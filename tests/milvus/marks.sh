#!/bin/bash
# Favourites, kept near duplicates and saved searches of collections on milvus-lite 3.2.2 and milvus 2.3.5: set here, seen by other machines,
# kept when pictures are embedded again, copied, dropped.
cd "$(dirname "$0")/../.." || exit 1
. tests/milvus/lib.sh
. tests/server/lib/serve.sh
unset SCRY_MODEL
tiny_model "$T/one"
tiny_model "$T/two" 2
P=$T/pics
pictures "$P" 12
cp "$P/p003.png" "$P/same.png"
login() { export SCRY_MILVUS_USER=$1 SCRY_MILVUS_PASSWORD=$2; }
names() { "$scry" list "$@" --json 2>"$T/err" >"$T/out"; json '[r["name"] for r in j["results"]]'; }
export SCRY_STORE=$M

for kind in lite milvus; do
    login root Milvus
    [ $kind = lite ] && settings='' || settings='authorization_enabled=true common.session.ttl=60'
    rm -rf "$XDG_DATA_HOME/scry/milvus"
    ok "$kind starts" ${kind}_start "$T/$kind" $settings
    run index --model "$T/one" --collection photos --milvus-alias "$P"
    run list --collection photos --favourites
    is "$kind: nothing is marked at first" $status 1
    like "$kind: ... and why" "$T/err" 'no picture passes --favourites: none is marked as one'
    run saved --collection photos
    is "$kind: nothing is saved" $status 1
    is "$kind: asking made no collection" "$(client "print(sorted(c.list_collections()))")" "['photos__a']"
    run favourite add --collection photos "$P/p003.png" "$P/same.png" "$P/p005.png"
    like "$kind: three files are marked" "$T/err" '^3 pictures marked as favourites$'
    XDG_DATA_HOME=$T/elsewhere
    is "$kind: another machine sees them, and the copy" "$(names --collection photos --favourites --sort name)" "['p003.png', 'p005.png', 'same.png']"
    is "$kind: each says so" "$(json '{r["favourite"] for r in j["results"]}')" "{True}"
    is "$kind: the others do not" "$(names --collection photos --sort name >"$T/ignored"; json 'sum(r["favourite"] for r in j["results"] if "favourite" in r)')" 3
    run search --collection photos --favourites --json --by look red
    is "$kind: a search among them" "$(json 'sorted(r["name"] for r in j["results"])')" "['p003.png', 'p005.png']"
    run search --collection photos --favourites --near 1,1,5 --json --by look red
    is "$kind: with a filter that scry refines" "$status" 1
    run favourite remove --collection photos "$P/p003.png"
    like "$kind: one is no favourite any more" "$T/err" '^1 picture is no favourite any more$'
    run favourite remove --collection photos "$P/p003.png"
    like "$kind: a second time there is none" "$T/err" '^0 pictures are no favourites any more$'
    unset XDG_DATA_HOME
    export XDG_DATA_HOME=$T/data
    is "$kind: the first machine sees that" "$(names --collection photos --favourites)" "['p005.png']"
    run saved add --collection photos "Red \"ones\"" red - 0.5:blue --format png --sort name
    is "$kind: a search is saved" $status 0
    run search --collection photos --saved "Red \"ones\"" --json --limit 3
    found=$(json '[r["id"] for r in j["results"]]')
    run search --collection photos --json --limit 3 --sort name red - 0.5:blue --format png
    is "$kind: ... and finds what it says" "$found" "$(json '[r["id"] for r in j["results"]]')"
    run favourite export --collection photos "$T/marks.json"
    is "$kind: all marks" "$("$PYMILVUS" -c "import json; j = json.load(open('$T/marks.json')); print(len(j['favourites']), [s['name'] for s in j['searches']])")" "1 ['Red \"ones\"']"
    run index --rebuild --collection photos --model "$T/two"
    is "$kind: embedded again: the marks stay" "$status $(names --collection photos --favourites)" "0 ['p005.png']"
    is "$kind: ... also by the name behind the alias" "$(names --collection photos__b --favourites)" "['p005.png']"
    is "$kind: one collection of marks" "$(client "print(sorted(c.list_collections()))")" "['photos__b', 'photos__marks']"
    run store list --quiet
    is "$kind: which is not listed" "$(cat "$T/out")" photos
    run index --rebuild --collection photos --model "$T/one"
    is "$kind: and back" "$status $(names --collection photos --favourites)" "0 ['p005.png']"
    run store copy --collection photos "$M" "$T/folder-$kind"
    is "$kind: copied into a folder" "$(names --store "$T/folder-$kind" --collection photos --favourites)" "['p005.png']"
    run favourite add --store "$T/folder-$kind" --collection photos "$P/p007.png"
    run store copy --collection photos --to-collection again "$T/folder-$kind" "$M"
    is "$kind: and from it" "$(names --collection again --favourites --sort name)" "['p005.png', 'p007.png']"
    run saved --collection again
    like "$kind: ... with the saved search" "$T/out" '^Red "ones"'

    # Over HTTP: two servers on one collection.
    ok "$kind: a server" start --model "$T/one" --collection photos
    first=$server first_url=$url
    ok "$kind: another one" start --model "$T/one" --collection photos
    get "$url/api/v1/status"
    is "$kind: marks are allowed" "$(json 'j["marks_allowed"]')" True
    get "$url/api/v1/images?sort=name&limit=1"
    id=$(json 'j["results"][0]["id"]')
    get -X PUT "$url/api/v1/images/$id/favourite"
    is "$kind: PUT" "$code $(json 'j')" "200 {'favourite': True, 'pictures': 1}"
    get "$url/api/v1/images/$id"
    is "$kind: seen at once" "$(json 'j["favourite"]')" True
    for _ in $(seq 300); do
        get "$first_url/api/v1/images?favourites=1&sort=name"
        [ "$(json 'len(j["results"])')" = 1 ] || break
        sleep 0.1
    done
    is "$kind: and by the other server" "$(json '[r["name"] for r in j["results"]]')" "['p000.png', 'p005.png']"
    get "$first_url/api/v1/images/$id"
    is "$kind: ... in its record" "$(json 'j["favourite"]')" True
    get -X PUT -d '{"name": "Über/см", "search": {"q": "snow"}}' "$url/api/v1/searches"
    get "$first_url/api/v1/searches"
    is "$kind: searches" "$code $(json '[s["name"] for s in j["searches"]]')" "200 ['Red \"ones\"', 'Über/см']"
    two=$(get "$url/api/v1/images?sort=name&limit=2"; json 'json.dumps([r["id"] for r in j["results"]])')
    get -X POST -d "{\"ids\": $two}" "$url/api/v1/kept"
    is "$kind: a burst to keep" "$code $(json 'j')" "200 {'kept': True, 'pictures': 2}"
    get "$url/api/v1/marks"
    is "$kind: all marks" "$(json '[len(j["favourites"]), [len(b) for b in j["kept"]], len(j["searches"])]')" "[2, [2], 2]"
    stop
    server=$first
    stop

    # A restart of the server loses none.
    ${kind}_stop
    ok "$kind starts again" ${kind}_start "$T/$kind"
    is "$kind: after a restart" "$(names --collection photos --favourites --sort name)" "['p000.png', 'p005.png']"
    is "$kind: a collection of that name of another program" "$(client "c.create_collection('again__marks2', dimension=2); c.create_collection('x__marks', dimension=2); print('ok')")" ok
    run store list --quiet
    is "$kind: ... is listed" "$(sort "$T/out" | tr '\n' ' ')" "again again__marks2 photos x__marks "
    run index --model "$T/one" --collection x "$P"
    run favourite add --collection x "$P/p001.png"
    like "$kind: ... and not written to" "$T/err" 'x__marks at .* has the name of the marks of x, and other contents'
    run store drop --yes x
    run store drop --yes photos
    is "$kind: dropped with its marks, not those of others" "$status $(client "print(sorted(c.list_collections()))")" "0 ['again', 'again__marks', 'again__marks2', 'x__marks']"
    servers_stop
done
done_testing
