"""trial_heads.py - what the heads gain from counts and pairs of words and from a second text tower, and what 4-bit weights cost.

Usage: trials.py --trial heads|bits --run RUN_DIR [--seeds N]

RUN_DIR is a run of build.py to its end (final.pt). The pooled features of all pictures, as its image tower sees them, are
computed once and kept in RUN_DIR-trial; the towers stand still. heads: the heads learn on for EPOCHS epochs, once as before and
once with each change (about a minute each on one core). bits: nothing is learned. Both are judged without a text map.
"""
import random

import torch
import torch.nn.functional as F

import align
import data
import features
import start
from distil import teacher_vectors
from encode import encode
from model import Head
from publish import CLASS_WEIGHT, is_wide
from sources import load_lite2, load_minilm
from suite import Suite
from trial_texts import NUMBERS, combined, counted, figures

EPOCHS, RATE = 6, 5e-4
DROP_IMAGE, DROP_TEXT = 0.2, 0.1
SHARE = 0.25           # how often a picture is called by a count or a pair, where its texts give one


class Composed(align.Calls):
    """A picture is called by "two dogs" or "dog and beach" too. `known` says which other pictures such a text fits; "three
    dogs" is none."""

    def __init__(self, rng, pictures):
        super().__init__(rng)
        self.own, self.fits = {}, {}
        texts = [(text, places, text) for text, places in counted(pictures)[::2]] + combined(pictures)
        for text, places, english in texts:
            keys = {(pictures[i].folder, pictures[i].file) for i in places}
            self.fits.setdefault(english, set()).update(keys)
            for key in keys:
                self.own.setdefault(key, []).append((text, english))

    def draw(self, p):
        own = self.own.get((p.folder, p.file))
        return self.rng.choice(own) if own and self.rng.random() < SHARE else super().draw(p)

    def known(self, shown, english):
        out = super().known(shown, english)
        for j, text in enumerate(english):
            if text in self.fits:
                out[:, j] = torch.tensor([float((p.folder, p.file) in self.fits[text]) for p in shown])
        return out


def apart(english):
    """[texts, texts]: True for two counts of one thing, "two dogs" and "three dogs": not alike, whatever the teacher says."""
    counts = [tuple(t.split()) if len(t.split()) == 2 and t.split()[0] in NUMBERS else (None, i) for i, t in enumerate(english)]
    number, thing = ({v: n for n, v in enumerate(dict.fromkeys(column))} for column in zip(*counts))
    n, t = torch.tensor([number[a] for a, _ in counts]), torch.tensor([thing[b] for _, b in counts])
    return (t[:, None] == t) & (n[:, None] != n)


def loss_of(image, text, meaning, scale, known, english):
    """align.alignment_loss, but for counts that differ."""
    near = torch.maximum(meaning @ meaning.T, known).masked_fill(apart(english), 0) / align.SOFT
    soft = torch.softmax(near, 1), torch.softmax(near.T, 1)
    n = len(image) ** 0.5
    both = align.contrastive(torch.cat(image, 1) / n, torch.cat(text, 1) / n, *soft, scale)
    return both + align.BRANCH * sum(align.contrastive(i, t, *soft, scale) for i, t in zip(image, text))


class TwoTowers:
    """Texts by e5 and, those of ASCII letters, by MiniLM as well: [N, 384 + 384]."""

    def __init__(self, pooled):
        self.pooled, self.other, self.known = pooled, load_minilm(), {}

    def __call__(self, texts):
        missing = list(dict.fromkeys(t for t in texts if t.isascii() and t not in self.known))
        if missing:
            self.known.update(zip(missing, F.normalize(encode(*self.other, missing, 0), dim=-1)))
        none = torch.zeros(384)
        return torch.cat([self.pooled(texts), torch.stack([self.known.get(t, none) for t in texts])], 1)


def wider(head, more):
    """A text head whose first layers take `more` further numbers, which do nothing yet."""
    for branch in head.branches:
        old = branch[0]
        branch[0] = torch.nn.Linear(old.in_features + more, old.out_features)
        with torch.no_grad():
            branch[0].weight.copy_(F.pad(old.weight, (0, more)))
            branch[0].bias.copy_(old.bias)
    return head


