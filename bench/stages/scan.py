"""scan - exact scan of 1,000,000 vectors

512 dimensions, vectors around 1,000 centres, top 10, one query, with one thread and with two. scry reads codes of one byte a
number and scores in double precision what the bound on the codes' error cannot exclude: the answer is that of brute force over
the stored vectors, which `tests/unit/test_vector.c` checks; faiss SQ8 and usearch int8 stop at the codes. "read" is
one pass of loads over the codes in the same program: what memory gives. The filter keeps every hundredth vector at random. Below,
whole searches of a store of 1,000,000 pictures, filters evaluated anew by each.
"""
from harness import material, programs
from harness.measure import Series

ORDER = 50
ROWS, DIM, CLUSTERS = 1000000, 512, 1000
PEERS = {"faiss IndexFlatIP": "faiss_flat", "faiss SQ8": "faiss_sq8", "usearch int8, exact": "usearch_int8",
         "numpy fp32": "numpy_fp32"}


def measure(b):
    """{(way, threads): Series of milliseconds} of everything, in turn; the threads; recall@10 of approximate ways."""
    threads = sorted({1, min(2, b.cpus)})
    workers = {name: b.worker("vectors", kind=kind, rows=ROWS, dim=DIM) for name, kind in PEERS.items()}
    got, recalls = {}, {}
    for number in range(b.rounds):
        print(f"   round {number + 1} of {b.rounds}", flush=True)
        for (what, t), figures in programs.scan(b.run([b.program("scan"), ROWS, DIM, CLUSTERS]).stdout)[1].items():
            got.setdefault((f"scry, {what}", t), []).append(figures["median ms"])
            if what.startswith("approximate"):
                recalls[f"scry, {what}"] = figures["recall"]
        for name, w in workers.items():
            for t in threads if name != "numpy fp32" else [b.cpus]:
                got.setdefault((name, t), []).append(w.ask("milliseconds", seconds=0.5, threads=t))
    b.drop()
    return {(name, t): b.series(f"{name}, {t}", v) for (name, t), v in got.items()}, threads, recalls


STORED = ("top 10", "top 10, approximate", "between two dates, 1 %", "after a date, 5 %", "in a folder of 10 %", "label", "camera",
          "near a place", "not a rare label, after a date")


def searches(b):
    """Whole searches of a store, with and without filters."""
    where, got = material.large_store(b, ROWS, CLUSTERS), {}
    for _ in range(b.rounds):
        table = programs.store(b.run([b.program("store"), "search", where, CLUSTERS]).stdout)
        for name in STORED:
            got.setdefault(name, []).append(table[name])
    got = {name: b.series(f"store, {name}", values) for name, values in got.items()}
    for name, series in got.items():
        b.figure("a store of 1,000,000", name, "ms", series)
    b.target("store: with a filter that keeps 1 %, its evaluation included, time to that without",
             got["between two dates, 1 %"].over(got["top 10"]), at_most=1)


def run(b):
    b.versions("faiss-cpu", "usearch", "numpy")
    got, threads, recalls = measure(b)
    for t in threads:
        for (name, n), series in got.items():
            if n == t:
                note = f"recall@10 {recalls[name]:.3f}" if name in recalls else ""
                b.figure(f"{t} thread{'s' * (t > 1)}", name, "ms", series, note)
    for t, share in zip(threads, (85, 90)):
        one = got["scry, top 10", t]
        read = got["scry, read", t].over(one)
        words = f"{t} thread{'s' * (t > 1)}"
        b.target(f"{words}: share of the bandwidth that plain reading reaches", Series([100 * x for x in read.values]),
                 at_least=share, unit="%")
        b.target(f"{words}: times as fast as faiss IndexFlatIP", got["faiss IndexFlatIP", t].over(one), at_least=3)
        b.target(f"{words}: times as fast as faiss SQ8", got["faiss SQ8", t].over(one), at_least=1.5)
        batch = got["scry, batch of 32", t]
        b.target(f"{words}: rate of a batch of 32 to single queries", Series([32 * a / c for a, c in zip(one.values, batch.values)]),
                 at_least=5)
        b.target(f"{words}: with a filter that keeps 1 %, time to that without", got["scry, top 10 of 1 %", t].over(one), at_most=1)
    searches(b)
