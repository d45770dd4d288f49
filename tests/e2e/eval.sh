#!/bin/sh
# scry eval and scry classify: figures equal to a plain computation over the vectors of scry embed.
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || { echo "1..0 # SKIP no python3"; exit 0; }
tiny_model "$T/model"
tiny_model "$T/model2" 2
pictures "$T/img" 24
(cd "$T" && find img -type f | sort >list)
n=$(wc -l <"$T/list")

# ---- captions: two texts a picture ----
python3 - "$T" <<'PY'
import sys
t = sys.argv[1]
words = "red green blue dark light round square small large old new far near".split()
paths = open(t + "/list").read().split("\n")[:-1]
with open(t + "/captions.tsv", "w") as f, open(t + "/texts", "w") as g:
    f.write("split\tfile\tcaption\n")
    for i, p in enumerate(paths):
        for k in (3, 5):
            text = f"a {words[i % 13]} thing, {words[i * k % 13]} and {words[(i + k) % 13]}"
            f.write(f"dev\t{p[4:]}\t{text}\n")
            g.write(text + "\n")
    f.write("train\tnone.png\tnot this one\n")
with open(t + "/labels.csv", "w") as f:
    f.write("id,path,label\r\n")
    for i, p in enumerate(paths):
        f.write(f'{i},{p},"{["cat, tabby", "dog", "horse"][i % 3]}"\r\n')
PY
sed "s,^,$T/," "$T/list" >"$T/paths"
run embed --images "$T/paths" --out "$T/pictures.npy" --jobs 3
is "embed --images: status" "$status" 0
run embed --texts "$T/texts" --out "$T/texts.npy"
run embed --images "$T/paths" --out "$T/one.npy" --jobs 1
ok "embed: the number of workers changes nothing" cmp "$T/pictures.npy" "$T/one.npy"
run eval --captions "$T/captions.tsv" --where split=dev --picture-to-text --json
is "eval: status" "$status" 0
is "eval: pictures and captions" "$(json '(j["models"][0]["pictures"], j["models"][0]["texts"])')" "($n, $((2 * n)))"
owners=$(python3 -c "print(*(i // 2 for i in range(2 * $n)))")
# shellcheck disable=SC2086
is "eval: equal to a plain computation" \
    "$(python3 "$E2E/check_eval.py" "$T/out" "$T/pictures.npy" "$T/texts.npy" $owners)" equal
is "eval: intervals hold the value" "$(json 'all(f["low"] <= f["value"] <= f["high"] for f in j["models"][0]["figures"].values() if "low" in f)')" True
run eval --captions "$T/captions.tsv" --where split=dev --model "$T/model" --model "$T/model2"
like "eval: side by side" "$T/out" '^ +model +model2'
like "eval: table" "$T/out" '^R@10 +[0-9.]+ \([0-9.]+-[0-9.]+\) +[0-9.]+ \('
# ---- before and after ----
run eval --captions "$T/captions.tsv" --where split=dev --compare "$T/model" "$T/model2"
is "eval --compare: status" "$status" 0
like "eval --compare: table" "$T/out" '^ +model +model2 +change$'
like "eval --compare: figures" "$T/out" '^R@10 +.*\) +[+-][0-9.]+'
run eval --captions "$T/captions.tsv" --where split=dev --compare "$T/model" "$T/model2" --json
is "eval --compare: the change is what lies between both" "$(json 'len(j["change"]) > 3 and all(abs(j["models"][1]["figures"][k]["value"] - j["models"][0]["figures"][k]["value"] - v) < 1e-6 for k, v in j["change"].items())')" True
run eval --captions "$T/captions.tsv" --where split=dev --compare "$T/model" "$T/model"
unlike "eval --compare: a model is no better than itself" "$T/out" '  [+-][0-9.]*[1-9]'
run eval --captions "$T/captions.tsv" --compare "$T/model"
is "eval --compare: of one model: status" "$status" 2
run eval --captions "$T/captions.tsv" --compare --model "$T/model" "$T/model" "$T/model2"
is "eval --compare: and --model: status" "$status" 2

