"""align.py - first alignment of the heads of both sides; the towers stand still.

Usage: align.py RUN_DIR       (reads text.pt and the features, writes CACHE_DIR/image.pt)

Two branches: the first goes through ImageNet's classes, whose text vectors start it (so it
works before any training: "ConSE"), the second is linear on the pooled features and learns
what captions add. The targets of the contrastive loss are soft: two texts that mean the
same are no negatives.
"""
import random
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

import corpus
import data
import features
from distil import TextTower, teacher_vectors
from encode import encode
from model import Head
from sources import load_lite2
from vocabulary import make_tokenizer

EPOCHS = 8
BATCH = 256
RATE = 1e-3            # the classifier itself moves at a tenth of it
SECOND_DIM = 256
CLASS_WEIGHT = 1.2247  # of the branch through the classes, both sides; the other has 1
SOFT = 0.06            # temperature of the text-text similarities that make the targets
MOST_TEXTS = 2         # captions of a Flickr8k picture that take part in this stage
BRANCH = 0.3           # weight of each branch's own loss beside that of both together
WORDS = 0.25           # how often a picture is called by one everyday word its texts say
LANGUAGES = {"en": 4, "ru": 4, "de": 1, "fr": 1, "es": 1, "zh": 1}  # of those words: how often
FORMS = {"noun": ("{}", "a photo of a {}", "a {}", "a picture of a {}"), "phrase": ("{}", "{}", "a photo of {}"),
         "caption": ("{}",)}


def picture_texts():
    """{(folder, file): [(text, english)]}: everything a training picture may be called."""
    russian = corpus.russian()
    multi = {r["label_en"]: [v for k, v in r.items() if k != "label_en" and v]
             for r in corpus.own_texts("labels_multi.tsv")}
    captions, captions_ru = corpus.imagenet_captions("train"), corpus.flickr_russian()
    out = {}
    for p in data.training():
        texts = [(form.format(t), t) for t in p.texts for form in FORMS[p.kind]]
        for name in dict.fromkeys((p.label, *p.texts)) if p.kind != "caption" else ():
            texts += [(t, p.texts[0] if name == p.label else name) for t in russian.get(name, ())]
        texts += [(w, p.texts[0]) for w in multi.get(p.label, [])[:4]]
        if p.folder == "imagenet_sample_1000" and p.file in captions:
            r = captions[p.file]
            texts += [(r["caption_en"], r["caption_en"])] * 4 + [(r["query_en"], r["query_en"])] * 4
            texts += [(r["caption_ru"], r["caption_en"])] * 3
        if p.folder == "flickr8k" and p.file in captions_ru:
            r = captions_ru[p.file]
            texts += [(r["caption_ru"], data.tidy(r["caption_en"]))] * 2
        out[p.folder, p.file] = texts
    return out


class Calls:
    """What a picture is called in a step: one of its texts, or an everyday word that they say."""

    def __init__(self, rng):
        self.rng, self.texts, self.everyday = rng, picture_texts(), corpus.everyday()
        self.words = corpus.picture_words()
        self.place = {r["en"]: i for i, r in enumerate(self.everyday)}
        count = [1] * len(self.everyday)
        for own in self.words.values():
            for i in own:
                count[i] += 1
        self.weight = [n ** -0.5 for n in count]  # a rare word is worth more than a common one

    def word(self, key):
        """(word in some language, English) that a picture's texts say."""
        own = self.words[key]
        row = self.everyday[self.rng.choices(own, [self.weight[i] for i in own])[0]]
        language = self.rng.choices(list(LANGUAGES), list(LANGUAGES.values()))[0]
        return row[language] or row["en"], row["en"]

    def draw(self, p):
        key = p.folder, p.file
        if self.words[key] and self.rng.random() < WORDS:
            return self.word(key)
        return self.rng.choice(self.texts[key])

    def known(self, shown, english):
        """[pictures, texts]: 1 where a text is an everyday word that the picture's texts say."""
        place = torch.tensor([self.place.get(e, -1) for e in english])
        out = torch.zeros(len(shown), len(english))
        for i, p in enumerate(shown):
            out[i] = torch.isin(place, torch.tensor(self.words[p.folder, p.file] or [-2])).float()
        return out

    def all(self):
        """Every (text, english) that can be drawn."""
        return [t for own in self.texts.values() for t in own] + [
            (v, r["en"]) for r in self.everyday for v in r.values() if v]


def load_text_tower(path):
    """(what was saved, TextTower, tokenizer)."""
    saved = torch.load(path)
    tower = TextTower(saved["config"])
    tower.load_state_dict(saved["tower"])
    tokenizer = make_tokenizer(saved["pieces"])
    tokenizer.enable_truncation(saved["config"]["max_position_embeddings"])
    return saved, tower.eval(), tokenizer


