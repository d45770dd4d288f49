"""evaluate.py - the figures of published models on the dev suite, from pixels to ranking.

Usage: evaluate.py MODEL [MODEL...] [--quick] [--words] [--scry PROGRAM | --run RUN_DIR]

Prints a Markdown table, one column a model. With --scry a MODEL is a directory and all vectors come from the
C program, files to vectors. With --run it may be one of a run's files (joint.pt, extended.pt, final.pt), and
the views come from features.py: for trials. --quick leaves out languages and probes; --words lists each word.
"""
import argparse
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

import data
import features
from model import DualEncoder, load
from publish import gather
from suite import Suite, table


def load_any(path):
    """A model in float32 from its directory or from a file of a run."""
    if Path(path).is_dir():
        return load(path)
    config, preprocessor, tokenizer, state = gather(torch.load(path))
    tokenizer.enable_truncation(config["text_config"]["max_position_embeddings"])
    tokenizer.enable_padding(pad_id=1, pad_token="<pad>")
    model = DualEncoder(config, preprocessor, tokenizer)
    model.load_state_dict(state)
    return model.eval()


@torch.no_grad()
def image_table(model, lower, pictures, batch=64):
    """(folder, file) -> unit vector of every picture, from the views that features.py kept."""
    upper, out = features.Upper(model.vision_model).to(memory_format=torch.channels_last), {}
    for i in range(0, len(pictures), batch):
        chunk = pictures[i:i + batch]
        x = torch.stack([lower[p.folder, p.file] for p in chunk])
        with torch.autocast("cpu", torch.bfloat16):
            f = upper(x.flatten(0, 1).contiguous(memory_format=torch.channels_last)).float()
        e = model.vision_head(f).view(len(chunk), 2, -1)
        out.update(zip(((p.folder, p.file) for p in chunk), F.normalize(e.mean(1), dim=-1)))
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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("models", nargs="+")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--words", action="store_true")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--scry", metavar="PROGRAM")
    source.add_argument("--run", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(2)
    suite, results = Suite(), {}
    for path in args.models:
        if args.scry:
            image, text = program_functions(args.scry, path, suite.dev)
        else:
            model = load_any(path)
            image, text = image_table(model, features.load(args.run, "lower"), suite.dev), text_function(model)
        figures = suite.recalls(image, text) | suite.everyday_figures(image, text)
        if not args.quick:
            figures |= suite.languages(image, text) | suite.probes(image, text)
        results[Path(path).name] = figures
        for language in ("en", "ru") if args.words else ():
            found = sorted(suite.by_word(image, text, language).items(), key=lambda w: w[1])
            print("; ".join(f"{word} {p:.0f} {ap:.0f}" for word, (p, ap) in found) + "\n")
    print(table(results))


if __name__ == "__main__":
    main()
