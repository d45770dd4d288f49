"""distil.py - teach the multilingual text tower the sentence space of the English teacher.

Usage: distil.py RUN_DIR       (writes CACHE_DIR/text.pt)

multilingual-e5-small, its vocabulary pruned, learns to give from any language the vector that
all-MiniLM-L6-v2 gives for the English: English texts teach the space, translations tie the
other languages to it. Word vectors and the lowest layers stay fixed, so that words that no
training text holds keep their place among those that do.
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
import vocabulary
from encode import encode, pad
from model import BertEncoder
from sources import load_e5, load_minilm

VOCABULARY = 56000
MAX_TOKENS = 64
FROZEN_LAYERS = 4
BATCH = 256
LEARNING_RATE = 2e-4
TEMPERATURE = 0.05
ENGLISH, EMOJI = 24000, 8000  # of the English texts and of CLDR's names, drawn at random; more still help


class TextTower(nn.Module):
    """The encoder and the projection into the teacher's space."""

    def __init__(self, config):
        super().__init__()
        self.encoder = BertEncoder(config)
        self.project = nn.Linear(config["hidden_size"], 384)

    def forward(self, ids, mask):
        return self.project(self.encoder(ids, mask))


def pruned_e5(texts):
    """(config, encoder state, pieces) with the vocabulary and the positions that are kept."""
    config, state, pieces = load_e5()
    kept, rows = vocabulary.prune(pieces, texts, VOCABULARY)
    words, places = ("embeddings.word_embeddings.weight", "embeddings.position_embeddings.weight")
    state[words] = state[words][rows]
    state[places] = state[places][:MAX_TOKENS]
    config.update(vocab_size=len(kept), max_position_embeddings=MAX_TOKENS)
    return config, state, kept


def teacher_vectors(cache, english):
    """Unit vectors of the distinct English texts, kept beside the runs for the next one."""
    path = Path(cache).parent / "teacher.pt"
    known = torch.load(path) if path.exists() else {}
    missing = [t for t in dict.fromkeys(english) if t not in known]
    if missing:
        teacher, tokenizer = load_minilm()
        vectors = F.normalize(encode(teacher, tokenizer, missing, 0), dim=-1).half()
        known.update(zip(missing, vectors))
        torch.save(known, path)
    return known


def fit_projection(tower, tokenizer, texts, targets):
    """Start the projection from ridge regression: the first step is then a small one."""
    x = encode(tower.encoder, tokenizer, texts, 1)
    mean_x, mean_y = x.mean(0), targets.mean(0)
    a = x - mean_x
    ridge = 0.02 * len(x) * a.var(0).mean() * torch.eye(a.shape[1])
    w = torch.linalg.solve(a.T @ a + ridge, a.T @ (targets - mean_y))
    with torch.no_grad():
        tower.project.weight.copy_(w.T)
        tower.project.bias.copy_(mean_y - mean_x @ w)


def make_batches(items, rng):
    """Batches of texts of like length, in random order."""
    order = sorted(range(len(items)), key=lambda i: (len(items[i][0]) // 8, rng.random()))
    batches = [order[i:i + BATCH] for i in range(0, len(order), BATCH)]
    rng.shuffle(batches)
    return batches


def loss_of(student, teacher):
    """Same direction as the teacher, and the same neighbours within the batch."""
    cosine = 1 - (student * teacher).sum(1).mean()
    soft = torch.softmax(teacher @ teacher.T / TEMPERATURE, 1)
    neighbours = -(soft * torch.log_softmax(student @ teacher.T / TEMPERATURE, 1)).sum(1).mean()
    entropy = -(soft * torch.log(soft + 1e-9)).sum(1).mean()
    return cosine + 0.2 * (neighbours - entropy), cosine.item()


def train(cache):
    torch.manual_seed(data.SEED)
    rng = random.Random(data.SEED)
    english, translated, emoji = corpus.english(rng), corpus.own_translations(), corpus.emoji_names()
    config, state, pieces = pruned_e5([t for _, t, _ in english + translated + emoji])
    tokenizer = vocabulary.make_tokenizer(pieces)
    tokenizer.enable_truncation(MAX_TOKENS)
    tower = TextTower(config)
    tower.encoder.load_state_dict(state)
    rng.shuffle(emoji)
    items = english[:ENGLISH] + translated * 2 + emoji[:EMOJI]
    rng.shuffle(items)
    teacher = teacher_vectors(cache, [e for _, _, e in items])
    sample = [t for _, t, _ in english[:6000]]
    fit_projection(tower, tokenizer, sample, torch.stack([teacher[t] for t in sample]).float())
    tower.encoder.embeddings.requires_grad_(False)
    tower.encoder.encoder["layer"][:FROZEN_LAYERS].requires_grad_(False)

    rows = [e.ids for e in tokenizer.encode_batch([t for _, t, _ in items])]
    batches = make_batches([(r,) for r in rows], rng)
    optimiser = torch.optim.AdamW([p for p in tower.parameters() if p.requires_grad],
                                  lr=LEARNING_RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, LEARNING_RATE, len(batches),
                                                   pct_start=0.1)
    start, seen, cosines = time.time(), 0, []
    for step, batch in enumerate(batches):
        ids, mask = pad([rows[i] for i in batch], 1)
        target = torch.stack([teacher[items[i][2]] for i in batch]).float()
        with torch.autocast("cpu", torch.bfloat16):
            out = tower(ids, mask)
        loss, cosine = loss_of(F.normalize(out.float(), dim=-1), target)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(tower.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        seen += len(batch)
        cosines.append(1 - cosine)
        if step % 50 == 49:
            print(f"text: {seen}/{len(items)} texts, cosine to the teacher "
                  f"{sum(cosines[-50:]) / 50:.3f}, {seen / (time.time() - start):.0f}/s", flush=True)
    torch.save({"config": config, "pieces": pieces, "tower": tower.state_dict()},
               Path(cache) / "text.pt")


if __name__ == "__main__":
    torch.set_num_threads(2)
    train(sys.argv[1])
