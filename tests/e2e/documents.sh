#!/bin/sh
# Every command of the documents and of --help runs as it is written, each from the same beginning: a home with Pictures, a store, models
# and tables of the names that they use. What needs another machine, the network or a person, or does not end, is parsed: its options
# and values exist. docs/http-api.md has a test of its own (tests/server/docs.sh).
. "$(dirname "$0")/lib.sh"
command -v bash >/dev/null && command -v jq >/dev/null || { echo "1..0 # SKIP no bash and jq"; exit 0; }
case $SCRY_BUILD in
*/asan) echo "1..0 # SKIP under the sanitizers: what these commands do has tests of its own, which run"; exit 0 ;;
esac
unset SCRY_MODEL SCRY_STORE
R=$T/run
export HOME=$R/home XDG_DATA_HOME=$R/home/.local/share XDG_CONFIG_HOME=$R/home/.config XDG_CACHE_HOME=$T/cache TMPDIR=$R/tmp
mkdir -p "$R/tmp" "$R/bin" "$R/here/flickr8k" "$R/here/colours/img" "$R/mnt/photos" "$R/srv/nas" "$HOME/Pictures/2024" "$HOME/Pictures/old" "$HOME/checkpoints" \
    "$HOME/models" "$HOME/.zfunc" "$HOME/.config/fish/completions"
printf '#!/bin/sh\nexit 0\n' >"$R/bin/xdg-open"
printf '#!/bin/sh\nexec "%s" "$@"\n' "$scry" >"$R/bin/scry"
chmod +x "$R/bin/xdg-open" "$R/bin/scry"
PATH=$R/bin:$PATH

# ---- the beginning ----
gallery=$SCRY_TOP/demo/gallery
cp "$gallery"/animals/[a-h]*.jpg "$HOME/Pictures"
cp "$gallery/animals/cat.jpg" "$HOME/Pictures/2024/IMG_0042.jpg"
cp "$gallery/animals/cat.jpg" "$HOME/Pictures/old"
cp "$gallery/animals/two-dogs.jpg" "$R/mnt/photos"
for n in 42 43 44; do
    cp "$gallery/animals/horse.jpg" "$R/here/IMG_00$n.jpg"
    printf '%4000s' ' ' | head -c $((n * 10)) >>"$R/here/IMG_00$n.jpg"
