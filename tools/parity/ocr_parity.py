#!/usr/bin/env python3
"""Words in pictures, against the package that has the same networks.

    pip install rapidocr==3.10.0 onnxruntime
    make build/release/tests/ocr_dump
    tools/parity/ocr_parity.py [--made N] [--show] [--results FILE] [FOLDER-OF-PICTURES ...]

Reads N made pictures (300), in the fonts of this machine, of many sizes, angles and backgrounds, and those of the folders, with rapidocr on ONNX Runtime and
with src/ocr, from the same pixels. A line of the package counts as equal if there is a line at the same place with the same text, spaces
aside. Prints the shares of equal lines, and with --show those that differ. With --results each picture's lines are added to FILE as JSON when it is done, and
pictures that are in FILE already are not read again: a run that was stopped goes on.
"""
import argparse
import glob
import json
import os
import random
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps
from rapidocr import RapidOCR

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DUMP = os.path.join(TOP, "build/release/tests/ocr_dump")
WORDS = ("the of and to in is that for it as was with be by on not he his but at are this have from or had an they which one you were her all she there "
         "would their we him been has when who will more no if out so said what up its about into than them can only other new some could time these two "
         "may then do first any my now such like our over man me even most made after also did many before must through years where much your way down "
         "Invoice Total Receipt Password WLAN Street 2019 2024-05-17 12:30 $4.99 10% 1,250.00 No. 7 info@example.org Tel. +49 30 901820 Exit Platform "
         "Straße Größe café naïve Noël año Ελλάδα Αθήνα").split()
CHINESE = "出口入口北京上海旅行 今天天气很好 请勿吸烟 小心地滑 中国人民银行 东京都 駅前 ありがとう コーヒー 図書館 禁止駐車 営業中"


def fonts():
    found = sorted(set(subprocess.run(["fc-list", ":lang=en", "file"], capture_output=True, text=True, check=True).stdout.replace(": ", "").split("\n")) - {""})
    cjk = sorted(set(subprocess.run(["fc-list", ":lang=ja", "file"], capture_output=True, text=True, check=True).stdout.replace(": ", "").split("\n")) - {""})
    return [f for f in found if "Math" not in f and "Symbol" not in f and f not in cjk], cjk


def background(rng, w, h):
    kind = rng.randrange(4)
    a, b = (np.array([rng.randrange(256) for _ in range(3)], float) for _ in range(2))
    if kind == 0:
        return Image.new("RGB", (w, h), tuple(a.astype(int)))
    if kind == 1:
        t = np.linspace(0, 1, w)[None, :, None]
        return Image.fromarray(np.broadcast_to(a + (b - a) * 0.5 * t, (h, w, 3)).astype(np.uint8))
    noise = np.random.default_rng(rng.randrange(1 << 30)).normal(0, 12, (h, w, 3))
    plain = Image.fromarray(np.clip(a + noise, 0, 255).astype(np.uint8))
    return plain if kind == 2 else plain.filter(ImageFilter.GaussianBlur(2))


def made(rng, latin, cjk):
    """A picture with a few lines of text."""
    w, h = rng.randrange(300, 1300), rng.randrange(200, 1000)
    image = background(rng, w, h)
    y = rng.randrange(5, 40)
    angle = rng.choice([0, 0, 0, rng.uniform(-8, 8), rng.uniform(-30, 30), 90, 180])
    layer, mask = Image.new("RGB", (w, h)), Image.new("L", (w, h))
    mean = np.asarray(image).mean()
    colour = tuple(rng.randrange(70) + (0 if mean > 128 else 185) for _ in range(3))
    while y < h - 20:
        size = rng.choice([12, 14, 16, 18, 20, 24, 28, 32, 40, 56, 72])
        if cjk and rng.random() < 0.2:
            font, text = ImageFont.truetype(rng.choice(cjk), size), "".join(rng.choice(CHINESE.split()) for _ in range(rng.randrange(1, 4)))
        else:
            font, text = ImageFont.truetype(rng.choice(latin), size), " ".join(rng.choice(WORDS) for _ in range(rng.randrange(1, 8)))
        x = rng.randrange(5, max(6, w // 3))
        ImageDraw.Draw(layer).text((x, y), text, fill=colour, font=font)
        ImageDraw.Draw(mask).text((x, y), text, fill=255, font=font)
        y += int(size * rng.choice([1.3, 1.6, 2.5]))
    layer, mask = (i.rotate(angle, Image.BICUBIC) for i in (layer, mask))
    image.paste(layer, (0, 0), mask)
    return image.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 1.2))) if rng.random() < 0.2 else image


def real(path):
    image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    if max(image.size) > 2000:   # as the program gets it from the decoder
        scale = 2000 / max(image.size)
        image = image.resize((max(1, int(image.size[0] * scale)), max(1, int(image.size[1] * scale))), Image.BICUBIC)
    return image


