#!/bin/sh
# tune_blocks.sh - scry tune --depth N: tiny checkpoints learn colours by backpropagation; sides, a run that is stopped or killed, a disk
# without room.
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || { echo "1..0 # SKIP no python3"; exit 0; }
unset SCRY_MODEL
mkdir "$T/set" "$T/set/img"
python3 "$SCRY_TOP/tests/e2e/make_colours.py" "$T/set"
models=$SCRY_TOP/tests/golden/models
clip=$models/clip

accuracy() { # MODEL: of all pictures, in percent
    run eval --labels "$T/set/labels.tsv" --model "$1" --precision fp32 --json
    json 'round(100 * j["models"][0]["figures"]["top_1"]["value"])'
}

blocks() { # ARGUMENT...: a training of tiny models, whose weights are random
    run tune --labels "$T/set/labels.tsv" --depth 2 --rate 0.001 --epochs 20 "$@"
}

# ---- what is refused ----
refused() { # TITLE PATTERN ARGUMENT...
    title=$1 pattern=$2
    shift 2
    run tune --labels "$T/set/labels.tsv" --out "$T/new" "$@"
    is "$title: status" "$status" 2
    like "$title: said" "$T/err" "$pattern"
}
refused "no depth" 'depth' --depth 0 --model "$clip"
refused "a depth in words" 'depth' --depth deep --model "$clip"
refused "another side" 'both, pictures or texts' --depth 1 --side left --model "$clip"
refused "a rate above 1" 'from 0 to 1' --depth 1 --rate 3 --model "$clip"
refused "towers of convolutions" 'plain transformers.*--depth heads' --depth 1 --model "$models/dual"
refused "texts of BERT" 'tower of texts cannot be trained' --depth 1 --model "$models/chinese_clip"
refused "a gated tower" 'tower of pictures cannot be trained' --depth 1 --model "$models/open_clip_eva02"
ok "nothing was made" test -z "$(find "$T" -maxdepth 1 -name 'new*')"

