"""extend.py - scenes, actions and documents become classes beside ImageNet's thousand.

Usage: extend.py RUN_DIR     (reads joint.pt and the features; writes extended.pt)

The first branch of the image side gets more keys (rows of the classifier) and values (text
vectors): the labels and everyday words of the folders that folders.tsv marks `keys`. The keys learn
by cross-entropy; ImageNet's keys stand still and stay a part of every target, all of it for
pictures that say no new class, so that what they knew remains.
"""
import sys
from collections import Counter
from pathlib import Path

import torch
import torch.nn.functional as F

import corpus
import data
import features
from align import TextVectors, head_configs, load_text_tower
from model import Head

LEAST = 12             # pictures a class needs
SHARE = 0.5            # of the target that the new classes get; the rest is ImageNet's
STEPS, BATCH, RATE, DROP = 500, 512, 2e-3, 0.2
CENTRED = 0.7          # of the mean of ImageNet's text vectors is taken off the new ones


def classes(pictures):
    """([English name], [its texts], {(folder, file): [class]}). An everyday word is a class when most
    of the pictures that say it are in the marked folders: no generic ones, such as man."""
    words, everyday = corpus.picture_words(), corpus.everyday()
    marked = {name for name, r in data.FOLDERS.items() if r["keys"] == "yes"}
    said, inside, everywhere = {}, Counter(), Counter()
    for p in pictures:
        names = {everyday[i]["en"] for i in words[p.folder, p.file]}
        names |= {t.removeprefix("a ").removeprefix("an ") for t in p.texts} if p.folder in marked else set()
        said[p.folder, p.file] = names
        everywhere.update(names)
        inside.update(names if p.folder in marked else ())
    names = sorted(n for n, c in inside.items() if c >= LEAST and 2 * c > everywhere[n])
    place = {n: i for i, n in enumerate(names)}
    translated, russian = {r["en"]: r for r in everyday}, corpus.russian()
    texts = [[n, f"a photo of {n}", *(v for v in translated.get(n, {}).values() if v), *russian.get(n, ())]
             for n in names]
    return names, texts, {key: [place[n] for n in own if n in place] for key, own in said.items()}


def targets(own, count):
    """[pictures, classes + 1]: what each new class gets, and last what is left for ImageNet's."""
    out = torch.zeros(len(own), len(count) + 1)
    for row, places in zip(out, own):
        for i in places:
            row[i] = count[i] ** -0.5
        if places:
            row *= SHARE / row.sum()
    out[:, -1] = 1 - out.sum(1)
    return out


def learn(x, old, target):
    """Keys of the new classes from features [N, 2, 1280] and ImageNet's logits [N, 2, 1000]."""
    keys = torch.nn.Linear(x.shape[-1], target.shape[1] - 1)
    torch.nn.init.zeros_(keys.weight)
    torch.nn.init.constant_(keys.bias, old[:2000].flatten(0, 1).quantile(0.9, dim=1).mean().item())
    optimiser = torch.optim.AdamW(keys.parameters(), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, STEPS, pct_start=0.1)
    losses = []
    for step in range(STEPS):
        i, side = torch.randint(len(x), (BATCH,)), torch.randint(2, (BATCH,))
        logits, t = old[i, side], target[i]
        t = torch.cat([t[:, -1:] * torch.softmax(logits, 1), t[:, :-1]], 1)
        new = keys(F.dropout(x[i, side].float(), DROP))
        loss = -(t * torch.log_softmax(torch.cat([logits, new], 1), 1)).sum(1).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        losses.append(loss.item())
        if step % 100 == 99:
            print(f"extend: step {step + 1}/{STEPS}, {target.shape[1] - 1} classes, loss "
                  f"{sum(losses[-100:]) / 100:.3f}", flush=True)
    return keys


def train(cache):
    torch.manual_seed(data.SEED + 4)
    cache = Path(cache)
    trained = torch.load(cache / "joint.pt")
    torch.save(trained["text"], cache / "text_joint.pt")
    _, tower, tokenizer = load_text_tower(cache / "text_joint.pt")
    pooled = TextVectors(tower.encoder, tokenizer, cache / "pooled_joint.pt")
    pictures = data.training()
    names, texts, own = classes(pictures)
    views = features.load(cache, "features")
    x = torch.stack([views[p.folder, p.file] for p in pictures])
    vision = trained["image"]["vision"]
    w, b, v = (vision[f"branches.0.{k}"] for k in ("0.weight", "0.bias", "2.weight"))
    own = [own[p.folder, p.file] for p in pictures]
    count = Counter(i for places in own for i in places)
    keys = learn(x, x.float() @ w.T + b, targets(own, count))
    head = Head(head_configs()[1])
    head.load_state_dict(trained["image"]["text"])
    with torch.no_grad():
        of = lambda lines: F.normalize(head.branches[0](pooled(lines)), dim=-1)
        values = torch.stack([F.normalize(of(lines).mean(0), dim=0) for lines in texts])
        values -= CENTRED * of([f"a photo of a {n[0]}" for n in corpus.imagenet_names()]).mean(0)
        values *= v.norm(dim=0).mean() / values.norm(dim=1).mean()
        vision["branches.0.0.weight"] = torch.cat([w, keys.weight])
        vision["branches.0.0.bias"] = torch.cat([b, keys.bias])
        vision["branches.0.2.weight"] = torch.cat([v, values.T], 1)
    torch.save(trained | {"classes": names}, cache / "extended.pt")


if __name__ == "__main__":
    torch.set_num_threads(2)
    train(sys.argv[1])
