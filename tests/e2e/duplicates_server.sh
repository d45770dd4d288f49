#!/bin/sh
# Duplicates over HTTP: the groups of the command line, in pages, computed in the background; groups that are kept; MCP.
. "$(dirname "$0")/lib.sh"
. "$SCRY_TOP/tests/server/lib/serve.sh"
command -v curl >/dev/null || { echo "1..0 # SKIP no curl"; exit 0; }
tiny_model "$T/model"
P=$T/pics
pictures "$P" 9
mkdir "$P/copies"
for i in 1 2 3; do
    touch -d 2020-01-01 "$P/p00$i.png"
    cp "$P/p00$i.png" "$P/copies/c$i.png"
done
python3 "$E2E/duplicates.py" make "$P"
ok "index" "$scry" index --quiet "$P"
ok "starts" start

# Ask until it is done.
ask() { # QUERY
    for _ in $(seq 600); do
        get "$url/api/v1/duplicates?$1"
        [ "$code" = 200 ] && [ "$(json 'j["state"]')" != done ] || return
        sleep 0.1
    done
}
shape='[[g["keep"]["id"], sorted(o["id"] for o in g["others"])] for g in j["groups"]]'
ask exact=1
is "exact: status" "$code $(json 'j["state"]')" "200 done"
exact=$(json "$shape")
is "exact: three groups" "$(json '(j["total"], j["others"], j["next_offset"])')" "(3, 3, None)"
is "exact: why" "$(json 'sorted({r for g in j["groups"] for r in g["why"]})')" "['age']"
is "each with size and date" "$(json 'all(o["size"] > 0 and o["taken_at"] and o["same_bytes"] for g in j["groups"] for o in g["others"])')" True
run duplicates --exact --json
is "exact: those of the command line" "$(json "$shape")" "$exact"
is "with the same reasons" "$(json 'sorted({r for g in j["groups"] for r in g["why"]})')" "['age']"
ask similarity=0.98
near=$(json "$shape")
run duplicates --similarity 0.98 --json
is "near: those of the command line" "$near" "$(json "$shape")"
is "near: pixels are a reason" "$(json '"pixels" in {r for g in j["groups"] for r in g["why"]}')" True
ask similarity=0.98
all=$(json 'json.dumps([g["keep"]["id"] for g in j["groups"]])')
paged=$(json '[]') offset=0
while [ "$offset" != None ]; do
    ask "similarity=0.98&limit=2&offset=$offset"
    paged="$paged + $(json '[g["keep"]["id"] for g in j["groups"]]')"
    offset=$(json 'j["next_offset"]')
done
is "the pages are the whole" "$(python3 -c "import json; print(json.dumps($paged))")" "$all"
ask "exact=1&in=$P/copies"
is "a folder" "$(json 'j["groups"]')" '[]'
for q in similarity=0 similarity=x exact=maybe limit=101 limit=0 sort=date unique=1 colour=red cursor=00112233445566778899aabbccddeeff format=docx; do
    get "$url/api/v1/duplicates?$q"
    is "refused: $q" $code 400
done

# A group that is to be kept is not shown; what the command line remembers the server knows, without computing again.
ask similarity=0.98
burst=$(json 'json.dumps([[g["keep"]["id"]] + [o["id"] for o in g["others"]] for g in j["groups"] if not any(o["same_bytes"] for o in g["others"])][0])')
total=$(json 'j["total"]')
get -X POST -d "{\"ids\": $burst}" "$url/api/v1/kept"
is "keep all of a group" "$code $(json 'j["kept"]')" "200 True"
get "$url/api/v1/duplicates?similarity=0.98"
is "it is hidden at once" "$(json '(j["state"], j["total"])')" "('done', $((total - 1)))"
get "$url/api/v1/duplicates?similarity=0.98&kept=1"
is "unless asked for" "$(json '(j["state"], j["total"])')" "('done', $total)"
run duplicates --similarity 0.98 --json
is "the command line hides it, too" "$(json 'len(j["groups"])')" $((total - 1))
run duplicates --similarity 0.98 --kept --json
is "--kept shows it" "$(json 'len(j["groups"])')" "$total"
ids=$(echo "$burst" | tr -d '[],"')
run duplicates --forget $ids
is "--forget" $status 0
run duplicates --similarity 0.98 --json
is "shown again" "$(json 'len(j["groups"])')" "$total"
run duplicates --keep $ids
like "--keep" "$T/err" 'pictures are kept beside each other'
run duplicates --keep "$P/p000.png"
is "--keep of one: 2" $status 2
run duplicates --keep
is "--keep of none: 2" $status 2
run duplicates --keep --forget "$P/p000.png"
is "--keep and --forget: 2" $status 2
run favourite export
is "an export has the burst" "$(json '[len(k) for k in j["kept"]]')" "[$(echo "$ids" | wc -w)]"

# One more picture in the group, and it is there again.
python3 "$E2E/duplicates.py" one "$P/more.png" 90 72
ok "index one more" "$scry" index --quiet "$P"
for _ in $(seq 300); do
    ask similarity=0.98
    [ "$(json 'j["total"]')" = "$total" ] && break
    sleep 0.1
done
is "the group is there again" "$(json 'j["total"]')" "$total"

# MCP.
mcp() { # ARGUMENTS
    printf '%s\n' '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"find_duplicates","arguments":'"$1"'}}' |
        timeout 900 "$scry" mcp 2>"$T/err" | python3 -c 'import json, sys
print(json.load(sys.stdin)["result"]["content"][0]["text"])' >"$T/out"
}
mcp '{"exact": true, "limit": 2}'
is "MCP: exact" "$(json '(j["total"], len(j["groups"]), j["groups"][0]["why"])')" "(3, 2, ['age'])"
mcp "{\"similarity\": 0.98, \"folder\": \"$P\"}"
is "MCP: near" "$(json 'j["total"]')" "$total"
mcp '{"limit": 500}'
like "MCP: a limit" "$T/out" 'limit takes a whole number from 1 to 50'
mcp '{"colour": 5}'
like "MCP: an unknown argument" "$T/out" 'unknown parameter'
stop
is "stops" $status 0
done_testing
