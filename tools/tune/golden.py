#!/usr/bin/env python3
"""golden.py - what PyTorch's autograd computes for the backward operations of src/nn: tests/golden/backward.safetensors.

    tools/tune/golden.py

Everything is computed in double precision and stored as floats. Needs torch and safetensors.
"""
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

OUT = Path(__file__).resolve().parents[2] / "tests/golden/backward.safetensors"
ACTIVATIONS = {
    "quick_gelu": lambda x: x * torch.sigmoid(1.702 * x), "gelu": F.gelu, "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "relu": F.relu, "silu": F.silu,
}
golden = {}


def random(*shape):
    return torch.randn(*shape, dtype=torch.float64).float().double().requires_grad_()


def keep(prefix, y, dy, **inputs):
    """The operation's inputs, dy, and the gradients of the inputs."""
    for name, x in inputs.items():
        golden[f"{prefix}.{name}"] = x
    golden[f"{prefix}.y"] = y
    golden[f"{prefix}.dy"] = dy
    for name, gradient in zip(inputs, torch.autograd.grad(y, list(inputs.values()), dy)):
        golden[f"{prefix}.d{name}"] = gradient


def linear(prefix, m, n, k, transposed):
    x, w, b = random(m, k), random(*((k, n) if transposed else (n, k))), random(n)
    keep(prefix, x @ (w if transposed else w.T) + b, random(m, n).detach(), x=x, w=w, b=b)


def attention(prefix, lengths, width, heads, causal, only):
    """Sequences one after the other; `only`: one query of each."""
    qkv, outs, at = random(sum(lengths), 3 * width), [], 0
    for i, n in enumerate(lengths):
        q, k, v = (p.view(n, heads, -1).transpose(0, 1) for p in qkv[at:at + n].split(width, 1))
        scores = q @ k.transpose(1, 2) / (width // heads) ** 0.5
        if causal:
            scores = scores.masked_fill(torch.ones(n, n).triu(1).bool(), float("-inf"))
        out = (scores.softmax(-1) @ v).transpose(0, 1).reshape(n, width)
        outs.append(out[only[i]][None] if only else out)
        at += n
    y = torch.cat(outs)
    keep(prefix, y, random(*y.shape).detach(), qkv=qkv)
    golden[f"{prefix}.lengths"] = torch.tensor(lengths)
    if only:
        golden[f"{prefix}.only"] = torch.tensor(only)


def main():
    torch.manual_seed(11)
    linear("linear", 17, 37, 40, False)
    linear("linear_transposed", 19, 33, 21, True)
    linear("linear_long", 9, 5, 530, False)
    x, gain, bias = random(23, 41), random(41), random(41)
    keep("layer_norm", F.layer_norm(x, (41,), gain, bias, 1e-5), random(23, 41).detach(), x=x, gain=gain, bias=bias)
    for name, act in ACTIVATIONS.items():
        with torch.no_grad():
            x = 4 * random(5, 67)
            x[0, :4] = torch.tensor([0.0, -30, 30, 1e-4])
        x.requires_grad_()
        keep(name, act(x), random(5, 67).detach(), x=x)
    attention("attention", [7, 1, 34], 20, 4, False, None)
    attention("attention_causal", [3, 33], 14, 2, True, None)
    attention("attention_only", [5, 33], 10, 2, False, [0, 32])
    attention("attention_causal_only", [7, 12], 18, 2, True, [6, 4])
    save_file({k: v.detach().float().contiguous() for k, v in golden.items()}, OUT)
    OUT.chmod(0o644)
    print(OUT.name, OUT.stat().st_size, "bytes")


main()
