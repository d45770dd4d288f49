#!/bin/sh
# scry model pull as a client of the hub: tokens, gated repositories, rate limits, two hosts, refusals before
# the weights, what an interrupted run leaves; the cache of Hugging Face's own programs.
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || { echo "1..0 # SKIP no python3"; exit 0; }
unset SCRY_MODEL SCRY_HUB_URL HF_TOKEN HF_TOKEN_PATH HUGGING_FACE_HUB_TOKEN HF_HOME HF_HUB_CACHE HUGGINGFACE_HUB_CACHE HF_HUB_OFFLINE \
    TRANSFORMERS_OFFLINE HF_HUB_DISABLE_IMPLICIT_TOKEN
tiny_model "$T/model"
models=$XDG_DATA_HOME/scry/models
python3 "$E2E/hub.py" "$T/model" "$T/port" &
hub=$!
trap 'kill $hub 2>/dev/null; chmod -R u+rwx "$T" 2>/dev/null; rm -rf "$T"' EXIT
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    [ -s "$T/port" ] && break
    sleep 0.2
done
export HF_ENDPOINT="http://127.0.0.1:$(cat "$T/port")/"

# ---- the token ----
run model pull t/ok
is "HF_ENDPOINT, with a slash at its end: status" "$status" 0
unlike "no token: none is sent" "$T/hub.log" 'Bearer'
for kind in cdn name; do
    HF_TOKEN=good run model pull "t/$kind"
    is "pull $kind: status" "$status" 0
    like "pull $kind: the token is in the request for the list" "$T/hub.log" "^/api/models/t/$kind/.*Bearer good"
    like "pull $kind: and in those for the files" "$T/hub.log" "^/t/$kind/resolve/.*/model.safetensors .*Bearer good"
    like "pull $kind: the other host was asked" "$T/hub.log" "^/cdn/$kind/model.safetensors .*(127.0.0.1|localhost):[0-9]+$"
    unlike "pull $kind: and never gets the token" "$T/hub.log" "^/cdn/$kind/.*Bearer"
    ok "pull $kind: the weights are equal" cmp "$models/$kind/model.safetensors" "$T/model/model.safetensors"
done
like "a redirect within the hub keeps the token" "$T/hub.log" '^/api/resolve-cache/cdn/config.json .*Bearer good'

run model pull t/gated
is "gated, no token: status" "$status" 2
like "gated, no token: said" "$T/err" 't/gated is gated: accept its terms at http://[^ ]*/t/gated in a browser, then set HF_TOKEN'
unlike "gated: no word of a missing network" "$T/err" 'Without a network'
HF_TOKEN=bad run model pull t/gated
like "gated, an account without access: said" "$T/err" 'the token that was sent is of an account without access'
run model list
unlike "gated: nothing is left" "$T/out" gated
mkdir -p "$T/hf"
echo good >"$T/hf/token"
HF_HUB_DISABLE_IMPLICIT_TOKEN=1 HF_HOME=$T/hf run model pull t/gated
is "HF_HUB_DISABLE_IMPLICIT_TOKEN: status" "$status" 2
HF_HOME=$T/hf run model pull t/gated
is "the token of HF_HOME: status" "$status" 0
run model rm gated
mkdir -p "$XDG_CACHE_HOME/huggingface"
cp "$T/hf/token" "$XDG_CACHE_HOME/huggingface/token"
run model pull t/gated
is "the token of the cache folder: status" "$status" 0
rm -r "$XDG_CACHE_HOME/huggingface"
HF_TOKEN='good
X-Evil: yes' run model pull t/private
unlike "a token is no second header" "$T/hub.log" Evil
like "private: what to do" "$T/err" 'there is no such repository, or only some accounts may read it: the token that was sent is not accepted'

