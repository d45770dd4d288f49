#!/bin/sh
# Decompression bombs and false headers: each fails its own picture alone, reported with the reason,
# and memory stays under the limit.
. "$(dirname "$0")/lib.sh"
tiny_model "$T/model"
P=$T/pics
python3 "$E2E/make_bombs.py" "$P" "$SCRY_TOP/tests/pictures/photo.jpg" "$SCRY_TOP/tests/pictures/progressive.jpg"
mkdir "$T/slow"
mv "$P/hang.jpg" "$T/slow"
mkfifo "$P/fifo.jpg"
ln -s "$P" "$P/loop"
cp "$P/good.jpg" "$P/unreadable.jpg"
printf 'tail' >>"$P/unreadable.jpg"
chmod 000 "$P/unreadable.jpg"

# The decoders of this test are told from others by a memory limit that nobody else has.
mib=$((400 + $$ % 89))
decoders() { grep -lE -- "[-]-memory=$((mib << 20))" /proc/[0-9]*/cmdline 2>/dev/null; }

export SCRY_TEST_DECODER_FAULTS=1
limit="--decoder-memory=$mib --time-limit=60"
run index $limit "$P"
is "the run goes on and ends with 1" $status 1
for line in \
    'huge-60000\.png: 60000 x 60000 pixels are more than the limit of 500 million' \
    'huge\.gif: 65535 x 65535 pixels are more than the limit' \
    'huge\.jpg: 65500 x 65500 pixels are more than the limit' \
    'huge\.tif: .+' \
    'lie\.png: truncated PNG: [0-9]+ bytes cannot hold 20000 x 20000 pixels' \
    'lie\.jpg: truncated JPEG: [0-9]+ bytes cannot hold 20000 x 20000 pixels' \
    'lie-progressive\.jpg: truncated JPEG: [0-9]+ bytes cannot hold 20000 x 20000 pixels' \
    'scans\.jpg: a JPEG of more than 500 scans' \
    'text\.jpg: not a picture of a known format' \
    'cut\.jpg: truncated JPEG' \
    'crash\.jpg: the decoder crashed \(signal 4\)'
do
    like "skipped: $line" "$T/err" "$line"
done
like "skipped: out of memory" "$T/err" 'memory\.jpg: the decoder crashed \(signal 6\)'
for name in good.jpg exif-loop.jpg large-but-fine.png text-bomb.png profile-bomb.png many-texts.png; do
    unlike "read: $name" "$T/err" "/$name: "
done
if drop_root; then
    mkdir -m 777 "$T/open"
    run_unprivileged index $limit --store "$T/open/store" "$P/unreadable.jpg"
    like "skipped: no permission" "$T/err" 'unreadable\.jpg: cannot be read: Permission denied'
fi
is "no decoder is left behind" "$(decoders)" ''
run index $limit "$P"
like "what is remembered is not tried again" "$T/err" '^0 added, 0 updated, [67] unchanged'
run status --skipped
like "and stays listed" "$T/out" 'crash\.jpg: the decoder crashed'
run index --time-limit=2 "$T/slow"
like "skipped: a decoder that hangs" "$T/err" 'hang\.jpg: took longer than 2 s'

# A decoder that cannot start is not the pictures' fault: an error, nothing is remembered, and nothing is written.
mkdir "$T/fine"
cp "$P/good.jpg" "$T/fine"
echo "$P/good.jpg" >"$T/list"
printf 'file,caption\n%s,a dog\n' "$P/good.jpg" >"$T/captions.csv"
run index --store "$T/broken" "$T/fine"
is "an index run of one picture: 0" $status 0
run search --store "$T/broken" --json dog
id=$(json 'j["results"][0]["id"]')
cp "$P/exif-loop.jpg" "$T/fine"
for program in /bin/false "$T/none" /bin/cat; do
    SCRY_DECODER=$program
    export SCRY_DECODER
    name=$(basename "$program")
    run index --store "$T/broken" "$T/fine"
    is "$name as the decoder: index: 2" $status 2
    like "$name: and says why" "$T/err" "the picture decoder $program does not start|cannot start the picture decoder $program"
    run embed --images "$T/list" --out "$T/x.npy"
    is "$name: embed: 2" $status 2
    run classify --labels a,b "$P/good.jpg"
    is "$name: classify: 2" $status 2
    run search --store "$T/broken" "@$P/good.jpg"
    is "$name: search for a picture: 2" $status 2
    run search --store "$T/broken" "--html=$T/x.html" dog
    is "$name: search --html: 2" $status 2
    in_terminal xterm sh -c '"$@"; echo "status $?"' sh "$scry" search --store "$T/broken" --thumbs dog
    like "$name: search --thumbs: 2" "$T/screen" "^status 2"
    like "$name: and says why" "$T/screen" "the picture decoder $program"
    run eval --captions "$T/captions.csv"
    is "$name: eval: 2" $status 2
    run serve --store "$T/broken" --listen 127.0.0.1:0
    is "$name: serve: 2" $status 2
    like "$name: and says why" "$T/err" "the picture decoder $program"
    echo '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_image","arguments":{"id":"'"$id"'"}}}' >"$T/in"
    timeout 900 "$scry" mcp --store "$T/broken" <"$T/in" >"$T/out" 2>"$T/err"
    like "$name: mcp: an error" "$T/out" "the picture decoder $program.*\"isError\":true"
    is "$name: nothing is written" "$(ls "$T"/x.* 2>/dev/null)" ''
    unset SCRY_DECODER
done
run index --store "$T/broken" "$T/fine"
like "with the decoder again, the picture is added" "$T/err" '^1 added, 0 updated, 1 unchanged'

# A decoder does not outlive scry, even while it is busy.
"$scry" index --store "$T/other" --decoder-memory=$mib "$T/slow" >"$T/out" 2>"$T/err" </dev/null &
for i in $(seq 100); do
    [ -z "$(decoders)" ] || break
    sleep 0.1
done
ok "a decoder is at work" test -n "$(decoders)"
kill -9 $!
wait $! 2>/dev/null
for i in $(seq 100); do
    [ -n "$(decoders)" ] || break
    sleep 0.1
done
is "kill -9 of scry ends it" "$(decoders)" ''

if [ -z "$SCRY_TEST_UNCONFINED" ]; then
    rm -rf "$SCRY_STORE"
    peak=$(python3 - "$scry" "$P" <<'END'
import resource, subprocess, sys
subprocess.run([sys.argv[1], "index", "--decoder-memory=400", "--time-limit=3", sys.argv[2]],
               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10)
END
)
    ok "no process of the run passes 400 MiB ($peak)" test "$peak" -lt 400
fi
done_testing
