"""starter - the bundled model on one processor

bench/tower with models/starter at the precision that scry takes for this processor: pictures from decoded pixels, two views
each; texts from the string; opening with the files in the page cache.
"""
import os
import re

from harness import programs

ORDER = 25


def measured(b):
    """bench/tower's medians, and what opening took."""
    run = b.run(["taskset", "-c", max(os.sched_getaffinity(0)), b.program("tower"), b.top / "models/starter", "auto", 1, 1])
    return {**programs.tower(run.stdout), "open": float(re.search(r"^open\s+([\d.]+) ms", run.stdout, re.M).group(1))}


def run(b):
    rounds = [measured(b) for _ in range(b.rounds)]
    opened, text = (b.series(name, [r[name] for r in rounds]) for name in ("open", "text of 6 words"))
    texts = b.series("64 texts", [64e3 / r["64 texts"] for r in rounds])
    views = b.series("views", [2 * 16e3 / r["pictures, batch 16"] for r in rounds])
    b.figure("image tower", "16 pictures at once", "views/s", views)
    b.figure("text tower", "a text of six words", "ms", text)
    b.figure("text tower", "64 texts at once", "texts/s", texts)
    b.figure("opening", "the model", "ms", opened)
    b.target("image tower", views, at_least=60, unit="views/s")
    b.target("a text of six words", text, at_most=5, unit="ms")
    b.target("opening", opened, at_most=30, unit="ms")
