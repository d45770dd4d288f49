#!/usr/bin/env python3
"""headers.py [FOLDER] - what reading the headers of JPEGs costs, as a share of decoding them.

Copies each JPEG of FOLDER (the gallery) twice: without its APP1 and APP13 segments, and with EXIF (a date, camera, place and a
thumbnail's worth of other bytes), XMP of 6 KB and IPTC as a picture from Lightroom has them. bench/decode decodes both in turn,
ROUNDS (9) times: the median milliseconds of processor time a picture with the lowest and highest, and the median of the ratios
round by round. What is added are 27 KB a picture, which are also read and copied: of the gallery's small pictures a larger share than of
a camera's. Build first: make build/release/bench/decode.
"""
import os
import resource
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

BENCH = Path(__file__).resolve().parent
sys.path.insert(0, str(BENCH))

from harness.measure import Series  # noqa: E402  (needs the path above)

TOP = BENCH.parent
PROGRAM = TOP / "build/release/bench/decode"
REPEAT = 5


def segment(marker, data):
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data


def directory(at, entries):
    """A TIFF directory at that offset, little-endian: (tag, type, count, bytes) each."""
    table, data = struct.pack("<H", len(entries)), b""
    behind = at + 6 + 12 * len(entries)
    for tag, kind, count, value in sorted(entries):
        if len(value) > 4:
            table += struct.pack("<HHII", tag, kind, count, behind + len(data))
            data += value + b"\0" * (len(value) % 2)
        else:
            table += struct.pack("<HHI", tag, kind, count) + value.ljust(4, b"\0")
    return table + bytes(4) + data


def text(tag, value):
    return tag, 2, len(value) + 1, value + b"\0"


def exif():
    date = b"2021:06:15 14:30:00"
    degrees = struct.pack("<6I", 48, 1, 8, 1, 1400, 100)
    place = [text(1, b"N"), (2, 5, 3, degrees), text(3, b"E"), (4, 5, 3, degrees)]
    details = [text(0x9003, date), text(0x9004, date), text(0x9011, b"+02:00"), text(0xa434, b"RF24-105mm F4 L IS USM"),
               (0x927c, 7, 12000, bytes(range(256)) * 46 + bytes(224))]
    pointers = [(0x8769, 4, 1, bytes(4)), (0x8825, 4, 1, bytes(4))]
    main = [text(0x10f, b"Canon"), text(0x110, b"Canon EOS R5"), text(0x132, date), (0x112, 3, 1, struct.pack("<H", 1))]
    at = 8 + len(directory(8, main + pointers))
    second = at + len(directory(at, details))
    pointers = [(0x8769, 4, 1, struct.pack("<I", at)), (0x8825, 4, 1, struct.pack("<I", second))]
    return (b"Exif\0\0II*\0" + struct.pack("<I", 8) + directory(8, main + pointers) + directory(at, details) + directory(second, place)
            + bytes(8000))


def xmp():
    words = "".join(f"<rdf:li>word {i}</rdf:li>" for i in range(20))
    history = "".join(f"<rdf:li stEvt:action='saved' stEvt:instanceID='xmp.iid:{i:032x}' stEvt:when='2021-06-15T14:30:00'/>" for i in range(40))
    return (b"http://ns.adobe.com/xap/1.0/\0" + ("<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
            "<rdf:Description rdf:about='' xmlns:dc='http://purl.org/dc/elements/1.1/' xmlns:xmp='http://ns.adobe.com/xap/1.0/' "
            "xmlns:xmpMM='http://ns.adobe.com/xap/1.0/mm/' xmlns:stEvt='http://ns.adobe.com/xap/1.0/sType/ResourceEvent#' xmp:Rating='4'>"
            f"<dc:subject><rdf:Bag>{words}</rdf:Bag></dc:subject><xmpMM:History><rdf:Seq>{history}</rdf:Seq></xmpMM:History>"
            "</rdf:Description></rdf:RDF></x:xmpmeta>").encode())


def iptc():
    sets = b"".join(b"\x1c\x02" + bytes([n]) + struct.pack(">H", len(d)) + d for n, d in
                    [(5, b"A title"), (120, b"What is seen in it"), (55, b"20210615"), (60, b"143000+0200")] + [(25, b"word %d" % i) for i in range(20)])
    return b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0" + struct.pack(">I", len(sets)) + sets + b"\0" * (len(sets) % 2)


def without(data):
    """The JPEG without APP1 and APP13."""
    out, at = data[:2], 2
    while data[at] == 0xff and data[at + 1] != 0xda:
        end = at + 2 + int.from_bytes(data[at + 2:at + 4], "big")
        if data[at + 1] not in (0xe1, 0xed):
            out += data[at:end]
        at = end
    return out + data[at:]


def milliseconds(names):
    """Processor time, which other programs change less than the wall's: of bench/decode and its worker, for each picture."""
    def used():
        r = resource.getrusage(resource.RUSAGE_CHILDREN)
        return r.ru_utime + r.ru_stime
    before = used()
    subprocess.run([PROGRAM, f"--repeat={REPEAT}", *names], check=True, capture_output=True)
    return (used() - before) * 1e3 / REPEAT / len(names)


def main():
    if len(sys.argv) > 2 or "-h" in sys.argv or "--help" in sys.argv:
        sys.exit(__doc__)
    folder = Path(sys.argv[1]) if len(sys.argv) == 2 else TOP / "demo/gallery"
    pictures = sorted(p for p in folder.rglob("*.jpg"))
    if not pictures:
        sys.exit(f"no JPEG in {folder}")
    more = segment(0xe1, exif()) + segment(0xe1, xmp()) + segment(0xed, iptc())
    with tempfile.TemporaryDirectory() as temp:
        names, took = {"without": [], "with": []}, {"without": [], "with": []}
        for i, p in enumerate(pictures):
            plain = without(p.read_bytes())
            for what, data in (("without", plain), ("with", plain[:2] + more + plain[2:])):
                path = Path(temp) / f"{i}-{what}.jpg"
                path.write_bytes(data)
                names[what].append(str(path))
        for _ in range(int(os.environ.get("ROUNDS", "9"))):
            for what, values in took.items():
                values.append(milliseconds(names[what]))
    a, b = Series(took["without"]), Series(took["with"])
    for what, s in (("without headers", a), (f"with {len(more)} bytes of EXIF, XMP and IPTC", b)):
        print(f"{len(pictures)} JPEGs {what}: {s.median:.3f} ms each ({s.low:.3f} to {s.high:.3f})")
    print(f"with headers it takes {100 * (b.over(a).median - 1):+.2f} %")


if __name__ == "__main__":
    main()