# ---- rate limits ----
run model pull t/limited
is "429 three times: status" "$status" 0
is "429: each wait is said" "$(grep -c 'waiting 1 s, as it asks' "$T/err")" 3
run model pull t/patient
is "429 for an hour: status" "$status" 2
like "429 for an hour: said" "$T/err" 'answers 429 and asks to wait for 3600 seconds'

run model pull t/toomany
is "429 without a time: status" "$status" 2
like "429 without a time: what to do" "$T/err" 'allows no more requests for now \(429\): run the same command again in some minutes; with HF_TOKEN more'
run model pull t/dated
is "429 with a date: status" "$status" 2
like "429 with a date: said" "$T/err" 'answers 429 and asks to wait for [67][0-9][0-9][0-9] seconds'

# ---- other answers ----
run model pull t/moved
is "a repository that has another name now: status" "$status" 0
run model pull t/unsized
is "weights without a length or a digest: status" "$status" 0
ok "weights without a length or a digest: equal" cmp "$models/unsized/model.safetensors" "$T/model/model.safetensors"
for kind in 'page answers with something else than a list of files' 'disabled has disabled t/disabled' \
    'gone model.safetensors: the host answers 404' 'forbidden answers 403 for t/forbidden: .*set HF_TOKEN'; do
    run model pull "t/${kind%% *}"
    is "${kind%% *}: status" "$status" 2
    like "${kind%% *}: said" "$T/err" "${kind#* }"
done
HF_ENDPOINT=${HF_ENDPOINT}mirror/hub// run model pull t/ok --name mirrored
is "a hub below a path, with slashes at its end: status" "$status" 0
like "a hub below a path: asked there" "$T/hub.log" '^/mirror/hub/t/ok/resolve/'

# ---- revisions ----
run model pull t/ok@refs/pr/7 --name pr
is "refs/pr/7: status" "$status" 0
like "refs/pr/7: one part of the path" "$T/hub.log" '^/api/models/t/ok/revision/refs%2Fpr%2F7[?]blobs'
for bad in t/ok@refs//7 t/ok@../7 t/ok@refs/../7 t/ok@/x t/ok@ ok@a/b; do
    run model pull "$bad" --name bad
    is "pull $bad: refused" "$status" 2
done

# ---- refused before the weights ----
before_weights() { # NAME PATTERN
    run model pull "t/$1"
    is "pull $1: status" "$status" 2
    like "pull $1: said" "$T/err" "$2"
    unlike "pull $1: its weights are not asked for" "$T/hub.log" "/$1/.*model.safetensors"
    run model list
    unlike "pull $1: nothing is left" "$T/out" "^$1 "
}
before_weights foreign 'its weights are not fetched: .*config.json: models of type "blip" are not supported'
unlike "pull foreign: nor its tokenizer" "$T/hub.log" '/foreign/.*vocab.json'
before_weights oddtokens 'its weights are not fetched: .*"WordLevel" is not supported'
before_weights lora 'is an adapter \(LoRA\)'
before_weights diffusers 'pipeline of diffusers'
before_weights onnx 'only as ONNX, which scry does not read'
before_weights gguf 'only as GGUF, which scry does not read'
before_weights pickle 'scry model pull t/pickle@refs/pr/N'
run model pull t/sentence
is "sentence-transformers' repository: status" "$status" 0
run model info sentence --json
is "sentence-transformers' repository: its CLIP model" "$(json 'j["family"]')" clip

# ---- what an interrupted run leaves ----
(
    trap '' XFSZ
    ulimit -f 256
    timeout 900 "$scry" model pull t/ok --name half >/dev/null 2>&1 </dev/null
)
run model list
like "unfinished: listed" "$T/out" '^half .* unfinished: .scry model pull t/ok --name half. continues'
run model list --json
is "unfinished: JSON" "$(json '[(m["unfinished"], m["source"], m["bytes"] > 1000) for m in j if m["name"] == "half"]')" "[(True, 't/ok', True)]"
run embed --texts /dev/null --out "$T/x.npy" --model half
is "unfinished: not a model" "$status" 2
flock "$models/.pull-half.lock" "$scry" model rm half 2>"$T/err"
like "unfinished: not removed while another run writes it" "$T/err" 'another scry is fetching'
run model rm half
is "unfinished: rm" "$status" 0
ok "unfinished: gone" test -z "$(find "$models" -name '*half*')"
run model rm half
is "unfinished: rm again" "$status" 2

