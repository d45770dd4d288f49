"""For duplicates.sh: pictures that are nearly the same, and the groups by brute force.

    duplicates.py make DIR           the gradient of p000.png in other sizes, compressions, with a date
    duplicates.py one PATH WIDTH HEIGHT   that gradient in one more size
    duplicates.py many DIR N         N pictures of one colour, each with another pixel
    duplicates.py expect PATHS NPY COSINE      the groups as JSON: [[kept, [others in order of path]], ...]; COSINE 0: the same bytes
"""
import hashlib
import json
import math
import os
import random
import struct
import sys
import zlib


def write_png(path, width, height, pixel, level=1, date=None):
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    rows = b"".join(b"\0" + bytes(v for x in range(width) for v in pixel(x, y)) for y in range(height))
    text = chunk(b"tEXt", b"Creation Time\0" + date.encode()) if date else b""
    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)) + text
                + chunk(b"IDAT", zlib.compress(rows, level)) + chunk(b"IEND", b""))


def gradient(seed, width, height):
    """As make_pictures.py has it, in any size."""
    r = random.Random(seed)
    a, b, c, d = ([r.randrange(256) for _ in range(3)] for _ in range(4))

    def pixel(x, y):
        u, v = x / (width - 1), y / (height - 1)
        return [int((a[k] * (1 - u) + b[k] * u) * (1 - v) + (c[k] * (1 - u) + d[k] * u) * v) for k in range(3)]
    return pixel


def make(folder):
    for name, width, height in (("cut.png", 120, 88), ("wide.png", 120, 80)):   # shapes that are nearly the same, and not
        write_png(f"{folder}/{name}", width, height, gradient(0, width, height))
    for name, width, height, level, date in (("large.png", 120, 96, 9, None), ("large0.png", 120, 96, 0, None), ("small.png", 20, 16, 0, None),
                                             ("dated.png", 120, 96, 9, "2019-05-17T10:00:00")):
        write_png(f"{folder}/{name}", width, height, gradient(0, width, height), level, date)


def many(folder, count):
    for i in range(count):
        write_png(f"{folder}/{i:03}.png", 24, 24, lambda x, y: (200, 30, 31 if y * 24 + x == i else 30))


def read_npy(path):
    with open(path, "rb") as f:
        head = f.read(10)
        shape = eval(f.read(struct.unpack("<H", head[8:])[0]))["shape"]
        return [struct.unpack(f"<{shape[1]}f", f.read(4 * shape[1])) for _ in range(shape[0])]


def stored(row):
    """As a store has it, in 16 bits, and of length 1, which is 2e-4 off with the 16 numbers of the tests' model."""
    halves = struct.unpack(f"<{len(row)}e", struct.pack(f"<{len(row)}e", *row))
    return [x / math.hypot(*halves) for x in halves]


def expect(paths, vectors, cosine):
    paths = open(paths).read().split("\n")[:-1]
    rows = [stored(r) for r in read_npy(vectors)]
    files = {}
    for i, path in enumerate(paths):
        files.setdefault(hashlib.sha256(open(path, "rb").read()).digest(), []).append(i)

    def quality(h):
        path = paths[files[h][0]]
        head = open(path, "rb").read(24)
        return -struct.unpack(">I", head[16:20])[0] * struct.unpack(">I", head[20:24])[0], not path.endswith("dated.png"), -os.path.getsize(path), h

    def shape(h):
        head = open(paths[files[h][0]], "rb").read(24)
        return struct.unpack(">I", head[16:20])[0] / struct.unpack(">I", head[20:24])[0]

    def near(a, b):
        if min(shape(a), shape(b)) / max(shape(a), shape(b)) < 0.9:
            return False
        return sum(x * y for x, y in zip(rows[files[a][0]], rows[files[b][0]])) >= cosine

    groups, done = [], set()
    for h in sorted(files, key=quality):
        if h in done:
            continue
        group = [h] + [g for g in files if cosine and g != h and g not in done and near(h, g)]
        done.update(group)
        places = [sorted(files[g], key=lambda i: (os.stat(paths[i]).st_mtime_ns, len(paths[i]))) for g in group]
        names = [paths[i] for p in places for i in p]
        if len(names) > 1:
            groups.append([names[0], sorted(names[1:])])
    print(json.dumps(sorted(groups)))


if sys.argv[1] == "make":
    make(sys.argv[2])
elif sys.argv[1] == "one":
    write_png(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), gradient(0, int(sys.argv[3]), int(sys.argv[4])))
elif sys.argv[1] == "many":
    many(sys.argv[2], int(sys.argv[3]))
else:
    expect(sys.argv[2], sys.argv[3], float(sys.argv[4]))
