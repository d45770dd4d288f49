#!/usr/bin/env python3
"""names.py - how well names that were taught find pictures, and whether they compose: the tables of docs/tune.md.

    tools/tune/names.py --labels FOLDER... [--captions FOLDER --words dog,horse] [--pictures 3,5] [--scry build/release/scry]

Every class of a folder with labels.tsv (or captions.tsv; columns file, text; pictures in img/) gets an invented name, taught with
so many of its pictures. What is ranked are the pictures of all classes but those. R@10 is the share of names with a right picture
among the first ten, "share" that of the right ones among the first ten (or among as many as there are, if fewer).

Composition: a word is taken for a name. It is taught with pictures of FOLDER/captions.tsv (columns split, file, caption) whose
captions in the split "train" nearly all have it, and stands in their place in the captions of the split "dev", whose own pictures are
looked for among all of dev: R@10 with the name, with the word itself, and with neither.

Names are kept in a folder of their own, which is removed; needs NumPy.
"""
import argparse
import csv
import os
import random
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np


class Scry:
    def __init__(self, program, model):
        self.program, self.model = program, model
        self.data = tempfile.mkdtemp()
        self.env = {**os.environ, "XDG_DATA_HOME": self.data}

    def run(self, *args):
        subprocess.run([self.program, *args], check=True, env=self.env, stdout=subprocess.DEVNULL)

    def embed(self, kind, lines):
        listing, out = Path(self.data, "list"), Path(self.data, "out.npy")
        listing.write_text("".join(f"{x}\n" for x in lines), encoding="utf-8")
        self.run("embed", "--quiet", "--model", self.model, f"--{kind}", str(listing), "--out", str(out))
        return np.load(out)

    def teach(self, name, pictures):
        self.run("model", "teach", "--quiet", self.model, name, *(f"@{p}" for p in pictures))

    def forget_all(self):
        shutil.rmtree(Path(self.data, "scry", "names"), ignore_errors=True)


def rows(folder):
    table = next(p for p in (folder / "labels.tsv", folder / "captions.tsv") if p.exists())
    with open(table, encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f, delimiter="\t"))


def measure_labels(scry, folder, counts, plain):
    classes = {}
    for row in rows(folder):
        classes.setdefault(row["text"], []).append(str(folder / "img" / row["file"]))
    classes = {k: v for k, v in sorted(classes.items()) if len(v) >= max(counts) + 3 and "BACKGROUND" not in k}
    paths = [p for v in classes.values() for p in v]
    place = {p: i for i, p in enumerate(paths)}
    vectors = scry.embed("images", paths)
    before = scry.embed("texts", plain)
    for count in counts:
        names = {}
        for i, (label, pictures) in enumerate(classes.items()):
            chosen = random.Random(i).sample(pictures, count)
            names[label] = (f"Qx{i}", chosen)
            scry.teach(*names[label])
        same = np.array_equal(before, scry.embed("texts", plain))
        for form in ("{}", "a photo of {}"):
            queries = scry.embed("texts", [form.format(name) for name, _ in names.values()])
            hits, shares = [], []
            for query, (label, (_, chosen)) in zip(queries, names.items()):
                scores = vectors @ query
                scores[[place[p] for p in chosen]] = -2
                right = {place[p] for p in classes[label]} - {place[p] for p in chosen}
                found = len(right & set(np.argsort(-scores, kind="stable")[:10].tolist()))
                hits.append(found > 0)
                shares.append(found / min(10, len(right)))
            print(f"| {folder.name}, {len(classes)} names | {count} | {form.format('NAME')} | {100 * np.mean(hits):.0f} | {100 * np.mean(shares):.0f} | "
                  f"{'all unchanged' if same else 'CHANGED'} |", flush=True)
        scry.forget_all()


def measure_composition(scry, folder, words, count):
    captions = {}
    for row in rows(folder):
        captions.setdefault((row["split"], row["file"]), []).append(row["caption"])
    dev = [f for split, f in captions if split == "dev"]
    vectors = scry.embed("images", [folder / "img" / f for f in dev])
    sums = np.zeros(3)
    for word in words:
        pattern = re.compile(rf"\b{word}\b")
        chosen = [f for (split, f), c in captions.items() if split == "train" and sum(bool(pattern.search(x)) for x in c) >= 4]
        chosen = random.Random(word).sample(chosen, count)
        asked = [(c, i) for i, f in enumerate(dev) for c in captions["dev", f] if pattern.search(c)]
        asked = random.Random(1).sample(asked, min(100, len(asked)))
        scry.teach("Qxname", [folder / "img" / f for f in chosen])
        found = []
        for stands in (word, "", "Qxname"):
            queries = scry.embed("texts", [pattern.sub(stands, c) for c, _ in asked])
            scores = queries @ vectors.T
            own = scores[np.arange(len(asked)), [i for _, i in asked]]
            found.append(100 * np.mean((scores > own[:, None]).sum(1) < 10))
        sums += found
        print(f"| {word} ({len(asked)}) | {found[0]:.0f} | {found[1]:.0f} | {found[2]:.0f} |", flush=True)
        scry.forget_all()
    print("| mean | " + " | ".join(f"{x:.0f}" for x in sums / len(words)) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--labels", nargs="*", type=Path, default=[])
    parser.add_argument("--captions", type=Path)
    parser.add_argument("--words", default="dog,boy,girl,man,woman,bike,horse,ball,football,motorcycle")
    parser.add_argument("--pictures", default="3,5")
    parser.add_argument("--model", default="starter")
    parser.add_argument("--scry", default="build/release/scry")
    a = parser.parse_args()
    scry = Scry(a.scry, a.model)
    try:
        texts = Path(__file__).parents[2] / "models" / "background-texts.txt"
        plain = [x for x in texts.read_text(encoding="utf-8").splitlines() if x and x[0] != "#"]
        print("| pictures | taught with | text | R@10 | share | other texts |\n|---|---|---|---|---|---|")
        for folder in a.labels:
            measure_labels(scry, folder, [int(n) for n in a.pictures.split(",")], plain)
        if a.captions:
            print("\n| word (captions) | the word | left out | the name |\n|---|---|---|---|")
            measure_composition(scry, a.captions, a.words.split(","), 8)
    finally:
        shutil.rmtree(scry.data)


main()
