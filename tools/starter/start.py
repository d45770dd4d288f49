"""start.py - begin a run with the towers and heads of an earlier model, in place of distil.py and align.py.

Usage: start.py RUN_DIR MODEL_DIR     (writes text.pt, image.pt and the views as that model's image tower sees them)

Cheaper than both stages by half an hour, and what the earlier model knows stays. Its projection into the
teacher's space, which no model carries, is fitted anew.
"""
import json
import random
import sys
from pathlib import Path

import torch

import corpus
import data
import features
from distil import TextTower, fit_projection, teacher_vectors
from model import load

SAMPLE = 4000


def main(run, directory):
    torch.manual_seed(data.SEED)
    run, model = Path(run), load(directory)
    config = model.config["text_config"]
    vocabulary = json.loads((Path(directory) / "tokenizer.json").read_text())["model"]["vocab"]
    tower = TextTower(config)
    tower.encoder.load_state_dict(model.text_model.state_dict())
    tokenizer = model.tokenizer
    tokenizer.no_padding()
    english = [t for _, t, _ in corpus.english(random.Random(data.SEED))[:SAMPLE]]
    teacher = teacher_vectors(run, english)
    fit_projection(tower, tokenizer, english, torch.stack([teacher[t] for t in english]).float())
    upper = features.Upper(model.vision_model)
    torch.save({"config": config, "pieces": [tuple(v) for v in vocabulary], "tower": tower.state_dict()}, run / "text.pt")
    torch.save({"vision": model.vision_head.state_dict(), "text": model.text_head.state_dict(),
                "scale": model.config["logit_scale"], "upper": upper.state_dict()}, run / "image.pt")
    see(run, upper)


def see(run, upper):
    """The pooled features of the run's own image tower, folder by folder; resumes."""
    upper = upper.to(torch.bfloat16).to(memory_format=torch.channels_last)
    for folder in features.members():
        if not (run / f"features_{folder}.pt").exists():
            lower = torch.load(run.parent / f"lower_{folder}.pt", mmap=True)
            torch.save(features.pool_features(upper, lower), run / f"features_{folder}.pt")


if __name__ == "__main__":
    torch.set_num_threads(2)
    main(*sys.argv[1:])
