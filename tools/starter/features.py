"""features.py - activations of the lower half of Lite2 for views of every photograph.

The lower half (stem and blocks before CUT) stays as ImageNet taught it, so what it gives
for a view is computed once and the training reads it from the cache: an epoch over the
upper half costs minutes, not an hour.

Usage: features.py CACHE_DIR     (one file for each folder and split; resumes)
Each file holds bfloat16 [N, V, C, H, W]. The views are, for training pictures, two plain
ones (centre and squashed; for square pictures the picture and its mirror image) and two
random crops; for dev pictures the plain ones alone.
"""
import random
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import nn

import data
from model import view
from sources import load_lite2

CUT = 18  # blocks 0..17: down to 9 x 9, 208 channels at 260 px
MEAN, STD = 127.0, 128.0
BATCH = 32


def random_crop(image, size, rng):
    """Half to all of the picture at a slightly changed aspect ratio, mirrored half the time."""
    w, h = image.size
    area, aspect = rng.uniform(0.5, 1.0), np.exp(rng.uniform(-0.25, 0.25))
    cw = min(w, int(w * np.sqrt(area * aspect)))
    ch = min(h, int(h * np.sqrt(area / aspect)))
    left, top = rng.randint(0, w - cw), rng.randint(0, h - ch)
    image = image.crop((left, top, left + cw, top + ch)).resize((size, size), Image.BICUBIC)
    return ImageOps.mirror(image) if rng.random() < 0.5 else image


def views(p, size):
    """The views of one photograph as uint8 arrays [S, S, 3]."""
    image = Image.open(data.image_path(p)).convert("RGB")
    rng = random.Random(f"{p.folder}/{p.file}")
    squash = view(image, "squash", size)
    if data.square(p):
        out = [squash] if p.split == "dev" else [squash, ImageOps.mirror(squash)]
    else:
        out = [view(image, "centre", size), squash]
    if p.split == "train":
        out += [random_crop(image, size, rng) for _ in range(2)]
    return [np.asarray(v) for v in out]


def lower_half(backbone):
    class Lower(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem, self.blocks = backbone.stem, backbone.blocks[:CUT]

        def forward(self, x):
            x = torch.clamp(self.stem(x), 0, 6)
            for block in self.blocks:
                x = block(x)
            return x
    return Lower()


@torch.no_grad()
def extract(lower, pictures, size):
    out = []
    with ThreadPoolExecutor(2) as pool:
        flat = []
        for start in range(0, len(pictures), BATCH):
            chunk = list(pool.map(lambda p: views(p, size), pictures[start:start + BATCH]))
            per_picture = len(chunk[0])
            flat += [v for c in chunk for v in c]
            last = start + BATCH >= len(pictures)
            while len(flat) >= BATCH or (last and flat):
                batch, flat = flat[:BATCH], flat[BATCH:]
                n = len(batch)
                batch += [batch[0]] * (BATCH - n)  # one shape: the compiled graph is made once
                x = (torch.from_numpy(np.stack(batch)).float() - MEAN) / STD
                x = x.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
                out.append(lower(x.bfloat16())[:n].contiguous())
    out = torch.cat(out)
    return out.view(len(pictures), per_picture, *out.shape[1:])


def path(cache, folder, split):
    return Path(cache) / f"lower_{folder}_{split}.pt"


def main(cache):
    config, backbone, _, _ = load_lite2()
    lower = lower_half(backbone).to(torch.bfloat16).to(memory_format=torch.channels_last)
    lower = torch.compile(lower)
    everything = data.pictures()
    groups = dict.fromkeys((p.folder, p.split) for p in everything)
    for folder, split in sorted(groups, key=lambda g: (g[1], g[0] == "flickr8k")):
        target = path(cache, folder, split)
        if not target.exists():
            members = [p for p in everything if (p.folder, p.split) == (folder, split)]
            torch.save(extract(lower, members, config["image_size"]), target)
            print(f"features: {folder} {split}, {len(members)} pictures", flush=True)


if __name__ == "__main__":
    torch.set_num_threads(2)
    main(sys.argv[1])
