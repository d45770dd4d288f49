"""train_image.py - align the image tower with the text tower.

Usage: train_image.py CACHE_DIR       (reads text.pt and the lower-half activations, writes
CACHE_DIR/image.pt)

What is trained: the upper half of Lite2, the heads of both sides. Two branches: the first
goes through ImageNet's classes, whose text vectors start it (so it works before any training:
"ConSE"), the second is linear on the pooled features and learns what captions add. The
targets of the contrastive loss are soft: two texts that mean the same are no negatives.
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
import features
from encode import encode
from model import Head, load_tokenizer
from sources import load_lite2
from train_text import TextTower, teacher_vectors
from vocabulary import make_tokenizer

SEED = 2
EPOCHS = 4
BATCH = 256
HEAD_RATE, BACKBONE_RATE = 1e-3, 1e-4
SECOND_DIM = 256
CLASS_WEIGHT = 1.4142  # of the branch through the classes, both sides; the other has 1
SOFT = 0.06            # temperature of the text-text similarities that make the targets
KEEP_CLASSES = 0.3     # weight of staying with the classifier's own answers
# How often a picture of a folder is shown in an epoch.
REPEATS = {"imagenet_sample_1000": 3, "caltech101": 1, "flickr8k": 1, "clothing": 0.5,
           "grocery": 0.3, "flowers102_captions": 0.5, "intel_scenes": 0.4, "house_rooms": 0.5,
           "weather": 0.5, "jetson_photos": 2}
LABEL_FORMS = ("{}", "a photo of a {}", "a {}", "a picture of a {}")


class Upper(nn.Module):
    """The trained half of the backbone: lower-half activations -> pooled features."""

    def __init__(self, backbone):
        super().__init__()
        self.blocks, self.head = backbone.blocks[features.CUT:], backbone.head

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return torch.clamp(self.head(x), 0, 6).mean((2, 3))


def picture_texts():
    """{(folder, file): [(text, english)]}: everything a training picture may be called."""
    russian = {r["label_en"]: r["label_ru"] for r in corpus.own_texts("labels_ru.tsv")}
    multi = {r["label_en"]: [v for k, v in r.items() if k != "label_en" and v]
             for r in corpus.own_texts("labels_multi.tsv")}
    captions, captions_ru = corpus.imagenet_captions("train"), corpus.flickr_russian()
    out = {}
    for p in data.pictures():
        if p.split != "train":
            continue
        texts = [(t, t) for t in p.texts]
        if p.kind == "label":
            name = p.texts[0]
            texts = [(form.format(name), name) for form in LABEL_FORMS]
            texts += [(russian[name], name)] * 2 if name in russian else []
            texts += [(w, name) for w in multi.get(name, [])[:4]]
        if p.folder == "imagenet_sample_1000" and p.file in captions:
            r = captions[p.file]
            texts += [(r["caption_en"], r["caption_en"])] * 4 + [(r["query_en"], r["query_en"])] * 4
            texts += [(r["caption_ru"], r["caption_en"])] * 3
        if p.folder == "flickr8k" and p.file in captions_ru:
            r = captions_ru[p.file]
            texts += [(r["caption_ru"], data.tidy(r["caption_en"]))] * 2
        out[p.folder, p.file] = texts
    return out


def load_text_tower(cache):
    saved = torch.load(Path(cache) / "text.pt")
    tower = TextTower(saved["config"])
    tower.load_state_dict(saved["tower"])
    tokenizer = make_tokenizer(saved["pieces"])
    tokenizer.enable_truncation(saved["config"]["max_position_embeddings"])
    return saved, tower.eval(), tokenizer


class TextVectors:
    """Pooled text vectors [N, 384], each text encoded once."""

    def __init__(self, encoder, tokenizer):
        self.encoder, self.tokenizer, self.known = encoder, tokenizer, {}

    def __call__(self, texts):
        missing = list(dict.fromkeys(t for t in texts if t not in self.known))
        if missing:
            self.known.update(zip(missing, encode(self.encoder, self.tokenizer, missing, 1)))
        return torch.stack([self.known[t] for t in texts])


def head_configs():
    lin = lambda i, o, bias=True: {"type": "linear", "in": i, "out": o, "bias": bias}
    vision = [{"weight": CLASS_WEIGHT, "layers": [lin(1280, 1000), {"type": "softmax", "temperature": 1.0},
                                         lin(1000, 384, False)]},
              {"weight": 1.0, "layers": [lin(1280, SECOND_DIM)]}]
    text = [{"weight": CLASS_WEIGHT, "layers": [lin(384, 384)]},
            {"weight": 1.0, "layers": [lin(384, SECOND_DIM)]}]
    return vision, text


def start_heads(tower, pooled, fc_weight, fc_bias):
    """Heads that already work: class vectors from the class names, less most of their mean."""
    vision, text = (Head(c) for c in head_configs())
    with torch.no_grad():
        text.branches[0][0].load_state_dict(tower.project.state_dict())
        names = corpus.imagenet_names()
        classes = F.normalize(tower.project(pooled([f"a photo of a {n[0]}" for n in names])), dim=-1)
        classes -= 0.7 * classes.mean(0)
        vision.branches[0][0].weight.copy_(fc_weight)
        vision.branches[0][0].bias.copy_(fc_bias)
        vision.branches[0][2].weight.copy_(classes.T)
    return vision, text


def branch_vectors(head, x):
    return [F.normalize(b(x), dim=-1) for b in head.branches]


def contrastive(image, text, soft, scale):
    logits = image @ text.T * scale
    return -((soft * torch.log_softmax(logits, 1)).sum(1).mean()
             + (soft.T * torch.log_softmax(logits.T, 1)).sum(1).mean()) / 2


def load_training(cache):
    """[(key, kind)] and the activations of all training pictures."""
    pictures, tensors, where = [], {}, []
    for p in data.pictures():
        if p.split == "train":
            pictures.append(p)
    for folder in dict.fromkeys(p.folder for p in pictures):
        tensors[folder] = torch.load(features.path(Path(cache), folder, "train"), mmap=True)
    count = {}
    for p in pictures:
        i = count.get(p.folder, 0)
        count[p.folder] = i + 1
        where.append((p.folder, i))
    return pictures, tensors, where


def epoch_order(pictures, rng):
    """Indices of the pictures of one epoch, folders as often as REPEATS says."""
    order = []
    for i, p in enumerate(pictures):
        times = REPEATS[p.folder]
        order += [i] * (int(times) + (rng.random() < times - int(times)))
    rng.shuffle(order)
    return order


def train(cache, feature_cache, epochs=EPOCHS):
    torch.manual_seed(SEED)
    rng = random.Random(SEED)
    saved, tower, tokenizer = load_text_tower(cache)
    pooled = TextVectors(tower.encoder, tokenizer)
    texts = picture_texts()
    teacher = teacher_vectors(cache, [e for ts in texts.values() for _, e in ts])
    pooled([t for ts in texts.values() for t, _ in ts])

    _, backbone, fc_weight, fc_bias = load_lite2()
    upper = Upper(backbone).to(memory_format=torch.channels_last)
    vision, text = start_heads(tower, pooled, fc_weight, fc_bias)
    scale = nn.Parameter(torch.tensor(3.4))
    pictures, tensors, where = load_training(feature_cache)
    original = Upper(load_lite2()[1]).to(memory_format=torch.channels_last).to(torch.bfloat16)

    heads = [*vision.parameters(), *text.parameters(), scale]
    optimiser = torch.optim.AdamW([{"params": upper.parameters(), "lr": BACKBONE_RATE},
                                   {"params": heads, "lr": HEAD_RATE}], weight_decay=0.02)
    orders = [epoch_order(pictures, rng) for _ in range(epochs)]
    steps = sum(len(o) // BATCH for o in orders)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, [BACKBONE_RATE, HEAD_RATE], steps,
                                                   pct_start=0.1)
    start, seen = time.time(), 0
    for epoch, order in enumerate(orders):
        losses = []
        for b in range(0, len(order) - BATCH + 1, BATCH):
            batch = order[b:b + BATCH]
            x = torch.stack([tensors[where[i][0]][where[i][1], rng.randrange(4)] for i in batch])
            x = x.contiguous(memory_format=torch.channels_last)
            chosen = [rng.choice(texts[pictures[i].folder, pictures[i].file]) for i in batch]
            t = pooled([a for a, _ in chosen])
            meaning = torch.stack([teacher[e] for _, e in chosen]).float()
            soft = torch.softmax(meaning @ meaning.T / SOFT, 1)
            with torch.autocast("cpu", torch.bfloat16):
                f = upper(x).float()
            with torch.no_grad():
                known = torch.softmax(original(x).float() @ fc_weight.T + fc_bias, -1)
            iv, tv = branch_vectors(vision, f), branch_vectors(text, t)
            s = scale.exp()
            both = contrastive(torch.cat(iv, 1) / 2 ** 0.5, torch.cat(tv, 1) / 2 ** 0.5, soft, s)
            loss = both + 0.3 * sum(contrastive(i, j, soft, s) for i, j in zip(iv, tv))
            keep = -(known * torch.log_softmax(vision.branches[0][0](f), -1)).sum(1).mean()
            loss = loss + KEEP_CLASSES * keep
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_([*upper.parameters(), *heads], 5.0)
            optimiser.step()
            schedule.step()
            seen += len(batch)
            losses.append(both.item())
        print(f"image: epoch {epoch + 1}/{epochs}, loss {sum(losses) / len(losses):.3f}, "
              f"scale {scale.exp().item():.1f}, {seen / (time.time() - start):.0f}/s", flush=True)
    torch.save({"upper": upper.state_dict(), "vision": vision.state_dict(),
                "text": text.state_dict(), "scale": scale.item()}, Path(cache) / "image.pt")


if __name__ == "__main__":
    torch.set_num_threads(2)
    train(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else EPOCHS)
