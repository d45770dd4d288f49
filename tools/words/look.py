#!/usr/bin/env python3
"""What the first look at pictures (src/ocr/look.h) saves, and what it misses.

    make build/release/tests/ocr_dump
    tools/words/look.py [--most N] FOLDER-OF-PICTURES ...

Reads each picture with and without it, on one thread, and prints for each folder and for all:
- pictures in which reading without it finds no text, the means of their processor time with and without it, and how many of them it ends (they
  took less than a third of the time);
- the same times of pictures with text;
- lines and characters that are read without it, and how many of them are not read with it: all of them, and those of three or more letters of which
  the reader is sure (0.9).
"""
import argparse
import collections
import glob
import os
import random
import subprocess
import sys
import tempfile

from PIL import Image, ImageOps

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DUMP = os.path.join(TOP, "build/release/tests/ocr_dump")


class Reader:
    def __init__(self, mode):
        self.p = subprocess.Popen([DUMP, os.path.join(TOP, "models/words"), "1", mode], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def read(self, path):
        """Milliseconds, and the lines as (text, whether it is sure of it)."""
        self.p.stdin.write(path + "\n")
        self.p.stdin.flush()
        _, ms, n = self.p.stdout.readline().rstrip("\n").split("\t")
        lines = [self.p.stdout.readline().rstrip("\n").split("\t") for _ in range(int(n))]
        return float(ms), [(text, float(c) >= 0.9 and sum(x.isalnum() for x in text) >= 3) for _, c, text in lines]


def measure(full, quick, path):
    full_ms, all_lines = full.read(path)
    ms, lines = quick.read(path)
    lost = list((collections.Counter(t for t, _ in all_lines) - collections.Counter(t for t, _ in lines)).elements())
    sure = {t for t, s in all_lines if s}
    c = collections.Counter(pictures=1, lines=len(all_lines), lost=len(lost), chars=sum(len(t) for t, _ in all_lines), lost_chars=sum(map(len, lost)),
                            sure=sum(s for _, s in all_lines), lost_sure=sum(t in sure for t in lost), missed=bool(all_lines and not lines))
    kind = "text" if all_lines else "blank"
    c.update({kind + "_ms": ms, kind + "_full_ms": full_ms})
    if not all_lines:
        c.update(blank=1, ended=ms < full_ms / 3)
    return c, lost


def show(name, c):
    blank, text = max(1, c["blank"]), max(1, c["pictures"] - c["blank"])
    print(f"{name}\t{c['pictures']} pictures\tno text: {c['blank']}, {100 * c['ended'] / blank:.0f} % ended, {c['blank_ms'] / blank:.0f} ms, without {c['blank_full_ms'] / blank:.0f} ms"
          f"\ttext: {c['pictures'] - c['blank']}, {c['text_ms'] / text:.0f} ms, without {c['text_full_ms'] / text:.0f} ms, all missed in {c['missed']}"
          f"\tlines {c['lines']}, other or none {c['lost']}\tcharacters {c['chars']}, {c['lost_chars']}\tsure lines {c['sure']}, {c['lost_sure']}", flush=True)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--most", type=int, default=0, help="of each folder, by chance")
    p.add_argument("--show", action="store_true", help="the lines that are lost")
    p.add_argument("folders", nargs="+")
    a = p.parse_args()
    full, quick, total = Reader("f32"), Reader("look"), collections.Counter()
    for folder in a.folders:
        files = sorted(x for x in glob.glob(os.path.join(folder, "**", "*.*"), recursive=True) if x.lower().endswith((".webp", ".jpg", ".jpeg", ".png")))
        random.Random(1).shuffle(files)
        count = collections.Counter()
        for x in files[:a.most or None]:
            with tempfile.NamedTemporaryFile(suffix=".ppm") as f:
                ImageOps.exif_transpose(Image.open(x)).convert("RGB").save(f.name)
                c, lost = measure(full, quick, f.name)
            count.update(c)
            if a.show and lost:
                print(f"{x}: {lost}")
        show(os.path.basename(folder.rstrip("/")), count)
        total.update(count)
    show("all", total)


sys.exit(main())
