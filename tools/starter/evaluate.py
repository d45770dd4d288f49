"""evaluate.py - the figures of published models on the dev suite, from pixels to ranking.

Usage: evaluate.py MODEL_DIR [MODEL_DIR...] [--curve] [--store-min-score]

Prints a Markdown table, one column a model; --curve adds the curve of the minimum score of the
first, --store-min-score writes the chosen point into its config.json.
"""
import argparse
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import torch
from PIL import Image

import data
from model import load
from suite import Suite, table

ANSWERED = 0.90  # answered queries that must keep a right picture at the chosen minimum score


def image_table(model, pictures, batch=32):
    """(folder, file) -> unit vector of every picture."""
    out = {}
    with ThreadPoolExecutor(2) as pool:
        for i in range(0, len(pictures), batch):
            chunk = pictures[i:i + batch]
            images = list(pool.map(lambda p: Image.open(data.image_path(p)).convert("RGB"), chunk))
            for p, v in zip(chunk, model.embed_images(images)):
                out[p.folder, p.file] = v
    return out


def text_function(model, batch=256):
    """texts -> [N, D], each distinct text computed once."""
    known = {}

    def text(texts):
        missing = sorted({t for t in texts if t not in known}, key=len)
        for i in range(0, len(missing), batch):
            chunk = missing[i:i + batch]
            known.update(zip(chunk, model.embed_texts(chunk)))
        return torch.stack([known[t] for t in texts])
    return text


def score_curve(suite, image, text, depth=10):
    """[(minimum score, answered kept, absent refused)], from the dev questions.

    A query is answered when its right picture is among the first `depth`; it is kept when
    that picture reaches the minimum. For the absent case the right picture is removed
    and whatever still looks like it (the nearest tenth of the gallery) with it: refused
    means that nothing that remains reaches the minimum."""
    kept, refused = [], []
    for name in ("natural captions", "natural short queries", "natural captions, Russian"):
        gallery, questions = suite.sets[name]
        v = torch.stack([image[p.folder, p.file] for p in gallery])
        scores = text([q for q, _ in questions]) @ v.T
        target = torch.tensor([i for _, i in questions])
        own = scores.gather(1, target[:, None])
        answered = ((scores > own).sum(1) < depth)
        kept.append(own[answered, 0])
        alike = (v @ v.T)[target]
        near = alike.argsort(1, descending=True)[:, : len(gallery) // 10]
        refused.append(scores.scatter(1, near, -1.0).amax(1))
    kept, refused = torch.cat(kept), torch.cat(refused)
    points = torch.quantile(kept, torch.linspace(0, 0.5, 26))
    return [(m.item(), (kept >= m).float().mean().item(), (refused < m).float().mean().item())
            for m in points]


def print_curve(curve, chosen):
    print("\n| minimum score | answered queries that keep the right picture | absent queries "
          "answered with nothing |\n|---|---|---|")
    for m, a, r in curve:
        mark = " (chosen)" if m == chosen else ""
        print(f"| {m:.3f}{mark} | {100 * a:.0f} % | {100 * r:.0f} % |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("models", nargs="+")
    parser.add_argument("--curve", action="store_true")
    parser.add_argument("--store-min-score", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(2)
    suite, results, curve = Suite(), {}, None
    for directory in args.models:
        model = load(directory)
        image, text = image_table(model, suite.dev), text_function(model)
        results[Path(directory).name] = suite.figures(image, text)
        if curve is None:
            curve = score_curve(suite, image, text)
    print(table(results))
    chosen = min((m for m, a, _ in curve if a >= ANSWERED), key=lambda m: -m)
    if args.curve:
        print_curve(curve, chosen)
    if args.store_min_score:
        path = Path(args.models[0]) / "config.json"
        config = json.loads(path.read_text())
        config["min_score"] = round(chosen, 4)
        path.write_text(json.dumps(config, indent=1) + "\n")


if __name__ == "__main__":
    main()