# ---- without a name, without a network ----
run model pull
is "pull without a name: status" "$status" 2
like "pull without a name: explains" "$T/err" 'a name of .scry model list --catalogue., or OWNER/NAME'
like "pull without a name: recommends" "$T/err" 'fast +scry model pull siglip2-b32-256'
HF_HUB_OFFLINE=1 run model pull t/ok --name off
is "HF_HUB_OFFLINE: status" "$status" 2
like "HF_HUB_OFFLINE: said" "$T/err" 'HF_HUB_OFFLINE .*scry model add off t/ok --from-cache'
HF_ENDPOINT=ftp://x run model pull t/ok --name off
like "HF_ENDPOINT is no URL of HTTP" "$T/err" 'HF_ENDPOINT is "ftp://x": it must begin with'
for bad in https:// http:///x 'http://127.0.0.1 ' 'https://a?b' 'https://a#b' 127.0.0.1; do
    HF_ENDPOINT=$bad run model pull t/ok --name off
    is "HF_ENDPOINT \"$bad\": status" "$status" 2
    like "HF_ENDPOINT \"$bad\": said" "$T/err" '^scry: HF_ENDPOINT is ".*": it must be'
done
before=$(wc -l <"$T/hub.log")
HF_TOKEN=good HF_ENDPOINT=http://127.0.0.1:1@${HF_ENDPOINT#http://} run model pull t/ok --name user
is "a host behind a user that looks like this machine: status" "$status" 0
sed "1,${before}d" "$T/hub.log" >"$T/after"
unlike "a host behind a user that looks like this machine gets no token" "$T/after" Bearer

# ---- the cache of Hugging Face ----
commit=0123456789abcdef0123456789abcdef01234567
repo=$T/hf/hub/models--t--cached
mkdir -p "$repo/blobs" "$repo/refs" "$repo/snapshots/$commit"
printf %s $commit >"$repo/refs/main"
for f in "$T/model"/*; do
    cp "$f" "$repo/blobs/b-${f##*/}"
    ln -s "../../blobs/b-${f##*/}" "$repo/snapshots/$commit/${f##*/}"
done
run model info "$repo" --json
is "a folder of the cache: its snapshot" "$(json 'j["dim"]')" 16
HF_HOME=$T/hf run model add one t/cached --from-cache
is "add --from-cache: status" "$status" 0
run model info one --json
is "add --from-cache: of the snapshot" "$(json 'j["dir"]')" "$repo/snapshots/$commit"
HF_HUB_CACHE=$T/hf/hub run model add two t/cached --from-cache --copy
is "add --from-cache --copy: status" "$status" 0
ok "add --from-cache --copy: files, not links" test -f "$models/two/model.safetensors" -a ! -h "$models/two/model.safetensors"
run model add three t/cached --from-cache
is "not in the cache: status" "$status" 2
like "not in the cache: said" "$T/err" 'models--t--cached is not there: .*scry model pull t/cached'
run model add three ../x --from-cache
like "not a repository's name" "$T/err" '"../x" is not OWNER/NAME'
rm "$repo/refs/main"
run model info "$repo" --json
is "no branch, one snapshot: that one" "$status" 0
mkdir "$repo/snapshots/other"
run model info "$repo"
like "no branch, two snapshots: refused" "$T/err" 'has 2 snapshots, and no refs/main says which'
printf ../../.. >"$repo/refs/main"
run model info "$repo"
like "a branch that names no snapshot" "$T/err" 'refs/main names a snapshot that is not in'
done_testing