def ours(paths, folder, threads, mode):
    out = subprocess.run([DUMP, folder, str(threads), mode, *paths], capture_output=True, text=True, check=True).stdout.split("\n")
    pages, i = {}, 0
    while i < len(out) and out[i]:
        path, ms, n = out[i].split("\t")
        lines = [x.split("\t") for x in out[i + 1:i + 1 + int(n)]]
        pages[path] = [([float(v) for v in box.split()], float(c), text) for box, c, text in lines]
        i += 1 + int(n)
    return pages


def middle(box):
    return np.mean(box[0::2]), np.mean(box[1::2])


def compare(theirs, mine):
    """For each of their lines: whether one of mine is at its place and says the same. (equal, the nearest of mine or None)"""
    free = list(mine)
    for box, _, text in theirs:
        x, y = middle(box)
        size = min(np.hypot(box[0] - box[2], box[1] - box[3]), np.hypot(box[0] - box[6], box[1] - box[7]))
        near = [m for m in free if np.hypot(middle(m[0])[0] - x, middle(m[0])[1] - y) < max(4, size / 2)]
        best = min(near, key=lambda m: (m[2].replace(" ", "") != text.replace(" ", ""), np.hypot(middle(m[0])[0] - x, middle(m[0])[1] - y)), default=None)
        if best is not None:
            free.remove(best)
        yield best is not None and best[2].replace(" ", "") == text.replace(" ", ""), best is not None and best[2] == text, best


def both(image, reader, a):
    """What the package and src/ocr read in a picture: two lists of [box, score, text]."""
    with tempfile.TemporaryDirectory() as tmp:
        path = os.path.join(tmp, "picture.ppm")
        image.save(path)
        mine = ours([path], a.model, a.threads, a.mode)[path]
    result = reader(np.asarray(image)[..., ::-1].copy())
    theirs = [] if result.boxes is None else [(b.reshape(-1).tolist(), float(s), t) for b, t, s in zip(result.boxes, result.txts, result.scores)]
    return theirs, mine


def known_results(path):
    """Results of an earlier run by the name of the picture; a line that was cut short is none."""
    known = {}
    if path and os.path.exists(path):
        for line in open(path, encoding="utf-8"):
            try:
                one = json.loads(line)
                known[one["picture"]] = one["theirs"], one["mine"]
            except ValueError:
                print(f"{path}: a line that is not complete", file=sys.stderr)
    return known


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--made", type=int, default=300)
    p.add_argument("--show", action="store_true")
    p.add_argument("--model", default=os.path.join(TOP, "models/words"))
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--mode", choices=("f32", "bf16"), default="f32", help="the arithmetic of src/ocr")
    p.add_argument("--results", metavar="FILE", help="goes on with, and adds to, the results in FILE")
    p.add_argument("folders", nargs="*")
    a = p.parse_args()
    known = known_results(a.results)
    rng, latin, cjk = random.Random(18), *fonts()
    reader = RapidOCR(params={"EngineConfig.onnxruntime.intra_op_num_threads": a.threads, "Global.log_level": "critical"})
    sets = [("made", [(f"made{i}", made(rng, latin, cjk)) for i in range(a.made)])] if a.made else []
    sets += [(os.path.basename(f.rstrip("/")), [(x, x) for x in sorted(glob.glob(os.path.join(f, "**", "*.*"), recursive=True))
                                                if x.lower().endswith((".webp", ".jpg", ".jpeg", ".png"))]) for f in a.folders]
    total = [0, 0, 0]
    for name, pictures in sets:
        count = [0, 0, 0, 0]
        for label, image in pictures:
            if label not in known:
                known[label] = both(real(image) if isinstance(image, str) else image, reader, a)
                if a.results:
                    with open(a.results, "a", encoding="utf-8") as f:
                        f.write(json.dumps({"picture": label, "theirs": known[label][0], "mine": known[label][1]}, ensure_ascii=False) + "\n")
            theirs, mine = known[label]
            for (box, score, text), (same, exact, best) in zip(theirs, compare(theirs, mine)):
                count[0] += 1
                count[1] += same
                count[2] += exact
                if not same and a.show:
                    print(f"{label}: {text!r} ({score:.3f}) {[round(v) for v in box]}; here {best and (best[2], round(best[1], 3), [round(v) for v in best[0]])}")
            count[3] += len(mine)
        if count[0]:
            print(f"{name}: {len(pictures)} pictures, {count[0]} lines of the package, {count[3]} here; the same words {100 * count[1] / count[0]:.2f} %, "
                  f"the same text {100 * count[2] / count[0]:.2f} %", flush=True)
        total = [t + c for t, c in zip(total, count)]
    print(f"all: {total[0]} lines, the same words {100 * total[1] / max(1, total[0]):.2f} %, the same text {100 * total[2] / max(1, total[0]):.2f} %")
    return 0 if total[1] >= 0.99 * total[0] else 1


sys.exit(main())
