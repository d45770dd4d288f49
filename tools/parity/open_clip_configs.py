#!/usr/bin/env python3
"""open_clip_configs.py - which of open_clip's own configurations scry runs, and what it says of the others.

    python3 tools/parity/open_clip_configs.py [NAME...]     # default: all that the installed open_clip has
    python3 tools/parity/open_clip_configs.py --from constants.py   # the names "NAME__TAG" in a file, such as immich's list

A configuration is put into a folder without weights: one that scry runs is refused for the missing weights only. Prints a line for each
and how many run; NAME may be written as NAME__TAG, of which the tag is ignored, and in any case. Needs open_clip_torch (its JSON files).
"""
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
PREPROCESS = {"mean": [0.5] * 3, "std": [0.5] * 3, "interpolation": "bicubic", "resize_mode": "squash"}


def configurations():
    found = importlib.util.find_spec("open_clip")
    if not found:
        sys.exit("install open_clip_torch")
    return {p.stem: p for p in Path(found.submodule_search_locations[0], "model_configs").glob("*.json")}


def verdict(scry, path, name, scratch):
    folder = Path(scratch, name)
    folder.mkdir()
    config = {"model_cfg": json.loads(path.read_text()), "preprocess_cfg": PREPROCESS}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    said = subprocess.run([scry, "model", "add", "probe", str(folder)], capture_output=True, text=True,
                          env=dict(os.environ, XDG_DATA_HOME=scratch, XDG_CACHE_HOME=scratch)).stderr.strip()
    return "runs" if "no model.safetensors in this folder" in said else said.removeprefix("scry: ").replace(f"{folder}/", "")


def main():
    scry = os.environ.get("SCRY", str(TOP / "build/release/scry"))
    known = configurations()
    given = sys.argv[1:]
    if given[:1] == ["--from"]:
        given = re.findall(r'"([\w.-]+__[\w.-]+)"', Path(given[1]).read_text())
    cases = {n.lower(): n for n in known}
    names = [cases.get(n.split("__")[0].lower(), n) for n in given] or sorted(known)
    runs = 0
    with tempfile.TemporaryDirectory() as scratch:
        said = {n: verdict(scry, known[n], n, scratch) if n in known else "open_clip has no configuration of that name" for n in set(names)}
    for n in names:
        print(f"{n:40} {said[n]}")
        runs += said[n] == "runs"
    print(f"{runs} of {len(names)} run")


if __name__ == "__main__":
    main()
