"""evaluate.py - the figures of published models on the dev suite, from pixels to ranking.

Usage: evaluate.py MODEL_DIR [MODEL_DIR...] [--quick] [--store-min-score] [--scry PROGRAM]

Prints a Markdown table, one column a model, and the curve of the minimum score of the first;
--store-min-score writes the chosen point into its config.json. --quick leaves out zero-shot
figures and probes. With --scry all vectors come from the C program, files to vectors, instead of PyTorch.
"""
import argparse
import json
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

import data
from encode import encode
from model import load
from sources import load_minilm
from suite import Suite, stack, table

ANSWERED = 0.90  # answered queries that must keep a right picture at the chosen minimum score
ALIKE = 0.45     # cosine of two texts from which one picture would do for both


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


def program_embed(program, directory, kind, lines):
    """[N, D] by `scry embed`; kind: images (paths) or texts."""
    with tempfile.TemporaryDirectory() as folder:
        asked, out = Path(folder) / "lines", Path(folder) / "vectors.npy"
        asked.write_text("\n".join(lines) + "\n")
        subprocess.run([program, "embed", "--model", directory, f"--{kind}", asked, "--out", out], check=True)
        return torch.from_numpy(np.load(out))


def program_functions(program, directory, pictures):
    """What image_table and text_function give, through the C program."""
    rows = program_embed(program, directory, "images", [str(data.image_path(p)) for p in pictures])
    image = {(p.folder, p.file): v for p, v in zip(pictures, rows)}
    return image, lambda texts: program_embed(program, directory, "texts", texts)


def score_curve(suite, image, text, depth=10):
    """[(minimum score, answered kept, absent refused)], from the natural photographs' questions.

    A query is answered when its right picture is among the first `depth`; it is kept when
    that picture reaches the minimum. For the absent case the right picture is removed and
    with it every picture whose own caption means about the same (teacher's cosine from
    ALIKE on): refused means that nothing that remains reaches the minimum."""
    teacher, tokenizer = load_minilm()
    meaning = lambda texts: F.normalize(encode(teacher, tokenizer, texts, 0), dim=-1)
    captions, v = meaning(suite.natural_captions), stack(image, suite.natural)
    kept, refused = [], []
    for name, (gallery, questions) in suite.sets.items():
        if gallery is not suite.natural:
            continue
        scores = text([q for q, _, _ in questions]) @ v.T
        target = torch.tensor([i for _, i, _ in questions])[:, None]
        own = scores.gather(1, target)
        kept.append(own[(scores > own).sum(1) < depth, 0])
        alike = meaning([e for _, _, e in questions]) @ captions.T >= ALIKE
        alike.scatter_(1, target, True)
        refused.append(scores.masked_fill(alike, -1.0).amax(1))
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
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--store-min-score", action="store_true")
    parser.add_argument("--scry", metavar="PROGRAM")
    args = parser.parse_args()
    torch.set_num_threads(2)
    suite, results, curve = Suite(), {}, None
    wanted = [p for p in suite.dev if not args.quick or p.folder == "flickr8k" or p in suite.natural]
    for directory in args.models:
        if args.scry:
            image, text = program_functions(args.scry, directory, wanted)
        else:
            model = load(directory)
            image, text = image_table(model, wanted), text_function(model)
        figures = suite.recalls(image, text)
        if not args.quick:
            figures |= (suite.zero_shot(image, text) | suite.languages(image, text)
                        | suite.probes(image, text))
        results[Path(directory).name] = figures
        curve = curve or score_curve(suite, image, text)
    print(table(results))
    chosen = max(m for m, kept, _ in curve if round(kept, 2) >= ANSWERED)
    print_curve(curve, chosen)
    if args.store_min_score:
        path = Path(args.models[0]) / "config.json"
        config = json.loads(path.read_text())
        config["min_score"] = round(chosen, 4)
        path.write_text(json.dumps(config, indent=1) + "\n")


if __name__ == "__main__":
    main()
