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
run eval --captions "$T/captions.tsv" --where split=dev --tsv --project 8 --limit 10
is "eval: --tsv, --project, --limit" "$(tail -n 1 "$T/out" | cut -f 2-4)" "8	10	20"
run eval --captions "$T/captions.tsv" --where split=dev --no-normalize --json
is "eval --no-normalize: said" "$(json '(j["normalized"], j["models"][0]["texts"])')" "(False, $((2 * n)))"
run eval --captions "$T/captions.tsv"
is "eval: a picture that is missing: status" "$status" 1
like "eval: and it is named" "$T/err" 'skipped: .*none.png'

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
