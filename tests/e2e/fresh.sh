#!/bin/sh
# scry serve and scry mcp show what is there now: files that were replaced, collections that were dropped or replaced.
. "$(dirname "$0")/lib.sh"
. "$SCRY_TOP/tests/server/lib/serve.sh"
command -v curl >/dev/null || { echo "1..0 # SKIP no curl"; exit 0; }
tiny_model "$T/model"
P=$T/pics
pictures "$P" 8

colour() { # FILE R G B: a picture of one colour, all of the same size in bytes
    python3 - "$@" <<'P'
import struct, sys, zlib
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
row = b"\0" + bytes(map(int, sys.argv[2:])) * 300
png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 300, 200, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(row * 200))
png += chunk(b"IEND", b"")
open(sys.argv[1], "wb").write(png.ljust(4096, b"\0"))
P
}
colour "$P/red.png" 255 0 0
colour "$P/green.png" 0 255 0
colour "$P/blue.png" 0 0 255
cp "$P/red.png" "$P/p000.png"
cp "$P/red.png" "$P/p001.png"      # the same content twice
touch -d '2020-01-01' "$P/p000.png" "$P/p001.png"
ok "index" "$scry" index --quiet "$P"
sleep 3   # files that have just changed are not tagged
ok "starts" start
get "$url/api/v1/images?limit=100"
id_of() { json "[r['id'] for r in j['results'] if r['name'] == '$1'][0]"; }
a=$(id_of p000.png) b=$(id_of p001.png) red=$(id_of red.png) green=$(id_of green.png) blue=$(id_of blue.png)

# Whether two pictures are shown alike.
alike() { # NAME KIND ID ID
    curl -s -m 30 "$url/api/v1/images/$3/$2" >"$T/one"
    curl -s -m 30 "$url/api/v1/images/$4/$2" >"$T/other"
    ok "$2: $1" cmp "$T/one" "$T/other"
    ok "$2: $1: a picture" test "$(wc -c <"$T/one")" -gt 300
}

# Replaced after indexing, before its picture was ever asked for, with the same size and mtime.
cp -p "$P/blue.png" "$T/new.png"
touch -d '2020-01-01' "$T/new.png"
mv "$T/new.png" "$P/p000.png"
for kind in thumbnail view file; do
    alike "the replaced file's own picture" $kind $a $blue
    alike "its former copy shows itself" $kind $b $red
done
sleep 3
for kind in thumbnail view file; do
    get "$url/api/v1/images/$a/$kind"
    tag=$(sed -n 's/^ETag: \(.*\)\r$/\1/p' "$T/headers")
    like "$kind: has a tag" "$T/headers" '^ETag: "'
    like "$kind: is asked for again each time" "$T/headers" '^Cache-Control: private, no-cache'
    for given in "$tag" "W/$tag" "\"other\", W/$tag" '*'; do
        get -H "If-None-Match: $given" "$url/api/v1/images/$a/$kind"
        is "$kind: $given: 304" $code 304
    done
    get -H 'If-None-Match: "other"' "$url/api/v1/images/$a/$kind"
    is "$kind: another tag: 200" $code 200
    eval "tag_$kind=\$tag"
done

# Edited in place with mtime kept, after its picture is cached: shown at once, after indexing, and after a restart.
cat "$P/green.png" >"$P/p000.png"
touch -d '2020-01-01' "$P/p000.png"
check_green() {
    for kind in thumbnail view file; do
        alike "$1" $kind $a $green
        eval "tag=\$tag_$kind"
        get -H "If-None-Match: $tag" "$url/api/v1/images/$a/$kind"
        is "$kind: $1: the old tag: 200" $code 200
        alike "$1: the copy" $kind $b $red
    done
}
check_green "edited in place"
touch "$P/p000.png"
ok "index again" "$scry" index --quiet "$P"
sleep 3
check_green "after indexing again"
stop
ok "starts again" start
check_green "after a restart"
get "$url/"
tag=$(sed -n 's/^ETag: \(.*\)\r$/\1/p' "$T/headers")
get -H "If-None-Match: W/$tag" "$url/"
is "the page with a weak tag: 304" $code 304
stop

# ---- collections ----
pictures "$T/three" 3 500
SCRY_STORE=$T/second "$scry" index --quiet "$T/three" || exit 1
mkfifo "$T/to_mcp"
timeout 900 "$scry" mcp <"$T/to_mcp" >"$T/mcp.out" 2>"$T/mcp.err" &
mcp=$!
exec 5>"$T/to_mcp"
calls=0
describe() { # what the assistant is told
    calls=$((calls + 1))
    echo '{"jsonrpc":"2.0","id":'$calls',"method":"tools/call","params":{"name":"describe_index","arguments":{}}}' >&5
    for _ in $(seq 100); do
        [ "$(wc -l <"$T/mcp.out")" -ge $calls ] && break
        sleep 0.1
    done
    sed -n "${calls}p" "$T/mcp.out"
}
files() { get "$url/api/v1/search?q=red&limit=100"; echo "$code $(json 'len(j["results"])' 2>/dev/null)"; }
ready() { get "$url/readyz"; echo "$code"; }
ready_soon() { # NAME STATUS [PATTERN]
    soon "$1: /readyz" "$2" ready
    [ -z "${3-}" ] || like "$1: /readyz says why" "$T/out" "$3"
}
ok "starts" start --allow-upload
is "the first store" "$(files)" "200 9"
describe >"$T/said"
like "mcp: the first store" "$T/said" 'with 11 picture files'

