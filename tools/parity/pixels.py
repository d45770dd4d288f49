#!/usr/bin/env python3
"""Compares scry's views with Pillow's pipeline on real pictures.

    make bench-decode
    python tools/parity/pixels.py [--size 224] [--fit floor|even|squash] [--exact]
        [--variants N] [--model DIR] FOLDER...

Both apply the EXIF orientation, convert to RGB, resample (bicubic) and crop. Prints one
line a format: pictures, how many are equal, the mean and the largest of the mean absolute
errors of a picture (in 1/255). --variants adds N of the pictures in other sizes (0.01 to
12 megapixels), shapes, orientations, formats and modes. --model (models/starter) also
compares the vectors of `scry embed`, in fp32: of the files, and of Pillow's views of them,
which are given to the same model as PNGs of its own size. Exits 1 when a picture is over 2,
a cosine under 0.998, or when one that only one side can read is found.

HEIC and JPEG XL take part where pillow-heif and pillow-jxl-plugin are installed.
"""
import argparse
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image, ImageOps

with contextlib.suppress(ImportError):
    import pillow_heif
    pillow_heif.register_heif_opener()
with contextlib.suppress(ImportError):
    import pillow_jxl  # noqa: F401
Image.init()
Image.MAX_IMAGE_PIXELS = None
TOP = pathlib.Path(__file__).resolve().parents[2]


def read(path):
    with Image.open(path) as im:
        return ImageOps.exif_transpose(im).convert("RGB")


