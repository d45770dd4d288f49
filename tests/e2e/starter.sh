#!/bin/sh
# starter.sh - the real starter: synonyms, unknown words, files of another model.
. "$(dirname "$0")/lib.sh"
unset SCRY_MODEL
starter=$SCRY_TOP/models/starter

# ---- synonyms and inflections ----
printf '%s\n' dog dogs 'a dog' puppy собака 'a skyscraper' 'a bowl of soup' 'a cat' >"$T/texts"
run embed --texts "$T/texts" --out "$T/v.npy"
is "texts: status" "$status" 0
python3 - "$T/v.npy" >"$T/out" <<'END'
import struct, sys
raw = open(sys.argv[1], "rb").read()
n = struct.unpack("<H", raw[8:10])[0]
shape = eval(raw[10:10 + n].decode())["shape"]
v = struct.unpack("<%df" % (shape[0] * shape[1]), raw[10 + n:])
v = [v[i * shape[1]:(i + 1) * shape[1]] for i in range(shape[0])]
cos = lambda a, b: sum(x * y for x, y in zip(v[a], v[b]))
near, far = min(cos(0, i) for i in (1, 2, 3, 4)), max(cos(0, i) for i in (5, 6))
print("near %.3f far %.3f cat %.3f" % (near, far, cos(0, 7)))
print("close" if near > far + 0.2 and near > cos(0, 7) else "apart")
END
like "dog: dogs, a dog, puppy and собака are nearer than what is none" "$T/out" '^close'

# ---- words that no picture has: a misspelled one, not one of another language that is nearly the same ----
mkdir -p "$T/named"
for name in gross petro castel valley grace label receipt wedding password; do
    cp "$SCRY_TOP/demo/gallery/animals/cat.jpg" "$T/named/$name.jpg"
done
run index --collection named "$T/named"
for query in grass perro perros castle 'a volley' glace Gabel; do
    run search --collection named --json --limit 1 $query
    is "a word, whatever is near: $query" "$(json 'j.get("did_you_mean")')" None
done
for pair in reciept/receipt weding/wedding pasword/password; do
    run search --collection named --json --limit 1 ${pair%/*}
    is "a misspelled one: ${pair%/*}" "$(json 'j["did_you_mean"]["meant"]')" ${pair#*/}
done

# ---- a ranking and a threshold for every query ----
mkdir "$T/photos"
for picture in animals/two-dogs.jpg animals/cat.jpg animals/giraffe.jpg animals/goldfish.jpg; do
    cp "$SCRY_TOP/demo/gallery/$picture" "$T/photos"
done
run index "$T/photos"
is "index: status" "$status" 0
for query in cat 'ᚠᚢᚦᚨᚱᚲ ᛊᛟ' 'xqzzt vrrmpf' '🜁🜂' 'a cat - a dog'; do
    # shellcheck disable=SC2086 # operators are arguments of their own
    run search --json --limit 4 $query
    is "$query: status" "$status" 0
    is "$query: a ranking and a line" "$(json '[len(j["results"]), -1 <= j["min_score"] <= 1, all(-1 <= r["score"] <= 1 for r in j["results"])]')" "[4, True, True]"
done
run search --json --by look --limit 4 a goldfish
is "a goldfish: each result in its group" "$(json '[r["group"] for r in j["results"]] == [("best" if r["score"] >= j["best_score"] else "maybe" if r["score"] >= j["min_score"] or (r["rank"] <= 3 and j["results"][0]["score"] < j["best_score"]) else "far") for r in j["results"]]')" True
run search --json --limit 4 a goldfish
is "a goldfish: its name says so" "$(json '[(r["found_by"], r["group"], r["found_in"]) for r in j["results"]][0]')" "('both', 'best', ['name'])"
ok "a goldfish: not far" test "$(json 'j["results"][0]["group"]')" != far
run search --json --limit 1 a goldfish
line=$(json 'j["min_score"]')
is "a goldfish: above its line" "$(json 'j["results"][0]["path"].endswith("/goldfish.jpg") and j["results"][0]["score"] > j["min_score"]')" True
run search --json --limit 1 a giraffe + a cat
ok "another query has another line" test "$line" != "$(json 'j["min_score"]')"
run search --min-score auto --json a giraffe
is "auto: the giraffe and nothing else" "$(json '[r["path"].rsplit("/", 1)[1] for r in j["results"]]')" "['giraffe.jpg']"
run search --min-score auto a submarine
is "auto: no submarine here" "$status" 1
run search --json a zebra
is "a zebra: none is a best result, so the nearest three may be one" "$(json '[r["group"] for r in j["results"]]')" "['maybe', 'maybe', 'maybe', 'far']"
run search --json --offset 1 a zebra
is "a zebra: the same groups on the second page" "$(json '[r["group"] for r in j["results"]]')" "['maybe', 'maybe', 'far']"
run search --json --by look --limit 1 a giraffe
is "a giraffe: best by its look" "$(json '[(r["name"], r["group"]) for r in j["results"]]')" "[('giraffe.jpg', 'best')]"
best=$(json 'j["best_score"]')
run search --json --by look --limit 1 --offset 2 a giraffe
is "a giraffe: the same border on another page" "$(json 'j["best_score"]')" "$best"
run search --limit 4 a zebra
is "a zebra: the headings of the table" "$(grep -e '^----' "$T/out" | tr '\n' ,)" '---- maybe ----,---- further away ----,'

