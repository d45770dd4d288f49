"""scores.py - where a query's best results end, where the far ones begin, and which words are none.

Usage: scores.py MODEL_DIR --work DIR [--scry PROGRAM] [--store] [--config]

All vectors come from the C program (`scry embed`); they are kept in --work. Both borders of a query q lie at

    highest q . r_i over 1,024 training pictures r_i  +  a margin

but that the best results of a query of texts begin at

    FITTING-th highest p . s_i over the text map's subjects s_i  +  a margin

where p is the picture that the query finds first. --store writes the pictures' and the subjects' vectors (int8), the margins and
what tells an unknown word to MODEL_DIR/line.safetensors; --config writes one score for all queries to config.json, which gives the model another
identity: for new models. Prints the tables of docs/scores.md.
"""
import argparse
import hashlib
import json
import random
import re
import subprocess
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from wordfreq import get_frequency_dict, top_n_list

import corpus
import data
from encode import encode
from publish import save
from safetensors.numpy import load_file
from sources import load_minilm
from suite import Suite
from vocabulary import LANGUAGES

PRESENT = 0.955    # right pictures among the first ten that are not to be far: the worst set of queries
ABSENT = 0.17      # absent subjects that may have a best: the worst set of queries
ALIKE = 0.45       # teacher's cosine of two captions from which one picture would do for both
DEPTH = 10
COHORT = 1024
FITTING = 5        # a best result's query fits the first picture about as well as the picture's fifth-best subject
STRANGE = -4.5     # natural logarithm of a letter's probability: below, a word is none
COMMON = 1e-7      # how frequent a real word is
BITS_PER_WORD, HASHES = 12, 6
UNKNOWN_ID = 3     # of characters without a piece
LETTERS = 4        # shorter words are never called unknown
BASE = 0x2E80      # Chinese and Japanese characters, from here on, are words by themselves


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


class Vectors:
    """Unit vectors of pictures and texts, kept in a folder as long as the same ones are asked for."""

    def __init__(self, program, model, work):
        self.program, self.model, self.work = program, Path(model), Path(work)
        self.work.mkdir(parents=True, exist_ok=True)

    def version(self, kind):
        """A digest of what the vectors depend on: of texts also the text map."""
        files = [self.model / n for n in ("model.safetensors", "text_map.safetensors")[:2 if kind == "texts" else 1]]
        return hashlib.sha256(b"".join(f.read_bytes() for f in files if f.exists())).hexdigest()[:12]

    def kept(self, kind, lines, make):
        lines = list(dict.fromkeys(lines))
        asked, out = self.work / f"{kind}.txt", self.work / f"{kind}.npy"
        text = "\n".join(lines) + "\n"
        if not (out.exists() and asked.exists() and asked.read_text() == text):
            out.unlink(missing_ok=True)   # a run that is stopped here leaves no vectors of other lines
            asked.write_text(text)
            make(lines, asked, out)
        return dict(zip(lines, np.load(out)))

    def embed(self, kind, lines):
        """kind: images or texts, through the C program."""
        return self.kept(f"{kind}-{self.version(kind)}", lines, lambda _, asked, out: subprocess.run(
            [self.program, "embed", "--model", self.model, f"--{kind}", asked, "--out", out], check=True))

    def meaning(self, lines):
        """The teacher's vectors of English texts."""
        teacher = load_minilm()
        return self.kept("meaning", lines, lambda texts, _, out: np.save(
            out, unit(encode(*teacher, texts, 0).numpy())))


def quantise(rows):
    scale = (np.abs(rows).max(1) / 127).astype(np.float32)
    return np.round(rows / scale[:, None]).astype(np.int8), scale


