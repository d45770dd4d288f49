#!/usr/bin/env python3
"""Print the tables of src/nn/gelu_pieces.h and how far GELU by them is from the formula. Needs NumPy.

    tools/gelu_pieces.py
"""
import math

import numpy as np

PIECES = 32
LEAST, MOST = -4.12, 3.87


def by_erf(x):
    return 0.5 * (1 + math.erf(x / math.sqrt(2)))


def by_tanh(x):
    return 0.5 * (1 + math.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3)))


def fit(s, low, high, pin):
    """Constants of 1, x, x^2 for s on [low, high]; through the point `pin`, if there is one."""
    x = (low + high) / 2 + (high - low) / 2 * np.cos((2 * np.arange(200) + 1) * np.pi / 400)
    y = np.array([s(v) for v in x])
    if pin:
        at, value = pin
        c = np.linalg.lstsq(np.stack([x - at, x * x - at * at], 1), y - value, rcond=None)[0]
        return [value - c[0] * at - c[1] * at * at, c[0], c[1]]
    weights = np.ones_like(x)
    for _ in range(300):   # towards the least largest error
        c = np.linalg.lstsq(np.stack([np.ones_like(x), x, x * x], 1) * weights[:, None], y * weights, rcond=None)[0]
        error = abs(c[0] + c[1] * x + c[2] * x * x - y)
        weights *= (error / error.max()) ** 0.05 + 1e-3
    return c


def table(s):
    pins = {0: (LEAST, 0.0), PIECES - 1: (MOST, 1.0)}
    out = np.array([fit(s, (i - 16.5) / 4, (i - 15.5) / 4, pins.get(i)) for i in range(PIECES)], dtype=np.float32)
    out[16, 2] = 0   # S - 1/2 is odd
    return out


def furthest(s, t, most):
    worst = 0
    for x in np.linspace(-most, most, 40001).astype(np.float32):
        z = np.float32(min(max(x, np.float32(LEAST)), np.float32(MOST)))
        c = t[int(np.rint(z * 4 + 16))]
        worst = max(worst, abs(float(x * (c[0] + z * (c[1] + z * c[2]))) - float(x) * s(float(x))))
    return worst


for s in (by_erf, by_tanh):
    t = table(s)
    print(f"{s.__name__}: {furthest(s, t, 8):.1e} up to 8, {furthest(s, t, 3.5):.1e} up to 3.5")
    for column in t.T:
        print("\n".join("      " + ", ".join(f"{v:.8g}f" if "." in f"{v:.8g}" else f"{v:.8g}.0f" for v in column[i:i + 8])
                        for i in range(0, PIECES, 8)) + "\n")
