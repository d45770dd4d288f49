#!/usr/bin/env python3
"""make_colours.py FOLDER - FOLDER/img of 96 pictures of four colours, each with another shade and noise, with labels.tsv and captions.tsv."""
import random
import struct
import sys
import zlib

random.seed(5)


def png(path, colour):
    rows = b"".join(b"\0" + bytes(min(255, max(0, c + random.randint(-25, 25))) for _ in range(32) for c in colour) for _ in range(32))
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    open(path, "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 32, 32, 8, 2, 0, 0, 0)) +
                           chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
colours = {"crimson": (200, 30, 40), "emerald": (30, 180, 60), "navy": (20, 40, 160), "ivory": (230, 225, 200)}
with open(sys.argv[1] + "/labels.tsv", "w") as labels, open(sys.argv[1] + "/captions.tsv", "w") as captions:
    labels.write("file\tlabel\n")
    captions.write("file\tcaption\n")
    for i in range(96):
        name = list(colours)[i % 4]
        png(f"{sys.argv[1]}/img/{i}.png", [c + random.randint(-20, 20) for c in colours[name]])
        labels.write(f"{i}.png\t{name}\n")
        captions.write(f"{i}.png\ta thing in {name}\n")
