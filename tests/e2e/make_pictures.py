#!/usr/bin/env python3
"""Write N different small PNG files p000.png, p001.png, ... : make_pictures.py DIR N [FIRST]"""
import os
import random
import struct
import sys
import zlib


def png(path, seed, width=40, height=32):
    r = random.Random(seed)
    a, b, c, d = ([r.randrange(256) for _ in range(3)] for _ in range(4))
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            u, v = x / (width - 1), y / (height - 1)
            for k in range(3):
                rows.append(int((a[k] * (1 - u) + b[k] * u) * (1 - v) + (c[k] * (1 - u) + d[k] * u) * v))

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0))
                + chunk(b"IDAT", zlib.compress(bytes(rows), 1)) + chunk(b"IEND", b""))


folder, count = sys.argv[1], int(sys.argv[2])
first = int(sys.argv[3]) if len(sys.argv) > 3 else 0
os.makedirs(folder, exist_ok=True)
for i in range(first, first + count):
    png(os.path.join(folder, f"p{i:03}.png"), i)
