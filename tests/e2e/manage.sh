#!/bin/sh
# scry status, remove, verify, root; stores that cannot be written, other models, collections.
. "$(dirname "$0")/lib.sh"
tiny_model "$T/model"
tiny_model "$T/other" 2
P=$T/pics
pictures "$P/a" 5
pictures "$P/b" 5 5
ok "index" "$scry" index "$P"

run status
is "status: 0" $status 0
like "status: pictures" "$T/out" '^pictures +10 files'
run status --json
is "status --json" "$(json '(j["files"], j["dim"], j["roots"][0]["path"] == "'"$P"'")')" '(10, 16, True)'
run status --formats
like "status --formats" "$T/out" '^jpeg'

run search --model "$T/other" x
is "another model: 2" $status 2
like "another model: names both" "$T/err" 'model.*other|other.*model'
run index --model "$T/other" "$P"
is "indexing with another model: 2" $status 2
cp -r "$SCRY_MODEL" "$T/flipped"
run index --collection flipped --model "$T/flipped" "$P"
printf '\377' | dd of="$T/flipped/model.safetensors" bs=1 seek=$(($(stat -c %s "$T/flipped/model.safetensors") - 4)) conv=notrunc 2>"$T/err"
run search --collection flipped --model "$T/flipped" x
is "a model whose bytes changed: 2" $status 2
like "a model whose bytes changed: what to do" "$T/err" 'files of model .*flipped are not those .* restore them'
run index --collection flipped --model "$T/flipped" "$P"
is "a model whose bytes changed: no indexing" $status 2
like "a model whose bytes changed: the same reason" "$T/err" 'files of model .*flipped are not those .* restore them'
run index --collection second --model "$T/other" "$P"
is "another collection may have another model" $status 0
run search --collection second --model "$T/other" x
is "and is searched with it" $status 0
env -u SCRY_MODEL "$scry" search --collection second x >"$T/out" 2>"$T/err"
is "the collection's model is the default" $? 0
run search --collection none x
is "a collection that is not there: 2" $status 2

run remove "$P/b" --dry-run
is "remove --dry-run lists" "$(wc -l <"$T/out")" 5
is "and removes nothing" "$(stored)" 10
run remove "$P/b"
is "remove: 0" $status 0
is "five are left" "$(stored)" 5
run remove "$P/b"
is "nothing to remove: 1" $status 1
run remove
is "remove of nothing in particular: 2" $status 2
run verify
is "verify: 0" $status 0
run index "$P"
like "what was removed is embedded again" "$T/err" '^5 added, 0 updated, 5 unchanged, 0 skipped .*\(5 embedded'
is "ten again" "$(stored)" 10

# Roots.
run root
is "one root" "$(wc -l <"$T/out")" 1
mv "$P" "$T/elsewhere"
run root move "$P" "$T/elsewhere"
is "root move: 0" $status 0
run search --paths --limit 1 x
like "paths are the new ones" "$T/out" "^$T/elsewhere/"
run index "$T/elsewhere"
like "nothing to do after the move" "$T/err" '^0 added, 0 updated, 10 unchanged'
run root move "$P" "$T/elsewhere"
is "root move, again: 0" $status 0
like "and says that it is done" "$T/err" 'was moved to .*/elsewhere already: nothing to do'
run root move "$T/none" "$T/elsewhere"
is "a root that is not there: 2" $status 2
run index "$T"
is "a path that contains a root takes it in" $status 0
is "ten pictures are ten" "$(stored)" 10
run root
is "one root still" "$(wc -l <"$T/out")" 1

# Two writers. The first is held while it has the lock, so that the second meets it.
pictures "$T/many" 200 100
mkfifo "$T/list"
"$scry" index --jobs 1 --from-file "$T/list" >"$T/first.out" 2>"$T/first.err" </dev/null &
first=$!
exec 3>"$T/list"
printf '%s\n' "$T/many" >&3
for i in $(seq 300); do
    [ "$(stored)" -gt 10 ] && break
    sleep 0.05
done
run index "$T/elsewhere"
is "a second writer: 2" $status 2
like "a second writer is told of the first" "$T/err" "process $first is writing to the collection"
run search --paths --limit 1000 x
ok "a reader is not kept waiting" test "$(wc -l <"$T/out")" -gt 10
exec 3>&-
wait $first
is "the first writer is not disturbed" $? 0
is "and stores all" "$(stored)" 210
run verify
is "and the store is whole" $status 0

# A store that cannot be written is still searched.
if drop_root; then
    chmod -R a+rX,a-w "$SCRY_STORE"
    run_unprivileged search x
    is "a read-only store is searched" $status 0
    is "and finds" "$(wc -l <"$T/out")" 10
    run_unprivileged index "$T/many"
    is "but not written: 2" $status 2
    like "and says so" "$T/err" 'cannot write'
    chmod -R u+w "$SCRY_STORE"
fi
: >"$T/file"
run index --store "$T/file" "$T/elsewhere"
is "a store that is a file: 2" $status 2
run index --store /proc/nowhere "$T/elsewhere"
is "a store where none can be: 2" $status 2

# One wrong bit where nothing but a checksum can tell is found, and searches say so from then on.
cp -r "$SCRY_STORE" "$T/rotten"
segment=$(echo "$T"/rotten/collections/default/vectors-*.seg)
flip() {
    byte=$(od -An -tu1 -j 4097 -N 1 "$segment")
    printf "\\$(printf %o $((byte ^ 1)))" | dd of="$segment" bs=1 seek=4097 conv=notrunc 2>/dev/null
}
run verify --store "$T/rotten"
is "verify of a copied store: 0" $status 0
is "all of it was checked" "$(cat "$T/err")" ""
flip
run verify --store "$T/rotten"
is "verify after a bit was flipped: 2" $status 2
like "and names the place" "$T/out" 'vectors-[0-9]*.seg: bytes 4096 to [0-9]* have changed'
run search --store "$T/rotten" x
is "a search there" $status 0
like "says that it is damaged" "$T/err" 'the collection default of .*rotten is damaged, what it finds may be wrong: .*run scry verify'
flip
run verify --store "$T/rotten"
is "mended: verify is 0" $status 0
run search --store "$T/rotten" x
is "and a search says nothing" "$(cat "$T/err")" ""
sums=$SCRY_STORE/collections/default/sums
was=$(stat -c %i:%y "$sums")
run index "$T/many"
is "a run that changes nothing" $status 0
is "leaves the checksums" "$(stat -c %i:%y "$sums")" "$was"

# A damaged store says so.
cp -r "$SCRY_STORE" "$T/damaged"
find "$T/damaged" -type f -size +4k | while read -r f; do
    dd if=/dev/zero of="$f" bs=1 seek=100 count=2000 conv=notrunc 2>/dev/null
done
run verify --store "$T/damaged"
is "verify of a damaged store: 2" $status 2
run search --store "$T/damaged" x
is "a search in a damaged store: 2" $status 2
like "and what to do" "$T/err" 'is damaged .*restore it from a backup, or remove'
done_testing
