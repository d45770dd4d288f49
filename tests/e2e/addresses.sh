#!/bin/sh
# scry serve: every address of the API takes the parameters that openapi.json says, and refuses all others.
. "$(dirname "$0")/lib.sh"
. "$SCRY_TOP/tests/server/lib/serve.sh"
command -v curl >/dev/null || { echo "1..0 # SKIP no curl"; exit 0; }
tiny_model "$T/model"
pictures "$T/pics" 3
ok "index" "$scry" index "$T/pics"
ok "starts" start --allow-index --allow-remove
get "$url/api/v1/images?limit=1"
id=$(json 'j["results"][0]["id"]')

# METHOD PATH PARAMETER...: what the document lists.
get "$url/openapi.json"
python3 - "$T/out" "$id" > "$T/listed" <<'P'
import json, sys
for path, methods in json.load(open(sys.argv[1]))["paths"].items():
    shared = methods.get("parameters", [])
    for method, operation in methods.items():
        if method != "parameters":
            names = [p["name"] for p in shared + operation.get("parameters", []) if p["in"] == "query"]
            print(method.upper(), path.replace("{id}", sys.argv[2]).replace("{job}", "1").replace("{picture}", "0" * 32), *names)
P
ok "the document lists addresses" test "$(grep -c ' /api/v1/' "$T/listed")" -gt 30
while read -r method path names; do
    case $path in /api/v1/*) ;; *) continue ;; esac
    [ "$method" = POST ] && body='{"q":"red"}' || body=   # read before the address by a search
    get -X "$method" ${body:+-H "Content-Type: application/json" -d "$body"} "$url$path?no_such_name=1"
    is "$method $path: another parameter is refused" "$code $(json 'j["detail"][:32]')" '400 unknown parameter "no_such_name"'
    wrong=
    for name in $names; do
        get -X "$method" "$url$path?$name=1"
        grep -q 'unknown parameter' "$T/out" && wrong="$wrong $name"
    done
    is "$method $path: what it lists is known" "$wrong" ''
done < "$T/listed"
get -X DELETE "$url/api/v1/images/$id?dry_run=1"
get "$url/api/v1/images/$id"
is "and nothing was done: the picture is there" "$code" 200
get "$url/api/v1/places?langauge=de"
like "a typing error is pointed at" "$T/out" 'did you mean language'
get "$url/api/v1/status?verbose"
like "an address without parameters says so" "$T/out" 'api/v1/status takes none'
get "$url/api/v1/images/$id/thumbnail?size=320px"
is "a size with a unit: 400" "$code" 400
for page in / /healthz /readyz /metrics; do
    get "$url$page?from=mail"
    is "$page takes any, as what calls it may add its own" "$code" 200
done

# Members of bodies: of another type, or that nobody reads.
post() { get -X POST -H 'Content-Type: application/json' -d "$2" "$url$1"; }
post /api/v1/embeddings '{"texts":"red","model":"x"}'
like "embeddings: a member that is not known" "$T/out" '400.*unknown parameter ..model..: expected one of texts'
post /api/v1/classify "{\"id\":\"$id\",\"labels\":[\"red\"],\"top\":1}"
like "classify: a member that is not known" "$T/out" '400.*unknown parameter ..top..'
post /api/v1/classify "{\"id\":\"$id\",\"picture\":5,\"labels\":[\"red\"]}"
like "classify: a picture that is no text" "$T/out" '400.*picture takes a text'
post /v1/embeddings '{"input":"red","encoding_format":5}'
like "OpenAI's: a format that is no text" "$T/out" '^{"error.*encoding_format takes a text'
post /v1/embeddings '{"input":"red","dimensions":"64"}'
like "OpenAI's: dimensions that are no number" "$T/out" 'vectors have [0-9]+ dimensions'
post /v1/embeddings '{"input":"red","user":"anna","model":"clip"}'
is "OpenAI's: what its clients send besides is no error" "$code" 200
post /api/v1/favourites "{\"ids\":[\"$id\"],\"favorite\":true}"
like "favourites: a member that is not known" "$T/out" '400.*unknown parameter ..favorite..'
stop
done_testing
