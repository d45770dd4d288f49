"""text_map.py - the matrix that the published model's text vectors are multiplied with.

Usage: text_map.py MODEL_DIR --work DIR [--scry PROGRAM]

Writes MODEL_DIR/text_map.safetensors (docs/model-format.md). The model itself, and what it makes of pictures, stays as
it is. All vectors come from the C program (`scry embed`); they are kept in --work.

The matrix starts from the everyday words in six languages alone. In each branch of the head

    start = WEIGHT (I - MEAN m m') (I - LANGUAGE L' L)

with m the direction of the mean of all words, and L the directions in which the six languages' means differ, the words
being the same. The first makes room between short texts, which all lie about m: pictures near it come up whatever is
asked. The second brings the languages together. From there it is trained, as a whole, to find the training pictures:
by everyday words, by Flickr8k's captions, by the other folders' texts, among all training pictures at once.
"""
import argparse
import random
from pathlib import Path

import torch
import torch.nn.functional as F

import align
import corpus
import data
from model import load
from publish import save
from scores import Vectors

LANGUAGES = ("en", "ru", "de", "fr", "es", "zh")
MEAN = 0.4                  # how much of the common direction is taken away
LANGUAGE = 0.5              # how much of the differences between languages
BRANCH_WEIGHTS = (1, 1.2)   # the second branch counts so much more for texts than in training
STEPS, RATE, ANCHOR = 400, 1e-3, 20 / 640   # ANCHOR: of the squared distance from the start
DRAWN = {"words": 256, "captions": 256, "others": 128}   # texts a step
COUNTS = {"words": 1, "captions": 1, "others": 0.5}      # what each kind's loss counts
FEWEST = 3                  # pictures that say a word, else it is not drawn
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


def samples(pictures):
    """{kind: [(text, places of its pictures)]}."""
    rng, everyday = random.Random(data.SEED), corpus.everyday()
    said, texts = corpus.picture_words(), align.picture_texts()
    by_word, captions, others = {}, [], {}
    for place, p in enumerate(pictures):
        key = p.folder, p.file
        for word in said[key]:
            by_word.setdefault(word, []).append(place)
        own = list(dict.fromkeys(t for t, _ in texts[key]))
        for text in rng.sample(own, min(MOST_TEXTS.get(p.folder, 6), len(own))):
            if p.folder == "flickr8k":
                captions.append((text, [place]))
            else:
                others.setdefault(text, []).append(place)
    words = [(text, own) for word, own in by_word.items() if len(own) >= FEWEST
             for text in dict.fromkeys(everyday[word].values()) if text]
    return {"words": words, "captions": captions, "others": list(others.items())}


def loss(logits, right):
    """Mean over texts and their right pictures of -log p(picture), the text's other right ones left out; logits [n, pictures]."""
    total = 0
    for row, places in zip(logits, right):
        wrong = row.index_fill(0, torch.tensor(places), -1e4).logsumexp(0)
        own = row[places]
        total = total + (torch.logaddexp(own, wrong) - own).mean()
    return total / len(right)


def train(first, pictures, text, drawn, scale):
    """first [D, D], pictures [N, D], text: text -> [D], drawn: samples() -> [D, D]."""
    rng, weight = random.Random(data.SEED), first.clone().requires_grad_()
    optimizer = torch.optim.Adam([weight])
    for step in range(STEPS):
        optimizer.param_groups[0]["lr"] = RATE * min(1, (step + 1) / 10) * max(0.05, 1 - step / STEPS)
        total = ANCHOR * (weight - first).square().sum()
        for kind, n in DRAWN.items():
            chosen = rng.choices(drawn[kind], k=n)
            t = F.normalize(torch.stack([text[c] for c, _ in chosen]) @ weight.T, dim=-1)
            total = total + COUNTS[kind] * loss(scale * t @ pictures.T, [places for _, places in chosen])
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        if step % 50 == 0:
            print(f"step {step} of {STEPS}: loss {total.item():.3f}", flush=True)
    return weight.detach()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", metavar="MODEL_DIR", type=Path)
    parser.add_argument("--work", required=True)
    parser.add_argument("--scry", default=Path(__file__).parents[2] / "scry")
    args = parser.parse_args()
    torch.set_num_threads(2)
    (args.model / "text_map.safetensors").unlink(missing_ok=True)   # the program would use it
    config, pictures = load(args.model).config, data.training()
    drawn, everyday = samples(pictures), corpus.everyday()
    rows = [[r[language] for r in everyday] for language in LANGUAGES]
    vectors = Vectors(args.scry, args.model, args.work)
    paths = [str(data.image_path(p)) for p in pictures]
    seen = vectors.embed("images", paths)
    read = vectors.embed("texts", sum(rows, []) + [t for kind in drawn.values() for t, _ in kind])
    read = {t: torch.from_numpy(v) for t, v in read.items()}
    first = start(torch.stack([torch.stack([read[t] for t in row]) for row in rows]),
                  [branch["layers"][-1]["out"] for branch in config["text_head"]])
    weight = train(first, torch.stack([torch.from_numpy(seen[p]) for p in paths]), read, drawn, 2.718281828 ** config["logit_scale"])
    save({"weight": weight.half()}, args.model / "text_map.safetensors")


if __name__ == "__main__":
    main()