done
cp "$gallery/animals/two-dogs.jpg" "$R/here/photo.jpg"
cp "$gallery/animals/heron.jpg" "$R/here/bird.jpg"
cp "$gallery/animals/panda.jpg" "$R/here/rex1.jpg"
cp "$gallery/animals/red-panda.jpg" "$R/here/rex2.jpg"
cp "$gallery/animals/polar-bear.jpg" "$R/here/rex3.jpg"
cp "$SCRY_TOP/tests/pictures/grey.png" "$R/here/p12.png"
printf 'heron\nhorse\n' >"$R/here/species.txt"
python3 "$E2E/make_colours.py" "$R/here/colours"
find "$R/here/colours/img" -name '[3-9]?.png' -delete
(cd "$R/here" || exit
    sed -n '1s/.*/file\tlabel/; 1,25p' colours/labels.tsv | sed '2,$s#^#colours/img/#' >products.tsv
    sed '1s/.*/file\tcaption\tsplit/; 2,$s/$/\tdev/' products.tsv >captions.tsv
    sed 's#colours#../colours#' captions.tsv >flickr8k/captions.tsv
    tr '\t' ',' <products.tsv >photos.csv
    { echo file,caption; ls "$HOME"/Pictures/*.jpg | sed 's/\(.*\/\(.*\)\.jpg\)/\1,a \2/'; } >mine.csv)
tiny_model "$HOME/checkpoints/clip-vit-base-patch32"
cp -r "$SCRY_TOP/tests/golden/models/clip" "$HOME/models/products"
for name in clip clip-b32 laion-b32 openai-b32 mine; do
    ok "a model $name" scry model add $name "$HOME/checkpoints/clip-vit-base-patch32"
done
ok "a model products" scry model add products "$HOME/models/products"
cd "$R/here" || exit 1
touch stamp
touch -d '1 hour ago' stamp
ok "pictures" scry index --quiet "$HOME/Pictures" "$R/here"
for name in siglip2 trial holidays; do
    ok "a collection $name" scry index --quiet --model clip --collection $name "$HOME/Pictures"
done
ok "a name" scry model teach starter Rex @rex1.jpg @rex2.jpg @rex3.jpg
ok "a saved search" scry saved add 'Snow, Nikon' snow
ok "another" scry saved add 'Best of this year' --min-rating 4 --after 'this year'
cp -r "$R/mnt/photos" "$R/srv/nas/photos"
cd "$T" || exit 1
cp -a "$R" "$T/base"

# ---- the commands ----
markdown=$(ls "$SCRY_TOP"/docs/*.md "$SCRY_TOP/README.md")
python3 "$E2E/documents.py" blocks $markdown >"$T/commands"
for name in $("$scry" --help | sed -n 's/^  \([a-z]*\)  *[A-Z].*/\1/p'); do
    "$scry" "$name" --help | python3 "$E2E/documents.py" help "$name"
done >>"$T/commands"
is "there are commands" "$([ "$(wc -l <"$T/commands")" -gt 80 ] && echo many)" many

# Another machine, the network, a person, no end; a text tower of another kind (tests/e2e/model_pairs.sh), tables or weights that
# are not here, names of roots (tests/milvus/machines.sh), and words in pictures (tests/e2e/read_words.sh).
parsed='milvus://|https://|^scry (serve|watch|mcp|model pull)|search -i$|--from-cache|--texts|many-languages|--milvus|--root-name|root move|^scry (text|tune)'
nothing='^nothing found|^0 groups|^scry: no picture (passes|has the words)|^0 copied|^0 (pictures|files)|^scry: SCRY_TEST_UNCONFINED is set'
tab=$(printf '\t')
while IFS=$tab read -r where line; do
    rm -rf "$R"
    cp -a "$T/base" "$R"
    cd "$R/here" || exit 1
    if printf '%s\n' "$line" | grep -Eq -e "$parsed"; then
        bash -c "set -o noglob; ${line%%|*} --help" >"$T/out" 2>"$T/err" </dev/null
        e=$? how=parsed
    else
        case $line in   # what is there already
        'scry model add '*) set -- $line && scry model rm "$4" >"$T/out" 2>&1 ;;
        'scry model teach '*) scry model forget starter Rex >"$T/out" 2>&1 ;;
        esac
        printf '%s\n' "$line" | sed "s# /\(mnt\|srv\|tmp\)/# $R/\1/#g" >"$T/line"
        timeout 900 bash -o pipefail "$T/line" >"$T/out" 2>"$T/err" </dev/null
        e=$? how=run
    fi
    [ $e = 1 ] && ! grep -Ev -e "$nothing" "$T/err" >"$T/unexpected" && e=0
    report $e "$where, $how: $(printf '%s' "$line" | tr '#' ' ')"
    [ $e = 0 ] || head -n 5 "$T/err" | note
done <"$T/commands"

# What stands in the text: its options exist; a placeholder in capitals stands for a value that fits.
cd "$T/base/here" || exit 1
python3 "$E2E/documents.py" spans $markdown | sort -u >"$T/spans"
while IFS=$tab read -r where line; do
    printf '%s\n' "$line" | sed -E 's/\b(N|NUMBER|COUNT)\b/1/g; s/ \.\.\.$//; s/ \|.*//' >"$T/line"
    for value in '' 1; do   # the last option may be named without its value
        bash -c "set -o noglob; $(cat "$T/line") $value --help" >"$T/out" 2>"$T/err" </dev/null
        e=$?
        [ $e = 0 ] && grep -q '^Usage' "$T/out" && break
        e=2
    done
    report $e "$where, in the text: $(printf '%s' "$line" | tr '#' ' ')"
    [ $e = 0 ] || head -n 3 "$T/err" | note
done <"$T/spans"
done_testing
