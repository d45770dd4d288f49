"""build.py - rebuild the starter model by one command.

    python -m venv .venv && .venv/bin/pip install -r tools/starter/requirements.txt
    SCRY_DATA=DIR .venv/bin/python tools/starter/build.py --cache CACHE_DIR --out models/starter

Stages, each skipped when its result is already in the cache: features (two views of every
photograph), distil (the text tower from its teacher), align (heads), joint (text tower and
heads), finetune (upper blocks of the image tower and heads), publish, evaluate
(through the program, which is to be built first), line (where a hit ends).

Needs Debian's wordnet-base and unicode-cldr-core (SCRY_WORDNET and SCRY_CLDR name other
places), a C++ compiler for torch.compile, about 4 GB of memory and 2 GB of disk. Seeds are fixed.
"""
import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
SCRY = HERE.parents[1] / "scry"


def missing():
    """What a stage would find missing an hour from now: a list of lines, each with what to do."""
    out = []
    if not Path(os.environ.get("SCRY_DATA", "")).joinpath("flickr8k").is_dir():
        out.append("SCRY_DATA must name the folder of photographs (it has a folder flickr8k)")
    for variable, default, file, package in (
            ("SCRY_WORDNET", "/usr/share/wordnet", "data.noun", "wordnet-base"),
            ("SCRY_CLDR", "/usr/share/unicode/cldr/common", "annotations/en.xml", "unicode-cldr-core")):
        path = Path(os.environ.get(variable, default)) / file
        if not path.is_file():
            out.append(f"{path} is missing: install Debian's {package}, or set {variable}")
    if not SCRY.is_file():
        out.append("the evaluation runs the program: build it first, by make")
    if not shutil.which("g++"):
        out.append("torch.compile needs g++: install Debian's g++")
    return out


def stage(name, command, result):
    """Run one program unless its result exists; say how long it took."""
    if result is not None and result.exists():
        print(f"== {name}: there already", flush=True)
        return
    start = time.time()
    print(f"== {name}", flush=True)
    subprocess.run([sys.executable, str(HERE / command[0]), *map(str, command[1:])], check=True)
    print(f"== {name}: {time.time() - start:.0f} s", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    if missing():
        sys.exit("\n".join(missing()))
    args.cache.mkdir(parents=True, exist_ok=True)
    full = args.cache / "full"
    stage("features", ["features.py", args.cache], args.cache / "features_jetson_photos.pt")
    stage("distil", ["distil.py", args.cache], args.cache / "text.pt")
    stage("align", ["align.py", args.cache], args.cache / "image.pt")
    stage("joint", ["joint.py", args.cache], args.cache / "joint.pt")
    stage("finetune", ["finetune.py", args.cache], args.cache / "final.pt")
    stage("publish", ["publish.py", args.cache, args.out], None)
    stage("publish in float32", ["publish.py", args.cache, full, "--full"], None)
    stage("evaluate", ["evaluate.py", args.out, full, "--scry", SCRY, "--store-min-score"], None)
    stage("line", ["scores.py", args.out, "--work", args.cache / "scores", "--scry", SCRY, "--store"], None)


if __name__ == "__main__":
    main()