def cohort_pictures(pictures):
    """What the borders are drawn by: the ImageNet sample and every so many of Flickr8k, train only; of a run without these
    (--open-only) every so many of the pictures that it trained on."""
    train = [p for p in pictures if p.split == "train"]
    sample = [p for p in train if p.folder == "imagenet_sample_1000"]
    more = [p for p in train if p.folder == "flickr8k"] or [p for p in train if p.folder != "imagenet_sample_1000"]
    missing = COHORT - len(sample)
    return sample + more[::max(1, len(more) // missing)][:missing]


def subject_vectors(model):
    """Of each subject of MODEL_DIR/text_map.safetensors the mean of its words, as the map makes them."""
    t = load_file(Path(model) / "text_map.safetensors")
    known, added = (t[n].astype(np.float32) * t[f"{n}.scale"][:, None] for n in ("known", "added"))
    known, start, edge = unit(known), t["from"][0], np.r_[0, t["count"].cumsum()].astype(int)
    words = [slice(a, b) for a, b in zip(edge, edge[1:])]
    near = np.stack([(known @ known[w].T).max(1) for w in words], 1)
    mapped = unit(known @ t["weight"].astype(np.float32).T + np.maximum(0, (near - start) / (1 - start)) @ added)
    return unit(np.stack([mapped[w].mean(0) for w in words]))


def judge(q, pictures, right, counted, subjects):
    """Of queries q [Q, D]: the scores of the right pictures among each one's first DEPTH, and the highest score when all right ones
    are taken away; what the subject at FITTING scores with the first picture, and with the first of those that then remain. right
    and counted are [Q, N]."""
    scores = np.where(counted, q @ pictures.T, -2)
    without = np.where(right, -2, scores)
    first = np.sort(scores, 1)[:, -DEPTH][:, None]
    fit = np.sort(pictures @ subjects.T, 1)[:, -FITTING]
    return {"q": q, "right": [s[r & (s >= f)] for s, r, f in zip(scores, right, first)], "wrong": without.max(1),
            "fit": fit[scores.argmax(1)], "fit without": fit[without.argmax(1)]}


class Trial:
    def __init__(self, args):
        self.suite = Suite()
        cohort = cohort_pictures(data.pictures())
        lines = (Path(__file__).parents[2] / "models/background-texts.txt").read_text().splitlines()
        background = [t for t in lines if t and not t.startswith("#")]
        texts = [q for _, questions in self.suite.sets.values() for q, _, _ in questions]
        texts += [row[language] for language in ("en", "ru") for row, _, _ in self.suite.words] + background
        vectors = Vectors(args.scry, args.model, args.work)
        known = vectors.embed("images", [str(data.image_path(p)) for p in self.suite.dev + cohort])
        self.text = vectors.embed("texts", texts)
        english = [e for n, (_, questions) in self.suite.sets.items() if n.startswith("natural") for _, _, e in questions]
        self.meaning = vectors.meaning(english + self.suite.natural_captions)
        self.rows = lambda pictures: np.stack([known[str(data.image_path(p))] for p in pictures])
        self.codes = quantise(self.rows(cohort))
        self.cohort = self.codes[0] * self.codes[1][:, None]
        self.subject_codes = quantise(subject_vectors(args.model))
        self.subjects = self.subject_codes[0] * self.subject_codes[1][:, None]
        self.background = np.stack([self.text[t] for t in background])

    def captions(self, name):
        """A natural set of the suite, every picture whose caption means about the same being right."""
        gallery, questions = self.suite.sets[name]
        meant = lambda texts: np.stack([self.meaning[t] for t in texts])
        right = meant([e for _, _, e in questions]) @ meant(self.suite.natural_captions).T >= ALIKE
        right[np.arange(len(questions)), [i for _, i, _ in questions]] = True
        return judge(np.stack([self.text[t] for t, _, _ in questions]), self.rows(gallery), right, True, self.subjects)

    def words(self, language):
        rows, right, counted = zip(*self.suite.words)
        return judge(np.stack([self.text[r[language]] for r in rows]), self.rows(self.suite.everyday),
                     torch.stack(right).numpy(), torch.stack(counted).numpy(), self.subjects)

    def level(self, q):
        return (q @ self.cohort.T).max(1)


def shares(group, level, border):
    """(right pictures above level + border, queries with something above it once those are gone)."""
    right = np.concatenate([r - l for r, l in zip(group["right"], level)])
    return (right >= border).mean(), (group["wrong"] - level >= border).mean()


def fitting(group, border):
    """The same for a margin over what the first picture's subject scores."""
    right = np.concatenate([r - f for r, f in zip(group["right"], group["fit"])])
    return (right >= border).mean(), (group["wrong"] - group["fit without"] >= border).mean()


def borders(groups, levels):
    """(where far ends, where best begins, the same for texts): the strictest that any set of queries asks for."""
    far = min(np.quantile(np.concatenate([r - l for r, l in zip(g["right"], level)]), 1 - PRESENT)
              for g, level in zip(groups, levels))
    best = max(np.quantile(g["wrong"] - level, 1 - ABSENT) for g, level in zip(groups, levels))
    fits = max(np.quantile(g["wrong"] - g["fit without"], 1 - ABSENT) for g in groups)
    return far, max(best, far), fits


def half(group, odd):
    return {name: values[odd::2] for name, values in group.items()}


def percent(*xs):
    return " | ".join(f"{100 * x:.0f} %" for x in xs)


def print_sets(groups, level):
    """Each set with borders that the other half of every set gives."""
    print("| queries | how many | right ones not far | right ones best | absent: with a best | absent: with a maybe or best |"
          "\n|---|---|---|---|---|---|")
    fitted = []
    for odd in (0, 1):
        other = [half(g, 1 - odd) for _, g in groups]
        fitted.append(borders(other, [level(g["q"]) for g in other]))
    for title, g in groups:
        cells = []
        for odd, (far, _, fits) in enumerate(fitted):
            h = half(g, odd)
            (near, some), (top, bests) = shares(h, level(h["q"]), far), fitting(h, fits)
            cells.append((near, top, bests, some))
        print(f"| {title} | {len(g['q'])} | {percent(*np.mean(cells, 0))} |")


def print_curve(groups, share, marks):
    """What of the right pictures is above a margin, and how many absent subjects have something above it."""
    print("\n| margin | right pictures above | absent subjects with a picture above |\n|---|---|---|")
    at = sorted({*np.round(np.arange(-0.16, 0.165, 0.02), 2), *marks})
    for margin in at:
        cells = np.mean([share(g, margin) for _, g in groups], 0)
        print(f"| {margin:.3f}{' (' + marks[margin] + ')' if margin in marks else ''} | {percent(*cells)} |")


def print_estimates(trial, groups):
    """What line.c estimates for a model that brings nothing, in spreads above the median."""
    pictures = {"natural": trial.rows(trial.suite.natural), "words": trial.rows(trial.suite.everyday)}
    print("\n| pictures | queries | spreads | right ones above | absent with one above |\n|---|---|---|---|---|")
    for title, g in groups:
        rows = pictures["words" if "words" in title else "natural"]
        mean = rows.mean(0)
        scores = trial.background @ (rows - mean).T
        middle = np.median(scores)
        spread = middle - np.quantile(scores, 0.1587)
        for k in (2, 2.5, 3, 3.5, 4, 5, 6, 7, 8):
            print(f"| {len(rows)} | {title} | {k} | {percent(*shares(g, g['q'] @ mean, middle + k * spread))} |")


def fold(text):
    """Letters that many write in another way."""
    return text.replace("ё", "е").replace("ß", "ss")


class Words:
    """Which words are none: the mean logarithm of a letter's probability in the tokenizer's best cut is
    below STRANGE, and the word is not among those real words of which that is true, too. These are kept as
    a Bloom filter: bits h, h + g, h + 2 g ... (modulo its size) of FNV-1a's halves g and h."""

    def __init__(self, path):
        self.tokenizer = Tokenizer.from_file(str(path))
        self.pieces = dict(json.loads(Path(path).read_text())["model"]["vocab"])
        self.unknown = min(self.pieces.values()) - 10
        real = {fold(w) for k in LANGUAGES for w, f in get_frequency_dict(k, "best").items() if f > COMMON}
        real = self.strange(sorted(real))
        self.bits = np.zeros(len(real) * BITS_PER_WORD // 8 + 1, np.uint8)
        for w in real:
            for i in self.places(w):
                self.bits[i >> 3] |= 1 << (i & 7)

    def places(self, word):
        h = 0xCBF29CE484222325
        for byte in word.encode():
            h = (h ^ byte) * 0x100000001B3 % 2 ** 64
        return [((h & 0xFFFFFFFF) + i * (h >> 32)) % (8 * len(self.bits)) for i in range(HASHES)]

    def strange(self, words):
        """Those of the words whose letters are too improbable."""
        words = [w for w in words if LETTERS <= len(w) <= 64 and max(map(ord, w)) < BASE]
        out = []
        for w, e in zip(words, self.tokenizer.encode_batch(words, add_special_tokens=False)):
            total = sum(self.unknown * (to - start) if i == UNKNOWN_ID else self.pieces[t]
                        for i, t, (start, to) in zip(e.ids, e.tokens, e.offsets))
            if total / len(w) < STRANGE:
                out.append(w)
        return out

    def unreadable(self, words):
        """Those of which some characters have no piece."""
        return [w for w, e in zip(words, self.tokenizer.encode_batch(words, add_special_tokens=False)) if UNKNOWN_ID in e.ids]

    def unknown_words(self, text):
        words = re.findall(r"[^\W\d_]+", fold(text.lower()))
        return self.unreadable(words) + [w for w in self.strange(words)
                                         if not all(self.bits[i >> 3] >> (i & 7) & 1 for i in self.places(w))]

    def print_table(self, sets):
        print(f"\n{len(self.bits)} bytes of real words\n\n| texts | how many | with an unknown word |\n|---|---|---|")
        for title, texts in sets:
            share = np.mean([bool(self.unknown_words(t)) for t in texts])
            print(f"| {title} | {len(texts)} | {100 * share:.1f} % |")


def gibberish(letters, rng):
    return [" ".join("".join(rng.choices(letters, k=rng.randint(5, 10))) for _ in range(2)) for _ in range(500)]


def text_sets(suite):
    rng = random.Random(1)
    everyday = corpus.everyday()
    yield from ((f"everyday words, {k}", [r[k] for r in everyday if r[k]]) for k in everyday[0])
    yield "Flickr8k's dev captions", [q for q, _, _ in suite.sets["flickr captions"][1]]
    yield "Flickr8k's dev captions, Russian", [q for q, _, _ in suite.sets["flickr captions, Russian"][1]]
    yield from ((f"the 5,000 commonest words, {k}", top_n_list(k, 5000)) for k in LANGUAGES)
    yield "random Latin letters, two words", gibberish("abcdefghijklmnopqrstuvwxyz", rng)
    yield "random Cyrillic letters, two words", gibberish("абвгдежзийклмнопрстуфхцчшщъыьэюя", rng)
    rows = ["qwertyuiop", "asdfghjkl", "zxcvbnm", "йцукенгшщзхъ", "фывапролджэ", "ячсмитьбю"]
    yield "pieces of keyboard rows", [r[i:i + n] for r in rows for n in (5, 6, 7, 8, 9) for i in range(len(r) - n + 1)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", metavar="MODEL_DIR")
    parser.add_argument("--work", required=True)
    parser.add_argument("--scry", default=Path(__file__).parents[2] / "scry")
    parser.add_argument("--store", action="store_true")
    parser.add_argument("--config", action="store_true")
    args = parser.parse_args()
    trial = Trial(args)
    fitted = [(n, trial.captions(n)) for n in trial.suite.sets if n.startswith("natural")]
    fitted += [(f"everyday words, {language}", trial.words(language)) for language in ("en", "ru")]
    far, best, fits = borders([g for _, g in fitted], [trial.level(g["q"]) for _, g in fitted])
    print_sets(fitted, trial.level)
    print_curve(fitted, lambda g, margin: shares(g, trial.level(g["q"]), margin), {far: "far below", best: "best from here"})
    print_curve(fitted, fitting, {fits: "best from here"})
    print_estimates(trial, fitted)
    words = Words(Path(args.model) / "tokenizer.json")
    words.print_table(text_sets(trial.suite))
    if args.store:
        numbers = {"subjects": trial.subject_codes[0], "subjects.scale": trial.subject_codes[1],
                   "rank": np.array([FITTING], np.float32), "fits": np.array([fits], np.float32), "pictures": trial.codes[0], "pictures.scale": trial.codes[1], "words": words.bits.view(np.int8)[None],
                   "margin": np.array([far], np.float32), "best": np.array([best], np.float32),
                   "strange": np.array([STRANGE], np.float32),
                   "words.scale": np.ones(1, np.float32)}
        save({name: torch.from_numpy(x) for name, x in numbers.items()}, Path(args.model) / "line.safetensors")
    if args.config:
        flat, *_ = borders([g for _, g in fitted], [np.zeros(len(g["q"])) for _, g in fitted])
        path = Path(args.model) / "config.json"   # one score for all queries: for programs that know no borders
        path.write_text(json.dumps(json.loads(path.read_text()) | {"min_score": round(float(flat), 4)}, indent=1) + "\n")


if __name__ == "__main__":
    main()
