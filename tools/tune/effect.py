#!/usr/bin/env python3
"""effect.py - what scry tune does for a model: the table of docs/tune.md, before and after on pictures that it never saw.

    tools/tune/effect.py --labels FOLDER... --captions FOLDER... --known FOLDER [--model starter] [--limit N] [-- --depth 2]

A folder has labels.tsv or captions.tsv (columns file and text, label or caption) and pictures in img/. A quarter of its pictures, by
a hash of their names, is kept apart for the figures; the rest is given to scry tune with what follows "--". Labels are measured by
the share of pictures whose own label is the nearest (top-1), captions by R@10. --known is a set of captions that has nothing to do
with them: its R@10 (500 pictures, of the split "dev" where it has one) shows what the model lost. `FOLDER:N` takes the N classes
with the fewest pictures. Needs Python alone.
"""
import argparse
import csv
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

COLUMNS = ("text", "label", "caption")


class Scry:
    def __init__(self, program, model, options):
        self.program, self.model, self.options = program, model, options

    def run(self, *args):
        return subprocess.run([self.program, *map(str, args)], capture_output=True, text=True)

    def figures(self, kind, table, after, *more):
        """{figure: (before, after)} of a table, in percent."""
        got = self.run("eval", "--json", f"--{kind}", table, *more, "--compare", self.model, after)
        if got.returncode > 1:
            sys.exit(got.stderr)
        models = json.loads(got.stdout)["models"]
        return {k: tuple(100 * m["figures"][k]["value"] for m in models) for k in models[0]["figures"]}


def read(folder, kind, rarest):
    table = next(folder / name for name in (f"{kind}.tsv", "captions.tsv", "labels.tsv") if (folder / name).exists())
    with open(table, encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f, delimiter="\t"))
    column = next(c for c in COLUMNS if c in rows[0])
    rows = [(str((folder / "img" / r["file"]).resolve()), r[column]) for r in rows]
    if rarest:
        keep = {c for c, _ in sorted(Counter(t for _, t in rows).items(), key=lambda x: (x[1], x[0]))[:rarest]}
        rows = [r for r in rows if r[1] in keep]
    return rows


def is_apart(path):
    return hashlib.sha256(Path(path).name.encode()).digest()[0] % 4 == 0


def write(path, kind, rows):
    with open(path, "w", encoding="utf-8", newline="") as f:
        out = csv.writer(f, delimiter="\t")
        out.writerow(("file", kind[:-1]))
        out.writerows(rows)
    return path


def measure(scry, spec, kind, known, limit):
    folder, _, rarest = spec.partition(":")
    folder = Path(folder)
    rows = read(folder, kind, int(rarest or 0))
    work = Path(tempfile.mkdtemp())
    try:
        train = write(work / "train.tsv", kind, [r for r in rows if not is_apart(r[0])])
        apart = write(work / "apart.tsv", kind, [r for r in rows if is_apart(r[0])])
        limits = ["--limit", limit] if limit else []
        tuned = scry.run("tune", "--quiet", f"--{kind}", train, "--model", scry.model, "--out", work / "tuned", *limits, *scry.options)
        if tuned.returncode > 1:
            sys.exit(tuned.stderr)
        name = f"{folder.name}, {kind}" + (f" ({rarest} rarest)" if rarest else "")
        counts = f"{len({p for p, _ in rows if not is_apart(p)})} / {len({p for p, _ in rows if is_apart(p)})}"
        if tuned.returncode == 1:
            print(f"| {name} | {counts} | nothing gained | | | | |", flush=True)
            return
        record = json.loads((work / "tuned/scry_tune.json").read_text())
        key = "top_1" if kind == "labels" else "recall_at_10"
        own = scry.figures(kind, apart, work / "tuned")[key]
        split = next(open(known / "captions.tsv", encoding="utf-8")).split("\t")
        other = scry.figures("captions", known / "captions.tsv", work / "tuned", "--limit", 500,
                             *(["--where", "split=dev"] if "split" in split else []))["recall_at_10"]
        print(f"| {name} | {counts} | {record['keep']:g} | {own[0]:.1f} | {own[1]:.1f} | {other[0]:.1f} | {other[1]:.1f} |", flush=True)
    finally:
        shutil.rmtree(work)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--labels", nargs="*", default=[])
    parser.add_argument("--captions", nargs="*", default=[])
    parser.add_argument("--known", type=Path, required=True)
    parser.add_argument("--model", default="starter")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--scry", default="build/release/scry")
    at = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    a = parser.parse_args(sys.argv[1:at])
    scry = Scry(a.scry, a.model, sys.argv[at + 1:])
    print("| set | pictures: trained, apart | kept | before | after | known before | known after |\n|---|---|---|---|---|---|---|", flush=True)
    for kind in ("labels", "captions"):
        for spec in getattr(a, kind):
            measure(scry, spec, kind, a.known, a.limit)


main()
