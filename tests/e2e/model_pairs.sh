#!/bin/sh
# Pairs of pictures and texts: an existing collection searched in other words, without embedding a picture again.
. "$(dirname "$0")/lib.sh"
unset SCRY_MODEL
golden=$SCRY_TOP/tests/golden/models
models=$XDG_DATA_HOME/scry/models
mkdir "$T/pics"
cp "$SCRY_TOP/tests/pictures/rgb.png" "$SCRY_TOP/tests/pictures/photo.jpg" "$SCRY_TOP/tests/pictures/grey.jpg" "$T/pics"
cp -r "$golden/clip" "$T/clip"
cp -r "$golden/sentence" "$T/sentence"

ok "the pictures' model is added" "$scry" model add b32 "$T/clip"
run index --model b32 --collection photos "$T/pics"
run search --json --collection photos x
is "answers say the model's name, not that of the folder it was added from" "$(json 'j["model"]')" b32
is "a collection is made with it" "$status" 0
run model info b32 --json
identity=$(json 'j["identity"]')

# ---- a pair with the same pictures ----
run model add many b32 --texts "$T/sentence"
is "add --texts: status" "$status" 0
like "add --texts: says what to do with it" "$T/err" 'scry search --model many'
run model info many
like "info: whose pictures" "$T/out" '^pictures by .*/clip$'
like "info: whose texts" "$T/out" '^texts by .*/sentence$'
like "info: the texts' length" "$T/out" 'at most 20 tokens'
run model info many --json
is "the identity is that of the pictures' model" "$(json 'j["identity"]')" "$identity"
is "what depends on texts has another" "$(json 'j["text_identity"] != j["identity"]')" True
run search --model many --collection photos --json 白狗
is "the collection is searched with the pair" "$status" 0
is "and no warning is given" "$(cat "$T/err")" ""
is "all pictures are ranked" "$(json 'len(j["results"])')" 3
run index --model many --collection photos "$T/pics"
is "and indexed with it: status" "$status" 0
like "no picture is embedded again" "$T/err" '3 unchanged'
run verify --collection photos
is "and verified" "$status" 0

# The pair's vectors are those of its halves.
ls "$T/pics"/* >"$T/list"
printf 'a white dog\n白狗 the cat\n' >"$T/texts"
ok "pictures of the pair" "$scry" embed --images "$T/list" --out "$T/a.npy" --model many
ok "pictures alone" "$scry" embed --images "$T/list" --out "$T/b.npy" --model b32
ok "are the same" cmp "$T/a.npy" "$T/b.npy"
ok "texts of the pair" "$scry" embed --texts "$T/texts" --out "$T/a.npy" --model many
ok "texts alone" "$scry" embed --texts "$T/texts" --out "$T/b.npy" --model b32
ok "are others" test "$(cmp -s "$T/a.npy" "$T/b.npy"; echo $?)" = 1

# ---- copies, changes ----
run model add copied "$T/clip" --texts "$T/sentence" --copy
is "add --copy: status" "$status" 0
ok "the pictures' files are copied" test -f "$models/copied/pictures/model.safetensors"
ok "and those of a module" test -f "$models/copied/texts/2_Dense/model.safetensors"
run model info copied --json
is "the copy is the same model" "$(json 'j["identity"]')" "$identity"
is "and has no problem" "$(json 'j["problem"]')" None
touch "$T/sentence/2_Dense/model.safetensors"
run model list
like "list: a file of the texts that changed" "$T/out" '^many .*2_Dense/model.safetensors has changed'
unlike "list: not that of the copy" "$T/out" '^copied .*changed'
ok "rm" "$scry" model rm copied
ok "rm of a recorded pair" "$scry" model rm many
ok "leaves the folders" test -f "$T/clip/model.safetensors" -a -f "$T/sentence/model.safetensors"

# ---- what cannot be paired ----
run model add texts "$T/sentence"
is "texts alone are no model: status" "$status" 2
like "texts alone: what to do" "$T/err" 'scry model add NAME PICTURES --texts'
run model add pair "$T/sentence" --texts "$T/sentence"
like "texts where pictures belong" "$T/err" 'reads texts only'
run model add pair "$T/clip" --texts "$golden/metaclip"
like "a checkpoint with pictures of its own" "$T/err" 'has pictures of its own'
run model add pair "$golden/metaclip" --texts "$T/sentence"
is "vectors of other lengths: status" "$status" 2
like "vectors of other lengths" "$T/err" 'vectors of 30 numbers, .* of 21'
run model add pair "$T/clip" --texts "$T/nowhere"
is "a folder that is not there" "$status" 2
sed -i 's/"Pooling"/"Other"/; s/pooling.Pooling/pooling.WeightedLayerPooling/' "$T/sentence/modules.json"
run model add pair "$T/clip" --texts "$T/sentence"
is "an unknown module: status" "$status" 2
cp "$golden/sentence/modules.json" "$T/sentence"
sed -i 's/Identity/Tanh/' "$T/sentence/2_Dense/config.json"
run model add pair "$T/clip" --texts "$T/sentence"
like "an unknown activation" "$T/err" 'activation_function is .*Tanh'
cp "$golden/sentence/2_Dense/config.json" "$T/sentence/2_Dense"
rm "$T/sentence/2_Dense/model.safetensors"
: >"$T/sentence/2_Dense/pytorch_model.bin"
run model add pair "$T/clip" --texts "$T/sentence"
like "a pickle in a module" "$T/err" '2_Dense: pytorch_model.bin is a pickle'
is "nothing half-made is left" "$(ls -A "$models")" b32

# ---- a pair written by hand, relative to its folder ----
mkdir "$T/hand"
printf '{"model_type": "scry_pair", "pictures": "../clip", "texts": "../mclip"}' >"$T/hand/config.json"
cp -r "$golden/mclip" "$T/mclip"
run search --model "$T/hand" --collection photos --json "a white dog"
is "a folder with a pair is a model" "$status" 0
printf '{"model_type": "scry_pair", "pictures": "../clip"}' >"$T/hand/config.json"
run model info "$T/hand"
like "a pair without texts" "$T/err" '"texts" must name a folder'
printf '{"model_type": "scry_pair", "pictures": "../clip", "texts": "."}' >"$T/hand/config.json"
run model info "$T/hand"
is "a pair of itself" "$status" 2
done_testing
