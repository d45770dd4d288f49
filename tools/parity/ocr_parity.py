#!/usr/bin/env python3
"""Words in pictures, against the package that has the same networks.

    pip install rapidocr==3.10.0 onnxruntime
    make build/release/tests/ocr_dump
    tools/parity/ocr_parity.py [--made N] [--show] [--results FILE] [FOLDER-OF-PICTURES ...]

Reads N made pictures (300), in the fonts of this machine, of many sizes, angles and backgrounds, and those of the folders, with rapidocr on ONNX Runtime and
with src/ocr, from the same pixels. A line of the package counts as equal if there is a line at the same place with the same text, spaces
aside. For this src/ocr reads each line once, as the package does. scry reads lines of which it is unsure both ways: how many lines that changes is
counted beside it, and on made pictures, where the text is known, who is right, letter by letter.
Prints the shares of equal lines, and with --show those that differ, and those that reading both ways changes. With --results each picture's lines are
added to FILE as JSON when it is done, and pictures that are in FILE already are not read again: a run that was stopped goes on. 0 if 99 % are equal.
"""
import argparse
import collections
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


class Drawn:
    """A line of text that was drawn, and where, before the picture was turned."""

    def __init__(self, text, x, y, font, turn):
        self.text, self.x, self.y, self.font, self.turn = text, x, y, font, turn
        self.left, self.top, self.right, self.bottom = font.getbbox(text)

    def unturned(self, x, y):
        """A place of the picture as one of the line's: along it, and across from its top."""
        angle, (w, h) = np.radians(self.turn[0]), self.turn[1]
        x, y = x - w / 2, y - h / 2
        return x * np.cos(angle) - y * np.sin(angle) + w / 2 - self.x, x * np.sin(angle) + y * np.cos(angle) + h / 2 - self.y

    def distance(self, box):
        """Of the middle of a box from that of the line, in heights of the line; one beside the line is far."""
        x, y = self.unturned(*middle(box))
        beside = not self.left - self.font.size <= x <= self.right + self.font.size
        return abs(y - (self.top + self.bottom) / 2) / max(1, self.bottom - self.top) + 100 * beside

    def is_said(self, box, text):
        """Whether `text` is the letters in the box; those at its ends, up to half an em from them, may be there or not. Blanks aside."""
        along = [self.unturned(x, y)[0] for x, y in zip(box[0::2], box[1::2])]
        start, end, margin = min(along), max(along), self.font.size / 2
        ends = [self.font.getlength(self.text[:i]) for i in range(len(self.text) + 1)]
        centres = [(letter, (a + b) / 2) for letter, a, b in zip(self.text, ends, ends[1:]) if letter != " "]
        within = ["".join(c for c, at in centres if start + m < at < end - m) for m in (margin, -margin)]
        text = text.replace(" ", "")
        return bool(text) and within[0] in text and text in within[1]


def is_right(lines, box, text):
    nearest = min(lines, key=lambda drawn: drawn.distance(box), default=None)
    return nearest is not None and nearest.distance(box) < 1 and nearest.is_said(box, text)


def made(rng, latin, cjk):
    """A picture with a few lines of text, and these lines."""
    w, h = rng.randrange(300, 1300), rng.randrange(200, 1000)
    image = background(rng, w, h)
    y = rng.randrange(5, 40)
    angle = rng.choice([0, 0, 0, rng.uniform(-8, 8), rng.uniform(-30, 30), 90, 180])
    layer, mask = Image.new("RGB", (w, h)), Image.new("L", (w, h))
    mean = np.asarray(image).mean()
    colour = tuple(rng.randrange(70) + (0 if mean > 128 else 185) for _ in range(3))
    lines = []
    while y < h - 20:
        size = rng.choice([12, 14, 16, 18, 20, 24, 28, 32, 40, 56, 72])
        if cjk and rng.random() < 0.2:
            font, text = ImageFont.truetype(rng.choice(cjk), size), "".join(rng.choice(CHINESE.split()) for _ in range(rng.randrange(1, 4)))
        else:
            font, text = ImageFont.truetype(rng.choice(latin), size), " ".join(rng.choice(WORDS) for _ in range(rng.randrange(1, 8)))
        x = rng.randrange(5, max(6, w // 3))
        ImageDraw.Draw(layer).text((x, y), text, fill=colour, font=font)
        ImageDraw.Draw(mask).text((x, y), text, fill=255, font=font)
        lines.append(Drawn(text, x, y, font, (angle, (w, h))))
        y += int(size * rng.choice([1.3, 1.6, 2.5]))
    layer, mask = (i.rotate(angle, Image.BICUBIC) for i in (layer, mask))
    image.paste(layer, (0, 0), mask)
    return image.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 1.2))) if rng.random() < 0.2 else image, lines


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


def read_all(image, reader, a):
    """What is read in a picture by the package, by src/ocr as the package reads ("once"), and as scry does ("both"): lists of [box, score, text]."""
    with tempfile.TemporaryDirectory() as tmp:
        path = os.path.join(tmp, "picture.ppm")
        image.save(path)
        once, twice = (ours([path], a.model, a.threads, mode)[path] for mode in ("once", "f32"))
    result = reader(np.asarray(image)[..., ::-1].copy())
    theirs = [] if result.boxes is None else [(b.reshape(-1).tolist(), float(s), t) for b, t, s in zip(result.boxes, result.txts, result.scores)]
    return {"theirs": theirs, "once": once, "both": twice}


