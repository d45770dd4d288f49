"""Camera RAW in small, for make.py: DNG with sensor data and previews, and the boxes of a CR3 with previews alone."""
import struct

TYPES = {1: "B", 2: "B", 3: "H", 4: "I", 5: "I", 10: "i"}
FIRST, SECOND, DATA = 8, 2048, 4096   # where the directories and everything else begin


def directory(entries, at):
    """Little-endian, `entries` (tag, type, values), with the values that do not fit behind it."""
    head, tail = struct.pack("<H", len(entries)), b""
    behind = at + 2 + 12 * len(entries) + 4
    for tag, kind, values in sorted(entries):
        data = struct.pack(f"<{len(values)}{TYPES[kind]}", *values)
        if len(data) > 4:
            data, tail = struct.pack("<I", behind + len(tail)), tail + data + b"\0" * (len(data) % 2)
        head += struct.pack("<HHI", tag, kind, len(values) // (2 if kind in (5, 10) else 1)) + data.ljust(4, b"\0")
    return head + b"\0\0\0\0" + tail


def dng(sensor, previews, orientation=1):
    """`sensor`: [h, w, 3], linear, 0 to 1, of which each pixel keeps one colour; `previews`: (JPEG, w, h), the first in
    the main directory, the others below it."""
    h, w, _ = sensor.shape
    samples = (sensor * 60000).astype("<u2")
    mosaic = samples[:, :, 1].copy()
    mosaic[0::2, 0::2] = samples[0::2, 0::2, 0]
    mosaic[1::2, 1::2] = samples[1::2, 1::2, 2]
    text = lambda s: list(s.encode() + b"\0")
    main = [(271, 2, text("Scry")), (272, 2, text("Test Two")), (274, 3, [orientation]), (50706, 1, [1, 4, 0, 0]),
            (50708, 2, text("Scry Test Two")), (50728, 5, [1] * 6), (50778, 3, [21]),
            (50721, 10, [v for c in (3.2404542, -1.5371385, -.4985314, -.969266, 1.8760108, .041556, .0556434, -.2040259,
                                     1.0572252) for v in (round(c * 1e6), 10 ** 6)])]   # XYZ to sRGB
    data, below = b"", []
    for jpeg, pw, ph in previews:
        below.append([(254, 4, [1]), (256, 4, [pw]), (257, 4, [ph]), (258, 3, [8, 8, 8]), (259, 3, [7]), (262, 3, [6]),
                      (273, 4, [DATA + len(data)]), (277, 3, [3]), (278, 4, [ph]), (279, 4, [len(jpeg)])])
        data += jpeg + b"\0" * (len(jpeg) % 2)
    raw = [(254, 4, [0]), (256, 4, [w]), (257, 4, [h]), (258, 3, [16]), (259, 3, [1]), (262, 3, [32803]),
           (273, 4, [DATA + len(data)]), (277, 3, [1]), (278, 4, [h]), (279, 4, [w * h * 2]), (33421, 3, [2, 2]),
           (33422, 1, [0, 1, 1, 2]), (50714, 3, [0]), (50717, 4, [60000])]
    if below:
        main += below.pop(0)
        below.append(raw)
        places = [SECOND + 512 * i for i in range(len(below))]
        main.append((330, 4, places))
    else:
        main, places = main + raw, []
    out = b"II*\0" + struct.pack("<I", FIRST) + directory(main, FIRST)
    for at, entries in zip(places, below):
        out = out.ljust(at, b"\0") + directory(entries, at)
    assert len(out) <= DATA
    return out.ljust(DATA, b"\0") + data + mosaic.tobytes()


def box(kind, *parts):
    data = b"".join(parts)
    return struct.pack(">I", 8 + len(data)) + kind + data


def cr3(thumbnail, preview, full, exif):
    """JPEGs of a CR3: in THMB, in PRVW, and as the first track; `exif`: the main directory as a TIFF file."""
    canon = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
    previews = bytes.fromhex("eaf42b5e1c984b88b9fbb7dc406e4d16")
    head = box(b"ftyp", b"crx \0\0\0\1crx isom")

    def moov(at):
        stbl = box(b"stbl", box(b"stsz", struct.pack(">III", 0, len(full), 1)), box(b"co64", struct.pack(">IIQ", 0, 1, at)))
        return box(b"moov", box(b"uuid", canon, box(b"CMT1", exif), box(b"THMB", bytes(12), thumbnail)),
                   box(b"trak", box(b"mdia", box(b"minf", stbl))))

    prvw = box(b"uuid", previews, struct.pack(">Q", 1), box(b"PRVW", bytes(16), preview))
    at = len(head) + len(moov(0)) + len(prvw) + 8
    return head + moov(at) + prvw + box(b"mdat", full)
