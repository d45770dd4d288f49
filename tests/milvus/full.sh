#!/bin/bash
# A real milvus 2.3.5 whose disk is full: a copy into it ends with an error in time, what was acknowledged is there when there is room
# again, and the same command continues.
[ -n "$SCRY_TEST_MOUNTS" ] || [ -z "$SCRY_TEST_NETNS" ] || exec env SCRY_TEST_MOUNTS=1 unshare -m "$0" "$@"
cd "$(dirname "$0")/../.." || exit 1
. tests/milvus/lib.sh
trap 'servers_stop; umount "$T/disk" 2>/dev/null; chmod -R u+rwx "$T"; rm -rf "$T"' EXIT
ROWS=30000
tiny_model "$T/model"
P=$T/pics
pictures "$P" 8
mkdir "$T/disk"
mount -t tmpfs -o size=700m none "$T/disk" || { echo "1..0 # SKIP no file system of its own"; exit 0; }
ok "the server starts on a disk of its own" milvus_start "$T/disk/milvus" common.session.ttl=20
run index "$P"
run index --store $M "$P"
like "eight are added" "$T/err" '^8 added'
ok "$ROWS more rows, here" "$SCRY_BUILD/bench/milvus_rows" "$SCRY_STORE" default "$P" $ROWS
cat /dev/zero >"$T/disk/zeros" 2>/dev/null
ok "its disk is full: $(df --output=avail "$T/disk" | tail -n 1) KiB left" test "$(df --output=avail "$T/disk" | tail -n 1)" -lt 16
"$scry" store copy --progress "$SCRY_STORE" $M >"$T/out" 2>"$T/err" </dev/null &
copying=$!
while kill -0 "$MILVUS_PID" 2>/dev/null && kill -0 $copying 2>/dev/null; do sleep 0.2; done
kill -TERM $copying # it would wait three minutes for the server, which has ended
before=$(date +%s)
wait $copying
status=$?
took=$(($(date +%s) - before))
tail -n 3 "$T/err" | sed 's/^/# /'
ok "the copy ends as an error, or stopped: $status" test $status -ne 0
ok "... in time: $took s" test $took -lt 60
like "... that names the server" "$T/err" '127.0.0.1:19530'
rm "$T/disk/zeros"
milvus_kill
ok "with room again, it is started" milvus_start "$T/disk/milvus"
run store copy "$SCRY_STORE" $M
is "the same command continues" $status 0
is "every row once" "$(compare count default)" $((8 + ROWS))
run verify --against $M
is "and as in the embedded store" $status 0
milvus_stop
done_testing
