#!/bin/sh
# demo.sh BUILD - index demo/gallery into a store below build/demo and search it four times.
# Plain text, no terminal needed; running it again gives the same.
set -eu
cd "$(dirname "$0")/.."
scry=$1/scry
store=build/demo
unset SCRY_STORE SCRY_MODEL SCRY_PRECISION

step() {
    printf '\n$ scry'
    for word in "$@"; do
        case $word in
        *[\ \'\"\*\$\;\&\#]*) printf " '%s'" "$word" ;;
        *) printf ' %s' "$word" ;;
        esac
    done
    printf '\n'
    "$scry" "$@" --store "$store" 2>&1
}

rm -rf "$store"
mkdir -p build
echo "The gallery: $(find demo/gallery -type f ! -name '*.tsv' ! -name '*.md' | wc -l) photographs (demo/gallery/SOURCES.tsv says whose)"
step index demo/gallery
printf '\nBy look alone: the names of these files, which say what they show, are left out.\n'
step search --by look --limit 3 a castle by the water
step search --by look --limit 3 sunset
step search --by look --limit 3 закат
step search --by look --limit 3 a fish - blue + orange
cat <<END

Now with your own pictures:
  ./scry index ~/Pictures
  ./scry search two children on a swing
  ./scry serve                    the same in a browser, at http://127.0.0.1:8080
  ./scry model list               stronger models than the bundled one
  make test                       build and run the tests
END