# ---- collections: the same figures from stored vectors ----
run eval --captions "$T/captions.tsv" --where split=dev --model "$T/model" --model "$T/model2" --json
cp "$T/out" "$T/embedded.json"
SCRY_MODEL='' run index --model "$T/model" --collection one "$T/img"
SCRY_MODEL='' run index --model "$T/model2" --collection two "$T/img"
run eval --captions "$T/captions.tsv" --where split=dev --collection one --collection two --json
is "eval --collection: status" "$status" 0
is "eval --collection: names" "$(json '[m["model"] for m in j["models"]]')" "['one', 'two']"
is "eval --collection: the figures of the models, up to the rounding of stored vectors" "$(python3 -c 'import json, sys
a, b = (json.load(open(f))["models"] for f in sys.argv[1:])
same = lambda x, y: all(abs(x["figures"][k]["value"] - y["figures"][k]["value"]) < 0.05 for k in x["figures"] if "recall" in k or "map" in k)
print([same(x, y) and x["identity"] == y["identity"] for x, y in zip(a, b)])' "$T/embedded.json" "$T/out")" "[True, True]"
cp -r "$T/img" "$T/kept"
for f in "$T"/img/*; do echo no picture >"$f"; done
run eval --captions "$T/captions.tsv" --where split=dev --collection one --tsv
is "eval --collection: the pictures themselves are not read" "$(tail -n 1 "$T/out" | cut -f 2-5)" "16	$n	$((2 * n))	0"
rm -r "$T/img"
mv "$T/kept" "$T/img"
run remove --collection two "$T/img/$(sed -n 1p "$T/list" | cut -c 5-)"
run eval --captions "$T/captions.tsv" --where split=dev --collection two --json
is "eval --collection: a picture that it lacks: status" "$status" 1
is "eval --collection: a picture that it lacks is left out" "$(json '(j["models"][0]["pictures"], j["models"][0]["skipped"])')" "($((n - 1)), 1)"
like "eval --collection: and named" "$T/err" 'not in the collection'
run eval --captions "$T/captions.tsv" --where split=dev --collection nosuch
is "eval --collection: none of that name: status" "$status" 2
run eval --captions "$T/captions.tsv" --collection one --no-normalize
is "eval --collection --no-normalize: refused" "$status" 2
run eval --captions "$T/captions.tsv" --where split=dev --tsv --project 8 --limit 10
is "eval: --tsv, --project, --limit" "$(tail -n 1 "$T/out" | cut -f 2-4)" "8	10	20"
run eval --captions "$T/captions.tsv" --where split=dev --no-normalize --json
is "eval --no-normalize: said" "$(json '(j["normalized"], j["models"][0]["texts"])')" "(False, $((2 * n)))"
run eval --captions "$T/captions.tsv"
is "eval: a picture that is missing: status" "$status" 1
like "eval: and it is named" "$T/err" 'skipped: .*none.png'

printf 'file\tcaption\n%s\t%s\n' "$(basename "$(head -n 1 "$T/list")")" "$(printf 'picture %.0s' $(seq 300))" >"$T/img/long.tsv"
run eval --captions "$T/img/long.tsv"
like "eval: texts that are cut are counted" "$T/err" 'truncated: 1$'

# ---- labels ----
run eval --labels "$T/labels.csv" --json
is "eval --labels: status" "$status" 0
is "eval --labels: three classes" "$(json 'j["models"][0]["texts"]')" 3
is "eval --labels: top-5 of three is all" "$(json 'j["models"][0]["figures"]["top_5"]["value"]')" 1
top=$(json 'round(j["models"][0]["figures"]["top_1"]["value"] * j["models"][0]["pictures"])')
# shellcheck disable=SC2046
run classify --labels-file "$T/one.labels" --json $(cat "$T/paths")
is "classify: no labels file" "$status" 2
printf 'cat, tabby\ndog\nhorse\n' >"$T/labels.txt"
# shellcheck disable=SC2046
run classify --labels-file "$T/labels.txt" --json $(cat "$T/paths")
is "classify: status" "$status" 0
is "classify: as many right as eval says" "$(python3 - "$T/out" <<'PY'
import json, sys
rows = [json.loads(l) for l in open(sys.argv[1])]
names = ["cat, tabby", "dog", "horse"]
print(sum(r["labels"][0]["label"] == names[i % 3] for i, r in enumerate(rows)))
PY
)" "$top"
is "classify: probabilities add up to 1" "$(python3 -c 'import json, sys
print(all(abs(sum(l["probability"] for l in json.loads(x)["labels"]) - 1) < 1e-4 for x in open(sys.argv[1])))' "$T/out")" True
first=$(head -n 1 "$T/paths")
run classify -l "cat,dog , horse" --top 2 "$first"
like "classify: one line a picture" "$T/out" ': (cat|dog|horse) [0-9.]+%, (cat|dog|horse) [0-9.]+%$'
run classify -l cat,dog --template "a drawing of a {}" --template "{}" "$first"
is "classify: several templates" "$status" 0
run classify -l cat,dog --template "no place" "$first"
is "classify: a template without a place: status" "$status" 2
long=$(printf 'picture %.0s' $(seq 300))
run classify -l "cat,$long" --json "$first"
is "classify: a label that is cut is told" "$status $(json 'j["text_cut"]')" "0 True"
like "classify: also in words" "$T/err" 'truncated: 1$'
run classify -l cat,dog --json "$first"
is "classify: others are not" "$status $(json 'j["text_cut"]')" "0 False"
run classify -l "cat,$(head -c 70000 /dev/zero | tr '\0' a)" "$first"
is "classify: a label that is too long: 2" $status 2
run classify -l cat "$first"
is "classify: one label is no choice" "$status" 2
run classify -l cat,dog "$T/texts" "$first"
is "classify: no picture: status" "$status" 1
like "classify: the other one is answered" "$T/out" "$first: "

# ---- mistakes ----
run eval
is "eval without a table: status" "$status" 2
run eval --captions "$T/texts"
is "eval: no columns: status" "$status" 2
run eval --captions "$T/captions.tsv" --where split=dev --project 1000
like "eval: --project beyond the dimensions" "$T/err" 'only 16 dimensions'
done_testing
