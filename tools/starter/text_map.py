"""text_map.py - the matrix that the published model's text vectors are multiplied with.

Usage: text_map.py MODEL_DIR

Writes MODEL_DIR/text_map.safetensors (docs/model-format.md), from the 702 everyday words in six languages alone: no
picture takes part, and the vectors of pictures stay as they are. In each branch of the head

    map = WEIGHT (I - MEAN m m') (I - LANGUAGE L' L)

with m the direction of the mean of all words, and L the directions in which the six languages' means differ, the words
being the same. The first makes room between short texts, which all lie about m: pictures near it come up whatever is
asked. The second brings the languages together. The three factors were chosen on the dev suite (docs/starter.md).
"""
import sys
from pathlib import Path

import torch
import torch.nn.functional as F

import data
from model import load
from publish import save

LANGUAGES = ("en", "ru", "de", "fr", "es", "zh")
MEAN = 0.4                  # how much of the common direction is taken away
LANGUAGE = 0.5              # how much of the differences between languages
BRANCH_WEIGHTS = (1, 1.2)   # the second branch counts so much more for texts than in training


def branch_map(means, weight):
    """means [languages, d], of one branch -> [d, d]."""
    common = means.mean(0)
    eye = torch.eye(len(common))
    apart = torch.linalg.svd(means - common, full_matrices=False).Vh[:len(means) - 1]
    apart = eye - LANGUAGE * apart.T @ apart
    direction = F.normalize(apart @ common, dim=0)
    return weight * (eye - MEAN * torch.outer(direction, direction)) @ apart


@torch.no_grad()
def text_map(model):
    model.text_map = None
    rows = data.rows(data.data_dir() / "everyday_words.tsv")
    vectors = torch.stack([model.embed_texts([r[language] for r in rows]) for language in LANGUAGES])
    sizes = [branch["layers"][-1]["out"] for branch in model.config["text_head"]]
    means = [F.normalize(part, dim=-1).mean(1) for part in vectors.split(sizes, -1)]
    return torch.block_diag(*map(branch_map, means, BRANCH_WEIGHTS))


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    save({"weight": text_map(load(folder)).half()}, folder / "text_map.safetensors")
