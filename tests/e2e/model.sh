#!/bin/sh
# scry model: add, info, list, rm, and pull from a local hub that fails in various ways.
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || { echo "1..0 # SKIP no python3"; exit 0; }
unset SCRY_MODEL
tiny_model "$T/model"
models=$XDG_DATA_HOME/scry/models

# ---- add, info, list, rm ----
run model add tiny "$T/model"
is "add: status" "$status" 0
run model info tiny
is "info: status" "$status" 0
like "info: towers" "$T/out" '^image tower +ViT, .*1 layer'
like "info: activation" "$T/out" 'gelu'
like "info: tokenizer" "$T/out" '^tokenizer +CLIP'
like "info: size" "$T/out" '^pixels +32 x 32'
like "info: digest" "$T/out" '^identity +[0-9a-f]{64}$'
run model info tiny --json
is "info --json: dim" "$(json 'j["dim"]')" 16
is "info --json: linked" "$(json 'j["linked"]')" True
identity=$(json 'j["identity"]')
run model list --json
is "list --json names it" "$(json '[m["identity"] for m in j if m["name"] == "tiny"]')" "['$identity']"
run model add tiny "$T/model"
is "add: a taken name is refused" "$status" 2
like "add: and says what to do" "$T/err" 'scry model rm tiny'
for bad in .. a/b .hidden -- "a b" "" starter; do
    run model add "$bad" "$T/model"
    is "add: the name '$bad' is refused" "$status" 2
done
printf 'a dog\n' >"$T/texts"
run embed --texts "$T/texts" --out "$T/a.npy" --model tiny
run embed --texts "$T/texts" --out "$T/b.npy" --model "$T/model"
ok "a name and its folder are the same model" cmp "$T/a.npy" "$T/b.npy"

run model add copied "$T/model" --copy
is "add --copy: status" "$status" 0
ok "add --copy: the files are there" test -f "$models/copied/model.safetensors"
ok "nothing half-made is left" test -z "$(find "$models" -name '.add-*')"
touch "$models/copied/config.json"
run model list
like "list: a file that changed" "$T/out" '^copied .*config.json has changed'
run model rm copied
is "rm: status" "$status" 0
ok "rm: the copy is gone" test ! -e "$models/copied"
mv "$T/model" "$T/away"
run model info tiny
is "a folder that is gone: status" "$status" 2
like "a folder that is gone: said" "$T/err" 'was added from .* which no longer exists'
mv "$T/away" "$T/model"
run model rm tiny
ok "rm of a recorded folder leaves the folder" test -f "$T/model/config.json"
run model rm tiny
is "rm twice: status" "$status" 2
run model rm starter
like "rm starter: refused" "$T/err" 'starter belongs to the program'
run model rm ../../x
is "rm of a path is refused" "$status" 2
cp -r "$T/model" "$T/foreign"
sed 's/"eos_token_id": [0-9]*/"eos_token_id": 7/' "$T/model/config.json" >"$T/foreign/config.json"
run model add foreign "$T/foreign"
is "add: a tokenizer of another model is refused" "$status" 2
like "add: and named" "$T/err" 'tokenizer ends a text with id .* do not belong together'
cp -r "$T/model" "$T/broken"
head -c 1000 "$T/model/model.safetensors" >"$T/broken/model.safetensors"
run model add broken "$T/broken"
is "add: a truncated checkpoint is refused" "$status" 2
ok "add: and nothing is recorded" test ! -e "$models/broken"
run model nonsense
is "an unknown verb: status" "$status" 2
run model list --catalogue
is "catalogue: ends with three recommendations" "$(tail -n 3 "$T/out" | tr -s ' ' | cut -d ' ' -f 1 | tr '\n' ' ')" "fast better best, "
like "catalogue: entries that were not checked are marked" "$T/out" '^siglip2-b32-256 +\* +1500  47.2 +11.5  109 +Apache-2.0 '
like "catalogue: the others are not" "$T/out" '^openai-b32 +605  30.4 '
run model list --catalogue --json
is "catalogue: no figure without its source" "$(json 'all((m["coco_recall_at_1"] is None) == (m["recall_source"] is None) for m in j)')" True
is "catalogue: three recommendations" "$(json '[m["name"] for m in j if m["recommended_for"]]')" "['siglip2-b32-256', 'siglip2-b16-256', 'siglip2-so400m-384']"
is "catalogue: a dozen at least" "$(json 'len(j) >= 12 and all("/" in m["repository"] and m["licence"] for m in j)')" True

