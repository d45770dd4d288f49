"""trial_texts.py - what further training texts, and pictures that no text describes in full, would give the text map.

Usage: trials.py --trial texts --work DIR [--scry PROGRAM] [--seeds N] MODEL_DIR

The model and what it makes of pictures stand still; only text_map.py's part is learned, anew for each trial and seed. Pictures
and texts pass the C program once and are kept in --work (six minutes on one core); then a trial and seed take about a minute.
"""
import itertools
import random
import re
import shutil
from collections import Counter
from pathlib import Path

import torch
import torch.nn.functional as F

import corpus
import data
import text_map
from evaluate import program_embed
from model import TextMap, load
from suite import FEW, Suite, precision, stack

NUMBERS = ("two", "three", "four", "five", "six")
COUNTED = re.compile(rf"\b({'|'.join(NUMBERS)}) (?:\w+ )??(\w{{3,}}s|men|women|children|people|sheep)\b")
AND = {"en": "{} and {}", "ru": "{} и {}", "de": "{} und {}", "fr": "{} et {}", "es": "{} y {}", "zh": "{}和{}"}
FEWEST = 3             # pictures that a count or a pair needs
MOST_PAIRS = 4000
LIKELY = 0.5           # a picture that scores above this quantile of a subject's own counts as showing it


class Reader:
    """texts -> [N, D] through the C program; each text once, kept in a file."""

    def __init__(self, program, model, path):
        self.program, self.model, self.path = program, model, path
        self.known = torch.load(path) if path.exists() else {}

    def __call__(self, texts):
        missing = list(dict.fromkeys(t for t in texts if t not in self.known))
        if missing:
            self.known.update(zip(missing, program_embed(self.program, self.model, "texts", missing)))
            torch.save(self.known, self.path)
        return torch.stack([self.known[t] for t in texts])


def counted(pictures):
    """[(text, places of its pictures)] of "two dogs" and the like, as text_map.coloured has "a white dog": once those with two
    dogs are right and once those with any."""
    things, own = {}, {}
    for place, p in enumerate(pictures):
        for text in map(str.lower, p.texts):
            for word in re.findall(r"[a-z]+", text):
                things.setdefault(corpus.stem(word), set()).add(place)
            for number, thing in COUNTED.findall(text):
                own.setdefault(f"{number} {thing}", (corpus.stem(thing), set()))[1].add(place)
    return [(text, sorted(right)) for text, (one, places) in own.items() if len(places) >= FEWEST
            for right in (places, things.get(one, places))]


def pairs(pictures):
    """[(two places in corpus.everyday(), places of the pictures)]: everyday words that a picture's texts say together. A pair of
    which one word all but goes with the other says nothing new."""
    said, alone, both = corpus.picture_words(), Counter(), {}
    for place, p in enumerate(pictures):
        words = said[p.folder, p.file]
        alone.update(words)
        for pair in itertools.combinations(sorted(words), 2):
            both.setdefault(pair, []).append(place)
    found = [(pair, places) for pair, places in both.items() if FEWEST <= len(places) < 0.7 * min(alone[i] for i in pair)]
    return random.Random(data.SEED).sample(found, min(MOST_PAIRS, len(found)))


def combined(pictures):
    """[(text, places of its pictures, English)] of pairs() in six languages: "dog and beach"."""
    rng, everyday, out = random.Random(data.SEED), corpus.everyday(), []
    for pair, places in pairs(pictures):
        language, rows = rng.choice(list(AND)), [everyday[i] for i in rng.sample(pair, 2)]
        out.append((AND[language].format(*(r[language] or r["en"] for r in rows)), places, AND["en"].format(*(r["en"] for r in rows))))
    return out


def likely(known, seen, read, trained):
    """subjects(), with the pictures that a trained map finds as well as half of those whose texts say the subject: a beach
    that its captions do not name is no negative any more."""
    out = []
    for words, right in known:
        text = F.normalize(trained(read(words)), dim=-1).mean(0)
        scores = seen @ text
        found = (scores > scores[right].quantile(LIKELY)).nonzero()[:, 0].tolist()
        found = sorted(found, key=lambda i: -scores[i])[:len(right)]
        out.append((words, sorted({*right, *found})))
    return out


def mean_of(maps):
    """The map whose numbers are the mean of maps of the same known words."""
    state = {"weight": torch.stack([m.weight.detach() for m in maps]).mean(0), "known": maps[0].known, "count": maps[0].count,
             "added": torch.stack([m.added.detach() for m in maps]).mean(0), "from": torch.tensor([maps[0].start])}
    return TextMap(state)


# ---------------------------------------------------------------- what the dev suite does not ask

