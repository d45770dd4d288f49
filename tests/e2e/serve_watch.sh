#!/bin/sh
# scry serve --watch: what changes in the folders of the collection is indexed and served, also in folders that are added later; the
# watch ends with the server, however that ends.
. "$(dirname "$0")/lib.sh"
. "$SCRY_TOP/tests/server/lib/serve.sh"
command -v curl >/dev/null || { echo "1..0 # SKIP no curl"; exit 0; }
tiny_model "$T/model"
P=$T/pics
pictures "$T/new" 6
mkdir -p "$P" "$T/more"
cp "$T/new/p000.png" "$P"
ok "index" "$scry" index --quiet "$P"
served() {
    get "$url/api/v1/images?unique=0&sort=name"
    json 'j["total"]'
}
becomes() { soon "$1" "$2" served; } # NAME COUNT
watcher_of() { # PID: its child that watches
    for p in /proc/[0-9]*; do
        if [ "$(sed -n 's/^PPid:\t//p' "$p/status" 2>/dev/null)" = "$1" ] && tr '\0' ' ' <"$p/cmdline" 2>/dev/null | grep -q '^scry watch'; then
            echo "${p#/proc/}"
        fi
    done
}
gone() { # PID
    for _ in $(seq 300); do
        [ -d "/proc/$1" ] && ! grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null || return 0
        sleep 0.1
    done
    return 1
}
ok "starts" start --watch
cp "$T/new/p001.png" "$P"
becomes "a new picture" 2
ok "another folder is added" "$scry" index --quiet "$T/more" "$P"
cp "$T/new/p002.png" "$T/more"
ok "and has a picture" "$scry" index --quiet "$T/more"
becomes "which is served" 3
sleep 1
cp "$T/new/p003.png" "$T/more"
becomes "and is watched" 4
watcher=$(watcher_of $server)
ok "one process watches" test -n "$watcher"
stop
is "stops" $status 0
ok "and the watch with it" gone "$watcher"
cp "$T/new/p004.png" "$P"
ok "starts again" start --watch
becomes "what came meanwhile" 5
watcher=$(watcher_of $server)
kill -KILL $server
wait $server
ok "the watch of a server that was killed ends" gone "$watcher"
done_testing
