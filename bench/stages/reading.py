"""reading - words in pictures: scry beside rapidocr on ONNX Runtime

Pictures with text (tests/e2e/words, docs/screenshots), whole, in processor time of one thread, from pixels in memory, and the same by the package
rapidocr, which has the same networks, in turn (bench/ocr.py). Then photographs of demo/gallery as `scry index` reads them, with a first look.
"""
import statistics
from pathlib import Path

ORDER = 42
PEERS = False
TOP = Path(__file__).resolve().parents[2]
WITH_TEXT = ("tests/e2e/words/*.*g", "tests/e2e/words/pages/*.png", "docs/screenshots/*.webp")
EVERY = 8   # of the photographs


def read(b, mode, pictures):
    """{picture: (lines, milliseconds here, there)} and both sums, of one round."""
    out = b.run([b.python("words"), TOP / "bench/ocr.py", "--rounds", "1", "--mode", mode, *pictures]).stdout
    rows = [row.split("\t") for row in out.splitlines()[1:]]
    each = {row[0]: (int(row[1]), float(row[2]), float(row[3])) for row in rows if row[0] not in ("all", "without text")}
    return each, *(sum(row[i] for row in each.values()) for i in (1, 2))


def run(b):
    b.versions("rapidocr", "onnxruntime", env="words")
    pictures = [p for pattern in WITH_TEXT for p in sorted(TOP.glob(pattern)) if p.stem != "nothing"]
    photographs = sorted((TOP / "demo/gallery").glob("*/*.jpg"))[::EVERY]
    rounds, blank = [read(b, "f32", pictures) for _ in range(b.rounds)], []
    for _ in range(b.rounds):
        each, *_ = read(b, "look", photographs)
        blank.append(statistics.median(here for lines, here, _ in each.values() if lines == 0))
    here = b.series("reading, scry", [r[1] / 1e3 for r in rounds])
    there = b.series("reading, rapidocr", [r[2] / 1e3 for r in rounds])
    b.figure(f"{len(pictures)} pictures with text", "scry", "s", here)
    b.figure(f"{len(pictures)} pictures with text", "rapidocr", "s", there)
    b.target("reading: rate to rapidocr's", there.over(here), at_least=1.3)
    b.target("a photograph without text, median", b.series("without text", blank), at_most=15, unit="ms")