class TextVectors:
    """Pooled text vectors [N, 384], each text encoded once; kept in `path` for the next run."""

    def __init__(self, encoder, tokenizer, path):
        self.encoder, self.tokenizer, self.path = encoder, tokenizer, path
        self.known = torch.load(path) if path.exists() else {}

    def __call__(self, texts):
        missing = list(dict.fromkeys(t for t in texts if t not in self.known))
        if missing:
            self.known.update(zip(missing, encode(self.encoder, self.tokenizer, missing, 1)))
            torch.save(self.known, self.path)
        return torch.stack([self.known[t] for t in texts])


def head_configs(classes=1000):
    lin = lambda i, o, bias=True: {"type": "linear", "in": i, "out": o, "bias": bias}
    vision = [{"weight": CLASS_WEIGHT, "layers": [lin(1280, classes), {"type": "softmax", "temperature": 1.0},
                                                  lin(classes, 384, False)]},
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


def contrastive(image, text, by_image, by_text, scale):
    logits = image @ text.T * scale
    return -((by_image * torch.log_softmax(logits, 1)).sum(1).mean()
             + (by_text * torch.log_softmax(logits.T, 1)).sum(1).mean()) / 2


def alignment_loss(image, text, meaning, scale, known):
    """(loss of both branches together, loss to train on). `image` and `text` are lists of the
    branches' unit vectors, `meaning` the teacher's vectors of the texts; `known` [pictures, texts]
    is 1 where a text is known to fit a picture it was not drawn for."""
    near = torch.maximum(meaning @ meaning.T, known) / SOFT
    soft = torch.softmax(near, 1), torch.softmax(near.T, 1)
    n = len(image) ** 0.5
    both = contrastive(torch.cat(image, 1) / n, torch.cat(text, 1) / n, *soft, scale)
    return both, both + BRANCH * sum(contrastive(i, t, *soft, scale) for i, t in zip(image, text))


def epoch_order(pictures, rng, repeats):
    """Indices of the pictures of one epoch, folders as often as `repeats` says."""
    order = []
    for i, p in enumerate(pictures):
        times = repeats[p.folder]
        order += [i] * (int(times) + (rng.random() < times - int(times)))
    rng.shuffle(order)
    return order


def train(cache):
    torch.manual_seed(data.SEED + 1)
    rng = random.Random(data.SEED + 1)
    _, tower, tokenizer = load_text_tower(Path(cache) / "text.pt")
    pooled = TextVectors(tower.encoder, tokenizer, Path(cache) / "pooled.pt")
    calls = Calls(rng)
    for key, texts in calls.texts.items():
        if key[0] == "flickr8k":
            del texts[MOST_TEXTS:]
    views = features.load(cache, "features")
    teacher = teacher_vectors(cache, [e for _, e in calls.all()])
    pooled([t for t, _ in calls.all()])

    _, _, fc_weight, fc_bias = load_lite2()
    vision, text = start_heads(tower, pooled, fc_weight, fc_bias)
    scale = nn.Parameter(torch.tensor(3.4))
    classifier = list(vision.branches[0][0].parameters())
    others = [*vision.branches[0][2].parameters(), *vision.branches[1].parameters(),
              *text.parameters(), scale]
    optimiser = torch.optim.AdamW([{"params": classifier}, {"params": others}], weight_decay=0.02)
    pictures, often = data.training(), data.repeats("align")
    orders = [epoch_order(pictures, rng, often) for _ in range(EPOCHS)]
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, [RATE / 10, RATE], sum(len(o) // BATCH for o in orders), pct_start=0.1)
    for epoch, order in enumerate(orders):
        losses = []
        for b in range(0, len(order) - BATCH + 1, BATCH):
            batch = [pictures[i] for i in order[b:b + BATCH]]
            f = torch.stack([rng.choice(views[p.folder, p.file]) for p in batch]).float()
            chosen = [calls.draw(p) for p in batch]
            meaning = torch.stack([teacher[e] for _, e in chosen]).float()
            both, loss = alignment_loss(vision.apart(f), text.apart(pooled([t for t, _ in chosen])), meaning,
                                        scale.exp(), calls.known(batch, [e for _, e in chosen]))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            losses.append(both.item())
        print(f"align: epoch {epoch + 1}/{EPOCHS}, loss {sum(losses) / len(losses):.3f}, "
              f"scale {scale.exp().item():.1f}", flush=True)
    torch.save({"vision": vision.state_dict(), "text": text.state_dict(), "scale": scale.item()},
               Path(cache) / "image.pt")


if __name__ == "__main__":
    torch.set_num_threads(2)
    train(sys.argv[1])
