#!/bin/sh
# tune.sh - scry tune: tiny checkpoints of several families learn to name colours; what it refuses; what it leaves alone.
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || { echo "1..0 # SKIP no python3"; exit 0; }
unset SCRY_MODEL
mkdir "$T/set" "$T/set/img"
python3 "$SCRY_TOP/tests/e2e/make_colours.py" "$T/set"

accuracy() { # MODEL: of all pictures, in percent
    run eval --labels "$T/set/labels.tsv" --model "$1" --precision fp32 --json
    json 'round(100 * j["models"][0]["figures"]["top_1"]["value"])'
}

# ---- what is refused ----
refused() { # TITLE PATTERN ARGUMENT...
    title=$1 pattern=$2
    shift 2
    run tune "$@"
    is "$title: status" "$status" 2
    like "$title: said" "$T/err" "$pattern"
}
clip=$SCRY_TOP/tests/golden/models/clip
refused "no table" 'give a table' --out "$T/new"
refused "no folder" 'give a table.*--out' --labels "$T/set/labels.tsv"
refused "two tables" 'one table' --labels a --captions b --out "$T/new"
refused "a share above 1" 'from 0 to 1' --labels "$T/set/labels.tsv" --out "$T/new" --keep 1.5
refused "another depth" 'depth' --labels "$T/set/labels.tsv" --out "$T/new" --depth all
refused "a folder that exists" 'exists already' --labels "$T/set/labels.tsv" --out "$T/set" --model "$clip"
refused "few pictures" 'too few pictures' --labels "$T/set/labels.tsv" --limit 6 --out "$T/new" --model "$clip"
sed 's/\t[a-z]*$/\tcrimson/; 1s/.*/file\tlabel/' "$T/set/labels.tsv" >"$T/set/one.tsv"
refused "one class" 'one label only' --labels "$T/set/one.tsv" --out "$T/new" --model "$clip"
refused "pictures that are not there" 'there is no picture' --labels "$T/set/labels.tsv" --pictures "$T" --out "$T/new" --model "$clip"
ok "nothing was made" test -z "$(find "$T" -maxdepth 1 -name 'new*')"

# said before a picture is looked at: SCRY_DECODER would be the first to fail
SCRY_DECODER=$T/none
export SCRY_DECODER
refused "a folder that cannot be made" 'cannot create' --labels "$T/set/labels.tsv" --out "$T/missing/new" --model "$clip" --epochs 60
unset SCRY_DECODER

# ---- a table with a few wrong rows ----
{ cat "$T/set/labels.tsv"; printf 'gone.png\tcrimson\nlabels.tsv\tnavy\n'; } >"$T/set/rows.tsv"
run tune --labels "$T/set/rows.tsv" --epochs 60 --model "$clip" --out "$T/skipped"
is "pictures that cannot be read: status" "$status" 1
like "pictures that cannot be read: said" "$T/err" 'gone.png'
like "pictures that cannot be read: counted" "$T/out" '^pictures +96, .*; 2 could not be read'
ok "pictures that cannot be read: the model is there all the same" "$scry" model info "$T/skipped"

