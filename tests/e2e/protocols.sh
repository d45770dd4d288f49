#!/bin/sh
# The shapes that other programs' clients expect: MCP's messages, OpenAI's errors and models.
. "$(dirname "$0")/lib.sh"
. "$SCRY_TOP/tests/server/lib/serve.sh"
tiny_model "$T/model"
pictures "$T/pics" 3
ok "index" "$scry" index --quiet "$T/pics"

# ---- MCP: one line each, the answers in order ----
hello() { echo '{"jsonrpc":"2.0","id":"hello","method":"initialize","params":{"protocolVersion":"'$1'"}}'; }
ping() { echo '{"jsonrpc":"2.0","id":'$1',"method":"ping"}'; }
{
    hello 2025-06-18
    echo
    echo '   '
    echo '{"jsonrpc":"2.0","id":7,"result":{}}'
    echo '{"jsonrpc":"2.0","id":8,"error":{"code":1,"message":"no"}}'
    echo '{"jsonrpc":"2.0","method":"notifications/initialized"}'
    python3 -c 'print("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"x\":\"" + "x" * (5 << 20) + "\"}")'
    ping 2
    echo "[$(ping 3),$(ping 4)]"
    ping 5
    printf '%s' "$(ping 6)"
} >"$T/in"
timeout 900 "$scry" mcp <"$T/in" >"$T/out" 2>"$T/err"
is "mcp: ends well" $? 0
said() { python3 -c 'import json, sys; j = [json.loads(line) for line in sys.stdin]; print(eval(sys.argv[1]))' "$1" <"$T/out"; }
is "mcp: the answers" "$(said '[m["id"] for m in j]')" "['hello', None, 2, None, 5, 6]"
is "mcp: a message that is too long is told, and the session goes on" "$(said '"at most 4194304 bytes" in j[1]["error"]["message"]')" True
is "mcp: no batches in 2025-06-18" "$(said 'j[3]["error"]["code"]')" -32600
{
    hello 2025-06-18
    for id in '{"a": 1}' 1.5 null '[3]' true '"x"' -7; do
        ping "$id"
        echo
    done
} >"$T/in"
timeout 900 "$scry" mcp <"$T/in" >"$T/out" 2>"$T/err"
is "mcp: an id that no answer could have is refused" "$(said '[(m["id"], m.get("error", {}).get("code")) for m in j[1:]]')" \
    "[(None, -32600), (None, -32600), (None, -32600), (None, -32600), (None, -32600), ('x', None), (-7, None)]"
{
    hello 2025-03-26
    echo "[$(ping 3),{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"},$(ping 4),{\"jsonrpc\":\"2.0\",\"id\":9,\"result\":{}},1]"
    echo '[{"jsonrpc":"2.0","method":"notifications/x"}]'
    echo '[]'
    ping 5
} >"$T/in"
timeout 900 "$scry" mcp <"$T/in" >"$T/out" 2>"$T/err"
is "mcp: a batch in 2025-03-26" "$(said '[m["id"] for m in j[1]]')" "[3, 4, None]"
is "mcp: a batch of notifications gets no answer, an empty one an error" "$(said '[m["id"] for m in j[2:]]')" "[None, 5]"

# ---- OpenAI ----
command -v curl >/dev/null || { done_testing; exit; }
echo 0123456789abcdef >"$T/token"
chmod 600 "$T/token"
ok "starts" start --token-file "$T/token"
openai() { # PATH BODY
    get -H 'Authorization: Bearer 0123456789abcdef' ${2:+-H 'Content-Type: application/json' -d} ${2:+"$2"} "$url$1"
}
openai /v1/models
is "models" "$code $(json '[j["object"], j["data"][0]["id"], j["data"][0]["object"]]')" "200 ['list', 'model', 'model']"
for body in '{"input":[1,2,3]}' '{"input":[[1,2],[3]]}'; do
    openai /v1/embeddings "$body"
    is "$body: refused" $code 400
    is "$body: by name" "$(json '"token ids" in j["error"]["message"]')" True
done
openai /v1/embeddings '{"input":""}'
is "an error in their shape" "$(json 'sorted(j["error"]), j["error"]["type"]')" "(['code', 'message', 'param', 'type'], 'invalid_request_error')"
openai /v1/nothing
is "a path that is not there" "$code $(json '"nothing" in j["error"]["message"]')" "404 True"
get "$url/v1/models"
is "no token" "$code $(json '"Bearer" in j["error"]["message"]')" "401 True"
openai /v1/embeddings '{"input":["red"]}'
is "embeddings" "$code $(json 'len(j["data"])')" "200 1"

# ---- a text that is longer than the model reads ----
long=$(printf 'picture %.0s' $(seq 300))
openai /api/v1/search "{\"q\":\"$long\"}"
is "http: a cut text is told" "$code $(json 'j["text_cut"]')" "200 True"
openai /api/v1/search '{"q":"red"}'
is "http: another is not" "$(json 'j["text_cut"]')" False
openai /api/v1/search '{"q":"red","limit":1}'
id=$(json 'j["results"][0]["id"]')
for case in '/api/v1/embeddings {"texts":["red","TEXT"]}' '/v1/embeddings {"input":["red","TEXT"]}' \
    '/api/v1/classify {"id":"ID","labels":["red","TEXT"],"template":"a photo of a {}"}'; do
    body=$(echo "${case#* }" | sed "s/ID/$id/")
    openai "${case%% *}" "$(echo "$body" | sed "s/TEXT/$long/")"
    is "${case%% *}: a cut text is told" "$code $(json 'j["text_cut"]')" "200 True"
    openai "${case%% *}" "$(echo "$body" | sed "s/TEXT/green/")"
    is "${case%% *}: others are not" "$code $(json 'j["text_cut"]')" "200 False"
done
for template in '"no place"' 5 null; do
    openai /api/v1/classify "{\"id\":\"$id\",\"labels\":[\"red\",\"green\"],\"template\":$template}"
    is "classify: the template $template: 400" $code 400
done
openai /api/v1/classify "{\"id\":\"$id\",\"labels\":[\"red\",\"$(head -c 70000 /dev/zero | tr '\0' a)\"]}"
is "classify: a label that is too long: 413" $code 413
for text in "$long" red; do
    echo '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","arguments":{"query":"'"$text"'"}}}'
done | timeout 900 "$scry" mcp >"$T/out" 2>"$T/err"
is "mcp: a cut text is told" "$(said '["longer than the model" in str(m) for m in j]')" "[True, False]"
stop
done_testing