# ---- families ----
for family in clip metaclip siglip open_clip open_clip_siglip; do
    model=$models/$family
    sums=$(cd "$model" && cat ./* | cksum)
    before=$(accuracy "$model")
    blocks --model "$model" --out "$T/$family"
    is "$family: status" "$status" 0
    like "$family: said" "$T/err" 'index --rebuild'
    is "$family: the original is as it was" "$(cd "$model" && cat ./* | cksum)" "$sums"
    after=$(accuracy "$T/$family")
    ok "$family: more pictures are named right ($before, then $after)" test "$after" -gt $((before + 40))
done
ok "nothing is left beside them" test -z "$(find "$T" -maxdepth 1 \( -name '*.state*' -o -name 'scry-tune*' -o -name '*.old' \))"
run model info "$T/clip"
like "info: what it was tuned from" "$T/out" '^tuned from +.*/clip'

# ---- one side; one block; all of them; captions ----
printf '%s\n' "$T/set/img/1.png" "$T/set/img/2.png" >"$T/list"
printf '%s\n' crimson "a photo of a navy" >"$T/lines"
vectors() { # MODEL NAME
    run embed --images "$T/list" --model "$1" --out "$T/$2.pictures.npy"
    run embed --texts "$T/lines" --model "$1" --out "$T/$2.texts.npy"
}
vectors "$clip" was
blocks --side texts --depth 1 --model "$clip" --out "$T/texts"
is "texts alone: status" "$status" 0
unlike "texts alone: said" "$T/err" 'embedded anew'
vectors "$T/texts" texts
ok "texts alone: pictures have the same vectors" cmp "$T/was.pictures.npy" "$T/texts.pictures.npy"
is "texts alone: texts have others" "$(cmp -s "$T/was.texts.npy" "$T/texts.texts.npy"; echo $?)" 1
blocks --side pictures --depth full --model "$clip" --out "$T/pictures"
is "pictures alone, all blocks: status" "$status" 0
is "pictures alone, all blocks: recorded" "$(sed -n 's/.*"depth": *"\([a-z]*\)".*/\1/p' "$T/pictures/scry_tune.json")" full
vectors "$T/pictures" pictures
ok "pictures alone: texts have the same vectors" cmp "$T/was.texts.npy" "$T/pictures.texts.npy"
is "pictures alone: pictures have others" "$(cmp -s "$T/was.pictures.npy" "$T/pictures.pictures.npy"; echo $?)" 1
run tune --captions "$T/set/captions.tsv" --depth 1 --rate 0.001 --epochs 10 --model "$clip" --out "$T/captions"
is "captions: 0 or 1" "$(test "$status" -le 1 && echo fine)" fine

# ---- how much of the original is kept ----
blocks --keep 1 --model "$clip" --out "$T/all"
is "all of the original: nothing is gained" "$status" 1
ok "and nothing is written" test ! -e "$T/all"
blocks --keep 0 --model "$clip" --out "$T/none"
blocks --keep 0.5 --model "$clip" --out "$T/half"
is "half of the original: status" "$status" 0
ok "half of the original is the mean of both" python3 - "$clip" "$T/none" "$T/half" <<'PY'
import json, struct, sys
def tensor(folder, name):
    data = open(folder + "/model.safetensors", "rb").read()
    n = struct.unpack("<Q", data[:8])[0]
    t = json.loads(data[8:8 + n])[name]
    a, b = (8 + n + x for x in t["data_offsets"])
    kind = {"F32": "f", "F16": "e"}.get(t["dtype"])
    if not kind:
        return [struct.unpack("<f", b"\0\0" + data[i:i + 2])[0] for i in range(a, b, 2)]
    return list(struct.unpack(f"<{(b - a) // struct.calcsize(kind)}{kind}", data[a:b]))
moved = 0
for name in "visual_projection.weight", "vision_model.encoder.layers.2.mlp.fc1.weight", "text_model.encoder.layers.1.layer_norm1.bias":
    for o, n, h in zip(*(tensor(f, name) for f in sys.argv[1:])):
        moved += o != n
        assert abs((o + n) / 2 - h) <= 0.02 * max(abs(o), abs(n), 0.01), (name, o, n, h)
assert moved > 100
PY

# ---- stopped, and going on ----
wait_for() { # PATTERN FILE
    for _ in $(seq 900); do
        grep -qs "$1" "$2" && return 0
        sleep 0.1
    done
    return 1
}
long() { # OUT EPOCHS: in the background; what an earlier run said is no sign of this one
    rm -f "$1.err"
    "$scry" tune --labels "$T/set/labels.tsv" --depth 2 --rate 0.0001 --epochs "$2" --progress --model "$clip" --out "$1" >"$1.out" 2>"$1.err" &
    pid=$!
}
long "$T/stopped" 1000000
ok "stopped: it trains" wait_for '^epoch 3 ' "$T/stopped.err"
kill -INT $pid
wait $pid
like "stopped: said" "$T/stopped.err" 'stopped after [0-9]+ epochs.*goes on from there'
ok "stopped: what it goes on from is there" test -s "$T/stopped.state"
long "$T/stopped" 1000000
ok "it goes on" wait_for '^epoch [0-9]' "$T/stopped.err"
kill -TERM $pid
wait $pid
stopped=$?
like "it goes on: said" "$T/stopped.err" 'went on after the [0-9]+ epochs'
unlike "not from the beginning" "$T/stopped.err" '^epoch [12] '
[ $stopped != 0 ] || ok "the folder is a model" "$scry" model info "$T/stopped"
blocks --model "$models/siglip" --out "$T/stopped"
is "another run beside that state: status" "$status" 2
like "another run beside that state: said" "$T/err" 'stopped.state is of another training'
printf 'scry' >"$T/stopped.state"
blocks --model "$clip" --out "$T/stopped"
is "a damaged state: status" "$status" 2

long "$T/killed" 30
ok "killed: it trains" wait_for '^epoch 3 ' "$T/killed.err"
kill -KILL $pid
wait $pid 2>/dev/null
ok "killed: no folder was made" test ! -e "$T/killed"
long "$T/killed" 30
wait $pid
ended=$?
is "the same command after a kill: status" "$(test $ended -le 1 && echo fine)" fine
like "the same command after a kill: said" "$T/killed.err" 'went on after the [0-9]+ epochs'
ok "its state is gone" test ! -e "$T/killed.state"

# ---- no room ----
S=$T/small
mkdir "$S"
if mount -t tmpfs -o size=512k none "$S" 2>/dev/null; then
    trap 'umount -l "$S" 2>/dev/null; chmod -R u+rwx "$T" 2>/dev/null; rm -rf "$T"' EXIT
    no_room() { # TITLE PATTERN ARGUMENT...
        title=$1 pattern=$2
        shift 2
        run tune --depth 2 --rate 0.001 --epochs 20 --model "$clip" --out "$S/new" "$@"
        is "$title: status" "$status" 2
        like "$title: said" "$T/err" "$pattern"
        ok "$title: nothing was made" test "$(ls "$S")" = filler
    }
    dd if=/dev/zero of="$S/filler" bs=1k count=472 2>/dev/null
    no_room "no room for the new model" 'new model.*need [0-9]+ MB.*whose disk has' --labels "$T/set/labels.tsv"
    truncate -s 200k "$S/filler"
    no_room "no room for the state" 'new model.*need [0-9]+ MB.*whose disk has' --labels "$T/set/labels.tsv"
    mkdir "$T/many" "$T/many/img"
    head -n 1 "$T/set/labels.tsv" >"$T/many/labels.tsv"
    for i in 1 2 3 4 5; do
        sed "1d; s/^/$i-/" "$T/set/labels.tsv" >>"$T/many/labels.tsv"
        for f in "$T"/set/img/*.png; do ln -s "$f" "$T/many/img/$i-${f##*/}"; done
    done
    no_room "no room to train" 'training needs [0-9]+ MB.*whose disk has' --labels "$T/many/labels.tsv"
    umount "$S"

    # It fills up while training goes on: the state of an earlier epoch stays, and the same command goes on once there is room.
    mount -t tmpfs -o size=16m none "$S"
    gain() { # until it has one, and stand still there
        rm -f "$T/full.err"
        "$scry" tune --labels "$T/set/labels.tsv" --depth 2 --rate 0.01 --epochs 3000 --progress --model "$clip" --out "$S/new" \
            >"$T/full.out" 2>"$T/full.err" &
        pid=$!
        wait_for 'recall \([4-9][0-9]\|100\)' "$T/full.err"
        gained=$?
        kill -STOP $pid
        return $gained
    }
    stop() {
        kill -TERM $pid
        kill -CONT $pid
        wait $pid
    }
    gain
    is "a disk that fills up: it trains" $? 0
    dd if=/dev/zero of="$S/filler" bs=64k 2>/dev/null
    stop
    is "a disk that fills up: status" $? 2
    like "a disk that fills up: said" "$T/full.err" 'No space left'
    like "a disk that fills up: what is left" "$T/full.err" 'new.state has what was trained'
    ok "a disk that fills up: no half of a model" test "$(ls "$S")" = "$(printf '%s\n' filler new.state)"
    rm "$S/filler"
    gain
    is "room again: it trains" $? 0
    stop
    is "room again: status" $? 0
    like "room again: said" "$T/full.err" 'went on after the [0-9]+ epochs'
    ok "room again: the folder is a model" "$scry" model info "$S/new"
    umount "$S"
fi
done_testing
