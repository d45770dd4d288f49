#!/bin/sh
# Folders of models as they are published: what is taken out of them, and what is said of those that cannot be used.
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || { echo "1..0 # SKIP no python3"; exit 0; }
unset SCRY_MODEL
golden=$SCRY_TOP/tests/golden/models
models=$XDG_DATA_HOME/scry/models
tiny_model "$T/model"
printf 'a dog\nred car\n' >"$T/texts"

# The vectors of a folder, to compare with those of another that must be the same model.
vectors() { # FOLDER OUT
    run embed --texts "$T/texts" --out "$2" --model "$1"
}
vectors "$T/model" "$T/reference.npy"
same() { # NAME FOLDER
    rm -f "$T/these.npy"
    vectors "$2" "$T/these.npy"
    is "$1: status" "$status" 0
    ok "$1: the vectors are the same" cmp "$T/reference.npy" "$T/these.npy"
}
edit() { # FILE EXPRESSION, which changes j
    python3 -c 'import json, sys
j = json.load(open(sys.argv[1], encoding="utf-8"))
exec(sys.argv[2])
json.dump(j, open(sys.argv[1], "w", encoding="utf-8"))' "$@"
}

# ---- transformers 5 ----
cp -r "$T/model" "$T/v5"
python3 -c 'import json, sys
d = sys.argv[1]
pixels = json.load(open(d + "/preprocessor_config.json"))
json.dump({"image_processor": dict(pixels, image_processor_type="CLIPImageProcessorFast"), "processor_class": "CLIPProcessor"},
          open(d + "/processor_config.json", "w"))
