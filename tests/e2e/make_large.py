#!/usr/bin/env python3
"""make_large.py DIR: large pictures, each beside a small one of the same picture.

The JPEG is progressive, so that a decoder keeps all of it in memory, and the TIFF takes more bytes than are copied to a
decoder; both have a light half above a darker one."""
import pathlib
import struct
import sys
import zlib


def png(path, width, height, rows, colour, orientation=None):
    """`rows` gives lines of samples, each with how often it is repeated."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer, packed = zlib.compressobj(1), []
    for line, times in rows:
        packed.append(packer.compress((b"\0" + line) * times))
    packed.append(packer.flush())
    exif = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01" + struct.pack(">HHI", orientation or 1, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0))
                     + chunk(b"eXIf", exif) + chunk(b"IDAT", b"".join(packed)) + chunk(b"IEND", b""))


def interlaced(path, side):
    """A grey PNG of Adam7's seven passes, which must be kept whole: light above, dark below."""
    packer, packed = zlib.compressobj(1), []
    for x0, y0, dx, dy in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)):
        across, down = (side - x0 + dx - 1) // dx, (side - y0 + dy - 1) // dy
        light = sum(y0 + dy * i < side // 2 for i in range(down))
        for value, rows in ((LIGHT, light), (DARK, down - light)):
            packed.append(packer.compress((b"\0" + bytes([value]) * across) * rows))
    packed.append(packer.flush())
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 1))
                     + chunk(b"IDAT", b"".join(packed)) + chunk(b"IEND", b""))


def webp(path, side):
    """A lossless WebP of one colour, of which no pixel takes a bit."""
    data = b"\x2f" + struct.pack("<I", (side - 1) | (side - 1) << 14) + bytes.fromhex("0750c84216b2ff8188e87f0000")
    path.write_bytes(b"RIFF" + struct.pack("<I", 12 + len(data)) + b"WEBPVP8L" + struct.pack("<I", len(data) - len(data) % 2) + data)


def pair(folder, name, width, height, times, colour, orientation=None):
    bands = 3 if colour == 2 else 1
    lines = []
    for y in range(height):
        samples = [(x * 255 // width, y * 255 // height, 230 if x > width // 2 else 20) for x in range(width)]
        lines.append([s[:bands] if bands == 3 else ((s[0] + s[1]) // 2,) for s in samples])
    png(folder / f"{name}-small.png", width, height, ((bytes(v for s in r for v in s), 1) for r in lines), colour, orientation)
    png(folder / f"{name}-large.png", width * times, height * times,
        ((b"".join(bytes(s) * times for s in r), times) for r in lines), colour, orientation)


LIGHT, DARK = 228, 128


def progressive(path, width, height):
    """Three components of 8 x 8 blocks that have only a mean, coded as its difference from the one before: a bit 0 for none,
    else the bits 10 and seven of the number."""
    blocks = (width // 8) * (height // 8)
    bits = bytearray((3 * blocks + 16 + 7) // 8)

    def put(at, text):
        for i, bit in enumerate(text, at):
            bits[i // 8] |= int(bit) << (7 - i % 8)

    put(0, f"10{LIGHT - 128:07b}")
    put(11 + 3 * (blocks // 2 - 1), f"10{127 - (LIGHT - DARK):07b}")
    segment = lambda marker, data: struct.pack(">HH", marker, len(data) + 2) + data
    parts = b"".join(bytes((i, 0x11, 0)) for i in (1, 2, 3))
    path.write_bytes(b"\xff\xd8" + segment(0xffdb, bytes([0] + [8] * 64)) + segment(0xffc2, struct.pack(">BHHB", 8, height, width, 3) + parts)
                     + segment(0xffc4, bytes([0, 1, 1] + [0] * 14 + [0, 7]))
                     + segment(0xffda, bytes((3, 1, 0, 2, 0, 3, 0, 0, 0, 0))) + bits + b"\xff\xd9")


def tiff(path, width, height, size):
    """Strips of 16 rows that are two places in the file; the rest of its bytes is a hole."""
    strip, strips, head = 16 * width * 3, height // 16, 4096
    at = [head if i < strips // 2 else head + strip for i in range(strips)]
    tables = head + 2 * strip
    entries = [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 3, 200), (259, 3, 1, 1), (262, 3, 1, 2), (273, 4, strips, tables),
               (277, 3, 1, 3), (278, 4, 1, 16), (279, 4, strips, tables + 4 * strips)]
    with open(path, "wb") as f:
        f.write(b"II*\0" + struct.pack("<IH", 8, len(entries)) + b"".join(struct.pack("<HHII", *e) for e in entries) + bytes(4))
        f.seek(200)
        f.write(struct.pack("<HHH", 8, 8, 8))
        f.seek(head)
        f.write(bytes([LIGHT]) * strip + bytes([DARK]) * strip + struct.pack(f"<{strips}I", *at) + struct.pack("<I", strip) * strips)
        f.truncate(size)


target = pathlib.Path(sys.argv[1])
target.mkdir(parents=True, exist_ok=True)
pair(target, "grey", 400, 400, 50, 0)
pair(target, "turned", 500, 375, 20, 2, 6)
pair(target, "mirrored", 501, 373, 19, 2, 7)
png(target / "halves-small.png", 400, 320, [(bytes([v] * 400), 160) for v in (LIGHT, DARK)], 0)
progressive(target / "memory-large.jpg", 16000, 12800)
interlaced(target / "interlaced-large.png", 12000)
webp(target / "colour-small.webp", 100)
webp(target / "colour-large.webp", 8000)
tiff(target / "bytes-large.tif", 16000, 12800, 620 << 20)
