#!/bin/sh
# Bombs and lies: what a picture claims or does costs this picture, named with the reason,
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
    'scans\.jpg: a JPEG of more than 500 scans' \
    'text\.jpg: not a picture of a known format' \
    'cut\.jpg: truncated JPEG' \
    'crash\.jpg: the decoder crashed \(signal 4\)'
do
    like "skipped: $line" "$T/err" "$line"
done
like "skipped: out of memory" "$T/err" 'memory\.jpg: the decoder crashed \(signal 6\)'
for name in good.jpg exif-loop.jpg large-but-fine.png text-bomb.png; do
    unlike "read: $name" "$T/err" "/$name: "
done
if drop_root; then
    mkdir -m 777 "$T/open"
    run_unprivileged index $limit --store "$T/open/store" "$P/unreadable.jpg"
    like "skipped: no permission" "$T/err" 'unreadable\.jpg: cannot be read: Permission denied'
fi
is "no decoder is left behind" "$(decoders)" ''
run index $limit "$P"
like "what is remembered is not tried again" "$T/err" '^0 added, 0 updated, [45] unchanged'
run status --skipped
like "and stays listed" "$T/out" 'crash\.jpg: the decoder crashed'
run index --time-limit=2 "$T/slow"
like "skipped: a decoder that hangs" "$T/err" 'hang\.jpg: took longer than 2 s'

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
