#!/bin/sh
# Pictures of up to 400 megapixels, within the memory that a decoder has by default: the usual, or more, for one at a time; and a
# file of more bytes than are copied.
. "$(dirname "$0")/lib.sh"
tiny_model "$T/model"
ok "large pictures are made" python3 "$E2E/make_large.py" "$T/pics"
run index --time-limit=900 "$T/pics"   # a busy machine takes minutes for one
like "all of them are read" "$T/err" '^12 added, 0 updated, 0 unchanged, 0 skipped'
for pair in grey:grey-large.png turned:turned-large.png mirrored:mirrored-large.png halves:memory-large.jpg halves:bytes-large.tif \
    halves:interlaced-large.png colour:colour-large.webp; do
    name=${pair#*:} small=$T/pics/${pair%:*}-small.png
    [ -f "$small" ] || small=${small%.png}.webp
    run search --json --image "$small" --in "$T/pics/$name"
    ok "$name: the same view as of the small picture" python3 -c 'import json, sys
score = json.load(open(sys.argv[1]))["results"][0]["score"]
sys.exit(0 if score > 0.999 else f"score {score}")' "$T/out"
done
if [ -z "$SCRY_TEST_UNCONFINED" ]; then   # sanitizers have no limits of memory
    run index --time-limit=900 --store "$T/limited" --decoder-memory=1024 "$T/pics/memory-large.jpg"
    is "with a limit of the user's no decoder has more" "$status" 1
    like "... which is said" "$T/err" 'needs more than 1024 MiB of memory'
fi
run index --time-limit=900 --retry "$T/pics/turned-large.png"
run search --json --in "$T/pics/turned-large.png" x
is "the size is that of the whole picture, upright" "$(json '(j["results"][0]["width"], j["results"][0]["height"])')" '(7500, 10000)'
done_testing
