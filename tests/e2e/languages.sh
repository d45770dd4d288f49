#!/bin/sh
# A model whose texts begin with the code of their language: told by --language, or guessed.
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || { echo "1..0 # SKIP no python3"; exit 0; }
unset SCRY_MODEL
golden=$SCRY_TOP/tests/golden/models

# Three words of the golden model become languages; the texts begin with English.
cp -r "$golden/open_clip_nllb" "$T/nllb"
python3 - "$T/nllb/tokenizer.json" <<'EOF'
import json, sys
j = json.load(open(sys.argv[1]))
start = j["post_processor"]["special_tokens"]
for i, code in ((36, "eng_Latn"), (37, "deu_Latn"), (38, "zho_Hant")):
    j["model"]["vocab"][i][0] = code
    j["added_tokens"].append(dict(j["added_tokens"][0], id=i, content=code))
start["eng_Latn"] = {"id": "eng_Latn", "ids": [36], "tokens": ["eng_Latn"]}
j["post_processor"]["single"][0]["SpecialToken"]["id"] = "eng_Latn"
json.dump(j, open(sys.argv[1], "w"))
EOF

vectors() { # TEXT [OPTION...]
    echo "$1" >"$T/line"
    shift
    run embed --texts "$T/line" --out "$T/v.npy" --model "$T/nllb" "$@"
    sha256sum <"$T/v.npy"
}
english=$(vectors 'a dog on the beach' --language eng_Latn)
german=$(vectors 'a dog on the beach' --language deu_Latn)
ok "the language changes the vector" test "$english" != "$german"
is "three letters are enough" "$(vectors 'a dog on the beach' --language deu)" "$german"
is "guessed: English" "$(vectors 'a dog on the beach')" "$english"
is "auto is the default" "$(vectors 'a dog on the beach' --language auto)" "$english"
guessed=$(vectors 'ein Hund und der Strand')
is "guessed: German" "$guessed" "$(vectors 'ein Hund und der Strand' --language deu)"
ok "... which is not English" test "$guessed" != "$(vectors 'ein Hund und der Strand' --language eng)"

run embed --texts "$T/line" --out "$T/v.npy" --model "$T/nllb" --language tlh_Piqd
is "a language that it does not know: status" "$status" 2
like "... named" "$T/err" 'does not know the language "tlh_Piqd"'
run embed --texts "$T/line" --out "$T/v.npy" --model "$golden/clip" --language deu_Latn
is "a model that is not told languages: status" "$status" 2
like "... said" "$T/err" 'is not told the language of a text'
run embed --texts "$T/line" --out "$T/v.npy" --model "$golden/clip" --language auto
is "auto works with every model" "$status" 0

# Searches, evaluation, the server.
mkdir "$T/pics"
cp "$SCRY_TOP/tests/pictures/rgb.png" "$SCRY_TOP/tests/pictures/photo.jpg" "$T/pics"
run index --model "$T/nllb" "$T/pics"
is "index: status" "$status" 0
run search --json --language deu_Latn a dog
first=$(json '[r["score"] for r in j["results"]]')
run search --json a dog
ok "search: scores depend on it" test "$first" != "$(json '[r["score"] for r in j["results"]]')"
printf 'file\tcaption\nrgb.png\ta dog\nphoto.jpg\tein Hund\n' >"$T/captions.tsv"
run eval --captions "$T/captions.tsv" --pictures "$T/pics" --model "$T/nllb" --language deu --tsv
is "eval: status" "$status" 0
"$scry" serve --listen 127.0.0.1:0 --language nosuch >"$T/out" 2>"$T/err"
is "serve: a language that it does not know: status" $? 2
like "... named" "$T/err" 'does not know the language "nosuch"'
printf '{"legacy_behaviour": true, "pad_token": "<pad>"}' >"$T/nllb/tokenizer_config.json"
run model info "$T/nllb"
like "the language behind the text is refused" "$T/err" 'legacy_behaviour true'
printf '{"src_lang": "deu_Latn", "pad_token": "<pad>"}' >"$T/nllb/tokenizer_config.json"
run model info "$T/nllb"
is "src_lang: status" "$status" 0
printf '{"src_lang": "und_Zyyy", "pad_token": "<pad>"}' >"$T/nllb/tokenizer_config.json"
run model info "$T/nllb"
like "a src_lang that it does not have is refused" "$T/err" 'src_lang "und_Zyyy" is not among the special tokens'
done_testing
