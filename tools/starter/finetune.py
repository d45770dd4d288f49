"""finetune.py - the upper blocks of the image tower learn from captions and labels.

Usage: finetune.py RUN_DIR     (reads extended.pt and the features; writes final.pt)

The text tower stands still. A batch is either all Flickr8k or all other folders: captions of one
kind are the harder negatives. At the end the weights go only KEPT of the way from where
they started, which costs the captions little and saves what ImageNet taught.
"""
import random
import sys
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

import data
import features
from align import Calls, TextVectors, alignment_loss, epoch_order, head_configs, load_text_tower
from distil import teacher_vectors
from model import Head
from sources import load_lite2

FIRST = 16             # block of the image tower from which on they learn
ROUNDS = 3             # each with its own rise and fall of the learning rate
BATCH = 160
BACKBONE_RATE, HEAD_RATE = 2e-4, 5e-4
DROP_IMAGE, DROP_TEXT = 0.2, 0.1
KEPT = 0.7


def round_batches(pictures, rng):
    """Batches of one round, Flickr8k apart from the rest, in random order."""
    order = epoch_order(pictures, rng, data.repeats("finetune"))
    flickr = [i for i in order if pictures[i].folder == "flickr8k"]
    rest = [i for i in order if pictures[i].folder != "flickr8k"]
    batches = [group[b:b + BATCH] for group in (flickr, rest)
               for b in range(0, len(group) - BATCH + 1, BATCH)]
    rng.shuffle(batches)
    return batches


def blend(start, end, share):
    """State dicts: start + share * (end - start)."""
    return {k: start[k] + share * (end[k] - start[k]) for k in start}


def train(cache):
    cache = Path(cache)
    torch.manual_seed(data.SEED + 3)
    rng = random.Random(data.SEED + 3)
    trained = torch.load(cache / "extended.pt")
    torch.save(trained["text"], cache / "text_joint.pt")
    _, tower, tokenizer = load_text_tower(cache / "text_joint.pt")
    pooled = TextVectors(tower.encoder, tokenizer, cache / "pooled_joint.pt")
    calls = Calls(rng)
    lower, pictures = features.load(cache, "lower"), data.training()

    vision, text = (Head(c) for c in head_configs(len(trained["image"]["vision"]["branches.0.0.bias"])))
    upper = features.Upper(load_lite2()[1]).to(memory_format=torch.channels_last)
    upper.load_state_dict(trained["image"].get("upper", upper.state_dict()))
    upper.blocks[:FIRST - features.CUT].requires_grad_(False)
    start_upper = {k: v.clone() for k, v in upper.state_dict().items()}
    vision.load_state_dict(trained["image"]["vision"])
    text.load_state_dict(trained["image"]["text"])
    scale = nn.Parameter(torch.tensor(float(trained["image"]["scale"])))
    heads = [*vision.parameters(), *text.parameters(), scale]
    for turn in range(ROUNDS):
        batches = round_batches(pictures, rng)
        drawn = [[calls.draw(pictures[i]) for i in batch] for batch in batches]
        pooled([t for own in drawn for t, _ in own])
        teacher = teacher_vectors(cache, [e for own in drawn for _, e in own])
        optimiser = torch.optim.AdamW([{"params": upper.parameters()}, {"params": heads}],
                                      weight_decay=0.02)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, [BACKBONE_RATE, HEAD_RATE], len(batches), pct_start=0.1)
        began, losses = time.time(), []
        for step, (batch, chosen) in enumerate(zip(batches, drawn)):
            shown = [pictures[i] for i in batch]
            x = torch.stack([rng.choice(lower[p.folder, p.file]) for p in shown])
            known = calls.known(shown, [e for _, e in chosen])
            meaning = torch.stack([teacher[e] for _, e in chosen]).float()
            with torch.autocast("cpu", torch.bfloat16):
                f = upper(x.contiguous(memory_format=torch.channels_last))
            f = F.dropout(f.float(), DROP_IMAGE)
            t = F.dropout(pooled([t for t, _ in chosen]), DROP_TEXT)
            both, loss = alignment_loss(vision.apart(f), text.apart(t), meaning, scale.exp(), known)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(upper.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            losses.append(both.item())
            if step % 5 == 4:
                print(f"finetune: round {turn + 1}/{ROUNDS}, batch {step + 1}/{len(batches)}, loss "
                      f"{sum(losses[-5:]) / 5:.3f}, "
                      f"{(step + 1) * BATCH / (time.time() - began):.0f}/s", flush=True)
    before = trained["image"]
    trained["image"] = {"upper": blend(start_upper, upper.state_dict(), KEPT),
                        "vision": blend(before["vision"], vision.state_dict(), KEPT),
                        "text": blend(before["text"], text.state_dict(), KEPT),
                        "scale": scale.item()}
    torch.save(trained, cache / "final.pt")


if __name__ == "__main__":
    torch.set_num_threads(2)
    train(sys.argv[1])
