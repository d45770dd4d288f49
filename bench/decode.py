#!/usr/bin/env python3
"""Decode and resize, files to 224 x 224 bytes: scry-decode against Pillow, one core each.

    make bench-decode
    python bench/decode.py [--jpegs FOLDER] [--rounds 5]

The same files, alternating, every process bound to one core; the hand-over between the
two processes of scry is included. Rates are pictures a second of wall time and of
processor time (user + system, of all processes: steadier on a busy machine). Small: the
folder's JPEGs. 12 megapixels: six of them enlarged to 4000 x 3000 with noise, quality 92.
"""
import argparse
import glob
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[1]
PROGRAM = TOP / "build/release/bench/decode"

PILLOW = r"""
import sys
from PIL import Image
names, draft, repeat = sys.argv[3:], sys.argv[1] == "draft", int(sys.argv[2])
S = 224
for _ in range(repeat):
    for name in names:
        im = Image.open(name)
        w, h = im.size
        tw, th = (S, S * h // w) if w < h else (S * w // h, S)
        if draft:
            im.draft("RGB", (2 * tw, 2 * th))
        im = im.convert("RGB").resize((tw, th), Image.Resampling.BICUBIC)
        x, y = (tw - S) // 2, (th - S) // 2
        im.crop((x, y, x + S, y + S)).tobytes()
"""


def timed(command):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def rate(command, repeat, count):
    """Wall and processor seconds a round; what starting costs is taken off."""
    few, many = timed(command(1)), timed(command(1 + repeat))
    return [repeat * count / max(b - a, 1e-9) for a, b in zip(few, many)]


def enlarge(names, folder):
    import numpy as np
    from PIL import Image
    out = []
    for i, name in enumerate(names):
        im = Image.open(name).convert("RGB").resize((4000, 3000), Image.Resampling.BICUBIC)
        a = np.asarray(im).astype(np.int16)
        a = (a + np.random.default_rng(i).normal(0, 5, a.shape)).clip(0, 255).astype(np.uint8)
        out.append(os.path.join(folder, f"large{i}.jpg"))
        Image.fromarray(a).save(out[-1], quality=92)
    return out


def compare(title, names, repeat, rounds):
    bound = ["taskset", "-c", str(sorted(os.sched_getaffinity(0))[-1])]
    ways = {
        "scry": lambda n: [*bound, str(PROGRAM), f"--repeat={n}", *names],
        "scry, every pixel": lambda n: [*bound, str(PROGRAM), "--exact", f"--repeat={n}", *names],
        "Pillow": lambda n: [*bound, sys.executable, "-c", PILLOW, "plain", str(n), *names],
        "Pillow, draft x2": lambda n: [*bound, sys.executable, "-c", PILLOW, "draft", str(n), *names],
    }
    got = {way: [] for way in ways}
    for _ in range(rounds):
        for way, command in ways.items():
            got[way].append(rate(command, repeat, len(names)))
    base = statistics.median(c for _, c in got["Pillow"])
    print("pictures\tway\twall/s\tcpu/s\tspread of cpu/s\ttimes Pillow (cpu)")
    for way, rates in got.items():
        wall, cpu = (statistics.median(r[i] for r in rates) for i in (0, 1))
        low, high = min(r[1] for r in rates), max(r[1] for r in rates)
        print(f"{title}\t{way}\t{wall:.1f}\t{cpu:.1f}\t{low:.1f}-{high:.1f}\t{cpu / base:.2f}",
              flush=True)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--jpegs", default=os.path.join(os.environ.get("SCRY_DATA", "."), "jpegs/img"))
    p.add_argument("--rounds", type=int, default=5)
    a = p.parse_args()
    names = sorted(glob.glob(os.path.join(a.jpegs, "*.jpg")))
    if not names:
        sys.exit(f"no JPEGs in {a.jpegs}: give a folder with --jpegs")
    compare(f"{len(names)} JPEGs as they are", names, 2, a.rounds)
    with tempfile.TemporaryDirectory() as folder:
        compare("12 megapixels", enlarge(names[:6], folder), 2, a.rounds)


if __name__ == "__main__":
    main()
