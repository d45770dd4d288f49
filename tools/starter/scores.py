"""scores.py - the line between hits and "nothing like that here": its file and its figures.

Usage: scores.py MODEL_DIR --work DIR [--scry PROGRAM] [--store]

All vectors come from the C program (`scry embed`); they are kept in --work. The line of a query q is

    line(q) = highest q . r_i over 1,024 training pictures r_i  +  margin

--store writes the pictures' vectors (int8) and the margin to MODEL_DIR/line.safetensors. Prints the
curve of docs/scores.md, each query judged with the margin that the other nine tenths of the
pictures give, next to the curve of one score for all queries.
"""
import argparse
import subprocess
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

import data
from encode import encode
from sources import load_minilm
from suite import Suite

KEPT = 0.90        # answered queries that must keep a right picture
ALIKE = 0.45       # teacher's cosine of two captions from which one picture would do for both
DEPTH = 10         # answered: a right picture is among the first ten
COHORT = 1024
FOLDS = 10


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


class Vectors:
    """Unit vectors of pictures and texts, kept in a folder as long as the same ones are asked for."""

    def __init__(self, program, model, work):
        self.program, self.model, self.work = program, model, Path(work)
        self.work.mkdir(parents=True, exist_ok=True)

    def kept(self, kind, lines, make):
        lines = list(dict.fromkeys(lines))
        asked, out = self.work / f"{kind}.txt", self.work / f"{kind}.npy"
        text = "\n".join(lines) + "\n"
        if not (out.exists() and asked.exists() and asked.read_text() == text):
            asked.write_text(text)
            make(lines, asked, out)
        return dict(zip(lines, np.load(out)))

    def embed(self, kind, lines):
        """kind: images or texts, through the C program."""
        return self.kept(kind, lines, lambda _, asked, out: subprocess.run(
            [self.program, "embed", "--model", self.model, f"--{kind}", asked, "--out", out], check=True))

    def meaning(self, lines):
        """The teacher's vectors of English texts."""
        teacher = load_minilm()
        return self.kept("meaning", lines, lambda texts, _, out: np.save(
            out, unit(encode(*teacher, texts, 0).numpy())))


def quantise(rows):
    scale = (np.abs(rows).max(1) / 127).astype(np.float32)
    return np.round(rows / scale[:, None]).astype(np.int8), scale


def judge(q, pictures, right):
    """q [Q, D] against pictures [N, D]; right [Q, N]: which would do. For each query the best right
    score, the best of the others, and whether a right one is among the first DEPTH."""
    scores = q @ pictures.T
    best, wrong = np.where(right, scores, -2).max(1), np.where(right, -2, scores).max(1)
    return {"q": q, "best": best, "wrong": wrong, "answered": (scores > best[:, None]).sum(1) < DEPTH}


