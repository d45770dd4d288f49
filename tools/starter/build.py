"""build.py - rebuild the starter model by one command.

    python -m venv .venv && .venv/bin/pip install -r tools/starter/requirements.txt
    SCRY_DATA=DIR .venv/bin/python tools/starter/build.py --cache CACHE_DIR --out models/starter

Stages, each skipped when its result is already in the cache: features (two views of every
photograph), distil (the text tower from its teacher), align (heads), joint (text tower and
heads), extend (new classes), finetune (upper blocks of the image tower and heads), publish, text map,
groups (where best and maybe end), evaluate (both through the program, which is to be built first).
--seed N draws everything anew; --open-only trains on the folders with open terms alone.

Needs Debian's wordnet-base and unicode-cldr-core (SCRY_WORDNET and SCRY_CLDR name other
places), a C++ compiler for torch.compile, about 4 GB of memory and 2 GB of disk.
"""
import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

RESULTS = {"distil": "text.pt", "align": "image.pt", "joint": "joint.pt", "extend": "extended.pt",
           "finetune": "final.pt"}
SHARE = 0.7   # of the way from the model that a run begins with, by --from
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
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--open-only", action="store_true", help="train on folders with open terms alone")
    parser.add_argument("--from", dest="begin", type=Path, metavar="MODEL_DIR",
                        help="begin with an earlier model instead of distil and align")
    args = parser.parse_args()
    if missing():
        sys.exit("\n".join(missing()))
    os.environ["STARTER_SEED"] = str(args.seed)
    if args.open_only:
        os.environ["STARTER_OPEN"] = "1"
    cache = args.cache / (("open-" if args.open_only else "") + f"seed-{args.seed}")
    cache.mkdir(parents=True, exist_ok=True)
    stage("features", ["features.py", args.cache], None)
    if args.begin:
        stage("start", ["start.py", cache, args.begin], cache / "image.pt")
    for name in RESULTS:
        stage(name, [f"{name}.py", cache], cache / RESULTS[name])
    share = ["--share", SHARE] if args.begin else []
    stage("publish", ["publish.py", cache, args.out, *share], None)
    stage("publish in float32", ["publish.py", cache, cache / "full", "--full", *share], None)
    for folder in (args.out, cache / "full"):
        stage("text map", ["text_map.py", folder, "--work", cache / "text-map", "--scry", SCRY], None)
    stage("groups", ["scores.py", args.out, "--work", cache / "scores", "--scry", SCRY, "--store", "--config"], None)
    stage("evaluate", ["evaluate.py", args.out, cache / "full", "--scry", SCRY], None)


if __name__ == "__main__":
    main()
