"""text_map.py - what the published model's text vectors are turned into: a matrix, and known words.

Usage: text_map.py MODEL_DIR --work DIR [--scry PROGRAM]

Writes MODEL_DIR/text_map.safetensors (docs/model-format.md). The model itself, and what it makes of pictures, stays as
it is. All vectors come from the C program (`scry embed`); they are kept in --work.

The matrix starts from the everyday words in six languages alone. In each branch of the head

    start = WEIGHT (I - MEAN m m') (I - LANGUAGE L' L)

with m the direction of the mean of all words, and L the directions in which the six languages' means differ, the words
being the same. The first makes room between short texts, which all lie about m: pictures near it come up whatever is
asked. The second brings the languages together.

Known are the words of subjects that training pictures show: the everyday words, and the folders' labels, each in all
languages that there are. A subject has one vector, for all its words, which is added to a text near one of them, the
more the nearer it is. Matrix and vectors are trained together, to find the training pictures by known words, by
Flickr8k's captions and by the other folders' texts.
"""
import argparse
import random
import re
from pathlib import Path

import torch
import torch.nn.functional as F

import align
import corpus
import data
from model import TextMap, dequantise, load
from publish import compress, save
from scores import Vectors

LANGUAGES = ("en", "ru", "de", "fr", "es", "zh")
MEAN = 0.4                  # how much of the common direction is taken away
LANGUAGE = 0.5              # how much of the differences between languages
BRANCH_WEIGHTS = (1, 1.2)   # the second branch counts so much more for texts than in training
STEPS, ANCHOR = 200, 20 / 640                 # ANCHOR: of the squared distance from the start
RATE, RATE_ADDED, DECAY = 1e-3, 3e-3, 1e-3   # of the matrix; of what is added, and how it is held back
FROM = 0.8                  # cosine from which a text is near a known word
ALIKE = 0.93                # two words of a subject from this cosine on are one
DRAWN = {"words": 160, "captions": 128, "others": 64, "coloured": 64}   # texts a step
COUNTS = {"words": 1, "captions": 1, "others": 0.5, "coloured": 0.5}      # what each kind's loss counts
OTHERS = 3000               # pictures a step, beside the right ones
MOST_RIGHT = 12             # right pictures of a text that take part in a step
COLOURS = set("red green blue yellow white black brown orange pink purple grey gray tan golden".split())
NO_THINGS = set("and or of in on with is are striped colored haired".split())
FEWEST = 3                  # pictures that show a subject
MOST_TEXTS = {"flickr8k": 3}   # of a picture; of other folders' 6


def branch_map(means, weight):
    """means [languages, d], of one branch -> [d, d]."""
    common = means.mean(0)
    eye = torch.eye(len(common))
    apart = torch.linalg.svd(means - common, full_matrices=False).Vh[:len(means) - 1]
    apart = eye - LANGUAGE * apart.T @ apart
    direction = F.normalize(apart @ common, dim=0)
    return weight * (eye - MEAN * torch.outer(direction, direction)) @ apart


def start(vectors, sizes):
    """vectors [languages, words, D] of the everyday words; sizes: the branches' -> [D, D]."""
    means = [F.normalize(part, dim=-1).mean(1) for part in vectors.split(sizes, -1)]
    return torch.block_diag(*map(branch_map, means, BRANCH_WEIGHTS))


def subjects(pictures):
    """[(its words in all languages, places of the pictures that show it)]: everyday words, and the labels of folders."""
    everyday, said = corpus.everyday(), corpus.picture_words()
    russian, found = corpus.russian(), {}
    multi = {r["label_en"]: [v for k, v in r.items() if k != "label_en"] for r in corpus.own_texts("labels_multi.tsv")}

    def show(name, words, place):
        texts, places = found.setdefault(name.lower(), ({}, set()))
        texts.update(dict.fromkeys(words))
        places.add(place)

    for place, p in enumerate(pictures):
        for i in said[p.folder, p.file]:
            show(everyday[i]["en"], everyday[i].values(), place)
        for name in (p.label, *p.texts) if p.kind != "caption" else ():
            show(name, [name, *russian.get(name, ()), *multi.get(name, ())], place)
    return [([t for t in texts if t], sorted(places)) for texts, places in found.values() if len(places) >= FEWEST]


def sentences(pictures):
    """{kind: [(text, places of its pictures)]}."""
    rng, texts = random.Random(data.SEED), align.picture_texts()
    captions, others = [], {}
    for place, p in enumerate(pictures):
        own = list(dict.fromkeys(t for t, _ in texts[p.folder, p.file]))
        for text in rng.sample(own, min(MOST_TEXTS.get(p.folder, 6), len(own))):
            if p.folder == "flickr8k":
                captions.append((text, [place]))
            else:
                others.setdefault(text, []).append(place)
    return {"captions": captions, "others": list(others.items()), "coloured": coloured(pictures)}


