#!/bin/sh
# scry watch: what is written, moved and removed below its folders is in the index a little later; overflow, a folder that
# goes and comes back, --once.
. "$(dirname "$0")/lib.sh"
tiny_model "$T/model"
P=$T/pics
pictures "$T/new" 40
mkdir -p "$P/a" "$P/deep/er"
cp "$T/new/p000.png" "$P/a"

watch() { # ARGUMENT...
    "$scry" watch --settle 0.3 "$@" >"$T/watch.out" 2>"$T/watch.err" &
    watcher=$!
}
end_watch() {
    kill -TERM $watcher
    wait $watcher
    status=$?
}
# The number of files in the index becomes this.
becomes() { soon "$1" "$2" stored; } # NAME COUNT
paths() { "$scry" list --paths 2>/dev/null; }

watch --prune "$P"
becomes "what is there at the start" 1
cp "$T/new/p001.png" "$P/a"
becomes "a new file" 2
cp "$T/new/p002.png" "$P/deep/er"
becomes "one in a folder below" 3
mkdir -p "$P/made/now/below"
cp "$T/new/p003.png" "$P/made/now/below"
becomes "one in a folder that was made with it" 4
mv "$T/new/p004.png" "$P/moved.png"
becomes "one that was moved there" 5
mv "$P/deep" "$P/renamed"
cp "$T/new/p005.png" "$P/renamed/er"
becomes "a folder was renamed, and is still watched" 6
for _ in $(seq 300); do
    paths | grep -q "$P/renamed/er/p002.png" && ! paths | grep -q "$P/deep/" && break
    sleep 0.1
done
is "its pictures have their new paths" "$(paths | grep -c "$P/renamed/er/") $(paths | grep -c "$P/deep/")" "2 0"
rm "$P/moved.png"
becomes "--prune: one that was removed" 5
rm -r "$P/made"
becomes "a folder that was removed" 4
head -c 300 "$T/new/p006.png" >"$P/part.png"
sleep 1
cat "$T/new/p006.png" >"$P/part.png"
becomes "a file that was incomplete at first" 5

# More than the kernel keeps: it says so, and all is looked through.
queue=$(cat /proc/sys/fs/inotify/max_queued_events 2>/dev/null || echo 16384)
if [ "$queue" -le 100000 ]; then
    mkdir "$P/busy"
    sleep 1
    kill -STOP $watcher
    (cd "$P/busy" && seq $((queue / 2 + 100)) | xargs touch && mkdir -p "$P/lost/in" && cp "$T/new/p007.png" "$P/lost/in")
    kill -CONT $watcher
    becomes "after an overflow" 6
    cp "$T/new/p008.png" "$P/lost/in"
    becomes "a folder whose making was lost is watched" 7
else
    echo "# the kernel keeps $queue events: no overflow is tried"
    cp "$T/new/p007.png" "$T/new/p008.png" "$P/a"
    becomes "two more" 7
fi

# The folder goes, as a disk does, and comes back.
mv "$P" "$T/away"
for _ in $(seq 300); do
    grep -q 'is not there: waiting for it' "$T/watch.err" && break
    sleep 0.1
done
like "a folder that is gone is waited for" "$T/watch.err" "$P is not there: waiting for it"
mkdir "$P"
sleep 2
is "an empty folder in its place removes nothing" "$(stored)" 7
rmdir "$P"
mv "$T/away" "$P"
cp "$T/new/p009.png" "$P/renamed/er"
becomes "it is back" 8
end_watch
is "SIGTERM: 0" $status 0
is "nothing on standard output" "$(cat "$T/watch.out")" ''
cp "$T/new/p010.png" "$P/a"

# Without paths: the folders of the collection. A store below one is no picture folder.
watch --exclude '*11*'
becomes "the folders of the collection" 9
cp "$T/new/p011.png" "$T/new/p012.png" "$P/a"
becomes "options of scry index" 10
is "were respected" "$(paths | grep -c p011)" 0
end_watch
rm "$P/a/p012.png"
run watch --once
is "--once: 0" $status 0
is "everything" "$(paths | grep -c p011)" 1
like "as scry index says it" "$T/err" '1 added'
is "without --prune nothing is forgotten" "$(stored)" 11
run watch --once "$T/nowhere"
is "--once, a folder that is not there: 1" $status 1
run watch --settle soon "$P"
is "a wrong number: 2" $status 2
run watch "$P/a/p011.png"
is "a file: 2" "$status $(cat "$T/err")" "2 scry: cannot watch $P/a/p011.png: it is no folder"
run watch https://example.org/photos
is "an address: 2" $status 2
watch "$T/picz" "$T/later"   # $T/pics is there
soon "a folder that is not there from the beginning is named, with what it may have been meant to be" \
    "scry: $T/picz is not there: waiting for it; did you mean $P? scry: $T/later is not there: waiting for it" sh -c "echo \$(cat '$T/watch.err')"
mkdir "$T/later"
cp "$T/new/p013.png" "$T/later"
becomes "one that comes later is watched" 12
end_watch
SCRY_STORE=$T/none run watch
is "no store, no paths: 2" $status 2
mkdir "$T/mixed"
cp "$T/new/p020.png" "$T/mixed"
SCRY_STORE=$T/mixed/store
export SCRY_STORE
watch "$T/mixed"
becomes "a store within the folder" 1
for _ in $(seq 20); do
    before=$(grep -c added "$T/watch.err")
    sleep 3
    runs=$(grep -c added "$T/watch.err")
    [ "$runs" = "$before" ] && break
done
is "does not make it run again and again" "$runs" "$before"
cp "$T/new/p021.png" "$T/mixed"
becomes "and pictures beside it are seen" 2
end_watch

# The words in pictures are read when nothing is to be indexed.
mkdir "$T/words"
cp "$E2E/words/receipt.png" "$T/words"
SCRY_STORE=$T/words-store
words_become() { # NAME COUNT
    for _ in $(seq 600); do
        run status --json
        [ "$(json "j['words_read']")" = "$2" ] && break
        sleep 0.1
    done
    is "$1" "$(json "j['words_read']")" "$2"
}
watch --words yes "$T/words"
words_become "words" 1
cp "$E2E/words/sign.png" "$T/words"
words_become "... of a new picture" 2
end_watch
is "SIGTERM while words may be read: 0" $status 0
run search --paths --by words pharmacy
is "... are found" "$(sed 's,.*/,,' "$T/out")" receipt.png
cp "$E2E/words/wifi.jpg" "$T/words"
run watch --once --words no "$T/words"
is "--once --words no" "$status $(run status --json; json "j['words_unread']")" '0 1'
run watch --words only "$T/words"
is "--words only: 2" $status 2
done_testing
