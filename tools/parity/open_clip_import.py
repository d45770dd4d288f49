"""open_clip_import.py - import open_clip on a machine without CUDA libraries.

open_clip imports torchvision, whose compiled operators do not load there; their names
must be declared before torchvision registers shapes for them. Its own environment:

    python3 -m venv oc && oc/bin/pip install torch --index-url ... (or your torch)
    oc/bin/pip install --no-deps open_clip_torch torchvision==0.28.0 timm ftfy wcwidth
"""
import importlib.util
import re
from pathlib import Path

import torch

spec = importlib.util.find_spec("torchvision")
source = (Path(spec.origin).parent / "_meta_registrations.py").read_text()
names = set(re.findall(r'register_meta\("(\w+)"\)', source)) | {"nms", "qnms"}
library = torch.library.Library("torchvision", "DEF")
for name in sorted(names):
    try:
        library.define(name + "(Tensor a) -> Tensor")
    except RuntimeError:
        pass   # the compiled operators did load

import open_clip  # noqa: E402,F401