json.dump({"model_max_length": 1000000000000000019884624838656, "tokenizer_class": "CLIPTokenizer"}, open(d + "/tokenizer_config.json", "w"))' "$T/v5"
rm "$T/v5/preprocessor_config.json"
same "processor_config.json alone, model_max_length of 1e30" "$T/v5"
cp "$T/model/preprocessor_config.json" "$T/v5"
edit "$T/v5/preprocessor_config.json" 'j["resample"] = 2'
same "an older preprocessor_config.json beside it does not count, as in AutoProcessor" "$T/v5"
rm "$T/v5/preprocessor_config.json"
mkdir "$T/v4"
cp "$T/v5"/* "$T/v4"
echo '{"processor_class": "CLIPProcessor"}' >"$T/v4/processor_config.json"
run model add v4 "$T/v4"
like "processor_config.json without pictures, and no other file" "$T/err" 'v4/preprocessor_config.json is missing'
cp "$T/model/preprocessor_config.json" "$T/v4"
same "processor_config.json without pictures, as transformers 4 writes it" "$T/v4"
edit "$T/v5/processor_config.json" 'j["image_processor"]["do_resize"] = False'
run model add v5 "$T/v5"
is "do_resize false: status" "$status" 2
like "do_resize false: file, key, value" "$T/err" 'v5/processor_config.json: do_resize is false'

cp -r "$T/model" "$T/unset"
edit "$T/unset/config.json" 'j["text_config"]["max_length"] = 10 ** 30'
same "a length of 10^30 beside the sizes" "$T/unset"
edit "$T/unset/config.json" 'j["text_config"]["vocab_size"] = 10 ** 30'
run model add unset "$T/unset"
like "a size of 10^30: its key" "$T/err" 'text_config.vocab_size must be a whole number from 1 to'

# ---- weights ----
cp -r "$T/model" "$T/shards"
python3 -c 'import json, struct, sys
d = sys.argv[1]
raw = open(d + "/model.safetensors", "rb").read()
n = struct.unpack("<Q", raw[:8])[0]
header, data, index = json.loads(raw[8:8 + n]), raw[8 + n:], {}
for part in (0, 1):
    out, body = {}, b""
    for i, (name, t) in enumerate(sorted(header.items())):
        if i % 2 == part:
            a, b = t["data_offsets"]
            shape = [1] if name == "logit_scale" else t["shape"]
            out[name] = dict(t, shape=shape, data_offsets=[len(body), len(body) + b - a])
            body += data[a:b]
            index[name] = "model-%05d-of-00002.safetensors" % (part + 1)
    text = json.dumps(out).encode()
    text += b" " * (-len(text) % 8)
    open(d + "/model-%05d-of-00002.safetensors" % (part + 1), "wb").write(struct.pack("<Q", len(text)) + text + body)
json.dump({"metadata": {}, "weight_map": index}, open(d + "/model.safetensors.index.json", "w"))' "$T/shards"
rm "$T/shards/model.safetensors"
same "two shards, logit_scale of shape [1]" "$T/shards"
rm "$T/shards/model-00002-of-00002.safetensors"
run model add shards "$T/shards"
is "a shard that is missing: status" "$status" 2
like "a shard that is missing: named" "$T/err" 'model-00002-of-00002.safetensors, which model.safetensors.index.json names, is not there: fetch it'
rm "$T/shards/model.safetensors.index.json"
run model add shards "$T/shards"
like "shards without their index" "$T/err" 'model-00001-of-00002.safetensors is a part .*model.safetensors.index.json, .* is missing: fetch it'

# ---- open_clip ----
cp -r "$golden/open_clip" "$T/flat"
run embed --texts "$T/texts" --out "$T/wrapped.npy" --model "$T/flat"
edit "$T/flat/open_clip_config.json" 'j = dict(j["model_cfg"], preprocess_cfg=j["preprocess_cfg"])'
run embed --texts "$T/texts" --out "$T/flat.npy" --model "$T/flat"
is "Apple's flat configuration: status" "$status" 0
ok "Apple's flat configuration: the same vectors" cmp "$T/wrapped.npy" "$T/flat.npy"
cp -r "$golden/open_clip" "$T/both"
cp "$T/both/open_clip_model.safetensors" "$T/both/model.safetensors"
for type in '' fashion; do
    echo '{"architectures": ["FashionCLIP"], "auto_map": {"AutoModel": "fashion.FashionCLIP"}, "model_type": "'$type'"}' >"$T/both/config.json"
    run embed --texts "$T/texts" --out "$T/both.npy" --model "$T/both"
    is "open_clip's files beside a class of the repository's own (\"$type\"): status" "$status" 0
    ok "open_clip's files beside a class of the repository's own (\"$type\"): these count" cmp "$T/wrapped.npy" "$T/both.npy"
done
edit "$T/flat/open_clip_config.json" 'j["text_cfg"]["hf_tokenizer_name"] = "xlm-roberta-base"'
run model add flat "$T/flat"
is "a tokenizer of its own that is not there: status" "$status" 2
like "a tokenizer of its own that is not there: CLIP's does not take its place" "$T/err" 'tokenizer.json is missing: the checkpoint reads texts with a tokenizer of its own'

# ---- large weights are read through once, but not kept in memory ----
cp -r "$T/model" "$T/large"
python3 -c 'import json, struct, sys
path, raw = sys.argv[1], open(sys.argv[1], "rb").read()
n = struct.unpack("<Q", raw[:8])[0]
header, data = json.loads(raw[8:8 + n]), raw[8 + n:]
end = max(t["data_offsets"][1] for t in header.values() if "data_offsets" in t)
for i in range(6):   # 384 MB of zeros that no tower reads, of a sparse file
    header["unused.%d" % i] = {"dtype": "F32", "shape": [1 << 24], "data_offsets": [end, end + (1 << 26)]}
    end += 1 << 26
text = json.dumps(header).encode()
text += b" " * (-len(text) % 8)
with open(path, "wb") as f:
    f.write(struct.pack("<Q", len(text)) + text + data)
    f.truncate(8 + len(text) + end)' "$T/large/model.safetensors"
python3 -c 'import resource, subprocess, sys
status = subprocess.run([sys.argv[1], "model", "add", "large", sys.argv[2]], capture_output=True).returncode
print(status, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)' "$scry" "$T/large" >"$T/peak"
read -r status peak <"$T/peak"
is "384 MB of weights are added: status" "$status" 0
ok "384 MB of weights are added: peak memory, $peak MB, is below 400" [ "$peak" -lt 400 ]
run model rm large

# ---- what is cached about a model goes with it ----
cp -r "$golden/siglip" "$T/siglip"
head -c 2000000 /dev/zero | tr '\0' ' ' >>"$T/siglip/tokenizer.json"   # the tables of small files are not cached
cached() { find "$XDG_CACHE_HOME/scry" -type f | wc -l; }
before=$(cached)
run model add tables "$T/siglip"
is "add: status" "$status" 0
is "add: digest and tables of the tokenizer are cached" "$(cached)" $((before + 2))
run model rm tables
is "rm: neither is any more" "$(cached)" "$before"

# ---- sentence-transformers ----
mkdir "$T/st"
cp -r "$T/model" "$T/st/0_CLIPModel"
echo '[{"idx": 0, "name": "0", "path": "0_CLIPModel", "type": "sentence_transformers.models.CLIPModel"}]' >"$T/st/modules.json"
same "the top folder of sentence-transformers" "$T/st"
run model add st "$T/st" --copy
is "add --copy of it: status" "$status" 0
same "add --copy of it" st
cp -r "$T/model" "$T/st5"
echo '[{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.base.modules.transformer.Transformer"}]' >"$T/st5/modules.json"
same "as sentence-transformers 5.4 writes it: Transformer alone" "$T/st5"
echo '{"prompts": {"query": "", "document": ""}, "default_prompt_name": null}' >"$T/st5/config_sentence_transformers.json"
same "prompts of which none is used" "$T/st5"
echo '{"prompts": {"query": "a photo of "}, "default_prompt_name": "query"}' >"$T/st5/config_sentence_transformers.json"
run model add st5 "$T/st5"
is "a prompt before each text: status" "$status" 2
like "a prompt before each text: named" "$T/err" 'default_prompt_name is "query", which puts words before each text'
for module in Dense Asym Router; do
    echo '[{"path": "0_CLIPModel", "type": "sentence_transformers.models.CLIPModel"}, {"path": "1", "type": "sentence_transformers.models.'$module'"}]' \
        >"$T/st/modules.json"
    run model add st5 "$T/st"
    is "$module after the model: status" "$status" 2
    like "$module after the model: it is not left out" "$T/err" "modules.json: the module $module is not supported"
done
sed -i 's/Router/Normalize/' "$T/st/modules.json"
same "Normalize changes no direction" "$T/st"
mv "$T/st/modules.json" "$T/modules.json"
run model add st2 "$T/st"
like "without modules.json: what to give" "$T/err" 'give its folder 0_CLIPModel'
echo '[{"path": "../model", "type": "sentence_transformers.models.CLIPModel"}]' >"$T/st/modules.json"
run model add st2 "$T/st"
like "a module elsewhere is refused" "$T/err" 'modules.json: the path "../model" .*must be the name of a folder in it'
echo '[{"path": "", "type": "sentence_transformers.models.Transformer"}, {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}]' >"$T/st/modules.json"
run model add st2 "$T/st"
like "a text model whose configuration is missing" "$T/err" 'cannot open .*/st/config.json'
cp -r "$golden/sentence" "$T/texts-only"
run model add st2 "$T/texts-only"
is "a text model: status" "$status" 2
like "a text model: what to do with it" "$T/err" 'reads texts only, .*: pair it .*scry model add NAME PICTURES --texts'