def coloured(pictures):
    """[(text, places of its pictures)] of "a white dog" and the like that captions say. Each twice: once its own pictures
    are right and once those of any dog, so that what is only white comes behind a dog of another colour."""
    things, own = {}, {}
    for place, p in enumerate(pictures):
        for text in p.texts if p.kind == "caption" else ():
            words = re.findall(r"[a-z]+", text.lower())
            for word in words:
                things.setdefault(corpus.stem(word), set()).add(place)
            for colour, thing in zip(words, words[1:]):
                if colour in COLOURS and thing not in COLOURS and thing not in NO_THINGS:
                    one = corpus.stem(thing)
                    own.setdefault(f"a {colour} {one if thing[-1] == 's' else thing}", (one, set()))[1].add(place)
    return [(text, sorted(right)) for text, (one, places) in own.items() if len(places) >= FEWEST for right in (places, things[one])]


def known_words(known, read):
    """What text_map.safetensors says of the subjects' words, nothing added yet."""
    rows, count = [], []
    for words, _ in known:
        own = []
        for w in words:
            if all(float(read[w] @ v) < ALIKE for v in own):
                own.append(read[w])
        rows += own
        count.append(len(own))
    return {"known": dequantise(compress({"known": torch.stack(rows)}, False))["known"], "count": torch.tensor(count).float(),
            "added": torch.zeros(len(known), len(rows[0])), "from": torch.tensor([FROM])}


def loss(logits, right):
    """Mean over texts and their right pictures of -log p(picture), the text's other right ones left out; logits and
    right are [n, pictures]."""
    wrong = logits.masked_fill(right, -1e4).logsumexp(1, keepdim=True)
    lost = (torch.logaddexp(logits, wrong) - logits) * right
    return (lost.sum(1) / right.sum(1)).mean()


def train(first, pictures, read, known, drawn, scale):
    """first [D, D], pictures [N, D], read: text -> [D], known: subjects(), drawn: sentences() -> a TextMap."""
    rng, result = random.Random(data.SEED), TextMap({"weight": first.clone(), **known_words(known, read)})
    texts = list(dict.fromkeys([t for words, _ in known for t in words] + [t for kind in drawn.values() for t, _ in kind]))
    place = {t: i for i, t in enumerate(texts)}
    rows = torch.stack([read[t] for t in texts])
    with torch.no_grad():
        near = torch.cat([result.near(part).half() for part in rows.split(512)])
    optimizer = torch.optim.Adam([{"params": [result.weight], "rate": RATE}, {"params": [result.added], "rate": RATE_ADDED}])
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = group["rate"] * min(1, (step + 1) / 10) * max(0.05, 1 - step / STEPS)
        total = ANCHOR * (result.weight - first).square().sum() + DECAY * result.added.square().sum()
        chosen = {kind: rng.choices(own, k=DRAWN[kind]) for kind, own in drawn.items() if own}
        chosen["words"] = [(rng.choice(words), right) for words, right in rng.choices(known, k=DRAWN["words"])]
        chosen = {kind: [(t, rng.sample(right, min(MOST_RIGHT, len(right))), right) for t, right in own] for kind, own in chosen.items()}
        shown = dict.fromkeys(i for own in chosen.values() for _, some, _ in own for i in some)
        shown = list(shown | dict.fromkeys(rng.sample(range(len(pictures)), min(OTHERS, len(pictures)))))
        column = {i: n for n, i in enumerate(shown)}
        for kind, own in chosen.items():
            asked = [place[t] for t, _, _ in own]
            right = torch.zeros(len(own), len(shown), dtype=torch.bool)
            for row, (_, _, every) in zip(right, own):
                row[[column[i] for i in every if i in column]] = True
            t = F.normalize(result(rows[asked], near[asked].float()), dim=-1)
            total = total + COUNTS[kind] * loss(scale * t @ pictures[shown].T, right)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        if step % 50 == 0:
            print(f"step {step} of {STEPS}: loss {total.item():.3f}", flush=True)
    return result


def write(result, path):
    small = compress({"known": result.known, "added": result.added}, False)
    save({"weight": result.weight.detach().half(), "count": result.count, "from": torch.tensor([result.start]), **small}, path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", metavar="MODEL_DIR", type=Path)
    parser.add_argument("--work", required=True)
    parser.add_argument("--scry", default=Path(__file__).parents[2] / "scry")
    args = parser.parse_args()
    torch.set_num_threads(2)
    (args.model / "text_map.safetensors").unlink(missing_ok=True)   # the program would use it
    config, pictures = load(args.model).config, data.training()
    known, drawn, everyday = subjects(pictures), sentences(pictures), corpus.everyday()
    rows = [[r[language] for r in everyday] for language in LANGUAGES]
    vectors = Vectors(args.scry, args.model, args.work)
    paths = [str(data.image_path(p)) for p in pictures]
    seen = vectors.embed("images", paths)
    read = vectors.embed("texts", sum(rows, []) + [t for own in (known, *drawn.values()) for texts, _ in own
                                                   for t in ([texts] if isinstance(texts, str) else texts)])
    read = {t: torch.from_numpy(v) for t, v in read.items()}
    first = start(torch.stack([torch.stack([read[t] for t in row]) for row in rows]),
                  [branch["layers"][-1]["out"] for branch in config["text_head"]])
    seen = torch.stack([torch.from_numpy(seen[p]) for p in paths])
    result = train(first, seen, read, known, drawn, 2.718281828 ** config["logit_scale"])
    write(result, args.model / "text_map.safetensors")


if __name__ == "__main__":
    main()
