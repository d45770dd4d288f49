"""trials.py - what was tried for a better starter; docs/starter.md has what it gave.

Usage: trials.py [--trial input] MODEL_DIR [MODEL_DIR...]
       trials.py --trial texts --work DIR [--scry PROGRAM] [--seeds N] MODEL_DIR
       trials.py --trial heads|bits --run RUN_DIR [--seeds N]

Prints a Markdown table on the dev suite.

input: larger input, a third view, and other models beside the first, without training: the first model as it is and with other
input (float32, PyTorch), then all models together, each vector being theirs side by side: what a distillation of that
ensemble could reach at most. The input of 300 pixels is larger than what the tower was trained on. About 15 minutes on one core.
texts: counts, pairs of words and likely pictures for the text map (trial_texts.py).
heads, bits: the same texts for the heads, a second text tower beside the first, 4-bit weights (trial_heads.py).
"""
import argparse
from pathlib import Path

import torch
import torch.nn.functional as F
from PIL import Image, ImageOps

import data
import trial_heads
import trial_texts
from evaluate import text_function
from model import load, view
from suite import Suite, table


def inner(image, size):
    """The middle seven tenths of the centre."""
    cut = round(size / 0.7)
    edge = (cut - size) // 2
    return view(image, "centre", cut).crop((edge, edge, edge + size, edge + size))


VIEWS = {"centre": lambda im, size: view(im, "centre", size), "squash": lambda im, size: view(im, "squash", size),
         "mirror": lambda im, size: ImageOps.mirror(view(im, "centre", size)), "inner": inner}
INPUTS = {"as it is": (260, "centre squash"), "300 pixels": (300, "centre squash"),
          "and mirrored": (260, "centre squash mirror"), "and the middle": (260, "centre squash inner")}


@torch.no_grad()
def vectors(model, pictures, sizes):
    """(folder, file) -> {(view, size): vector, not summed}."""
    p, wanted = model.preprocessor, sorted({(v, size) for size, views in sizes for v in views.split()})
    mean, std = torch.tensor(p["image_mean"]), torch.tensor(p["image_std"])
    out = {}
    for picture in pictures:
        image = Image.open(data.image_path(picture)).convert("RGB")
        out[picture.folder, picture.file] = one = {}
        for v, size in wanted:
            x = torch.frombuffer(bytearray(VIEWS[v](image, size).tobytes()), dtype=torch.uint8).view(1, size, size, 3)
            x = (x.float() * p["rescale_factor"] - mean) / std
            one[v, size] = model.vision_head(model.vision_model(x.permute(0, 3, 1, 2)))[0]
    return out


def chosen(found, size, views):
    return {key: F.normalize(sum(one[v, size] for v in views.split()), dim=-1) for key, one in found.items()}


def other_input(args):
    suite, results = Suite(), {}
    towers = [load(path) for path in args.models]
    texts = [text_function(t) for t in towers]
    figures = lambda image, text: suite.recalls(image, text) | suite.everyday_figures(image, text)
    first = vectors(towers[0], suite.dev, INPUTS.values())
    for name, (size, views) in INPUTS.items():
        results[name] = figures(chosen(first, size, views), texts[0])
    plain = INPUTS["as it is"]
    images = [chosen(first, *plain)] + [chosen(vectors(t, suite.dev, [plain]), *plain) for t in towers[1:]]
    for name, image, text in zip(args.models[1:], images[1:], texts[1:]):
        results[name] = figures(image, text)
    if len(towers) > 1:
        beside = lambda rows: torch.cat(rows, -1) / len(rows) ** 0.5
        results["together"] = figures({k: beside([i[k] for i in images]) for k in images[0]},
                                      lambda t: beside([text(t) for text in texts]))
    return results


TRIALS = {"input": other_input, "texts": trial_texts.run, "heads": trial_heads.heads, "bits": trial_heads.bits}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("models", nargs="*", metavar="MODEL_DIR")
    parser.add_argument("--trial", choices=TRIALS, default="input")
    parser.add_argument("--work", type=Path)
    parser.add_argument("--run", type=Path)
    parser.add_argument("--scry", default=Path(__file__).parents[2] / "scry")
    parser.add_argument("--seeds", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(1)
    print(table(TRIALS[args.trial](args)))


if __name__ == "__main__":
    main()