# ---- what cannot be used: one line with the reason, and nothing added ----
number=0
refused() { # WHAT PATTERN COMMAND-IN-A-COPY...
    number=$((number + 1))
    copy=$T/refused$number
    cp -r "$T/model" "$copy"
    what=$1 pattern=$2
    shift 2
    (cd "$copy" && "$@")
    run model add refused "$copy"
    is "$what: status" "$status" 2
    like "$what: said" "$T/err" "$pattern"
    is "$what: one line" "$(wc -l <"$T/err")" 1
    ok "$what: nothing is added" test -z "$(ls -A "$models" | grep refused)"
}
refused "an unknown option of a tower" 'config.json: vision_config.window_size is 7' edit config.json 'j["vision_config"]["window_size"] = 7'
refused "another family" 'models of type "blip" are not supported; .scry model list --catalogue. lists' edit config.json 'j["model_type"] = "blip"'
refused "a tower alone" 'model_type is "clip_vision_model": an image tower without its text tower' edit config.json 'j["model_type"] = "clip_vision_model"'
refused "ONNX beside config.json" 'only as ONNX, which scry does not read: give the folder of the same model as safetensors' \
    sh -c 'rm model.safetensors && mkdir onnx && touch onnx/model.onnx'
refused "ONNX alone" 'weights as ONNX are not read' sh -c 'rm * && touch vision.onnx'
refused "GGUF alone" 'weights as GGUF are not read' sh -c 'rm * && touch model-q4_0.gguf'
refused "a LoRA adapter" 'an adapter \(LoRA\)' sh -c 'rm * && touch adapter_config.json adapter_model.safetensors'
refused "an adapter beside config.json" 'adapter_model.safetensors is an adapter \(LoRA\)' mv model.safetensors adapter_model.safetensors
refused "an adapter beside the model" 'an adapter \(LoRA\) is beside the model' touch adapter_config.json adapter_model.safetensors
for method in awq bitsandbytes gptq fp8 torchao; do
    refused "quantised by $method" "quantization_config says that the weights are quantised \($method\).*as it was before; --precision int8" \
        edit config.json "j['quantization_config'] = {'quant_method': '$method', 'bits': 4}"
