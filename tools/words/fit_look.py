#!/usr/bin/env python3
"""Fit the weights of the first look at pictures (src/ocr/look_weights.h): which small cells may have a line in a larger copy.

    pip install rapidocr==3.10.0 onnx onnxruntime pillow opencv-python-headless
    make build/release/tests/ocr_dump
    tools/words/fit_look.py --cache FOLDER [--write] FOLDER-OF-PICTURES ...

Each picture is read whole by src/ocr, and its copy of 65,536 pixels goes through the detector, of which the maps q are taken (src/ocr/detect.c); both are
kept in the cache, one file a picture, so that more can be added later. Then a logistic regression is fitted: cells in a line of three or more letters
and digits against those that are not near any (shorter ones are mostly seen in textures); a line needs only a third of its cells, and where there is none, the likeliest cells count more. Prints what a
threshold costs on the pictures that a quarter of the fit did not see each: lines whose cells are all under it, pictures without lines in which no cell
is over it, and the share of these pictures that is within two cells of one over it. --write writes src/ocr/look_weights.h.
"""
import argparse
import glob
import hashlib
import math
import os
import subprocess
import sys
import tempfile

import numpy as np

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DUMP, LOOKED, CELL, NARROW, PARTS = os.path.join(TOP, "build/release/tests/ocr_dump"), 65536, 8, 24, 4


def to_unit(n):
    return max(32, round(int(n) / 32) * 32)