def numbers(suite, image, text):
    """Whether a caption that says two beats the same with three, and one that says three the same with two; likewise three and
    four: the mean of both directions, so that the more common number gains nothing. Chance is 50."""
    out = []
    for one, other in (("two", "three"), ("three", "four")):
        for true, foil in ((one, other), (other, one)):
            pairs = [(p, c.lower(), re.sub(rf"\b{true}\b", foil, c.lower())) for p in suite.sets["flickr captions"][0]
                     for c in p.texts if re.search(rf"\b{true}\b", c.lower())]
            v, t, f = stack(image, [p for p, _, _ in pairs]), text([t for _, t, _ in pairs]), text([f for _, _, f in pairs])
            out.append(100 * ((v * t).sum(1) > (v * f).sum(1)).float().mean().item())
    return [sum(out) / len(out)]


def two_words(suite, image, text, language):
    """[P@10, mAP, failed, pairs] of two dev words at once; right is what is right for both, and two such pictures are needed."""
    pictures, found = stack(image, suite.everyday), []
    pairs = [(a, b) for a, b in itertools.combinations(suite.words, 2)
             if 2 <= (a[1] & b[1]).sum() < 0.7 * min(a[1].sum(), b[1].sum())]
    scores = text([AND[language].format(a[0][language], b[0][language]) for a, b in pairs]) @ pictures.T
    for s, (a, b) in zip(scores, pairs):
        counts = a[2] & b[2]
        found.append(precision(s[counts], (a[1] & b[1])[counts]))
    p, ap = (sum(x) / len(found) for x in zip(*found))
    return [p, ap, sum(x < FEW for x, _ in found), len(found)]


def figures(suite, image, text):
    out = suite.recalls(image, text) | suite.everyday_figures(image, text)
    out["two words, en"], out["two words, ru"] = (two_words(suite, image, text, language) for language in ("en", "ru"))
    return out | {"two or three, three or four": numbers(suite, image, text)}


# ---------------------------------------------------------------- the trial

def plain_model(directory, work):
    """A copy without the text map."""
    copy = Path(work) / "plain"
    if not copy.exists():
        shutil.copytree(directory, copy, ignore=shutil.ignore_patterns("text_map.safetensors"))
    return copy


def pictures_of(program, model, pictures, path):
    """[N, D] through the C program, kept in a file."""
    if not path.exists():
        torch.save(program_embed(program, model, "images", [str(data.image_path(p)) for p in pictures]), path)
    return torch.load(path)


def run(args):
    """{name: figures}: each trial's by each seed."""
    work = Path(args.work)
    work.mkdir(parents=True, exist_ok=True)
    model, pictures, suite = plain_model(args.models[0], work), data.training(), Suite()
    reader, config = Reader(args.scry, model, work / "texts.pt"), load(model).config
    seen = pictures_of(args.scry, model, pictures, work / "train.pt")
    image = dict(zip(((p.folder, p.file) for p in suite.dev), pictures_of(args.scry, model, suite.dev, work / "dev.pt")))
    known, everyday = text_map.subjects(pictures), corpus.everyday()
    first = text_map.start(torch.stack([reader([r[language] for r in everyday]) for language in text_map.LANGUAGES]),
                           [branch["layers"][-1]["out"] for branch in config["text_head"]])
    scale, results, maps = 2.718281828 ** config["logit_scale"], {}, []
    text_map.DRAWN |= {"counted": 64, "combined": 64}
    text_map.COUNTS |= {"counted": 0.5, "combined": 0.5}

    def show(name, trained):
        with torch.no_grad():
            results[name] = figures(suite, image, lambda texts: F.normalize(trained(reader(texts)), dim=-1))
        print(name, {k: [round(x, 1) for x in v] for k, v in results[name].items()}, flush=True)

    for seed in range(1, args.seeds + 1):
        data.SEED = seed
        plain = text_map.sentences(pictures)
        more = {"counted": counted(pictures), "combined": [(t, places) for t, places, _ in combined(pictures)]}
        print({k: len(v) for k, v in (plain | more).items()}, flush=True)
        reader([t for words, _ in known for t in words] + [t for own in (plain | more).values() for t, _ in own])
        learn = lambda known, drawn: text_map.train(first, seen, reader.known, known, drawn, scale)
        maps.append(learn(known, plain))
        show(f"as it is, {seed}", maps[-1])
        for name in more:
            show(f"{name}, {seed}", learn(known, plain | {name: more[name]}))
        with torch.no_grad():
            wider = likely(known, seen, reader, maps[-1])
        show(f"likely, {seed}", learn(wider, plain))
    if args.seeds > 1:
        show("mean of the seeds", mean_of(maps))
    return results