done
refused "quantised by MLX" 'quantization says that the weights are quantised \(by some program\)' edit config.json 'j["quantization"] = {"bits": 4}'
refused "pickles in parts" 'pytorch_model.bin in parts is a pickle, .*tools/convert-pickle.py' \
    sh -c 'rm model.safetensors && echo "{}" >pytorch_model.bin.index.json && touch pytorch_model-00001-of-00002.bin'
refused "the folder above" 'but its folder clip has one: give that' sh -c 'mkdir clip && mv *.* clip'
refused "a cache of many models" 'give one of its folders, such as models--org--clip, or .OWNER/NAME --from-cache' sh -c 'rm * && mkdir models--org--clip'
refused "a pipeline of diffusers" 'a pipeline of diffusers' sh -c 'rm * && touch model_index.json'
refused "a pickle" 'is a pickle, .*tools/convert-pickle.py' mv model.safetensors pytorch_model.bin
refused "a pickle of another name" 'checkpoint.pth is a pickle, .*fetch the repository.s model.safetensors' mv model.safetensors checkpoint.pth
refused "a pickle alone" 'ViT-B-32.pt is a pickle, .* and there is no configuration' sh -c 'rm * && touch ViT-B-32.pt'
refused "weights of another name" 'no model.safetensors in this folder, but model.fp16.safetensors' mv model.safetensors model.fp16.safetensors
refused "weights alone" 'model.safetensors is there, but not the config.json' sh -c 'rm *.json'
refused "Flax" 'only as Flax, which scry does not read' mv model.safetensors flax_model.msgpack
refused "Core ML alone" 'weights as Core ML are not read' sh -c 'rm * && mkdir image.mlpackage'
refused "a link to weights that were not copied" 'model.safetensors is a link to ../../blobs/9, which is not there: .*cp -rL' \
    ln -sf ../../blobs/9 model.safetensors
refused "a link to a configuration that was not copied" 'config.json is a link to ../../blobs/8, which is not there' ln -sf ../../blobs/8 config.json
refused "open_clip's configuration in another file" 'config.json: .*must be named open_clip_config.json' edit config.json 'j = {"model_cfg": {}}'
for file in model.safetensors config.json vocab.json; do
    refused "a pointer of Git LFS, $file" "/$file is a pointer of Git LFS .*git lfs pull" \
        sh -c 'printf "version https://git-lfs.github.com/spec/v1\noid sha256:%064d\nsize 605157884\n" 0 >"$1"' sh "$file"
done
refused "an empty folder" 'this folder has no checkpoint' sh -c 'rm *'
refused "an index of shards that is no JSON" 'model.safetensors.index.json' sh -c 'rm model.safetensors && echo { >model.safetensors.index.json'
for file in x.onnx x.gguf x.pt x.bin x.safetensors; do
    touch "$T/$file"
    run model add file "$T/$file"
    is "the file $file: status" "$status" 2
    case $file in
    *.onnx | *.gguf) why='weights as (ONNX|GGUF) are not read' ;;
    *.pt | *.bin) why='is a pickle, .*convert-pickle.py' ;;
    *) why='is a file: give the folder' ;;
    esac
    like "the file $file: why" "$T/err" "$file:? $why"
done
run model add file owner/name
like "a repository: how it is had" "$T/err" 'owner/name: no such folder; .*scry model pull owner/name.*--from-cache'
for address in https://huggingface.co/o/n https://huggingface.co/o/n/tree/main hf-hub:o/n hf://o/n; do
    run model pull "$address"
    is "pull $address: status" "$status" 2
    like "pull $address: the name within" "$T/err" 'give OWNER/NAME alone, .scry model pull o/n.$'
done
done_testing
