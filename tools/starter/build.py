"""build.py - rebuild the starter model by one command.

    python -m venv .venv && .venv/bin/pip install -r tools/starter/requirements.txt
    SCRY_DATA=DIR .venv/bin/python tools/starter/build.py --cache CACHE_DIR --out models/starter

Stages, each skipped when its result is already in the cache: features (lower half of the image
tower over all photographs), text (distillation), image (alignment), publish, evaluate. Needs
Debian's wordnet-base and unicode-cldr-core (SCRY_WORDNET and SCRY_CLDR name other places), a C
compiler for torch.compile, about 8 GB of memory and 3 GB of disk. Seeds are fixed.
"""
import argparse
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent


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
    args.cache.mkdir(parents=True, exist_ok=True)
    full = args.cache / "full"
    stage("features", ["features.py", args.cache], args.cache / "lower_flickr8k_train.pt")
    stage("text", ["train_text.py", args.cache], args.cache / "text.pt")
    stage("image", ["train_image.py", args.cache], args.cache / "image.pt")
    stage("publish", ["publish.py", args.cache, args.out], None)
    stage("publish in float32", ["publish.py", args.cache, full, "--full"], None)
    stage("evaluate", ["evaluate.py", args.out, full, "--curve", "--store-min-score"], None)


if __name__ == "__main__":
    main()
