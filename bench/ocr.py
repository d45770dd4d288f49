#!/usr/bin/env python3
"""Reading words in pictures: src/ocr against the package rapidocr on ONNX Runtime, the same networks, pictures and processors.

    pip install rapidocr==3.10.0 onnxruntime
    make build/release/tests/ocr_dump
    bench/ocr.py [--threads 1] [--rounds 3] PICTURE ...

Processor time of each picture, reading it from pixels in memory, in turn (here, there, here, ...); medians of the rounds, and the ratio of the sums.
Processor time, because other processes may be busy: with one thread it is what a reader waits for on an idle machine.
"""
import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
from PIL import Image, ImageOps
from rapidocr import RapidOCR

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
DUMP = os.path.join(TOP, "build/release/tests/ocr_dump")


MOST_SIDE = 2000   # as the decoder gives pictures to the reader


def as_ppm(path, folder):
    """The picture as src/ocr's program takes it: upright, no larger than is read."""
    if path.endswith(".ppm"):
        return path
    image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    image.thumbnail((MOST_SIDE, MOST_SIDE), Image.BICUBIC)
    out = os.path.join(folder, f"{len(os.listdir(folder))}-{os.path.basename(path)}.ppm")
    image.save(out)
    return out


def main():
    with tempfile.TemporaryDirectory() as folder:
        measure(folder)


def measure(folder):
    p = argparse.ArgumentParser()
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--mode", choices=("f32", "bf16", "look"), default="f32", help="look: f32 with the first look of `scry index`")
    p.add_argument("pictures", nargs="+")
    a = p.parse_args()
    a.pictures = [as_ppm(path, folder) for path in a.pictures]
    reader = RapidOCR(params={"EngineConfig.onnxruntime.intra_op_num_threads": a.threads, "Global.log_level": "critical"})
    here = subprocess.Popen([DUMP, os.path.join(TOP, "models/words"), str(a.threads), a.mode], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ours(path):
        here.stdin.write(path + "\n")
        here.stdin.flush()
        _, ms, lines = here.stdout.readline().rstrip("\n").split("\t")
        for _ in range(int(lines)):
            here.stdout.readline()
        return float(ms), int(lines)

    def theirs(path):
        pixels = np.asarray(Image.open(path))[..., ::-1].copy()
        start = time.process_time()
        result = reader(pixels)
        return (time.process_time() - start) * 1e3, 0 if result.boxes is None else len(result.boxes)

    ours(a.pictures[0])
    theirs(a.pictures[0])
    total, blank = [0, 0], []
    print("picture\tlines\tscry ms\trapidocr ms\tratio")
    for path in a.pictures:
        pairs = [(ours(path), theirs(path)) for _ in range(a.rounds)]
        mine, other = (statistics.median(x[i][0] for x in pairs) for i in (0, 1))
        total = [total[0] + mine, total[1] + other]
        lines = pairs[0][0][1]
        blank += [mine] * (lines == 0)
        print(f"{os.path.basename(path)}\t{lines}\t{mine:.0f}\t{other:.0f}\t{other / mine:.2f}", flush=True)
    print(f"all\t\t{total[0]:.0f}\t{total[1]:.0f}\t{total[1] / total[0]:.2f}")
    if blank:
        print(f"without text\t\t{statistics.median(blank):.0f}")
    here.stdin.close()
    here.wait()


sys.exit(main())