def known_results(path):
    """Results of an earlier run by the name of the picture; a line that was cut short is none."""
    known = {}
    if path and os.path.exists(path):
        for line in open(path, encoding="utf-8"):
            try:
                one = json.loads(line)
                known[one["picture"]] = {name: one[name] for name in ("theirs", "once", "both")}
            except ValueError:
                print(f"{path}: a line that is not complete", file=sys.stderr)
    return known


class Count:
    """Lines of some pictures: of the package and what became of them here, and of src/ocr and what reading both ways changed."""

    NUMBERS = ("pictures", "lines", "here", "same", "exact", "large", "large_same", "sure", "sure_same", "known", "known_differ", "changed", "changed_known")

    def __init__(self):
        for name in self.NUMBERS:
            setattr(self, name, 0)
        self.right = collections.Counter()   # of known lines
        self.differ, self.change = collections.Counter(), collections.Counter()   # who is right where two say different things

    def add(self, other):
        for name in self.NUMBERS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("right", "differ", "change"):
            getattr(self, name).update(getattr(other, name))

    def __str__(self):
        def share(n, of):
            return f"{n} ({100 * n / max(1, of):.2f} %)"
        text = (f"{self.pictures} pictures, {self.lines} lines of the package, {self.here} here; the same words {share(self.same, self.lines)}, the same text "
                f"{share(self.exact, self.lines)}; of {self.large} that are 10 pixels high or more {share(self.large_same, self.large)}; of {self.sure} of which the "
                f"package is sure to 0.9 {share(self.sure_same, self.sure)}; reading both ways changes {self.changed}")
        if self.known:
            text += (f"; of {self.known} whose text is known right in the package {share(self.right['there'], self.known)}, here read once "
                     f"{share(self.right['once'], self.known)}, both ways {share(self.right['both'], self.known)}; of {self.known_differ} that differ "
                     f"{dict(self.differ)}; of {self.changed_known} that reading both ways changes {dict(self.change)}")
        return text


def which(here, there):
    return "both right" if here and there else "right here" if here else "right there" if there else "neither"


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--made", type=int, default=300)
    p.add_argument("--show", action="store_true")
    p.add_argument("--model", default=os.path.join(TOP, "models/words"))
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--results", metavar="FILE", help="goes on with, and adds to, the results in FILE")
    p.add_argument("folders", nargs="*")
    a = p.parse_args()
    known = known_results(a.results)
    rng, latin, cjk = random.Random(18), *fonts()
    reader = RapidOCR(params={"EngineConfig.onnxruntime.intra_op_num_threads": a.threads, "Global.log_level": "critical"})
    sets = [("made", [(f"made{i}", *made(rng, latin, cjk)) for i in range(a.made)])] if a.made else []
    sets += [(f.rstrip("/"), [(x, x, None) for x in sorted(glob.glob(os.path.join(f, "**", "*.*"), recursive=True))
                                                if x.lower().endswith((".webp", ".jpg", ".jpeg", ".png"))]) for f in a.folders]
    total = Count()
    for name, pictures in sets:
        count = Count()
        for label, image, drawn in pictures:
            if label not in known:
                known[label] = read_all(real(image) if isinstance(image, str) else image, reader, a)
                if a.results:
                    with open(a.results, "a", encoding="utf-8") as f:
                        f.write(json.dumps({"picture": label, **known[label]}, ensure_ascii=False) + "\n")
            count_picture(count, label, drawn, known[label], a.show)
        if count.lines:
            print(f"{name}: {count}", flush=True)
        total.add(count)
    print(f"all: {total}")
    return 0 if total.same >= 0.99 * total.lines else 1


def lesser_side(box):
    return min(np.hypot(box[0] - box[2], box[1] - box[3]), np.hypot(box[0] - box[6], box[1] - box[7]))


def count_picture(count, label, drawn, read, show):
    """`drawn`: the lines that were drawn, None where nobody knows what the picture says; `read`: see read_all."""
    count.pictures += 1
    count.here += len(read["once"])
    twice = compare(read["theirs"], read["both"])
    for (box, score, text), (same, exact, best), (_, _, other) in zip(read["theirs"], compare(read["theirs"], read["once"]), twice):
        count.lines += 1
        count.same += same
        count.exact += exact
        count.large += lesser_side(box) >= 10
        count.large_same += same and lesser_side(box) >= 10
        count.sure += score >= 0.9
        count.sure_same += same and score >= 0.9
        changed = best is not None and other is not None and best[2] != other[2]
        count.changed += changed
        if drawn is not None:
            there, once, both = (x is not None and is_right(drawn, x[0], x[2]) for x in ((box, score, text), best, other))
            count.known += 1
            count.right.update({"there": there, "once": once, "both": both})
            count.known_differ += not same
            count.changed_known += changed
            count.differ.update([which(once, there)] * (not same))
            count.change.update([{"right here": "right both ways", "right there": "right once"}.get(which(both, once), which(both, once))] * changed)
        if show and not same:
            print(f"{label}: {text!r} ({score:.3f}) {[round(v) for v in box]}; here {best and (best[2], round(best[1], 3), [round(v) for v in best[0]])}")
        if show and changed:
            print(f"{label}: read both ways {other[2]!r} ({other[1]:.3f}), once {best[2]!r} ({best[1]:.3f})")


sys.exit(main())
