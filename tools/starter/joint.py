"""joint.py - the text tower learns from the pictures, beside its teacher.

Usage: joint.py RUN_DIR     (reads text.pt, image.pt and the features; writes joint.pt)

The image tower stands still here; the text tower and both heads move. Half of every batch are
captions and labels of training pictures (any language) under the contrastive loss, the
whole batch stays tied to the English teacher, so that words no picture shows keep their place.
"""
import random
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

import corpus
import data
from align import Calls, alignment_loss, head_configs, load_text_tower
from distil import BATCH, loss_of, make_batches, teacher_vectors
from encode import pad
from features import load
from model import Head

FROZEN_LAYERS = 6      # the lower half of the text tower
TEXT_RATE, HEAD_RATE = 1e-4, 3e-4
TEACHER = 1.0          # weight of the teacher's loss beside the contrastive one
WORDS = 3000           # English words, names and glosses mixed in
EMOJI = 3000           # CLDR's names
SAID = {"flickr8k": 0.5}  # how many everyday words a picture's texts say take part; other folders 1


def examples(calls, rng):
    """[(text, english, picture or None)]: captions, translations and plain words, shuffled."""
    out, often = [], data.repeats("joint")
    for p in data.training():
        own, times = calls.texts[p.folder, p.file], often[p.folder]
        times = int(times) + (rng.random() < times - int(times))
        picked = rng.sample(own, times) if times <= len(own) else rng.choices(own, k=times)
        out += [(t, e, p) for t, e in picked]
        if calls.words[p.folder, p.file] and rng.random() < SAID.get(p.folder, 1):
            out.append((*calls.word((p.folder, p.file)), p))
    words = corpus.own_translations() + rng.sample(corpus.emoji_names(), EMOJI) + corpus.english(rng)[:WORDS]
    out += [(t, e, None) for _, t, e in words]
    rng.shuffle(out)
    return out


def train(cache):
    torch.manual_seed(data.SEED + 2)
    rng = random.Random(data.SEED + 2)
    saved, tower, tokenizer = load_text_tower(Path(cache) / "text.pt")
    image = torch.load(Path(cache) / "image.pt")
    vision, text = (Head(c) for c in head_configs())
    vision.load_state_dict(image["vision"])
    text.load_state_dict(image["text"])
    scale = nn.Parameter(torch.tensor(float(image["scale"])))
    views = load(cache, "features")
    calls = Calls(rng)
    items = examples(calls, rng)
    teacher = teacher_vectors(cache, [e for _, e, _ in items])
    rows = [e.ids for e in tokenizer.encode_batch([t for t, _, _ in items])]
    batches = make_batches([(r,) for r in rows], rng)

    tower.train()
    tower.encoder.embeddings.requires_grad_(False)
    tower.encoder.encoder["layer"][:FROZEN_LAYERS].requires_grad_(False)
    heads = [*vision.parameters(), *text.parameters(), scale]
    moving = [p for p in tower.parameters() if p.requires_grad]
    optimiser = torch.optim.AdamW([{"params": moving}, {"params": heads}], weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, [TEXT_RATE, HEAD_RATE], len(batches),
                                                   pct_start=0.1)
    start, seen, losses = time.time(), 0, []
    for step, batch in enumerate(batches):
        ids, mask = pad([rows[i] for i in batch], 1)
        with torch.autocast("cpu", torch.bfloat16):
            x = tower.encoder(ids, mask)
        x = x.float()
        english = torch.stack([teacher[items[i][1]] for i in batch]).float()
        loss = TEACHER * loss_of(F.normalize(tower.project(x), dim=-1), english)[0]
        shown = [j for j, i in enumerate(batch) if items[i][2] is not None]
        if len(shown) > 8:
            keys = [items[batch[j]][2] for j in shown]
            f = torch.stack([rng.choice(views[p.folder, p.file]) for p in keys]).float()
            known = calls.known(keys, [items[batch[j]][1] for j in shown])
            both, aligned = alignment_loss(vision.apart(f), text.apart(x[shown]), english[shown],
                                           scale.exp(), known)
            loss = loss + aligned
            losses.append(both.item())
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(moving, 1.0)
        optimiser.step()
        schedule.step()
        seen += len(batch)
        if step % 20 == 19:
            print(f"joint: {seen}/{len(items)} texts, loss {sum(losses[-20:]) / 20:.3f}, "
                  f"{seen / (time.time() - start):.0f}/s", flush=True)
    saved["tower"] = tower.state_dict()
    image.update(vision=vision.state_dict(), text=text.state_dict(), scale=scale.item())
    torch.save({"text": saved, "image": image}, Path(cache) / "joint.pt")


if __name__ == "__main__":
    torch.set_num_threads(2)
    train(sys.argv[1])