# ---- families ----
for family in clip metaclip siglip open_clip open_clip_siglip chinese_clip dual; do
    model=$SCRY_TOP/tests/golden/models/$family
    sums=$(cd "$model" && cat ./* | cksum)
    before=$(accuracy "$model")
    run tune --labels "$T/set/labels.tsv" --epochs 60 --model "$model" --out "$T/$family"
    is "$family: status" "$status" 0
    is "$family: the original is as it was" "$(cd "$model" && cat ./* | cksum)" "$sums"
    after=$(accuracy "$T/$family")
    ok "$family: more pictures are named right ($before, then $after)" test "$after" -gt "$before"
    printf '%s\n' "$T/set/img/1.png" "$T/set/img/2.png" >"$T/list"
    run embed --images "$T/list" --model "$model" --out "$T/was.npy"
    run embed --images "$T/list" --model "$T/$family" --out "$T/is.npy"
    ok "$family: pictures have the same vectors" cmp "$T/was.npy" "$T/is.npy"
done

# ---- weights with a digest, and a model with a text map ----
python3 - "$SCRY_TOP/tests/golden/models" "$T" <<'END'
# clip, its weights with a digest in their metadata; dual, with a text map (half the identity).
import array, hashlib, json, shutil, struct, sys
golden, out = sys.argv[1:]
for name, made in ("clip", "signed"), ("dual", "mapped"):
    shutil.copytree(f"{golden}/{name}", f"{out}/{made}")
path = f"{out}/signed/model.safetensors"
data = open(path, "rb").read()
n = struct.unpack("<Q", data[:8])[0]
header, numbers = json.loads(data[8:8 + n]), data[8 + n:]
header["__metadata__"] = {"sha256": hashlib.sha256(numbers).hexdigest()}
header = json.dumps(header).encode()
open(path, "wb").write(struct.pack("<Q", len(header) + -len(header) % 8) + header + b" " * (-len(header) % 8) + numbers)
d = json.load(open(f"{out}/mapped/config.json"))["projection_dim"]
half = [0.5 * (i % (d + 1) == 0) for i in range(d * d)]
word = [1 / d ** 0.5] * d                         # every text is near it or near its opposite
parts = {"weight": ([d, d], half), "known": ([2, d], word + [-x for x in word]), "count": ([1], [2]), "from": ([1], [0]),
         "added": ([1, d], [0.3 * (i == 2) for i in range(d)])}
header, numbers = {}, b""
for name, (shape, values) in parts.items():
    header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [len(numbers), len(numbers) + 4 * len(values)]}
    numbers += array.array("f", values).tobytes()
header = json.dumps(header).encode()
open(f"{out}/mapped/text_map.safetensors", "wb").write(struct.pack("<Q", len(header)) + header + numbers)
END
for model in signed mapped; do
    before=$(accuracy "$T/$model")
    run tune --labels "$T/set/labels.tsv" --epochs 60 --model "$T/$model" --out "$T/$model.new"
    is "$model: status" "$status" 0
    cp "$T/err" "$T/said"
    after=$(accuracy "$T/$model.new")
    ok "$model: more pictures are named right ($before, then $after)" test "$after" -gt "$before"
done
like "mapped: collections stay" "$T/said" 'scry search --model NAME searches the collections of the original'
ok "mapped: the weights are untouched" cmp "$T/mapped/model.safetensors" "$T/mapped.new/model.safetensors"
printf '%s\n' crimson 'a thing in navy' ivory >"$T/list"
for model in mapped mapped.new; do
    run embed --texts "$T/list" --model "$T/$model" --precision fp32 --out "$T/$model.npy"
done
python3 - "$T" >"$T/out" <<'END'
# Each text's vector by the new map is B times that by the old one, B being new weight times the inverse of 0.5 I; known words stay.
import json, struct, sys
def tensors(path):
    raw = open(path, "rb").read()
    n = struct.unpack("<Q", raw[:8])[0]
    return {k: (v["shape"], struct.unpack("<%df" % ((v["data_offsets"][1] - v["data_offsets"][0]) // 4), raw[8 + n:][slice(*v["data_offsets"])]))
            for k, v in json.loads(raw[8:8 + n]).items() if k != "__metadata__"}
def rows(path):
    raw = open(path, "rb").read()
    n = struct.unpack("<H", raw[8:10])[0]
    d = eval(raw[10:10 + n])["shape"][1]
    v = struct.unpack("<%df" % (3 * d), raw[10 + n:])
    return [v[i * d:(i + 1) * d] for i in range(3)]
old, new = (tensors(f"{sys.argv[1]}/{m}/text_map.safetensors") for m in ("mapped", "mapped.new"))
d = old["weight"][0][0]
b = [[2 * x for x in new["weight"][1][i * d:(i + 1) * d]] for i in range(d)]
worst = 0
for v, w in zip(rows(sys.argv[1] + "/mapped.npy"), rows(sys.argv[1] + "/mapped.new.npy")):
    e = [sum(x * y for x, y in zip(r, v)) for r in b]
    n = sum(x * x for x in e) ** 0.5
    worst = max(worst, *(abs(x / n - y) for x, y in zip(e, w)))
print("same" if worst < 1e-4 and all(old[k] == new[k] for k in ("known", "count", "from")) else f"differs by {worst}")
END
is "mapped: what known words add goes through the same matrix" "$(cat "$T/out")" same
run index --model "$T/mapped" --store "$T/store" "$T/set/img"
run search --model "$T/mapped.new" --store "$T/store" --limit 1 --paths crimson
is "mapped: the original's collection is searched with the result" "$status" 0
run model info "$T/clip"
like "info: what it was tuned from" "$T/out" '^tuned from +.*/clip'

# ---- stopped while it trains: the best state so far ----
"$scry" tune --labels "$T/set/labels.tsv" --epochs 1000000 --progress --model "$clip" --out "$T/stopped" >"$T/stop.out" 2>"$T/stop.err" &
pid=$!
for _ in $(seq 600); do
    grep -q '^epoch 40 ' "$T/stop.err" && break
    sleep 0.1
done
kill -TERM $pid
wait $pid
stopped=$?
if grep -q 'nothing was gained' "$T/stop.err"; then
    is "stopped before a gain: status" "$stopped" 1
else
    is "stopped: status" "$stopped" 0
    ok "stopped: the folder is a model" "$scry" model info "$T/stopped"
fi
like "stopped: said" "$T/stop.err" 'stopped after [0-9]+ epochs'
ok "stopped: nothing half-made is left" test -z "$(find "$T" -maxdepth 1 -name 'stopped.*' ! -name stopped.state)"

# ---- copies of a picture under other names are on one side ----
mkdir "$T/twice" "$T/twice/img"
cp "$T"/set/img/*.png "$T/twice/img"
for f in "$T"/set/img/*.png; do cp "$f" "$T/twice/img/copy-${f##*/}"; done
{ cat "$T/set/labels.tsv"; sed 1d "$T/set/labels.tsv" | sed 's/^/copy-/'; } >"$T/twice/labels.tsv"
run tune --labels "$T/set/labels.tsv" --epochs 1 --keep 1 --model "$clip" --out "$T/none"
held=$(sed -n 's/.*held out \([0-9]*\) .*/\1/p' "$T/out")
run tune --labels "$T/twice/labels.tsv" --epochs 1 --keep 1 --model "$clip" --out "$T/none"
like "copies: as many of them are held out ($held)" "$T/out" "held out $((2 * held)) pairs"
run tune --labels "$T/twice/labels.tsv" --epochs 1 --keep 1 --progress --model "$clip" --out "$T/none"
like "progress: of the pictures" "$T/err" '192'
like "progress: of the epochs" "$T/err" '^epoch 1 of at most 1'

# ---- captions, and a share that is given ----
run tune --captions "$T/set/captions.tsv" --epochs 60 --keep 0.5 --model "$clip" --out "$T/half"
is "captions: 0 or 1" "$(test "$status" -le 1 && echo fine)" fine
run tune --labels "$T/set/labels.tsv" --keep 1 --model "$clip" --out "$T/all"
is "all of the original: nothing is gained" "$status" 1
ok "and nothing is written" test ! -e "$T/all"
done_testing