mv "$T/store" "$T/first"
mv "$T/second" "$T/store"
soon "another store in its place: its pictures" "200 3" files
get "$url/api/v1/status"
is "status too" "$(json 'j["files"]')" 3
get "$url/api/v1/images/$a/thumbnail"
is "the old store's pictures are not shown" $code 404
describe >"$T/said"
like "mcp follows" "$T/said" 'with 3 picture files'

ok "drop" "$scry" store drop --yes default
ready_soon "dropped" 503 'there is no (collection|store)'
get "$url/api/v1/search?q=red"
is "dropped: searches get 503" $code 503
like "dropped: with the reason" "$T/out" 'there is no (collection|store)'
get -F "image=@$P/red.png" "$url/api/v1/images"
is "dropped: uploads too" $code 503
get "$url/healthz"
is "dropped: alive" $code 200
describe >"$T/said"
like "mcp: dropped" "$T/said" 'there is no .*"isError":true'

ok "made again" "$scry" index --quiet "$P"
ready_soon "made again" 200
is "made again: its pictures" "$(files)" "200 9"
describe >"$T/said"
like "mcp: made again" "$T/said" 'with 11 picture files'

ok "dropped again" "$scry" store drop --yes default
tiny_model "$T/model2" 2
ok "made with another model" "$scry" index --quiet --model "$T/model2" "$P"
why_not_ready() { ready >"$T/ready"; grep -o "$1" "$T/out"; } # TEXT
soon "another model: /readyz says why" 'was built with model' why_not_ready 'was built with model'
describe >"$T/said"
like "mcp: another model" "$T/said" '"isError":true'
exec 5>&-
wait $mcp
stop
is "stops" $status 0

# ---- a damaged store ----
rm -rf "$T/store"
ok "index" "$scry" index --quiet "$P"
ok "starts" start
python3 - "$T/store/collections/default/index.db" <<'P'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("UPDATE head SET row_crc = row_crc + 1")
db.commit()
P
get "$url/api/v1/search?q=red"
is "damaged: 500" $code 500
like "damaged: the reason" "$T/out" 'head row of .* is damaged'
ready_soon "damaged head row" 503 'head row of .* is damaged'
python3 - "$T/store/collections/default/index.db" <<'P'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("UPDATE head SET row_crc = row_crc - 1")
db.commit()
P
ready_soon "mended head row" 200
stop

# ---- files cut short under a server ----
rm -rf "$T/store"
ok "index" "$scry" index --quiet "$P"
ok "starts" start
get "$url/api/v1/search?q=red"
is "before: 200" $code 200
ready_soon "before" 200
vectors=$T/store/collections/default/vectors-1.seg
cp "$vectors" "$T/vectors"
truncate -s 4096 "$vectors"
ready_soon "vectors cut short, without a search" 503 'cut short'
for _ in 1 2 3; do get "$url/api/v1/search?q=red"; done
is "vectors cut short: 500" $code 500
like "with the reason" "$T/out" 'cut short'
get "$url/healthz"
is "the server goes on" $code 200
cat "$T/vectors" >"$vectors"
get "$url/api/v1/search?q=red"
is "the file is back: 200" $code 200
ready_soon "the file is back" 200
truncate -s 4096 "$vectors"
ready_soon "vectors cut short again" 503
cp "$T/vectors" "$vectors.new"
mv "$vectors.new" "$vectors"
ready_soon "another file in its place" 200
is "it is searched" "$(files)" "200 9"
mkdir "$T/aside"
mv "$vectors" "$T/aside"
mkdir "$vectors"
ready_soon "a folder in its place" 503 'Is a directory'
rmdir "$vectors"
mv "$T/aside/${vectors##*/}" "$vectors"
ready_soon "mended" 200
truncate -s 4096 "$T"/store/collections/default/codes-1.cache
get "$url/api/v1/search?q=red"
is "a cache cut short is made again: 200" $code 200
db=$T/store/collections/default/index.db
cp "$db" "$T/db"
: >"$db"
ready_soon "a database that was emptied in place" 503
get "$url/api/v1/search?q=red"
is "and no pictures of before" $code 503
cat "$T/db" >"$db"
soon "it is back" "200 9" files
stop
is "stops" $status 0
printf xx | dd of="$vectors" bs=1 seek=4 conv=notrunc 2>"$T/err"
ok "starts over a damaged header" start
get "$url/readyz"
is "not ready from the start" $code 503
like "not ready from the start: the reason" "$T/out" 'the header of .* is damaged'
get "$url/healthz"
is "it is alive" $code 200
cp "$T/vectors" "$vectors"
ready_soon "the header is mended" 200
stop
is "stops after that" $status 0

# Damage that only a search comes upon.
cp "$db" "$T/db"
python3 - "$db" <<'P'
import os, sys
with open(sys.argv[1], "r+b") as f:
    f.seek(0, 2)
    n = f.tell()
    f.seek(8192)
    f.write(os.urandom(n - 8192))
P
ok "starts over a damaged database" start
get "$url/api/v1/search?q=red"
is "its pages are damaged: 500" $code 500
ready_soon "damaged pages" 503 'is damaged'
cp "$T/db" "$db.new"
mv "$db.new" "$db"
ready_soon "another database in its place" 200
is "that is searched" "$(files)" "200 9"
stop
is "stops in the end" $status 0
done_testing
