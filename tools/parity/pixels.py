#!/usr/bin/env python3
"""Compares scry's views with Pillow's pipeline on real pictures.

    make bench-decode
    python tools/parity/pixels.py [--size 224] [--fit floor|even|squash] [--exact] FOLDER...

Both apply the EXIF orientation, convert to RGB, resample (bicubic) and crop. Prints one
line a format: pictures, how many are equal, the mean and the largest of the mean absolute
errors of a picture (in 1/255). Exits 1 when a picture is over 2, or when one that only one
side can read is found.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image, ImageOps

Image.MAX_IMAGE_PIXELS = None
TOP = pathlib.Path(__file__).resolve().parents[2]


def view(path, size, fit):
    with Image.open(path) as im:
        im = ImageOps.exif_transpose(im)
        im = im.convert("RGB")
    w, h = im.size
    if fit == "squash":
        return np.asarray(im.resize((size, size), Image.Resampling.BICUBIC))
    tw, th = (size, size * h // w) if w < h else (size * w // h, size)
    im = im.resize((tw, th), Image.Resampling.BICUBIC)
    if fit == "floor":
        x, y = (tw - size) // 2, (th - size) // 2
    else:
        x, y = int(round((tw - size) / 2.0)), int(round((th - size) / 2.0))
    return np.asarray(im.crop((x, y, x + size, y + size)))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--size", type=int, default=224)
    p.add_argument("--fit", choices=["floor", "even", "squash"], default="floor")
    p.add_argument("--exact", action="store_true", help="no JPEG shrink-on-load")
    p.add_argument("--limit", type=int, default=0, help="at most so many of each folder")
    p.add_argument("--program", default=str(TOP / "build/release/bench/decode"))
    p.add_argument("folders", nargs="+")
    a = p.parse_args()
    names = []
    for folder in a.folders:
        found = sorted(str(f) for f in pathlib.Path(folder).rglob("*") if f.is_file()
                       and f.suffix.lower() not in (".txt", ".tsv", ".csv", ".md", ".json"))
        names += found[:a.limit] if a.limit else found
    bytes_each = a.size * a.size * 3
    with tempfile.TemporaryDirectory() as tmp:
        out = os.path.join(tmp, "views")
        options = [f"--size={a.size}", f"--fit={a.fit}", f"--out={out}"]
        r = subprocess.run([a.program, *options, *(["--exact"] if a.exact else []), "-"],
                           input="\n".join(names), text=True, capture_output=True)
        ours = np.fromfile(out, np.uint8).reshape(len(names), a.size, a.size, 3)
    failed = dict(line.rsplit(": ", 1) if line.count(": ") == 1 else line.split(": ", 1)
                  for line in r.stderr.splitlines() if ": " in line)
    rows, bad = {}, 0
    for i, name in enumerate(names):
        try:
            ref = view(name, a.size, a.fit)
        except Exception as e:
            if name not in failed:
                print(f"only scry reads {name} (Pillow: {e})")
                bad += 1
            continue
        if name in failed:
            print(f"only Pillow reads {name} (scry: {failed[name]})")
            bad += 1
            continue
        d = np.abs(ours[i].astype(int) - ref)
        if d.mean() > 2:
            print(f"{name}: mean {d.mean():.3f}, most {d.max()}")
            bad += 1
        rows.setdefault(pathlib.Path(name).suffix.lower(), []).append((d.mean(), d.max()))
    for suffix, r in sorted(rows.items()):
        means = np.array([m for m, _ in r])
        print(f"{suffix or '(none)'}: {len(r)} pictures, {int((means == 0).sum())} equal,"
              f" mean error {means.mean():.4f}, worst {means.max():.4f},"
              f" largest single {max(x for _, x in r)}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