# ---- a damaged starter ----
mkdir -p "$T/app/models"
cp "$SCRY_BUILD/scry" "$SCRY_BUILD/libscry.so.0" "$SCRY_BUILD/scry-decode" "$T/app"
cp -r "$T/broken" "$T/app/models/starter"
"$T/app/scry" embed --texts "$T/texts" --out "$T/a.npy" >"$T/out" 2>"$T/err"
is "a damaged starter: status" $? 2
like "a damaged starter: the file is named" "$T/err" 'starter model is damaged: .*model.safetensors'
like "a damaged starter: what restores it" "$T/err" 'git checkout -- models/starter'
if drop_root; then
    rm -rf "$T/app/models/starter"
    cp -r "$T/model" "$T/app/models/starter"
    chmod 0 "$T/app/models/starter/model.safetensors"
    run_unprivileged_app() { scry=$T/app/scry run_unprivileged "$@"; }
    chmod a+rx "$T" "$T/app" "$T/app/models" "$T/app/models/starter"
    run_unprivileged_app embed --texts "$T/texts" --out "$T/a.npy"
    is "a starter that may not be read: status" $status 2
    like "a starter that may not be read: is said to be so" "$T/err" 'model.safetensors: Permission denied$'
    unlike "a starter that may not be read: is not damaged" "$T/err" damaged
    chmod -R u+rw "$T/app/models/starter"
fi

# ---- pull ----
python3 "$E2E/hub.py" "$T/model" "$T/port" &
hub=$!
trap 'kill $hub 2>/dev/null; chmod -R u+rwx "$T" 2>/dev/null; rm -rf "$T"' EXIT
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    [ -s "$T/port" ] && break
    sleep 0.2
done
SCRY_HUB_URL=http://127.0.0.1:$(cat "$T/port")
export SCRY_HUB_URL

run model pull t/ok
is "pull: status" "$status" 0
is "pull: the name" "$(cat "$T/out")" ok
ok "pull: the weights are equal" cmp "$models/ok/model.safetensors" "$T/model/model.safetensors"
run model info ok --json
is "pull: same model" "$(json 'j["identity"]')" "$identity"
is "pull: where from" "$(json 'j["source"]')" "t/ok@0123456789ab"
is "pull: how it was checked" "$(python3 -c 'import json, sys
print({f["name"]: f["checked_by"] for f in json.load(open(sys.argv[1]))["source"]["files"] if f["name"] in ("config.json", "model.safetensors")})' \
    "$models/ok/scry.json")" "{'config.json': 'git', 'model.safetensors': 'sha256'}"
run model pull t/ok
is "pull: a taken name is refused" "$status" 2
run model pull t/ok@v1.0 --name other
is "pull OWNER/NAME@REVISION --name: status" "$status" 0
like "pull: the revision is asked for" "$T/hub.log" 'revision/v1.0'

for good in cut norange busy nodigest; do
    run model pull "t/$good"
    is "pull $good: status" "$status" 0
    ok "pull $good: equal" cmp "$models/$good/model.safetensors" "$T/model/model.safetensors"
done
like "pull cut: it went on with Range" "$T/hub.log" '^/cdn/cut/.* bytes=[1-9]'

refused() { # NAME PATTERN
    run model pull "t/$1"
    is "pull $1: status" "$status" 2
    like "pull $1: said" "$T/err" "$2"
    ok "pull $1: nothing under its name" test ! -e "$models/$1"
}
refused wrong 'not what the host declared'
ok "pull wrong: the wrong bytes are not kept" test ! -e "$models/.pull-wrong/model.safetensors.part"
refused more 'more than'
refused loop '[Rr]edirect'
refused none 'no repository t/none'
refused private 'only some accounts may read it'
refused pickle 'pickle'
refused huge 'more than scry downloads'
refused twodigests 'two different digests'
refused brokenjson 'not valid JSON'
refused norevision 'names no commit'
run model pull t/evil
is "pull evil: names that lead elsewhere are passed over" "$status" 0
ok "pull evil: nothing elsewhere" test ! -e "$models/evil.json" -a ! -e "$models/../evil.json"
for bad in a/b/c /x 'a/..' 'a/b@../c' 'a/b?x' nosuchname; do
    run model pull "$bad"
    is "pull: '$bad' is refused" "$status" 2
done

# An interrupted run resumes: complete files are not fetched again.
mkdir -p "$models/.pull-resume"
printf 't/resume@\n' >"$models/.pull-resume/.source"
head -c 5000 "$T/model/model.safetensors" >"$models/.pull-resume/model.safetensors.part"
run model pull t/resume
is "pull: an earlier run's part is used" "$status" 0
like "pull: from its end" "$T/hub.log" '^/cdn/resume/.* bytes=5000-'
ok "pull resume: equal" cmp "$models/resume/model.safetensors" "$T/model/model.safetensors"

# No room: the file size limit stands for a full disk; with room the next run resumes.
(
    trap '' XFSZ
    ulimit -f 256
    timeout 900 "$scry" model pull t/full >"$T/out" 2>"$T/err" </dev/null
    echo $? >"$T/full.status"
)
is "pull without room: status" "$(cat "$T/full.status")" 2
like "pull without room: said" "$T/err" 'cannot write .*model.safetensors.part'
ok "pull without room: nothing under its name" test ! -e "$models/full"
run model pull t/full
is "pull with room again: status" "$status" 0
like "pull with room again: goes on" "$T/hub.log" '^/cdn/full/.* bytes=[1-9]'

kill $hub
run model pull t/offline
is "pull without a network: status" "$status" 2
like "pull without a network: what to do" "$T/err" 'Without a network: .*scry model add offline DIR'
done_testing