class Trained:
    """A run's end: towers that stand still, heads as they came."""

    def __init__(self, run):
        self.final, work = torch.load(run / "final.pt"), run.parent / f"{run.name}-trial"
        work.mkdir(exist_ok=True)
        self.work = work
        _, tower, tokenizer = align.load_text_tower(run / "text_joint.pt")
        self.encoder, self.tokenizer = tower.encoder, tokenizer
        self.pooled = align.TextVectors(tower.encoder, tokenizer, work / "pooled.pt")
        self.pooled.known = self.pooled.known or torch.load(run / "pooled_joint.pt")
        upper = features.Upper(load_lite2()[1])
        upper.load_state_dict(self.final["image"]["upper"])
        start.see(work, upper)
        self.pictures, self.views = data.training(), features.load(work, "features")

    def heads(self):
        image = self.final["image"]
        vision, text = (Head(c) for c in align.head_configs(len(image["vision"]["branches.0.0.bias"])))
        vision.load_state_dict(image["vision"])
        text.load_state_dict(image["text"])
        return vision, text, torch.nn.Parameter(torch.tensor(float(image["scale"])))

    def learn(self, calls, pooled, more, seed):
        """The heads after EPOCHS more epochs; `more` is how much wider `pooled` is than e5's own."""
        torch.manual_seed(seed)
        vision, text, scale = self.heads()
        text, often = wider(text, more), data.repeats("finetune")
        parts = [*vision.parameters(), *text.parameters(), scale]
        orders = [align.epoch_order(self.pictures, calls.rng, often) for _ in range(EPOCHS)]
        drawn = [[calls.draw(self.pictures[i]) for i in order] for order in orders]
        pooled([t for own in drawn for t, _ in own])
        teacher = teacher_vectors(self.work, [e for own in drawn for _, e in own])
        optimiser = torch.optim.AdamW(parts, weight_decay=0.02)
        steps = sum(len(order) // align.BATCH for order in orders)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, steps, pct_start=0.1)
        for order, named in zip(orders, drawn):
            for b in range(0, len(order) - align.BATCH + 1, align.BATCH):
                shown, called = [self.pictures[i] for i in order[b:b + align.BATCH]], named[b:b + align.BATCH]
                english = [e for _, e in called]
                f = torch.stack([calls.rng.choice(self.views[p.folder, p.file]) for p in shown]).float()
                t = F.dropout(pooled([t for t, _ in called]), DROP_TEXT)
                loss = loss_of(vision.apart(F.dropout(f, DROP_IMAGE)), text.apart(t),
                               torch.stack([teacher[e] for e in english]).float(), scale.exp(), calls.known(shown, english), english)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                schedule.step()
        return vision, text

    @torch.no_grad()
    def seen(self, vision, pictures):
        """[N, D]: both views' sum, as the program takes it."""
        x = torch.stack([self.views[p.folder, p.file] for p in pictures]).float()
        return F.normalize(vision(x.flatten(0, 1)).view(len(x), 2, -1).sum(1), dim=-1)


def published(*heads):
    """The weight of the branches that publish.py gives."""
    for head in heads:
        head.weights = [CLASS_WEIGHT, 1.0]
        head.eval()


@torch.no_grad()
def judged(trained, suite, vision, text, pooled):
    published(vision, text)
    image = dict(zip(((p.folder, p.file) for p in suite.dev), trained.seen(vision, suite.dev)))
    return figures(suite, image, lambda texts: text(pooled(texts)))


def heads(args):
    """{name: figures}."""
    trained, suite, results = Trained(args.run), Suite(), {}
    two = TwoTowers(trained.pooled)
    for seed in range(1, args.seeds + 1):
        data.SEED = seed
        arms = {"as it is": (align.Calls(random.Random(seed)), trained.pooled, 0),
                "counts and pairs": (Composed(random.Random(seed), trained.pictures), trained.pooled, 0),
                "MiniLM beside": (align.Calls(random.Random(seed)), two, 384)}
        for name, (calls, pooled, more) in arms.items():
            key = f"{name}, {seed}"
            results[key] = judged(trained, suite, *trained.learn(calls, pooled, more, seed), pooled)
            print(key, {k: [round(x, 1) for x in v] for k, v in results[key].items()}, flush=True)
    return results


# ---------------------------------------------------------------- weights of four bits

def four_bits(w, group):
    """w with each `group` numbers of a row rounded to 16 steps between their ends."""
    parts = w.view(len(w), -1, group)
    low, high = parts.amin(-1, keepdim=True), parts.amax(-1, keepdim=True)
    step = ((high - low) / 15).clamp_min(1e-12)
    return (((parts - low) / step).round() * step + low).view_as(w)


def eight_bits(w):
    scale = w.abs().amax(1, keepdim=True).clamp_min(1e-12) / 127
    return (w / scale).round() * scale


def bits(args):
    """{name: figures} of the run's end, the text tower's wide matrices in fewer bits; without a text map."""
    trained, suite, results = Trained(args.run), Suite(), {}
    vision, text, _ = trained.heads()
    published(vision, text)
    image = dict(zip(((p.folder, p.file) for p in suite.dev), trained.seen(vision, suite.dev)))
    state = {k: v.clone() for k, v in trained.encoder.state_dict().items()}
    words = lambda name: "word_embeddings" in name
    for name, of in {"float32": lambda n, w: w, "8 bits": lambda n, w: eight_bits(w),
                     "words 4 bits, 32 a group": lambda n, w: four_bits(w, 32) if words(n) else eight_bits(w),
                     "words 4 bits, 64": lambda n, w: four_bits(w, 64) if words(n) else eight_bits(w),
                     "all 4 bits, 32": lambda n, w: four_bits(w, 32)}.items():
        trained.encoder.load_state_dict({k: of(k, v) if is_wide(k, v) else v for k, v in state.items()})
        known = {}

        def read(texts):
            missing = list(dict.fromkeys(t for t in texts if t not in known))
            if missing:
                known.update(zip(missing, encode(trained.encoder, trained.tokenizer, missing, 1)))
            with torch.no_grad():
                return text(torch.stack([known[t] for t in texts]))
        results[name] = figures(suite, image, read)
        print(name, {k: [round(x, 1) for x in v] for k, v in results[name].items()}, flush=True)
    return results
