"""milvus - the client of Milvus, to pymilvus

Same server (milvus 2.3.5, on the same processors), same 50,000 vectors of 512 numbers, batches of 2,000 rows with an
id, a path and a vector. Processor time is that of the client's process within the calls. Searches: ten best with
their paths, by HNSW with ef=64, each connection on a thread of its own. Recall is of the ten best by each index to
those of FLAT; the vectors have 32 directions in which they differ much and noise in all, and no clusters.
"""
import json
import shutil
import subprocess

import numpy as np

from harness.bench import Skip
from harness.measure import Series

ORDER = 90
ROWS, DIM, QUERIES = 50000, 512, 500
URL, OURS = "http://127.0.0.1:19530", "milvus://127.0.0.1:19530"
INSERTS = {"scry": None, "pymilvus, rows": "rows", "pymilvus, columns": "columns"}


class Server:
    def __init__(self, b):
        self.folder = b.folder("milvus") / "server"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.process = subprocess.Popen([b.top / "bench/milvus_server.sh", self.folder], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        words = self.process.stdout.readline().split()
        if words[:1] != ["ready"]:
            raise Skip("milvus 2.3.5 cannot be started: it needs a package index the first time, and unshare -rn")
        self.pid, self.python = words[1], words[2]

    def run(self, b, *argv):
        """A command beside the server -> the JSON that it prints."""
        inside = ["nsenter", "-t", self.pid, "-U", "-n", "--preserve-credentials"]
        return json.loads(b.run([*inside, *argv]).stdout)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def make_vectors(b):
    """Unit rows and queries, float32, from a fixed seed."""
    folder = b.folder("milvus")
    rows, queries = folder / "spread-rows.f32", folder / "spread-queries.f32"
    if not queries.exists():
        rng = np.random.default_rng(20240519)
        basis = rng.standard_normal((32, DIM))
        for path, n in ((rows, ROWS), (queries, QUERIES)):
            v = rng.standard_normal((n, 32)) @ basis + rng.standard_normal((n, DIM))
            (v / np.linalg.norm(v, axis=1, keepdims=True)).astype(np.float32).tofile(path)
    return rows, queries


def inserts(b, server, rows):
    program, peer = b.program("milvus"), b.top / "bench/peers/pymilvus_run.py"
    ways = {way: [server.python, peer, "insert", URL, "taken", rows, ROWS, DIM, form] if form else
                 [program, "insert", OURS, "taken", rows, ROWS, DIM] for way, form in INSERTS.items()}
    got = {way: [] for way in ways}
    for _ in range(b.rounds):
        for way, argv in ways.items():
            got[way].append(server.run(b, *argv))
    series = {}
    for what, unit, figure in (("processor time", "us/row", lambda r: 1e6 * r["cpu_s"] / ROWS),
                               ("speed", "rows/s", lambda r: ROWS / r["wall_s"]),
                               ("memory after 10,000 rows", "MiB", lambda r: r["first_kib"] / 1024),
                               ("memory after 50,000 rows", "MiB", lambda r: r["last_kib"] / 1024)):
        for way in ways:
            series[what, way] = b.figure(f"insert: {what}", way, unit, Series(figure(r) for r in got[way]))
    peers = [way for way, form in INSERTS.items() if form]
    least = min(peers, key=lambda way: series["processor time", way].median)
    b.target(f"insert: processor time to {least}", series["processor time", "scry"].over(series["processor time", least]),
             at_most=2 / 3)
    fastest = max(peers, key=lambda way: series["speed", way].median)
    b.target(f"insert: speed to {fastest}", series["speed", "scry"].over(series["speed", fastest]), at_least=1,
             reason="The server, which shares the processors, is what both wait for.")
    b.target("insert: memory after 50,000 rows to that after 10,000",
             series["memory after 50,000 rows", "scry"].over(series["memory after 10,000 rows", "scry"]), at_most=1.1)


def searches(b, server, queries):
    program, peer = b.program("milvus"), b.top / "bench/peers/pymilvus_run.py"
    for connections, each in ((1, 800), (8, 100), (32, 25)):
        words = ["taken", queries, QUERIES, DIM, '{"ef":64}', connections, each]
        ways = {"scry": [program, "search", OURS, *words], "pymilvus": [server.python, peer, "search", URL, *words]}
        got = {way: [] for way in ways}
        for _ in range(b.rounds):
            for way, argv in ways.items():
                got[way].append(server.run(b, *argv))
        what = f"search, {connections} connection{'s' if connections > 1 else ''}"
        cpu = {way: b.figure(f"{what}: processor time", way, "ms", Series(r["cpu_ms"] for r in got[way])) for way in ways}
        for way in ways:
            b.figure(f"{what}: speed", way, "searches/s", Series(r["qps"] for r in got[way]))
        b.figure(f"{what}: memory grown", "scry", "MiB", Series((r["last_kib"] - r["first_kib"]) / 1024 for r in got["scry"]))
        b.target(f"{what}: processor time", cpu["scry"], at_most=0.5, unit="ms")


def best_ids(b, server, queries, params):
    out = b.folder("milvus") / "ids.txt"
    server.run(b, b.program("milvus"), "search", OURS, "taken", queries, QUERIES, DIM, params, 1, QUERIES, out)
    return [set(line.split()) for line in out.read_text().splitlines()]


def index(b, server, kind, params="{}"):
    return server.run(b, b.program("milvus"), "index", OURS, "taken", kind, params)["wall_s"]


def recall(b, server, queries, exact, kind, built_s, ways):
    b.figure("index build and load", kind, "s", built_s)
    for name, params in ways.items():
        found = best_ids(b, server, queries, params)
        share = sum(len(a & c) for a, c in zip(exact, found)) / (10 * QUERIES)
        b.figure("recall@10 to FLAT", f"{kind}, {name}", "", share)


def run(b):
    rows, queries = make_vectors(b)
    server = Server(b)
    try:
        inserts(b, server, rows)
        index(b, server, "FLAT")
        exact = best_ids(b, server, queries, "{}")
        recall(b, server, queries, exact, "IVF_FLAT, nlist=512", index(b, server, "IVF_FLAT", '{"nlist":512}'),
               {f"nprobe={n}": json.dumps({"nprobe": n}) for n in (4, 16, 64)})
        recall(b, server, queries, exact, "HNSW, M=16, efConstruction=200",
               index(b, server, "HNSW", '{"M":16,"efConstruction":200}'),
               {f"ef={n}": json.dumps({"ef": n}) for n in (16, 64, 256)})
        searches(b, server, queries)
    finally:
        server.close()
