#!/bin/bash
# run.sh [ROUNDS] - the Milvus client over nghttp2 (ours) and over libcurl, in turn, against one milvus 2.3.5: processor time
# of the client a row and a search (median of ROUNDS, 5), connections made, and which faults of a misbehaving peer
# (tests/unit/test_milvus_peer.c) each survives. Run by `make bench-transport`.
cd "$(dirname "$0")/../.." || exit 1
. tests/milvus/servers.sh
in_private_network "bench/transport/run.sh" "$@"
rounds=${1:-5} rows=20000 dim=512 queries=500
work=$(mktemp -d) || exit 1
milvus_start "$work/milvus" common.session.ttl=600 >&2 || exit 1
trap 'servers_stop; rm -rf "$work"' EXIT
"$PYMILVUS" - "$work" $rows $queries $dim <<'PY' || exit 1
import sys
import numpy as np
folder, rows, queries, dim = sys.argv[1], *map(int, sys.argv[2:])
rng = np.random.default_rng(1)
for name, n in (("rows", rows), ("queries", queries)):
    v = rng.standard_normal((n, dim), dtype=np.float32)
    (v / np.linalg.norm(v, axis=1, keepdims=True)).astype(np.float32).tofile(f"{folder}/{name}.f32")
PY
url=milvus://127.0.0.1:19530
ask() { "$SCRY_BUILD/bench/$@" || exit 1; }
for round in $(seq "$rounds"); do
    for way in milvus milvus-curl; do
        ask "$way" insert $url transport "$work/rows.f32" $rows $dim >>"$work/$way.insert"
    done
done
ask milvus index $url transport HNSW '{"M":16,"efConstruction":200}' >&2
for round in $(seq "$rounds"); do
    for way in milvus milvus-curl; do
        ask "$way" search $url transport "$work/queries.f32" $queries $dim '{"ef":64}' 1 1000 >>"$work/$way.search"
        ask "$way" search $url transport "$work/queries.f32" $queries $dim '{"ef":64}' 8 200 >>"$work/$way.search8"
    done
done
"$PYMILVUS" - "$work" $rows <<'PY'
import json, statistics, sys
folder, rows = sys.argv[1], int(sys.argv[2])
for kind, what, figure in (("insert", "processor time a row, us", lambda r: 1e6 * r["cpu_s"] / rows),
                           ("search", "processor time a search, ms", lambda r: r["cpu_ms"]),
                           ("search8", "the same by 8 connections, ms", lambda r: r["cpu_ms"])):
    got = {w: [figure(json.loads(x)) for x in open(f"{folder}/{w}.{kind}")] for w in ("milvus", "milvus-curl")}
    a, b = (statistics.median(got[w]) for w in ("milvus", "milvus-curl"))
    print(f"{what}\tnghttp2 {a:.4f}\tlibcurl {b:.4f}\tlibcurl/nghttp2 {b / a:.2f}"
          f"\trounds {' '.join(f'{x:.4f}/{y:.4f}' for x, y in zip(*got.values()))}")
PY
for way in tests/test_milvus_peer bench/peer-curl; do
    CMOCKA_MESSAGE_OUTPUT=TAP "$SCRY_BUILD/$way" >"$work/peer" 2>/dev/null
    echo "faults survived, $way: $(grep -c '^ok' "$work/peer") of $(grep -c '^\(not \)\?ok [0-9]' "$work/peer")"
    sed -n 's/^not ok [0-9]* - /    not: /p' "$work/peer"
done
