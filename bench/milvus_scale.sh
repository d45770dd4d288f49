#!/bin/bash
# What commands cost on a collection with many rows: milvus 2.3.5 is started from its package and filled by bench/milvus_rows.
#
#     make all bench-programs && bench/milvus_scale.sh [ROWS [FOLDER]]
#
# A table on stdout: seconds by the clock and peak memory of each command, and seconds of requests to scry serve. FOLDER keeps the server's
# data for the next time, which adds no rows.
cd "$(dirname "$0")/.." || exit 1
. tests/milvus/servers.sh
in_private_network "$0" "$@"
rows=${1:-200000}
W=$(mktemp -d) || exit 1
data=${2:-$W/milvus}
build=${SCRY_BUILD:-build/release}
export SCRY_WORDS=no XDG_DATA_HOME=$W/data XDG_CACHE_HOME=$W/cache XDG_CONFIG_HOME=$W/config SCRY_STORE=milvus://127.0.0.1:19530
P=/tmp/scry-scale-pictures
serving=
finish() { [ -z "$serving" ] || kill "$serving"; servers_stop; rm -rf "$W" "$P"; }
measured() { # NAME COMMAND...
    name=$1
    shift
    /usr/bin/time -o "$W/time" -f '%e %M' "$@" >"$W/out" 2>"$W/err" || { tail -n 3 "$W/err" >&2; }
    awk -v name="$name" '{ printf "%-32s %8.2f s %8.1f MiB\n", name, $1, $2 / 1024 }' "$W/time"
}
requested() { # NAME PATH
    curl -s -o "$W/out" -w "%{time_total}\n" "http://127.0.0.1:18080/api/v1/$2" | awk -v name="$1" '{ printf "%-32s %8.2f s\n", name, $1 }'
}

milvus_start "$data" || exit 1
trap finish EXIT
mkdir -p "$P"
python3 tests/e2e/make_pictures.py "$P" 3
"$build/scry" index "$P/p000.png" 2>/dev/null
stored=$("$build/scry" status --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["files"])')
[ "$stored" -ge "$rows" ] || "$build/bench/milvus_rows" "$SCRY_STORE" default "$P" "$rows"
measured "index one new file" "$build/scry" index "$P/p001.png"
measured "index it again" "$build/scry" index "$P/p001.png"
measured "search" "$build/scry" search --paths -n 10 "a dog"
measured "list, the first ten" "$build/scry" list --paths -n 10
measured "list, all" "$build/scry" list --paths -n "$((rows + 10))"
measured "status" "$build/scry" status
measured "verify" "$build/scry" verify
"$build/scry" serve --listen 127.0.0.1:18080 2>"$W/serve" &
serving=$!
for _ in $(seq 150); do curl -fs http://127.0.0.1:18080/readyz >/dev/null && break; sleep 0.2; done
requested "API: search" "search?q=dog&limit=50"
for by in look auto look auto; do
    for q in absent y001; do requested "API: search, by $by: $q" "search?q=$q&limit=50&by=$by"; done
done
requested "API: search in a place" "search?q=a+red+car&limit=50&by=look&place=Brazil"
requested "API: a list by a part of a word" "images?limit=50&words=00001"
requested "API: a page of fifty" "images?limit=50"
cursor=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["cursor"])' "$W/out")
requested "API: the next page" "images?limit=50&cursor=$cursor"
requested "API: facets" "facets"
for order in date name size rating; do
    requested "API: fifty by $order" "images?limit=50&sort=$order"
    requested "API: fifty further down" "images?limit=50&sort=$order&offset=100000"
done
requested "API: timeline" "timeline"
requested "API: map" "map"
