"""make_line.py - golden for src/engine/score_threshold.c: python3 make_line.py (needs numpy, safetensors)

Writes line/line.safetensors, 50 int8 rows of 16 numbers with their scales, 30 of subjects, three margins and a filter that
holds every word, and line/queries.tsv: 40 unit queries and, last in the row, where maybe and best begin, and where best begins for a
text that finds this vector first.
"""
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def quantise(rows):
    scale = (np.abs(rows).max(1) / 127).astype(np.float32)
    return np.round(rows / scale[:, None]).astype(np.int8), scale


def main():
    rng, out = np.random.default_rng(7), Path(__file__).parent / "line"
    codes, scale = quantise(rows := unit(rng.normal(size=(50, 16))))
    margin, best, rank, fits = np.float32(-0.0625), np.float32(0.125), 4, np.float32(0.03125)
    subjects, subject_scale = quantise(unit(np.random.default_rng(8).normal(size=(30, 16))))
    save_file({"subjects": subjects, "subjects.scale": subject_scale, "rank": np.array([rank], np.float32), "fits": fits.reshape(1),
               "pictures": codes, "pictures.scale": scale, "margin": margin.reshape(1), "best": best.reshape(1),
               "strange": np.array([-4.5], np.float32), "words": np.full((1, 4), -1, np.int8),
               "words.scale": np.ones(1, np.float32)}, out / "line.safetensors")
    queries = unit(rng.normal(size=(40, 16))).astype(np.float32)
    queries[0] = -unit(rows.mean(0, keepdims=True))[0]   # far from every row
    level = queries.astype(np.float64) @ (codes * scale[:, None].astype(np.float64)).T
    fit = np.sort(queries.astype(np.float64) @ (subjects * subject_scale[:, None].astype(np.float64)).T, 1)[:, -rank] + fits
    with open(out / "queries.tsv", "w") as f:
        for q, top, own in zip(queries, level.max(1), fit):
            f.write("\t".join(f"{x:.9g}" for x in [*q, *np.clip([top + margin, top + best, own], -1, 1)]) + "\n")


main()
