#!/usr/bin/env python3
"""Writes resize.tsv: what Pillow, transformers and torchvision make of pictures of many sizes.

    python make_resize.py > resize.tsv        (pillow, numpy, transformers; torchvision)

The pictures are computed by a formula that tests/unit/test_resize.c repeats, so that only
the CRC-32 of each result need be kept. torchvision's compiled operators need not load:
only its PIL transforms are used.
"""
import random
import sys
import zlib

import numpy as np
from PIL import Image, __version__ as pillow_version
import torch

try:
    import torchvision
except RuntimeError:   # its operators cannot be loaded: declared, they suffice for its PIL side
    library = torch.library.Library("torchvision", "DEF")
    for name in ["nms", "qnms", "roi_align", "_roi_align_backward", "roi_pool", "_roi_pool_backward",
                 "ps_roi_align", "_ps_roi_align_backward", "ps_roi_pool", "_ps_roi_pool_backward",
                 "deform_conv2d", "_deform_conv2d_backward"]:
        library.define(name + "(Tensor a) -> Tensor")
    import torchvision
from torchvision import transforms
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.siglip2.image_processing_pil_siglip2 import get_image_size_for_max_num_patches
import transformers

FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


def picture(w, h):
    """Hard noise in one half of the values, so that overshoot is clipped, and ramps."""
    i = np.arange(w * h * 3, dtype=np.uint64)
    x = (i * 2654435761 + 12345) & 0xffffffff
    x ^= x >> 15
    x = (x * 2246822519) & 0xffffffff
    x ^= x >> 13
    noise = np.where(x & 1, 255 * ((x >> 8) & 1), (x >> 16) & 0xff)
    return Image.fromarray(noise.astype(np.uint8).reshape(h, w, 3), "RGB")


def hugging_face(im, size, f):
    p = CLIPImageProcessorPil(size={"shortest_edge": size}, crop_size=size, resample=FILTERS[f],
                              do_rescale=False, do_normalize=False, do_convert_rgb=False)
    out = np.asarray(p(im, return_tensors="np")["pixel_values"][0])
    return out.transpose(1, 2, 0).round().astype(np.uint8)


def open_clip(im, size, f):
    mode = transforms.InterpolationMode(f)
    t = transforms.Compose([transforms.Resize(size, mode), transforms.CenterCrop(size)])
    return np.asarray(t(im))


def squash(im, size, f):
    return np.asarray(im.resize((size, size), FILTERS[f]))


def patches(im, size, f):
    """A view of at most ((size - 1) / 16)^2 patches of 16 x 16, as src/base/view_shape.h describes it."""
    height, width = get_image_size_for_max_num_patches(im.height, im.width, 16, (size // 16) ** 2)
    out = np.zeros(size * size * 3, np.uint8)
    out[:height * width * 3] = np.asarray(im.resize((width, height), FILTERS[f])).ravel()
    out[-4:] = [height // 16 % 256, height // 16 // 256, width // 16 % 256, width // 16 // 256]
    return out


FITS = {"floor": hugging_face, "even": open_clip, "squash": squash}


def sizes():
    yield from [(1, 1), (1, 2), (2, 1), (1, 7), (7, 1), (3, 3), (1, 300), (300, 1), (2, 30000),
                (30000, 2), (30000, 16), (16, 30000), (224, 224), (224, 225), (225, 224),
                (225, 225), (223, 224), (448, 448), (447, 449), (336, 224), (500, 375),
                (375, 500), (640, 427), (5, 5), (4, 9), (1000, 3), (3, 1000)]
    rng = random.Random(20)
    for _ in range(150):
        yield (rng.randint(1, 700), rng.randint(1, 700))
    for _ in range(40):
        yield (rng.randint(1, 40), rng.randint(1, 40))
    for _ in range(10):
        yield (rng.randint(1000, 2500), rng.randint(100, 700))


def main():
    print(f"# Pillow {pillow_version}, transformers {transformers.__version__},"
          f" torchvision {torchvision.__version__}")
    print("# width height size fit filter crc32")
    rng = random.Random(21)
    for w, h in sizes():
        im = picture(w, h)
        for fit, f in FITS.items():
            size = rng.choice([224, 224, 7, 16, 65, 97])
            name = rng.choice(["bicubic", "bicubic", "bicubic", "bilinear"])
            # Pillow makes the whole resampled picture: leave out the few that are gigabytes.
            if fit != "squash" and size * size * max(w, h) / min(w, h) > 4e7:
                size = 7
            crc = zlib.crc32(np.ascontiguousarray(f(im, size, name)).tobytes())
            print(w, h, size, fit, name, f"{crc:08x}", sep="\t")
    rng = random.Random(22)
    for w, h in sizes():
        size, name = rng.choice([257, 257, 257, 17, 33, 113, 513]), rng.choice(["bilinear", "bilinear", "bicubic"])
        print(w, h, size, "patches", name, f"{zlib.crc32(patches(picture(w, h), size, name).tobytes()):08x}", sep="\t")


if __name__ == "__main__":
    sys.exit(main())
