#!/usr/bin/env python3
"""convert-pickle.py - pytorch_model.bin (a pickle) to model.safetensors, once.

    python3 tools/convert-pickle.py DIR

DIR is a checkpoint folder as downloaded. Its pickle is read with torch's restricted
loader (weights_only: tensors and nothing that runs code), and model.safetensors, or
open_clip_model.safetensors for open_clip's pickle, is written beside it. The pickle stays.
Only tensors are kept; numbers are not changed. Needs torch and safetensors:

    python3 -m venv env && env/bin/pip install torch safetensors
"""
import json
import sys
from pathlib import Path

# pickle -> what it becomes
NAMES = {
    "pytorch_model.bin": "model.safetensors",
    "open_clip_pytorch_model.bin": "open_clip_model.safetensors",
    "pytorch_model.pt": "model.safetensors",
    "model.pt": "model.safetensors",
}
INDEX = "pytorch_model.bin.index.json"


def fail(message):
    sys.exit(f"convert-pickle: {message}")


def read_tensors(path):
    """The tensors of one pickle, under the names that a module of that checkpoint has."""
    import torch
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as e:
        why = [line for line in str(e).splitlines() if line.startswith("Trying to load")] or str(e).splitlines()[:1]
        fail(f"{path}: torch will not read it without running its code: {''.join(why)}")
    for key in ("state_dict", "model"):
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    if not isinstance(state, dict):
        fail(f"{path}: holds a {type(state).__name__}, not a dictionary of tensors")
    tensors = {}
    for name, t in state.items():
        if not isinstance(t, torch.Tensor):
            continue
        if str(t.dtype).removeprefix("torch.") == "float64":
            t = t.float()
        name = name.removeprefix("module.")
        if not t.isfinite().all():
            fail(f"{path}: {name} holds NaN or infinity: the file is damaged")
        tensors[name] = t.contiguous().clone()   # shared storage would be refused
    if not tensors:
        fail(f"{path}: no tensors in it")
    return tensors


def pickles_of(folder):
    """The pickle's parts, and the name of what is made of them."""
    if (folder / INDEX).exists():
        parts = json.loads((folder / INDEX).read_text())["weight_map"].values()
        if any("/" in p for p in parts):
            fail(f"{folder / INDEX}: names files outside the folder")
        return [folder / p for p in sorted(set(parts))], "model.safetensors"
    for name, target in NAMES.items():
        if (folder / name).exists():
            return [folder / name], target
    fail(f"{folder}: none of {', '.join(NAMES)} is in this folder")


def main():
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print(__doc__)
        sys.exit(0 if sys.argv[1:] in (["-h"], ["--help"]) else 2)
    folder = Path(sys.argv[1])
    paths, target = pickles_of(folder)
    if (folder / target).exists():
        fail(f"{folder / target} exists already")
    try:
        from safetensors.torch import save_file
    except ImportError:
        fail("safetensors is not installed: pip install torch safetensors")
    tensors = {}
    for path in paths:
        tensors.update(read_tensors(path))
    part = folder / (target + ".part")
    save_file(tensors, part, metadata={"format": "pt"})
    part.rename(folder / target)
    print(f"{folder / target}: {len(tensors)} tensors")


if __name__ == "__main__":
    main()
