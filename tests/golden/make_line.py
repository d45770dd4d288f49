"""make_line.py - golden for src/engine/line.c: python3 make_line.py (needs numpy, safetensors)

Writes line/line.safetensors, 50 int8 rows of 16 numbers with their scales and a margin, and
line/queries.tsv: 40 unit queries and, last in the row, where their line is.
"""
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def main():
    rng, out = np.random.default_rng(7), Path(__file__).parent / "line"
    rows = unit(rng.normal(size=(50, 16)))
    scale = (np.abs(rows).max(1) / 127).astype(np.float32)
    codes = np.round(rows / scale[:, None]).astype(np.int8)
    margin = np.float32(-0.0625)
    save_file({"pictures": codes, "pictures.scale": scale, "margin": margin.reshape(1)}, out / "line.safetensors")
    queries = unit(rng.normal(size=(40, 16))).astype(np.float32)
    queries[0] = -unit(rows.mean(0, keepdims=True))[0]   # far from every row
    level = queries.astype(np.float64) @ (codes * scale[:, None].astype(np.float64)).T
    with open(out / "queries.tsv", "w") as f:
        for q, line in zip(queries, np.clip(level.max(1) + margin, -1, 1)):
            f.write("\t".join(f"{x:.9g}" for x in q) + f"\t{line:.9f}\n")


main()
