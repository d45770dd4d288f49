"""search - a whole `scry search` process

100,000 vectors, a query of six words, everything in the page cache: from starting the process to its end. Memory is the
peak of the process, mapped files included. Below, where the time of one run goes (`SCRY_TRACE=1`).
"""
from harness import material
from harness.measure import Series

ORDER = 45
ROWS, CLUSTERS, RUNS = 100000, 1000, 9


def store(b, name, model):
    """A store that `scry index` made for the model with one picture, filled up by bench/store."""
    def make(part):
        b.run([b.scry, "index", "--quiet", "--store", part, "--model", model, material.base_pictures()[0]])
        b.run([b.program("store"), "make", part, ROWS, 0, CLUSTERS])
    return material.stored(b, f"search-{name}-{ROWS}", make)


def run(b):
    models = {"ViT-B/32": (material.checkpoint(b), 80, 300), "starter": (b.top / "models/starter", 40, 80)}
    peak, where = {}, {name: store(b, name.replace("/", ""), model) for name, (model, _, _) in models.items()}

    def command(name):
        return [b.scry, "search", "--store", where[name], "--model", models[name][0], *material.TEXT.split()]

    def median_wall(name):
        runs = [b.run(command(name)) for _ in range(RUNS)]
        peak.setdefault(name, []).append(max(r.peak_mib for r in runs))
        return 1e3 * Series(r.wall_s for r in runs).median
    for name in models:
        b.run(command(name))
    got = b.alternate(f"median wall of {RUNS} runs", {name: lambda n=name: median_wall(n) for name in models}, "ms")
    peak = {name: b.series(f"peak memory: {name}", values) for name, values in peak.items()}
    for name in models:
        b.figure("peak memory", name, "MiB", peak[name])
    for name in models:
        for line in b.run(command(name), env={"SCRY_TRACE": "1"}).stderr.splitlines():
            if line.startswith("trace: "):
                what, value = line[7:].rsplit(None, 2)[:2]
                b.figure(f"trace, {name}", what.strip(), "ms", float(value))
    for name, (_, wall, memory) in models.items():
        b.target(f"{name}: median wall", got[name], at_most=wall, unit="ms")
        b.target(f"{name}: peak memory", peak[name], at_most=memory, unit="MiB")
