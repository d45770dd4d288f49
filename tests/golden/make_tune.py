#!/usr/bin/env python3
"""make_tune.py - the numbers of tests/unit/test_tune.c, by PyTorch: prints them. Needs torch."""
import torch
import torch.nn.functional as F

state = 7


def fill(*shape):
    """The test's random numbers in the same order."""
    global state
    out = torch.empty(shape, dtype=torch.float64).flatten()
    for i in range(out.numel()):
        state = (state * 1664525 + 1013904223) % 2 ** 32
        out[i] = (state >> 8) / 2 ** 23 - 1
    return out.view(shape)


N, DIM, WIDTHS, WEIGHTS, SCALE, ANCHOR = 6, 9, (5, 4), (1.14, 0.8), 5, 0.7
texts, pictures, anchors = fill(N, DIM), F.normalize(fill(N, DIM), dim=1), fill(3, DIM)
text_of, picture_of = torch.tensor([0, 1, 2, 1, 3, 4]), torch.tensor([0, 1, 2, 3, 4, 0])
same = (text_of[:, None] == text_of) | (picture_of[:, None] == picture_of)
target = same.double() / same.sum(1, keepdim=True)


def apply(a, t):
    parts = [w * F.normalize(x @ (torch.eye(len(m)) + m).T, dim=1) for m, x, w in zip(a, t.split(WIDTHS, 1), WEIGHTS)]
    return F.normalize(torch.cat(parts, 1), dim=1)


def loss_of(a):
    logits = SCALE * apply(a, texts) @ pictures.T
    contrast = (F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2
    return contrast + ANCHOR * (1 - (apply(a, anchors) * still).sum(1)).mean()


adapter = [torch.zeros(w, w, dtype=torch.float64, requires_grad=True) for w in WIDTHS]
still = apply(adapter, anchors).detach()
optimiser = torch.optim.AdamW(adapter, lr=0.01, betas=(0.9, 0.98), eps=1e-8, weight_decay=0.1)
for step in range(1, 51):
    optimiser.zero_grad()
    loss = loss_of(adapter)
    loss.backward()
    if step in (1, 2, 10, 25, 50):
        print(f"{{ {step}, {loss.item():.6f} }},", f"first derivatives {adapter[0].grad[0, :3].tolist()}" if step == 1 else "")
    torch.nn.utils.clip_grad_norm_(adapter, 1.0)
    optimiser.step()