def view(im, size, fit):
    w, h = im.size
    if fit == "squash":
        return np.asarray(im.resize((size, size), Image.Resampling.BICUBIC))
    tw, th = (size, size * h // w) if w < h else (size * w // h, size)
    im = im.resize((tw, th), Image.Resampling.BICUBIC)
    if fit == "floor":
        x, y = (tw - size) // 2, (th - size) // 2
    else:
        x, y = int(round((tw - size) / 2.0)), int(round((th - size) / 2.0))
    return np.asarray(im.crop((x, y, x + size, y + size)))


def variants(names, folder):
    """Each of the pictures once more, as the next kind of file in this list."""
    kinds = [("large.jpg", 4000, "RGB", {"quality": 92}), ("medium.jpg", 1600, "RGB", {"quality": 80}),
             ("progressive.jpg", 2500, "RGB", {"quality": 85, "progressive": True}),
             ("444.jpg", 1200, "RGB", {"quality": 90, "subsampling": "4:4:4"}),
             ("grey.jpg", 2000, "L", {"quality": 85}), ("cmyk.jpg", 900, "CMYK", {"quality": 85}),
             ("rgb.png", 700, "RGB", {}), ("palette.png", 500, "P", {}), ("tiny.png", 90, "RGB", {}),
             ("alpha.png", 400, "RGBA", {}), ("plain.gif", 450, "P", {}),
             ("lzw.tif", 800, "RGB", {"compression": "tiff_lzw"}), ("cmyk.tif", 300, "CMYK", {}),
             ("lossless.webp", 600, "RGB", {"lossless": True, "method": 0}),
             ("lossy.webp", 1100, "RGB", {"quality": 80}), ("plain.bmp", 350, "RGB", {}),
             ("picture.avif", 1000, "RGB", {"quality": 75})]
    kinds += [("picture.heic", 1300, "RGB", {"quality": 80})] * (".heic" in Image.EXTENSION)
    kinds += [("lossless.jxl", 640, "RGB", {"lossless": True})] * (".jxl" in Image.EXTENSION)
    out = []
    for i, name in enumerate(names):
        kind, side, mode, options = kinds[i % len(kinds)]
        with Image.open(name) as im:
            im = im.convert("RGB")
        scale = side / max(im.size)
        size = [max(1, round(x * scale)) for x in im.size]
        if i % 5 == 4:
            size[i % 2] = max(1, size[i % 2] // 7)   # panoramas
        im = im.resize(size, Image.Resampling.BICUBIC)
        im = im.convert(mode) if mode != "P" else im.quantize(64)
        if kind.endswith(".jpg"):
            exif = Image.Exif()
            exif[0x0112] = 1 + i // len(kinds) % 8
            options = dict(options, exif=exif)
        out.append(os.path.join(folder, f"{i:05}-{kind}"))
        im.save(out[-1], **options)
    return out


def embed(model, names, folder):
    """Unit vectors of the pictures, [n, dim]; rows of NaN for those that cannot be read."""
    (folder / "list").write_text("".join(f"{n}\n" for n in names))
    subprocess.run([TOP / "scry", "embed", "--quiet", "--model", model, "--precision", "fp32",
                    "--images", folder / "list", "--out", folder / "vectors.npy"], stderr=subprocess.DEVNULL)
    return np.load(folder / "vectors.npy").astype(np.float64)


def cosines(model, pictures, folder):
    """The cosine of each file's vector to that of Pillow's views; `pictures` are names."""
    p = json.loads((pathlib.Path(model) / "preprocessor_config.json").read_text())
    fits = {"centre": "floor", "squash": "squash"}
    total = 0
    for kind in p.get("views", ["centre"]):
        pngs = []
        for i, name in enumerate(pictures):
            pngs.append(folder / f"view-{i}.png")
            Image.fromarray(view(read(name), p["size"]["height"], fits[kind])).save(pngs[-1])
        total = total + embed(model, pngs, folder)
    total /= np.linalg.norm(total, axis=1, keepdims=True)
    return (embed(model, pictures, folder) * total).sum(1)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--size", type=int, default=224)
    p.add_argument("--fit", choices=["floor", "even", "squash"], default="floor")
    p.add_argument("--exact", action="store_true", help="no JPEG shrink-on-load")
    p.add_argument("--limit", type=int, default=0, help="at most so many of each folder")
    p.add_argument("--variants", type=int, default=0, help="re-encode so many of them")
    p.add_argument("--program", default=str(TOP / "build/release/bench/decode"))
    p.add_argument("--model", help="a checkpoint in the starter's format")
    p.add_argument("folders", nargs="+")
    a = p.parse_args()
    names = []
    for folder in a.folders:
        found = sorted(str(f) for f in pathlib.Path(folder).rglob("*") if f.is_file()
                       and f.suffix.lower() not in (".txt", ".tsv", ".csv", ".md", ".json"))
        names += found[:a.limit] if a.limit else found
    with tempfile.TemporaryDirectory() as tmp:
        count = len(names)
        names += variants([names[i * count // a.variants] for i in range(a.variants)], tmp)
        out = os.path.join(tmp, "views")
        options = [f"--size={a.size}", f"--fit={a.fit}", f"--out={out}"]
        r = subprocess.run([a.program, *options, *(["--exact"] if a.exact else []), "-"],
                           input="\n".join(names), text=True, capture_output=True)
        ours = np.fromfile(out, np.uint8).reshape(len(names), a.size, a.size, 3)
        failed = dict(line.rsplit(": ", 1) if line.count(": ") == 1 else line.split(": ", 1)
                      for line in r.stderr.splitlines() if ": " in line)
        rows, both, lowest, bad = {}, [], {}, 0
        for i, name in enumerate(names):
            try:
                ref = view(read(name), a.size, a.fit)
            except Exception as e:
                if name not in failed:
                    print(f"only scry reads {name} (Pillow: {e})")
                    bad += 1
                continue
            if name in failed:
                print(f"only Pillow reads {name} (scry: {failed[name]})")
                bad += 1
                continue
            kind = (pathlib.Path(name).name.split("-")[-1] if name.startswith(tmp)
                    else pathlib.Path(name).suffix.lower() or "(none)")
            both.append((name, kind))
            d = np.abs(ours[i].astype(int) - ref)
            if d.mean() > 2:
                print(f"{name}: mean {d.mean():.3f}, most {d.max()}")
                bad += 1
            rows.setdefault(kind, []).append((d.mean(), d.max()))
        if a.model:
            both = [b for b in both if not b[0].endswith(".bmp")]   # `embed` does not read it
            c = cosines(a.model, [name for name, _ in both], pathlib.Path(tmp))
            bad += int((~(c >= 0.998)).sum())
            for (_, kind), cosine in zip(both, c):
                lowest[kind] = min(lowest.get(kind, 1), cosine)
            print(f"{len(both)} pictures: lowest cosine {c.min():.6f}, mean {c.mean():.6f}")
    for kind, r in sorted(rows.items()):
        means = np.array([m for m, _ in r])
        print(f"{kind}: {len(r)} pictures, {int((means == 0).sum())} equal,"
              f" mean error {means.mean():.4f}, worst {means.max():.4f},"
              f" largest single {max(x for _, x in r)}"
              + (f", lowest cosine {lowest[kind]:.6f}" if kind in lowest else ""))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