# ---- words that are none ----
for query in закат 'a dog on the beach' 'Straße mit Bäumen' ребёнок 日落 x-ray 'IMG 2024' '“two” – №5 → 100 €…'; do
    run search --json --limit 1 "$query"
    is "$query: known" "$(json 'j["unknown_words"]')" '[]'
done
run search --json --limit 1 'asdfghjkl закат' + 'xqzzt vrrmpf'
is "gibberish: named, in every part" "$(json 'j["unknown_words"]')" "['asdfghjkl', 'xqzzt', 'vrrmpf']"
run search --json --limit 1 'ᚠᚢᚦᚨᚱᚲ ᛊᛟ'
is "another script: named, short words too" "$(json 'j["unknown_words"]')" "['ᚠᚢᚦᚨᚱᚲ', 'ᛊᛟ']"
run search --json --limit 1 '개 สุนัข 犬龘 dog🐕 ❤️'
is "scripts, characters and emoji without a piece: named" "$(json 'j["unknown_words"]')" "['개', 'สุนัข', '龘', '🐕']"
run search --limit 1 фывапролдж
like "a table: said on stderr" "$T/err" '^scry: words that the model does not know: фывапролдж$'
is "a table: a result all the same" "$(grep -c '/photos/' "$T/out")" 1

# ---- the name of a place that is not shown, and a query about a look ----
mkdir "$T/places"
cp "$SCRY_TOP"/demo/gallery/things/*.jpg "$T/places"
cp "$SCRY_TOP/demo/gallery/places/sunset.jpg" "$T/places/1.jpg"
cp "$SCRY_TOP/demo/gallery/animals/goldfish.jpg" "$T/places/2.jpg"
echo '{"photoTakenTime": {"timestamp": "1400000000"}, "geoData": {"latitude": 40.6455, "longitude": -74.0124, "altitude": 0.0}}' >"$T/places/2.jpg.json"
run index --collection places "$T/places"
run search --collection places --limit 2 --json sunset
is "a sunset is before a goldfish of Sunset Park" "$(json '[(r["name"], r["found_in"]) for r in j["results"]]')" "[('1.jpg', []), ('2.jpg', ['place'])]"
run search --collection places --limit 1 --json new york
is "... which is the first one of New York, as it is shown" "$(json '[(r["name"], r["place"]) for r in j["results"]]')" "[('2.jpg', 'New York City, United States')]"
cp "$SCRY_TOP/demo/gallery/animals/swans.jpg" "$T/places/3.jpg"
cp "$SCRY_TOP/demo/gallery/food/milk.jpg" "$T/places/4.jpg"
echo '{"photoTakenTime": {"timestamp": "1400000000"}, "geoData": {"latitude": 53.4139, "longitude": -2.9147, "altitude": 0.0}}' >"$T/places/4.jpg.json"
run index --collection places "$T/places"
run search --collection places --limit 4 --json swan
is "swans are found, and no milk of Old Swan in Liverpool" "$(json '(j["results"][0]["name"], [r["name"] for r in j["results"] if r["found_in"]])')" "('3.jpg', [])"
run search --collection places --limit 4 --by words --json swan
is "... but where words are asked for" "$(json '[(r["name"], r["found_in"]) for r in j["results"]]')" "[('4.jpg', ['place'])]"
run search --collection places --limit 1 --json old swan
is "... and where the place is named" "$(json '[(r["name"], r["found_in"]) for r in j["results"]]')" "[('4.jpg', ['place'])]"
cp -r "$SCRY_TOP/demo/gallery" "$T/rome"
for f in "$T"/rome/food/*.jpg; do
    echo '{"photoTakenTime": {"timestamp": "1400000000"}, "geoData": {"latitude": 41.9028, "longitude": 12.4964, "altitude": 0.0}}' >"$f.json"
done
run index --collection rome "$T/rome"
run search --collection rome --limit 100 --json rome
is "pictures of a place that is named come before those that only look a little like it" \
    "$(json '"".join("p" if r["found_in"] else "-" for r in j["results"] if r["found_in"] or r["group"] != "best").rstrip("-")')" pppppppppppppp

# ---- files of another model ----
mkdir -p "$T/app/models"
cp "$SCRY_BUILD/scry" "$SCRY_BUILD/libscry.so.0" "$SCRY_BUILD/scry-decode" "$T/app"
cp -r "$starter" "$T/app/models/starter"
bad() { # FILE: the error names it and what restores it
    "$T/app/scry" search --min-score auto cat >"$T/out" 2>"$T/err"
    is "$1: status" $? 2
    like "$1: named" "$T/err" "${2-$1}"
    like "$1: what restores it" "$T/err" 'git checkout -- models/starter'
    cp "$starter/$1" "$T/app/models/starter/$1"
}
for file in model.safetensors tokenizer.json preprocessor_config.json; do
    rm "$T/app/models/starter/$file"
    bad "$file"
done
for file in config.json model.safetensors tokenizer.json preprocessor_config.json line.safetensors text_map.safetensors; do
    head -c 400 "$starter/$file" >"$T/app/models/starter/$file"
    bad "$file"
done
cp "$SCRY_TOP/tests/golden/tokenizers/unigram/tokenizer.json" "$T/app/models/starter/tokenizer.json"
bad tokenizer.json 'tokenizer.json. has [0-9]+ ids'
cp "$SCRY_TOP/tests/golden/line/line.safetensors" "$T/app/models/starter/line.safetensors"
bad line.safetensors
"$T/app/scry" search cat >"$T/out" 2>"$T/err"
is "and with its own files it finds again" $? 0
done_testing
