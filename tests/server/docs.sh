#!/bin/sh
# Runs every example of docs/http-api.md unchanged; OpenAI's client (PyPI) must get the same vectors as the API
# returns.
top=${SCRY_TOP-$(cd "$(dirname "$0")/../.." && pwd)}
. "$top/tests/server/lib/python.sh"
. "$top/tests/e2e/lib.sh"
. "$top/tests/server/lib/serve.sh"
tiny_model "$T/model"
pictures "$T/pics" 12
"$scry" index --quiet "$T/pics" || exit 1
ok "starts" start --allow-upload --allow-remove --allow-index
pictures "$T/new" 1 77
export URL=$url PHOTO=$T/new/p077.png

# Each line is a command, continued after a backslash. It must exit with 0 and not return a problem document.
curl() { command curl -sS --fail-with-body -m 60 -w '\n' "$@"; }
examples=0
awk '/^```sh$/ { on = 1; next } /^```/ { on = 0 } on' "$top/docs/http-api.md" | grep -v '^scry serve' >"$T/examples"
while IFS= read -r line; do
    case $line in '') continue ;; esac
    while [ "${line%\\}" != "$line" ]; do
        IFS= read -r rest
        line="${line%\\} $rest"
    done
    eval "$line" >"$T/out" 2>"$T/err" </dev/null
    e=$?
    report $e "$(echo "$line" | cut -c 1-110)"
    [ $e = 0 ] || { cat "$T/out" "$T/err"; } | head -n 5 | note
    grep -aq 'about:blank' "$T/out" && { report 1 "a response that is not a problem document"; note <"$T/out"; }
    examples=$((examples + 1))
done <"$T/examples"
is "there were examples" "$([ $examples -ge 30 ] && echo many)" many

(python_with openai==3.54.0) >"$T/skip" 2>&1
if grep -q SKIP "$T/skip"; then
    grep '^SKIPPED' "$T/skip" >&2
    echo "# OpenAI's client cannot be installed: NOT tested"
else
    python_with openai==3.54.0
    ok "OpenAI's client gets the same vectors" "$python" - <<'P'
import json, os, urllib.request
from openai import OpenAI
texts = ["red", "a blue picture"]
ask = urllib.request.Request(os.environ["URL"] + "/api/v1/embeddings", json.dumps({"texts": texts}).encode())
wanted = json.load(urllib.request.urlopen(ask))
client = OpenAI(base_url=os.environ["URL"] + "/v1", api_key="none")
for form in ({}, {"encoding_format": "float"}, {"encoding_format": "base64"}):
    got = client.embeddings.create(model="scry", input=texts, **form)
    assert got.model == wanted["model"] and [d.index for d in got.data] == [0, 1]
    for d, v in zip(got.data, wanted["vectors"]):
        e = d.embedding
        if isinstance(e, str):
            import base64, struct
            e = struct.unpack(f"<{wanted['dim']}f", base64.b64decode(e))
        assert len(e) == wanted["dim"] and max(abs(a - b) for a, b in zip(e, v)) < 1e-6
try:
    client.embeddings.create(model="scry", input=[""])
    raise SystemExit("an empty text was taken")
except Exception as e:
    assert "400" in str(e), e
P
fi
stop
is "stops" $status 0
done_testing
