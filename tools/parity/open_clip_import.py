"""open_clip_import.py - import open_clip on a machine without CUDA libraries.

open_clip imports torchvision, whose compiled operators do not load there; their names
must be declared before torchvision registers shapes for them. Its own environment:

    python3 -m venv oc && oc/bin/pip install torch --index-url ... (or your torch)
    oc/bin/pip install --no-deps open_clip_torch torchvision==0.28.0 timm ftfy wcwidth
    oc/bin/pip install transformers       # for the models with timm's towers: clip_models.py
"""
import importlib.util
import json
import re
from pathlib import Path

import torch


def declare_operators():
    spec = importlib.util.find_spec("torchvision")
    source = (Path(spec.origin).parent / "_meta_registrations.py").read_text()
    library = torch.library.Library("torchvision", "DEF")
    for name in sorted(set(re.findall(r'register_meta\("(\w+)"\)', source)) | {"nms", "qnms"}):
        library.define(name + "(Tensor a) -> Tensor")
    return library


try:
    import torchvision  # noqa: F401
except RuntimeError:
    library = declare_operators()

import open_clip  # noqa: E402,F401


def settle(trunk, size):
    """For random weights: batch norms of what they see, residual branches smaller than what they are added to, and
    attention of heads of 32 that is not one-hot."""
    g = torch.Generator().manual_seed(12)
    with torch.no_grad():
        for name, p in sorted(trunk.named_parameters()):
            if name.endswith("gamma"):
                p.uniform_(0.2, 0.6, generator=g)
            elif "token_mixer.qkv" in name:
                p.mul_(0.3)
        norms = [m for m in trunk.modules() if isinstance(m, torch.nn.BatchNorm2d)]
        for m in norms:
            m.momentum = None   # the mean of all that is seen
            m.train()
        if norms:
            trunk(torch.rand(8, 3, size, size, generator=g))
        trunk.eval()


def token_rows(folder, text_cfg, texts):
    """Ids [texts][context], padded, as open_clip's HFTokenizer or SimpleTokenizer gives them."""
    from open_clip import tokenizer as oc
    context = text_cfg["context_length"]
    if "hf_tokenizer_name" not in text_cfg:
        return oc.SimpleTokenizer(context_length=context)(texts).tolist()
    from tokenizers import Tokenizer
    clean = oc.get_clean_fn(text_cfg.get("tokenizer_kwargs", {}).get("clean", "whitespace"))
    tokenizer = Tokenizer.from_file(str(Path(folder) / "tokenizer.json"))
    pad = tokenizer.token_to_id(json.loads((Path(folder) / "tokenizer_config.json").read_text())["pad_token"])
    rows = [tokenizer.encode(clean(t)).ids for t in texts]
    rows = [r if len(r) <= context else r[:context - 1] + r[-1:] for r in rows]
    if text_cfg.get("tokenizer_kwargs", {}).get("strip_sep_token"):
        end = tokenizer.token_to_id("[SEP]")
        rows = [[0 if i == end else i for i in r] for r in rows]
    return [r + [pad] * (context - len(r)) for r in rows]
