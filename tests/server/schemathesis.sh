#!/bin/sh
# Compares the server with its OpenAPI document: schemathesis (PyPI) sends valid and invalid requests to every
# operation of /openapi.json. An undocumented status, a body that does not match its schema, or a 5xx other than the
# documented 503 fails.
top=${SCRY_TOP-$(cd "$(dirname "$0")/../.." && pwd)}
. "$top/tests/server/lib/python.sh"
python_with schemathesis==4.32.5
. "$top/tests/e2e/lib.sh"
. "$top/tests/server/lib/serve.sh"
EXAMPLES=${EXAMPLES-20}   # of requests for each operation and phase; the seed is fixed

tiny_model "$T/model"
pictures "$T/pics" 12
ok "index" "$scry" index "$T/pics"
# Not --allow-index: a generated path may well be "/".
ok "starts" start --allow-upload --allow-remove
cd "$T" || exit 1
"$python_home/bin/schemathesis" run "$url/openapi.json" --phases examples,coverage,fuzzing --mode all --seed 1 \
    --generation-deterministic --max-examples "$EXAMPLES" --no-shrink --warnings off --no-color \
    --workers 2 --request-timeout 30 --continue-on-failure \
    --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance,unsupported_method,allow_header_conformance \
    >"$T/report" 2>&1
is "schemathesis finds no difference" $? 0
grep -E '^ *[A-Z]+ +/|"detail"|FAIL|ERROR|Error|[Tt]imeout|[Tt]imed out|^- |Test cases|Operations|curl|Undocumented|Response violates|[0-9]+ (generated|passed|failed)' "$T/report" |
    head -n 150 | note
get "$url/healthz"
is "the server still answers" $code 200
stop
is "the server stops" $status 0
unlike "no sanitizer report" "$T/serve.err" 'Sanitizer|runtime error'
done_testing
