"""features.py - what Lite2 sees in two views of every photograph.

Usage: features.py CACHE_DIR     (one pair of files for each folder; resumes)

    lower_FOLDER.pt      bfloat16 [N, 2, 208, 9, 9]: activations after block CUT - 1
    features_FOLDER.pt   float16 [N, 2, 1280]: pooled features of the untouched backbone

The lower part of the backbone stays as ImageNet taught it, so a view passes it once and the
stages that train read the cache. The views are the two a picture is embedded in, centre and
squashed; for square pictures, where those are the same pixels, the picture and its mirror image.
"""
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps
from torch import nn

import data
from model import view
from sources import load_lite2

CUT = 16  # blocks 16 to 20 and the last convolution can be trained, those before are not
MEAN, STD = 127.0, 128.0
BATCH = 32


class Lower(nn.Module):
    """Pixels -> activations after block CUT - 1."""

    def __init__(self, backbone):
        super().__init__()
        self.stem, self.blocks = backbone.stem, backbone.blocks[:CUT]

    def forward(self, x):
        x = F.relu6(self.stem(x))
        for block in self.blocks:
            x = block(x)
        return x


class Upper(nn.Module):
    """Those activations -> pooled features [B, 1280]."""

    def __init__(self, backbone):
        super().__init__()
        self.blocks, self.head = backbone.blocks[CUT:], backbone.head

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return F.relu6(self.head(x)).mean((2, 3))


def views(p, size):
    """The two views of one photograph as uint8 arrays [S, S, 3]."""
    image = Image.open(data.image_path(p)).convert("RGB")
    squash = view(image, "squash", size)
    other = ImageOps.mirror(squash) if p.folder in data.SQUARE else view(image, "centre", size)
    return [np.array(other), np.array(squash)]


@torch.no_grad()
def extract(lower, pictures, size):
    """Lower activations [N, 2, C, H, W]. Every batch has one shape: compiled once."""
    out = []
    with ThreadPoolExecutor(2) as pool:
        for start in range(0, len(pictures), BATCH // 2):
            chunk = [v for pair in pool.map(lambda p: views(p, size),
                                            pictures[start:start + BATCH // 2]) for v in pair]
            n = len(chunk)
            chunk += chunk[:1] * (BATCH - n)
            x = (torch.from_numpy(np.stack(chunk)).float() - MEAN) / STD
            x = x.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
            out.append(lower(x.bfloat16())[:n].contiguous())
    out = torch.cat(out)
    return out.view(len(pictures), 2, *out.shape[1:])


@torch.no_grad()
def pool_features(upper, lower):
    """[N, 2, C, H, W] -> [N, 2, 1280] float16."""
    parts = [upper(x.contiguous(memory_format=torch.channels_last)).half()
             for x in lower.flatten(0, 1).split(128)]
    return torch.cat(parts).view(len(lower), 2, -1)


def members():
    """{folder: its pictures, whatever their split}, in order; without the folders left out by name."""
    out = {}
    for p in data.pictures():
        if p.folder not in data.WITHOUT:
            out.setdefault(p.folder, []).append(p)
    return out


def load(run, kind):
    """{(folder, file): its two views' rows}; `kind` is "lower" or "features". They lie beside the
    folders of the runs, which share them, or in a run that began with another image tower."""
    out = {}
    for folder, pictures in members().items():
        paths = (place / f"{kind}_{folder}.pt" for place in (Path(run), Path(run).parent))
        rows = torch.load(next(p for p in paths if p.exists()), mmap=True)
        out.update({(p.folder, p.file): row for p, row in zip(pictures, rows)})
    return out


def main(cache):
    config, backbone, _, _ = load_lite2()
    backbone = backbone.to(torch.bfloat16).to(memory_format=torch.channels_last)
    lower, upper = torch.compile(Lower(backbone), dynamic=False), Upper(backbone)
    for folder, pictures in sorted(members().items(), key=lambda m: len(m[1])):
        low, pooled = (Path(cache) / f"{kind}_{folder}.pt" for kind in ("lower", "features"))
        if not pooled.exists():
            rows = extract(lower, pictures, config["image_size"])
            torch.save(rows, low)
            torch.save(pool_features(upper, rows), pooled)
            print(f"features: {folder}, {len(pictures)} pictures", flush=True)


if __name__ == "__main__":
    torch.set_num_threads(2)
    main(sys.argv[1])
