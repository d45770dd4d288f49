#!/usr/bin/env python3
"""effect.py - what scry tune does for a model: the table of docs/tune.md, before and after on pictures that it never saw.

    tools/tune/effect.py DATA [--model starter] [--sets flowers,ten] [--limit N] [--known 500] [--work DIR] [-- --depth 2]

DATA has folders of pictures: labels.tsv or captions.tsv (columns file and text, label or caption) and pictures in img/. SETS below says
which are used. A quarter of a set's pictures, by a hash of their names, is kept apart for the figures; the rest is given to scry tune
with what follows "--". Labels are measured by the share of pictures whose own label is the nearest (top-1), captions by R@10.
DATA/flickr8k, which has nothing to do with them, shows what the model lost: R@10 of the split "dev", a sample of --known pictures.

Rows that were measured, and the original's vectors, are kept in the folder --work: the same command goes on from there. Needs NumPy, and
Pillow for the set "ten".
"""
import argparse
import csv
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import numpy as np

COLUMNS = ("text", "label", "caption")

# The classes of the whole Caltech 101 with the fewest pictures; the sample in DATA has 16 of every class.
RAREST = ("inline skate", "metronome", "binocular", "garfield", "gerenuk", "platypus", "wild cat", "octopus", "snoopy", "strawberry",
          "water lilly", "okapi", "scissors", "wrench", "mayfly", "saxophone", "ant", "anchor", "cannon", "mandolin")

# CIFAR-10's things among the captions and labels of other sets: what a text has to say.
TEN = {"airplane": "air ?planes?|jets?|airliner|warplane", "automobile": "cars?|taxi|cab|convertible|car side",
       "bird": "birds?|ducks?|seagulls?|pigeon|ibis|jay|.* finch|goldfinch", "cat": "cats?|kittens?|tabby",
       "deer": "deer|gerenuk|gazelle|impala|hartebeest",
       "dog": "dogs?", "frog": "frogs?|bullfrog", "horse": "horses?|sorrel", "ship": "ships?|boats?|sailboats?|ferry|schooner|ketch|liner",
       "truck": "trucks?|pickup|fire engine|moving van"}
TEN_FROM = ("caltech101", "coco128", "coco_mini", "flickr8k", "imagenet_sample_1000", "jetson_photos", "misc_photos", "pascal_sentences",
            "voc_animals")
TEN_NOT = re.compile(r"\b(sea horse|wild cat|cougar|airplane wing|hot dogs?|cat(bird|fish)|polecat|meerkat|bicycle)\b")
TEN_MOST = 60


class Scry:
    def __init__(self, program, model, work):
        self.program, self.model, self.work = program, model, work

    def run(self, *args, ok=(0, 1)):
        got = subprocess.run([self.program, *map(str, args)], capture_output=True, text=True)
        if got.returncode not in ok:
            sys.exit(f"scry {args[0]}: {got.stderr.strip()}")
        return got

    def embed(self, model, kind, lines):
        """Unit vectors [n, dim] of texts or images; those of the original are kept for the next time."""
        key = hash_of("\n".join([model, kind, *map(str, lines)])).hex()[:16]
        out, listing = self.work / f"{key}.npy", self.work / f"{key}.txt"
        if not out.exists():
            listing.write_text("".join(f"{x}\n" for x in lines), encoding="utf-8")
            self.run("embed", "--quiet", "--model", model, f"--{kind}", listing, "--out", out)
            listing.unlink()
        return np.load(out) if model == self.model else load_once(out)


def load_once(path):
    got = np.load(path)
    path.unlink()
    return got


def figure(scry, kind, rows, models, same_pictures, labels=()):
    """Percent of rows (picture, text) that are right by each of the models: top-1 among the labels, or R@10 of captions; docs/eval.md."""
    pictures = list(dict.fromkeys(p for p, _ in rows))
    place = {p: i for i, p in enumerate(pictures)}
    own = np.array([place[p] for p, _ in rows])
    got = []
    for model in models:
        v = scry.embed(models[0] if same_pictures else model, "images", pictures)
        if kind == "labels":
            u = scry.embed(model, "texts", [f"a photo of a {t}" for t in labels])
            right = (v[own] @ u.T).argmax(1) == [labels.index(t) for _, t in rows]
        else:
            scores = scry.embed(model, "texts", [t for _, t in rows]) @ v.T
            right = (scores > scores[np.arange(len(rows)), own][:, None]).sum(1) < 10
        got.append(100 * right.mean())
    return got


def read(folder, split="train"):
    """[(picture, text)] of a set, whatever its table is called; of one split, where it has some."""
    table = next(folder / name for name in ("labels.tsv", "captions.tsv") if (folder / name).exists())
    with open(table, encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f, delimiter="\t"))
    column = next(c for c in COLUMNS if c in rows[0])
    return [((folder / "img" / r["file"]).resolve(), r[column]) for r in rows if r.get("split", split) == split]


# ---- the sets ----

def plain(name):
    return lambda data, work: read(data / name)


def rarest(data, work):
    return [(p, t) for p, t in read(data / "caltech101") if t in RAREST]


