#!/usr/bin/env python3
"""Pictures that lie, swell or make a decoder fail: make_bombs.py DIR GOOD_JPEG PROGRESSIVE_JPEG

Standard library only. Names say what is in them.
"""
import os
import struct
import sys
import zlib

folder, good, progressive = sys.argv[1:4]
os.makedirs(folder, exist_ok=True)
good, progressive = open(good, "rb").read(), open(progressive, "rb").read()


def write(name, data):
    with open(os.path.join(folder, name), "wb") as f:
        f.write(data)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def zeros(count):
    """`count` zero bytes, deflated without ever being whole in memory."""
    z = zlib.compressobj(1)
    block = bytes(1 << 20)
    out = [z.compress(block) for _ in range(count >> 20)] + [z.compress(bytes(count & 0xfffff))]
    return b"".join(out) + z.flush()


def png(w, h, depth, data, extra=b""):
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">2I5B", w, h, depth, 0, 0, 0, 0))
            + extra + chunk(b"IDAT", data) + chunk(b"IEND", b""))


# More pixels than allowed, by the header alone and with all of the data.
write("huge-60000.png", png(60000, 60000, 1, zeros(60000 * (1 + 7500))))
write("huge.gif", b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0, 0, 0) + b","
      + struct.pack("<HHHHB", 0, 0, 65535, 65535, 0) + b"\x08\0;")
at = good.index(b"\xff\xc0")
write("huge.jpg", good[:at + 5] + struct.pack(">HH", 65500, 65500) + good[at + 9:])
entries = [(256, 4, 4000000000), (257, 4, 4000000000), (258, 3, 8), (259, 3, 1), (262, 3, 1),
           (273, 4, 8), (277, 3, 1), (278, 4, 4000000000), (279, 4, 100)]
write("huge.tif", b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries))
      + b"".join(struct.pack("<HHII", t, k, 1, v) for t, k, v in entries) + b"\0\0\0\0")

# Sizes within the limits that the few bytes after the header cannot have.
write("lie.png", png(20000, 20000, 8, zlib.compress(bytes(100000))))
for name, data in (("lie.jpg", good), ("lie-progressive.jpg", progressive)):
    at = max(data.find(b"\xff\xc0"), data.find(b"\xff\xc2"))
    write(name, data[:at + 5] + struct.pack(">HH", 20000, 20000) + data[at + 9:])

# Allowed, and large: 64 million pixels out of 66 KB, never whole in memory.
write("large-but-fine.png", png(8000, 8000, 8, zeros(8000 * 8001)))

# A text, and a colour profile, that decompresses to 256 MiB, in a small picture; and thousands of texts.
text = chunk(b"zTXt", b"Comment\0\0" + zeros(256 << 20))
grey = zlib.compress(bytes(30 * 41))
write("text-bomb.png", png(40, 30, 8, grey, text))
write("profile-bomb.png", png(40, 30, 8, grey, chunk(b"iCCP", b"Profile\0\0" + zeros(256 << 20))))
write("many-texts.png", png(40, 30, 8, grey, chunk(b"tEXt", b"Comment\0none") * 5000))

# A progressive JPEG of 5000 scans: its last one over and over.
end = progressive.rindex(b"\xff\xd9")
last = progressive.rindex(b"\xff\xda")
write("scans.jpg", progressive[:end] + progressive[last:end] * 5000 + b"\xff\xd9")

# EXIF with offsets to itself and past the end, and counts of millions of entries.
ifd = struct.pack("<H", 65535) + struct.pack("<HHII", 0x8769, 4, 1, 8) * 5000
exif = b"Exif\0\0II*\0\x08\0\0\0" + ifd
exif = exif[:65000]
write("exif-loop.jpg", good[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + good[2:])

write("text.jpg", b"this is not a picture, whatever its name says\n")
write("cut.jpg", good[:len(good) * 2 // 3])
for fault in ("crash", "hang", "memory"):
    write(f"{fault}.jpg", good + f"scry-test:{fault}".encode())
write("good.jpg", good)
