"""words - searches by look and words against searches by look alone

A store of 1,000,000 synthetic pictures with words that were read in them: "common" in all, "half" in every second one, and in every twentieth one twelve more, drawn
from 5,000 (bench/words.c). Each query is searched by look alone and by look and words together, 21 times each, top 10, all processors.
"""
import shutil

from harness import material, programs

ORDER = 43
PEERS = False
ROWS, CLUSTERS = 1000000, 1000


def store(b):
    def make(part):
        shutil.copytree(material.large_store(b, ROWS, CLUSTERS), part, dirs_exist_ok=True)
        b.run([b.program("words"), "read", part])
    return material.stored(b, f"common-words-{ROWS}", make)


def run(b):
    where, look, both = store(b), {}, {}
    for _ in range(b.rounds):
        for row in programs.table(b.run([b.program("words"), "search", where, CLUSTERS]).stdout)[1:]:
            look.setdefault(row[0], []).append(float(row[1]))
            both.setdefault(row[0], []).append(float(row[3]))
    for query in look:
        by_look, by_both = b.series(f"look, {query}", look[query]), b.series(f"words, {query}", both[query])
        b.figure("a store of 1,000,000", f"{query}, by look", "ms", by_look)
        b.figure("a store of 1,000,000", f"{query}, by look and words", "ms", by_both)
        b.target(f"{query}: by look and words, time to that by look", by_both.over(by_look), at_most=1.3)