def cohort_pictures(pictures):
    """What the line is drawn by: the ImageNet sample and every so many of Flickr8k, train only."""
    train = [p for p in pictures if p.split == "train"]
    sample = [p for p in train if p.folder == "imagenet_sample_1000"]
    flickr = [p for p in train if p.folder == "flickr8k"]
    return sample + flickr[::len(flickr) // (COHORT - len(sample))][:COHORT - len(sample)]


def at_margin(group, level, keep):
    """The margin that keeps `keep` of the answered queries of a group."""
    return np.quantile((group["best"] - level)[group["answered"]], 1 - keep)


def crossed(group, level, keep):
    """(kept, refused) where no query takes part in choosing its own margin: folds of pictures."""
    kept, refused = np.zeros(len(level), bool), np.zeros(len(level), bool)
    for f in range(FOLDS):
        out = group["picture"] % FOLDS == f
        rest = {k: v[~out] for k, v in group.items()}
        line = level[out] + at_margin(rest, level[~out], keep)
        kept[out], refused[out] = group["best"][out] >= line, group["wrong"][out] < line
    return kept[group["answered"]].mean(), refused.mean()


def merge(groups):
    return {k: np.concatenate([g[k] for g in groups]) for k in groups[0]}


def ceiling(group, keep):
    """What a line that knew every query's scores could refuse while it keeps `keep`: a query whose
    best wrong picture is above its best right one is kept or refused, never both."""
    a = group["answered"]
    tangled = (group["wrong"] >= group["best"])[a].mean()
    return 1 - a.mean() * max(0.0, tangled - (1 - keep))


class Trial:
    def __init__(self, args):
        self.suite, everything = Suite(), data.pictures()
        caltech = [p for p in self.suite.dev if p.folder == "caltech101"]
        labelled = [p for p in everything if p.folder in ("caltech101", "imagenet_sample_1000")]
        cohort = cohort_pictures(everything)
        flickr = self.suite.sets["flickr captions"][0]
        texts = [q for _, questions in self.suite.sets.values() for q, _, _ in questions]
        lines = (Path(__file__).parents[2] / "models/background-texts.txt").read_text().splitlines()
        self.background = [t for t in lines if t and not t.startswith("#")]
        texts += self.background + [p.texts[0] for p in everything if p.kind == "label"] + self.suite.natural_captions
        self.vectors = Vectors(args.scry, args.model, args.work)
        known = self.vectors.embed("images", [str(data.image_path(p)) for p in
                                              self.suite.natural + flickr + labelled + cohort])
        self.text = self.vectors.embed("texts", texts)
        english = [e for _, questions in self.suite.sets.values() for _, _, e in questions]
        self.meaning = self.vectors.meaning(english + self.suite.natural_captions)
        self.rows = lambda pictures: np.stack([known[str(data.image_path(p))] for p in pictures])
        self.caltech, self.codes = caltech, quantise(self.rows(cohort))
        self.cohort = self.codes[0] * self.codes[1][:, None]

    def level(self, q):
        return (q @ self.cohort.T).max(1)

    def questions(self, name):
        """A set of the suite, every picture whose caption means about the same being right."""
        gallery, questions = self.suite.sets[name]
        captions = (self.suite.natural_captions if gallery is self.suite.natural
                    else [c for p in gallery for c in p.texts])
        per = len(captions) // len(gallery)
        meant = lambda texts: np.stack([self.meaning[t] for t in texts])
        alike = (meant([e for _, _, e in questions]) @ meant(captions).T).reshape(len(questions), len(gallery), per).max(2)
        picture = np.array([i for _, i, _ in questions])
        right = alike >= ALIKE
        right[np.arange(len(picture)), picture] = True
        q = np.stack([self.text[t] for t, _, _ in questions])
        return judge(q, self.rows(gallery), right) | {"picture": picture}

    def composed(self):
        """Captions of natural pictures put together with another picture's: the first stays right."""
        gallery, questions = self.suite.sets["natural captions"]
        q = np.stack([self.text[t] for t, _, _ in questions])
        other, pictures = np.roll(q, 97, axis=0), self.rows(gallery)
        right = np.eye(len(gallery), dtype=bool)
        for title, w in (("A - B", -1.0), ("A - 0.5 B", -0.5), ("A + 0.5 B", 0.5)):
            yield title, judge(unit(q + w * other), pictures, right)
        v = self.rows(self.caltech)
        label = np.array([p.label for p in self.caltech])
        same = (label[:, None] == label) & ~np.eye(len(v), dtype=bool)
        scores = np.where(np.eye(len(v), dtype=bool), -2, v @ v.T)
        best, wrong = np.where(same, scores, -2).max(1), np.where(same, -2, scores).max(1)
        yield "a picture (others of its class)", {"q": v, "best": best, "wrong": wrong,
                                                  "answered": np.ones(len(v), bool)}

    def names(self, pictures):
        """Each class asked for by its name; absent: all its pictures taken away."""
        labels = sorted({p.texts[0] for p in pictures})
        own = np.array([labels.index(p.texts[0]) for p in pictures])
        q = np.stack([self.text[t] for t in labels])
        return judge(q, self.rows(pictures), own == np.arange(len(labels))[:, None])


def percent(*xs):
    return " | ".join(f"{100 * x:.0f} %" for x in xs)


def print_curves(trial, group):
    print("| aimed at | line for each query: kept | refused | one score for all: kept | refused |\n|---|---|---|---|---|")
    level, flat = trial.level(group["q"]), np.zeros(len(group["q"]))
    for keep in (0.98, 0.96, 0.94, 0.92, 0.90, 0.85, 0.80, 0.75, 0.70, 0.65, 0.60, 0.50):
        mark = " (stored)" if keep == KEPT else ""
        print(f"| {100 * keep:.0f} %{mark} | {percent(*crossed(group, level, keep), *crossed(group, flat, keep))} |")


def print_kinds(trial, groups, margin, flat):
    print("\n| queries | how many | kept | refused | one score for all: kept | refused | a perfect line could refuse |"
          "\n|---|---|---|---|---|---|---|")
    for title, g in groups:
        line, a = trial.level(g["q"]) + margin, g["answered"]
        cells = percent((g["best"] >= line)[a].mean(), (g["wrong"] < line).mean(), (g["best"] >= flat)[a].mean(),
                        (g["wrong"] < flat).mean(), ceiling(g, KEPT))
        print(f"| {title} | {len(a)} | {cells} |")


def estimates(trial, pictures):
    """What score.c estimates for a model without a line of its own: (one score for all queries as
    it was before, mean picture, margin). Four spreads above the median; a spread is the distance
    down to the 15.87th percentile."""
    texts = np.stack([trial.text[t] for t in trial.background])
    def four(x):
        return np.median(x) + 4 * (np.median(x) - np.quantile(x, 0.1587))
    scores, mean = texts @ pictures.T, pictures.mean(0)
    return four(scores), mean, four(scores - (texts @ mean)[:, None])


def print_estimates(trial, groups):
    print("\n| pictures, queries | estimated: kept | refused | one score for all: kept | refused |\n|---|---|---|---|---|")
    for title, pictures, g in groups:
        flat, mean, margin = estimates(trial, pictures)
        line, a = g["q"] @ mean + margin, g["answered"]
        print(f"| {title} | {percent((g['best'] >= line)[a].mean(), (g['wrong'] < line).mean(), (g['best'] >= flat)[a].mean(), (g['wrong'] < flat).mean())} |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", metavar="MODEL_DIR")
    parser.add_argument("--work", required=True)
    parser.add_argument("--scry", default=Path(__file__).parents[2] / "scry")
    parser.add_argument("--store", action="store_true")
    args = parser.parse_args()
    trial = Trial(args)
    natural = [(n, trial.questions(n)) for n in trial.suite.sets if n.startswith("natural")]
    group = merge([g for _, g in natural])
    margin, flat = at_margin(group, trial.level(group["q"]), KEPT), at_margin(group, 0, KEPT)
    print(f"margin {margin:.4f}; one score for all {flat:.4f}; a perfect line could refuse {100 * ceiling(group, KEPT):.0f} %\n")
    print_curves(trial, group)
    dev = lambda folder: [p for p in trial.suite.dev if p.folder == folder]
    flickr = [(n, trial.questions(n)) for n in trial.suite.sets if n.startswith("flickr")]
    print_kinds(trial, natural + flickr + list(trial.composed()) +
                [("names of held-back Caltech101 classes", trial.names(trial.caltech)),
                 ("names of ImageNet classes, dev pictures", trial.names(dev("imagenet_sample_1000")))], margin, flat)
    everything = data.pictures()
    folders = [(f, [p for p in everything if p.folder == f]) for f in ("caltech101", "imagenet_sample_1000")]
    print_estimates(trial, [("natural, all queries", trial.rows(trial.suite.natural), group)] +
                    [(f"{f}, names of classes", trial.rows(ps), trial.names(ps)) for f, ps in folders])
    if args.store:
        path = Path(args.model) / "line.safetensors"
        save_file({"pictures": trial.codes[0], "pictures.scale": trial.codes[1],
                   "margin": np.array([margin], np.float32)}, path)
        path.chmod(0o644)


if __name__ == "__main__":
    main()
