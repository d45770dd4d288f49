#!/bin/sh
# teach.sh - scry model teach and forget: names bound to pictures, and that nothing else changes.
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null && command -v curl >/dev/null || { echo "1..0 # SKIP no python3, no curl"; exit 0; }
unset SCRY_MODEL
animals=$SCRY_TOP/demo/gallery/animals
names=$XDG_DATA_HOME/scry/names
mkdir "$T/photos"
cp "$animals"/*.jpg "$T/photos"
run index "$T/photos"
is "index: status" "$status" 0
printf '%s\n' 'a dog' 'Zqxvrex' 'on the beach' 'Zqxvrexes on the beach' "собака" >"$T/plain"
run embed --texts "$T/plain" --out "$T/plain.npy"
is "texts: status" "$status" 0
run model info starter --json
identity=$(json 'j["identity"]')
before=$(json 'j["text_identity"]')

# ---- what is refused ----
refused() { # TITLE PATTERN ARGUMENT...
    title=$1 pattern=$2
    shift 2
    run model teach "$@"
    is "$title: status" "$status" 2
    like "$title: said" "$T/err" "$pattern"
}
refused "two pictures" 'with 3 to 20 pictures, not 2' starter Rex "@$animals/cat.jpg" "@$animals/crab.jpg"
refused "no name" 'the name is missing.*teach MODEL NAME' Zqxvrex "@$animals/cat.jpg" "@$animals/crab.jpg" "@$animals/bee.jpg"
refused "three that are one" 'only 1 of these 3 pictures are different' starter Rex "@$animals/cat.jpg" "@$T/photos/cat.jpg" "@$animals/cat.jpg"
refused "a text" 'taught by pictures' starter Rex cat "@$animals/cat.jpg" "@$animals/crab.jpg"
refused "a missing file" 'missing.jpg: cannot be read' starter Rex "@$T/missing.jpg" "@$animals/cat.jpg" "@$animals/crab.jpg"
for bad in '' ' Rex' 'Rex!' "$(printf 'a\tb')" "$(printf '%070d' 0)" "$(printf 'R\377x')"; do
    refused "the name '$(printf %s "$bad" | tr -cd 'A-Za-z!')'" 'cannot be a name' starter "$bad" "@$animals/cat.jpg" "@$animals/crab.jpg" \
        "@$animals/bee.jpg"
done
ok "nothing was written" test ! -e "$names/$identity.json"

# ---- a name ----
run model teach starter Zqxvrex "@$animals/cat.jpg" "@$animals/kitten.jpg#0,0,300,300" "@$animals/cheetah.jpg"
is "teach: status" "$status" 0
run search --json zqxVREX
is "search: status" "$status" 0
is "search: its pictures come first" "$(json 'sorted(r["name"] for r in j["results"][:3])')" "['cat.jpg', 'cheetah.jpg', 'kitten.jpg']"
is "search: it is a known word" "$(json 'j["unknown_words"]')" '[]'
run model info starter --json
is "info: the name and its pictures" "$(json '[(t["name"], t["pictures"]) for t in j["taught"]]')" "[('Zqxvrex', 3)]"
is "info: the pictures' identity is as before" "$(json 'j["identity"]')" "$identity"
is "info: that of texts is not" "$(json 'j["text_identity"] == "'"$before"'"')" False
run model info starter
like "info: the same as text" "$T/out" '^taught +Zqxvrex, by 3 pictures'
refused "a taken name" 'is taken.*forget' starter ZQXVREX "@$animals/cat.jpg" "@$animals/crab.jpg" "@$animals/bee.jpg"
id=$(run search --json --limit 1 a crab && json 'j["results"][0]["id"]')
run model teach starter '小明' "@id:$id" "@$animals/clownfish.jpg" "@$animals/goldfish.jpg" "@$animals/dolphin.jpg"
is "teach with a stored picture: status" "$status" 0

# ---- the vectors: as names.h has them, all others to the bit as they were ----
run embed --texts "$T/plain" --out "$T/after.npy"
printf '%s\n' 'zqxvrex on the beach' "Zqxvrex's on the   beach" 'on the beach' 'Zqxvrex!' '小明在海滩' '在海滩' 'a Zqxvrex and 小明' 'a and' >"$T/named"
run embed --texts "$T/named" --out "$T/named.npy"
printf '%s\n' "$animals/cat.jpg" "$animals/cheetah.jpg" >"$T/list"
run embed --images "$T/list" --out "$T/pictures.npy"
python3 - "$T" "$names/$identity.json" "$SCRY_TOP/models/starter/line.safetensors" >"$T/out" <<'END'
import base64, json, math, struct, sys
T, names, line = sys.argv[1:]
def npy(name):
    raw = open(T + "/" + name, "rb").read()
    n = struct.unpack("<H", raw[8:10])[0]
    rows, dim = eval(raw[10:10 + n].decode())["shape"]
    v = struct.unpack("<%df" % (rows * dim), raw[10 + n:])
    return [v[i * dim:(i + 1) * dim] for i in range(rows)]
def unit(v):
    n = math.sqrt(sum(x * x for x in v))
    return [x / n for x in v]
dot = lambda a, b: sum(x * y for x, y in zip(a, b))
same = lambda a, b: "same" if max(abs(x - y) for x, y in zip(a, b)) < 2e-6 else "other"
plus = lambda a, b: [x + y for x, y in zip(a, b)]
direction = {}
for entry in json.load(open(names))["names"]:
    raw = base64.b64decode(entry["direction"])
    direction[entry["name"]] = struct.unpack("<%df" % (len(raw) // 4), raw)
before, after, named = npy("plain.npy"), npy("after.npy"), npy("named.npy")
for i in 0, 2, 3, 4:
    print("text", i, "unchanged" if before[i] == after[i] else "changed")
rex, ming = direction["Zqxvrex"], direction["小明"]
print("in a sentence", same(named[0], unit(plus(named[2], rex))))
print("genitive", same(named[1], named[0]))
print("alone", same(named[3], unit(rex)), same(after[1], unit(rex)))
print("without spaces", same(named[4], unit(plus(named[5], ming))))
print("two names", same(named[6], unit(plus(plus(named[7], rex), ming))))
# The direction: away from the mean of the model's own sample, towards the pictures.
raw = open(line, "rb").read()
n = struct.unpack("<Q", raw[:8])[0]
head, data = json.loads(raw[8:8 + n]), raw[8 + n:]
part = lambda name: data[slice(*head[name]["data_offsets"])]
rows, dim = head["pictures"]["shape"]
scales, values = struct.unpack("<%df" % rows, part("pictures.scale")), struct.unpack("%db" % (rows * dim), part("pictures"))
mean = [sum(scales[r] * values[r * dim + d] for r in range(rows)) / rows for d in range(dim)]
for i, picture in enumerate(npy("pictures.npy")):
    print("picture", i, "near" if dot(unit([a - b for a, b in zip(picture, mean)]), unit(rex)) > 0.5 else "far")
print("length", "right" if 0.05 < math.sqrt(dot(rex, rex)) < 2 else math.sqrt(dot(rex, rex)))
END
cat >"$T/wanted" <<'END'
text 0 unchanged
text 2 unchanged
text 3 unchanged
text 4 unchanged
in a sentence same
genitive same
alone same same
without spaces same
two names same
picture 0 near
picture 1 near
length right
END
is "vectors" "$(cat "$T/out")" "$(cat "$T/wanted")"

# ---- a word that texts have anyway ----
run model teach starter Bicycle "@$animals/cat.jpg" "@$animals/crab.jpg" "@$animals/bee.jpg"
is "an everyday word: status" "$status" 0
like "an everyday word: said" "$T/err" '"Bicycle" is an everyday word.*model forget'
run model teach starter 'Old Bicycle' "@$animals/cat.jpg" "@$animals/crab.jpg" "@$animals/bee.jpg"
unlike "two words of such: nothing is said" "$T/err" 'everyday'
run model forget starter bicycle
run model forget starter 'OLD BICYCLE'
is "forget a name of two words: status" "$status" 0

# ---- another model: it needs a collection ----
tiny_model "$T/tiny"
run model add tiny "$T/tiny"
three="@$animals/cat.jpg @$animals/crab.jpg @$animals/bee.jpg"
# shellcheck disable=SC2086 # pictures are arguments of their own
{
    refused "no sample" 'first index at least 20 pictures' tiny Rex $three
    refused "a collection of another model" 'made with another model' tiny Rex $three --collection default
    mkdir "$T/few"
    cp "$T/photos"/c*.jpg "$T/few"
    run index --model tiny --collection few "$T/few"
    refused "a small collection" 'first index at least 20 pictures' tiny Rex $three --collection few
    run index --model tiny --collection tiny "$T/photos"
    run model teach tiny Rex $three --collection tiny
}
is "with a collection: status" "$status" 0
run search --model tiny --collection tiny --json --limit 1 Rex
is "and it is searched as before" "$status" 0
run model info starter --json
is "each model has its own names" "$(json '[t["name"] for t in j["taught"]]')" "['Zqxvrex', '小明']"

# ---- a running server knows a name that is taught, and forgets it ----
. "$SCRY_TOP/tests/server/lib/serve.sh"
first_of() { get -G --data-urlencode 'q=Qvyzto' --data-urlencode limit=1 "$url/api/v1/search"; json 'j["results"][0]["name"], j["unknown_words"]'; }
ok "serve: starts" start
first_of >"$T/unknown"
like "serve: an unknown word" "$T/unknown" "\\['qvyzto'\\]"
run model teach starter Qvyzto "@$animals/crab.jpg" "@$animals/crab.jpg#0,0,300,300" "@$animals/crab.jpg#300,50,300,300"
is "serve: taught meanwhile" "$status" 0
soon "serve: the name is known" "('crab.jpg', [])" first_of
echo '{' >"$names/$identity.json.new" && cp -p "$names/$identity.json" "$T/kept.json" && mv "$names/$identity.json.new" "$names/$identity.json"
said() { grep -c 'taught names stay as they were' "$T/serve.err"; }
soon "serve: a damaged file is said" 1 said
is "serve: and the name stays" "$(first_of)" "('crab.jpg', [])"
mv "$T/kept.json" "$names/$identity.json"
run model forget starter Qvyzto
is "serve: forgotten meanwhile" "$status" 0
soon "serve: the name is unknown again" "$(cat "$T/unknown")" first_of
is "serve: the damage was said once" "$(said)" 1
stop

# ---- forget, damage ----
run model forget starter '小明'
is "forget: status" "$status" 0
run model forget starter '小明'
is "forget twice: status" "$status" 2
like "forget twice: said" "$T/err" 'has no name'
run model forget starter zqxvrex
run embed --texts "$T/plain" --out "$T/again.npy"
ok "without names all is as it was" cmp "$T/plain.npy" "$T/again.npy"
run model info starter --json
is "its identity, too" "$(json 'j["text_identity"]')" "$before"
for text in '' '{' '[]' '{"version": 2, "dim": 640, "names": []}' '{"version": 1, "dim": 3, "names": []}' \
    '{"version": 1, "dim": 640, "names": [{"name": "Rex", "direction": "AAAA"}]}'; do
    printf %s "$text" >"$names/$identity.json"
    run search a dog
    is "a damaged file ($text): status" "$status" 2
    like "a damaged file ($text): said" "$T/err" "names/$identity.json"
done
rm "$names/$identity.json"
run search a dog
is "without the file: status" "$status" 0
done_testing