def thing_of(texts):
    """The one of the ten things that three of five texts name and no text another of; None."""
    said = {k: sum(bool(re.search(rf"\b({v})\b", t, re.I)) for t in texts) for k, v in TEN.items()}
    named = [k for k, n in said.items() if n]
    ok = len(named) == 1 and 5 * said[named[0]] >= 3 * len(texts) and not any(TEN_NOT.search(t.lower()) for t in texts)
    return named[0] if ok else None


def ten(data, work):
    """CIFAR-10's stand-in: up to 60 pictures of each of its things from other sets, cut to squares of 32 x 32 as its pictures are."""
    from PIL import Image, ImageOps
    found = defaultdict(list)
    for name in TEN_FROM:
        texts = defaultdict(list)
        for p, t in read(data / name):
            texts[p].append(t)
        for p, all_of in texts.items():
            found[thing_of(all_of)].append((hash_of(f"{name}/{p.name}"), f"{name}-{p.stem}.png", p))
    rows = []
    for thing in TEN:
        for _, name, p in sorted(found[thing])[:TEN_MOST]:
            ImageOps.fit(Image.open(p).convert("RGB"), (32, 32), Image.Resampling.BOX).save(work / name)
            rows.append((work / name, thing))
    return rows


SETS = {   # name: kind, title, rows of (data, a folder of its own), the smallest first
    "caltech": ("labels", "caltech101, its 20 rarest classes", rarest),
    "ten": ("labels", "CIFAR-10's things, 32 x 32", ten),
    "flowers": ("captions", "flowers102_captions", plain("flowers102_captions")),
    "grocery": ("labels", "grocery, 81 products", plain("grocery")),
    "intel": ("labels", "intel_scenes, 6 scenes", plain("intel_scenes")),
    "caltech_all": ("labels", "caltech101, all 101 classes", plain("caltech101")),
}


# ---- a row ----

def hash_of(name):
    return hashlib.sha256(name.encode()).digest()


def is_apart(path):
    return hash_of(path.name)[0] % 4 == 0


def write(path, kind, rows):
    with open(path, "w", encoding="utf-8", newline="") as f:
        out = csv.writer(f, delimiter="\t")
        out.writerow(("file", kind[:-1]))
        out.writerows(rows)
    return path


def sample(rows, count, why):
    """The rows of `count` pictures, always the same; all of them for 0."""
    chosen = sorted({p for p, _ in rows}, key=lambda p: hash_of(f"{why} {p.name}"))[:count or None]
    return [r for r in rows if r[0] in set(chosen)]


def measure(scry, data, name, options, limit, known):
    kind, title, rows_of = SETS[name]
    work = Path(tempfile.mkdtemp())
    try:
        pictures = scry.work / f"pictures-{name}"
        pictures.mkdir(exist_ok=True)
        rows = sample(rows_of(data, pictures), limit, "limit")
        apart = [r for r in rows if is_apart(r[0])]
        train = write(work / "train.tsv", kind, [r for r in rows if not is_apart(r[0])])
        got = scry.run("tune", "--quiet", f"--{kind}", train, "--model", scry.model, "--out", work / "tuned", *options)
        models, keep, same = [scry.model], "1 (nothing gained)", True
        if (work / "tuned").exists():
            record = json.loads((work / "tuned/scry_tune.json").read_text())
            models, keep = [scry.model, str(work / "tuned")], f"{record['keep']:g}"
            same = record["depth"] == "heads" or record["side"] == "texts"
        own = figure(scry, kind, apart, models, same, sorted({t for _, t in rows}))
        other = figure(scry, "captions", sample(read(data / "flickr8k", "dev"), known, "known"), models, same)
        held = re.search(r"recall +([0-9.]+) %.*?([0-9.]+) %", got.stdout)
        return " | ".join(["", title, f"{len({p for p, _ in rows}) - len({p for p, _ in apart})} / {len({p for p, _ in apart})}", keep,
                           f"{held[1]} -> {held[2]}", f"{'top-1' if kind == 'labels' else 'R@10'} {own[0]:.1f}", f"{own[-1]:.1f}",
                           f"{other[0]:.1f}", f"{other[-1]:.1f}", ""]).strip()
    finally:
        shutil.rmtree(work)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", default="starter")
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--limit", type=int, default=0, help="pictures of a set")
    parser.add_argument("--known", type=int, default=500)
    parser.add_argument("--work", type=Path, default=Path("build/tune-effect"))
    parser.add_argument("--scry", default="build/release/scry")
    at = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    a = parser.parse_args(sys.argv[1:at])
    options = sys.argv[at + 1:]
    a.work.mkdir(parents=True, exist_ok=True)
    scry = Scry(a.scry, a.model, a.work)
    print("| set | pictures: trained, apart | kept | held out by scry tune | before | after | Flickr8k before | after |")
    print(8 * "|---" + "|", flush=True)
    for name in a.sets.split(","):
        key = hash_of(json.dumps([name, a.model, a.limit, a.known, options])).hex()[:16]
        row = a.work / f"{name}-{key}.txt"
        if not row.exists():
            row.write_text(measure(scry, a.data, name, options, a.limit, a.known) + "\n", encoding="utf-8")
        print(row.read_text(encoding="utf-8"), end="", flush=True)


main()