class Features:
    """The detector's maps q of a look, [120, height / 8, width / 8]: level 0 as mean and largest of four, levels 1, 2, 3."""

    def __init__(self):
        import onnx
        import onnxruntime
        import rapidocr
        model = onnx.load(os.path.join(os.path.dirname(rapidocr.__file__), "models", "PP-OCRv6_det_small.onnx"))
        joined = [n.output[0] for n in model.graph.node if n.op_type == "Concat" and len(n.input) == 4][-1]
        model.graph.output.append(onnx.helper.make_empty_tensor_value_info(joined))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session, self.joined = onnxruntime.InferenceSession(model.SerializeToString(), options), joined

    def of(self, rgb):
        import cv2
        h, w = rgb.shape[:2]
        ratio = math.sqrt(LOOKED / (h * w))
        small = cv2.resize(rgb, (to_unit(w * ratio), to_unit(h * ratio)), interpolation=cv2.INTER_LINEAR)[..., ::-1]
        x = ((small.astype(np.float32) / 255 - 0.5) / 0.5).transpose(2, 0, 1)[None]
        q = self.session.run([self.joined], {"x": x})[0][0]
        q = q.reshape(q.shape[0], q.shape[1] // 2, 2, q.shape[2] // 2, 2)
        mean, most = q.mean((2, 4)), q.max((2, 4))
        return np.concatenate([mean[3 * NARROW:], most[3 * NARROW:], mean[2 * NARROW:3 * NARROW], mean[NARROW:2 * NARROW], mean[:NARROW]])


def add_to_cache(cache, folders):
    from PIL import Image, ImageOps
    features = Features()
    dump = subprocess.Popen([DUMP, os.path.join(TOP, "models/words"), "1", "f32"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    for path in sorted(p for f in folders for p in glob.glob(os.path.join(f, "**", "*.*"), recursive=True) if p.lower().endswith((".webp", ".jpg", ".jpeg", ".png"))):
        kept = os.path.join(cache, hashlib.sha256(os.path.abspath(path).encode()).hexdigest()[:16] + ".npz")
        if os.path.exists(kept):
            continue
        image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
        with tempfile.NamedTemporaryFile(suffix=".ppm") as f:
            image.save(f.name)
            print(f.name, file=dump.stdin, flush=True)
            lines = [dump.stdout.readline().rstrip("\n").split("\t") for _ in range(int(dump.stdout.readline().split("\t")[2]))]
        corners = np.array([[float(v) for v in box.split()] for box, _, _ in lines]).reshape(-1, 4, 2) / image.size
        boxes = np.concatenate([corners.min(1), corners.max(1)], 1)
        long = np.array([sum(x.isalnum() for x in text) >= 3 for _, _, text in lines], bool)
        sure = long & np.array([float(c) >= 0.9 for _, c, _ in lines], bool)
        np.savez(kept, q=features.of(np.asarray(image)).astype(np.float16), boxes=boxes, long=long, sure=sure)
    dump.stdin.close()


def near(mask, cells):
    """Whether a cell, or one so near, is set."""
    size = 2 * cells + 1
    return np.lib.stride_tricks.sliding_window_view(np.pad(mask, cells), (size, size)).any((2, 3))


class Picture:
    def __init__(self, path):
        with np.load(path) as z:
            q, boxes, long, self.sure = z["q"].astype(np.float32), z["boxes"], z["long"], z["sure"][z["long"]]
        c, self.height, self.width = q.shape
        self.q, lines, self.lines = q.reshape(c, -1).T, np.zeros((self.height, self.width), bool), []
        for (x0, y0, x1, y1), counts in zip(boxes * [self.width, self.height, self.width, self.height], long):
            line = np.zeros_like(lines)
            line[int(y0):math.ceil(y1), int(x0):math.ceil(x1)] = True
            if counts:
                self.lines.append(np.flatnonzero(line))
            lines |= line
        self.free = np.flatnonzero(~near(lines, 1))


def fit(pictures, rng, rounds=3, ridge=30):
    """Weights, the last is the bias, of standardised features."""
    w = np.zeros(pictures[0].q.shape[1] + 1)
    some = np.concatenate([p.q[rng.choice(p.free, min(len(p.free), 150), False)] for p in pictures if len(p.free)])
    for i in range(rounds):
        inside, shares, hard = [], [], []
        for p in pictures:
            for line in p.lines:
                best = line[np.argsort(-(p.q[line] @ w[:-1]))[:max(1, len(line) // 3 if i else len(line))]]
                inside.append(p.q[best])
                shares.append(np.full(len(best), 8 / len(best)))
            if i and len(p.free):
                hard.append(p.q[p.free[np.argsort(-(p.q[p.free] @ w[:-1]))[:30]]])
        a = np.concatenate(inside + [some] + hard)
        n = sum(map(len, shares))
        a, y = np.c_[a, np.ones(len(a), np.float32)], np.r_[np.ones(n), np.zeros(len(a) - n)]
        weight = np.r_[np.concatenate(shares), np.full(len(some), 0.5), np.full(len(a) - n - len(some), 0.3)]
        for _ in range(7):      # Newton's steps
            p = 1 / (1 + np.exp(-np.clip(a @ w, -30, 30)))
            slope = a.T @ (weight * (p - y)) + ridge * np.r_[w[:-1], 0]
            curve = (a * (weight * np.maximum(p * (1 - p), 1e-4)).astype(np.float32)[:, None]).T @ a + ridge * np.diag(np.r_[np.ones(len(w) - 1), 1e-3])
            w = w - np.linalg.solve(curve.astype(float), slope)
    return w


def show(pictures, scores):
    lines = np.array([s[line].max() for p, s in zip(pictures, scores) for line in p.lines])
    sure = np.concatenate([p.sure for p in pictures])
    blank = [(s, p) for p, s in zip(pictures, scores) if not p.lines]
    print(f"{len(pictures)} pictures, {len(blank)} without lines; {len(lines)} lines, {sure.sum()} sure")
    for t in np.arange(-4.5, 0.1, 0.5):
        share = np.mean([near((s > t).reshape(p.height, p.width), 2).mean() for s, p in blank])
        print(f"over {t:4.1f}: lines missed {np.mean(lines <= t):.3f}, sure ones {np.sum((lines <= t) & sure)}; without lines: {np.mean([s.max() <= t for s, _ in blank]):.2f} "
              f"end, {share:.3f} of the picture is near a cell", flush=True)


def write(w, mean, deviation):
    w = np.r_[w[:-1] / deviation, w[-1] - np.sum(w[:-1] * mean / deviation)]
    rows = w[:-1].reshape(-1, NARROW)

    def numbers(row, indent):
        return ("\n" + indent).join(", ".join(f"{v:.4g}f" if "." in f"{v:.4g}" or "e" in f"{v:.4g}" else f"{v:.4g}.0f" for v in row[i:i + 8]) + "," for i in range(0, NARROW, 8))

    with open(os.path.join(TOP, "src/ocr/look_weights.h"), "w") as f:
        f.write("/* look_weights.h - written by tools/words/fit_look.py. */\n#ifndef SCRY_OCR_LOOK_WEIGHTS_H\n#define SCRY_OCR_LOOK_WEIGHTS_H\n\n"
                "/* Of the channels of the maps q; level 0 counts by the mean of the four places in a cell and by their largest. */\n"
                f"static const struct {{\n    float mean[{NARROW}], most[{NARROW}], level[3][{NARROW}], bias;\n}} scry_ocr_look_weights = {{\n")
        f.write(f"    .mean = {{ {numbers(rows[0], '        ')} }},\n    .most = {{ {numbers(rows[1], '        ')} }},\n    .level = {{\n")
        f.writelines(f"        {{ {numbers(row, '          ')} }},\n" for row in rows[2:])
        f.write(f"    }},\n    .bias = {w[-1]:.5g}f,\n}};\n\n#endif\n")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--cache", required=True)
    p.add_argument("--write", action="store_true")
    p.add_argument("folders", nargs="*")
    a = p.parse_args()
    os.makedirs(a.cache, exist_ok=True)
    if a.folders:
        add_to_cache(a.cache, a.folders)
    rng, pictures = np.random.default_rng(18), [Picture(x) for x in sorted(glob.glob(os.path.join(a.cache, "*.npz")))]
    every = np.concatenate([x.q[::7] for x in pictures])
    mean, deviation = every.mean(0), every.std(0) + 1e-3
    for x in pictures:
        x.q = (x.q - mean) / deviation
    scores = [None] * len(pictures)
    for part in range(PARTS):
        w = fit([x for i, x in enumerate(pictures) if i % PARTS != part], rng)
        for i in range(part, len(pictures), PARTS):
            scores[i] = pictures[i].q @ w[:-1] + w[-1]
    show(pictures, scores)
    if a.write:
        write(fit(pictures, rng), mean, deviation)


if __name__ == "__main__":
    sys.exit(main())
