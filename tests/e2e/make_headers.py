#!/usr/bin/env python3
"""make_headers.py DIR: pictures of 16 x 8 pixels whose headers are as cameras and programs write them, rightly or wrongly.

Each is named by what is odd about it. The right answers are exiftool's: tests/e2e/headers.tsv."""
import pathlib
import struct
import sys
import zlib

BYTE, ASCII, SHORT, LONG, RATIONAL, SBYTE, UNDEFINED, SSHORT, SLONG, SRATIONAL, FLOAT, DOUBLE, IFD = range(1, 14)
LONG8, UTF8 = 16, 129
SIZES = {BYTE: 1, ASCII: 1, SHORT: 2, LONG: 4, RATIONAL: 8, SBYTE: 1, UNDEFINED: 1, SSHORT: 2, SLONG: 4, SRATIONAL: 8, FLOAT: 4,
         DOUBLE: 8, IFD: 4, LONG8: 8, UTF8: 1}
FORMS = {SHORT: "H", LONG: "L", SSHORT: "h", SLONG: "l", RATIONAL: "L", SRATIONAL: "l", FLOAT: "f", DOUBLE: "d", IFD: "L", LONG8: "Q",
         BYTE: "B", SBYTE: "b"}
DATE = b"2021:06:15 14:30:00\0"


class Entry:
    """A tag; `values` are bytes or numbers, two for a rational. A count of `count` is written although it is wrong."""
    def __init__(self, tag, kind, values, count=None):
        self.tag, self.kind, self.values, self.count = tag, kind, values, count

    def bytes(self, order):
        if isinstance(self.values, bytes):
            return self.values
        values = self.values if isinstance(self.values, (list, tuple)) else [self.values]
        return struct.pack(order + FORMS[self.kind] * len(values), *values)


def tiff(ifd0, exif=None, gps=None, order="<", big=False, pointer=LONG, between=b"", magic=None, first=None, extra=b""):
    """A TIFF block of a main directory and what it points to."""
    word = "Q" if big else "L"
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + ("HHHQ" if big else "HL"),
                                                            *((43, 8, 0, 16) if big else (magic or 42, first or 8 + len(between))))
    out = bytearray(head + between)

    def directory(entries, at, following=0):
        width, each = struct.calcsize(order + word), 20 if big else 12
        start = at + (8 if big else 2) + each * len(entries) + width
        table, data = struct.pack(order + ("Q" if big else "H"), len(entries)), b""
        for e in entries:
            b = e.bytes(order)
            n = len(b) // SIZES[e.kind] // 1 if e.count is None else e.count
            table += struct.pack(order + "HH" + word, e.tag, e.kind, n)
            if len(b) <= width:
                table += b.ljust(width, b"\0")
            else:
                table += struct.pack(order + word, start + len(data))
                data += b + b"\0" * (len(b) % 2)
        return table + struct.pack(order + word, following) + data

    subs = [(0x8769, exif), (0x8825, gps)]
    entries = list(ifd0) + [Entry(tag, pointer, [0]) for tag, sub in subs if sub is not None]
    entries.sort(key=lambda e: e.tag)
    at = len(out) + len(directory(entries, len(out)))
    places = {}
    parts = b""
    for tag, sub in subs:
        if sub is not None:
            places[tag] = at + len(parts)
            parts += directory(sub, at + len(parts))
    for e in entries:
        if e.tag in places and e.values == [0]:
            e.values = [places[e.tag]]
    out += directory(entries, len(out)) + parts + extra
    return bytes(out)


def camera(make=b"Canon\0", model=b"Canon EOS R5\0"):
    return [Entry(0x10f, ASCII, make), Entry(0x110, ASCII, model)]


def taken(text=DATE, offset=None, tag=0x9003):
    return [Entry(tag, ASCII, text)] + ([Entry(0x9011, ASCII, offset)] if offset else [])


def place(kind=RATIONAL, lat=(48, 1, 8, 1, 1400, 100), lon=(11, 1, 34, 1, 3000, 100), refs=(b"N\0", b"E\0")):
    return [Entry(1, ASCII, refs[0]), Entry(2, kind, lat), Entry(3, ASCII, refs[1]), Entry(4, kind, lon)]


for _k in (RATIONAL, SRATIONAL):
    SIZES[_k] = 8

# A grey JPEG of 16 x 8 pixels: two blocks that have only a mean.
PICTURE = (b"\xff\xdb\0\x43\0" + b"\x08" * 64 + b"\xff\xc0\0\x0b\x08\0\x08\0\x10\x01\x01\x11\0" + b"\xff\xc4\0\x14\0\x01" + b"\0" * 15 + b"\x00"
           + b"\xff\xc4\0\x14\x10\x01" + b"\0" * 15 + b"\x00" + b"\xff\xda\0\x08\x01\x01\0\0\x3f\0" + b"\x0f" + b"\xff\xd9")


def gps_date(day=b"2021:06:15\0", clock=(12, 1, 30, 1, 15, 1)):
    return ([Entry(7, RATIONAL, clock)] if clock else []) + ([Entry(29, ASCII, day)] if day else [])


def segment(marker, data):
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(data) + 2) + data


def jpeg(*segments):
    return b"\xff\xd8" + b"".join(segments) + PICTURE


def exif_jpeg(block, name=b"Exif\0\0"):
    return jpeg(segment(0xe1, name + block))


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(*before, after=()):
    rows = zlib.compress((b"\0" + b"\x80" * 16) * 8)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 16, 8, 8, 0, 0, 0, 0)) + b"".join(before) + chunk(b"IDAT", rows)
            + b"".join(after) + chunk(b"IEND", b""))


def xmp(body="", attributes="", packet=True, node="rdf:about=''"):
    text = ("<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
            f"<rdf:Description {node} xmlns:exif='http://ns.adobe.com/exif/1.0/' xmlns:tiff='http://ns.adobe.com/tiff/1.0/' "
            "xmlns:xmp='http://ns.adobe.com/xap/1.0/' xmlns:photoshop='http://ns.adobe.com/photoshop/1.0/' "
            f"xmlns:dc='http://purl.org/dc/elements/1.1/' {attributes}>{body}</rdf:Description></rdf:RDF></x:xmpmeta>")
    return (f"<?xpacket begin='\ufeff' id='W5M0MpCehiHzreSzNTczkc9d'?>{text}<?xpacket end='w'?>" if packet else text).encode()


def xmp_jpeg(*args, **kw):
    return jpeg(segment(0xe1, b"http://ns.adobe.com/xap/1.0/\0" + xmp(*args, **kw)))


def iptc(*sets):
    return b"".join(b"\x1c\x02" + bytes([n]) + struct.pack(">H", len(d)) + d for n, d in sets)


def resource(number, data, name=b"\0\0", kind=b"8BIM"):
    return kind + struct.pack(">H", number) + name + struct.pack(">I", len(data)) + data + b"\0" * (len(data) % 2)


PHOTOSHOP = b"Photoshop 3.0\0"


def box(kind, data):
    return struct.pack(">I", len(data) + 8) + kind + data


def webp(*chunks):
    """Metadata around a lossless picture of one colour."""
    bits = 0x2f | (15 << 8) | (7 << 22)
    picture = struct.pack("<Q", bits)[:5] + bytes.fromhex("07d0fffe f7bfff81 88e8ff00 00")
    def riff(kind, data):
        return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
    body = (b"WEBP" + riff(b"VP8X", b"\x0c\0\0\0" + struct.pack("<I", 15)[:3] + struct.pack("<I", 7)[:3]) + riff(b"VP8L", picture)
            + b"".join(riff(k, d) for k, d in chunks))
    return b"RIFF" + struct.pack("<I", len(body)) + body


def whole_tiff(ifd0, **kw):
    """A TIFF of 16 x 8 grey pixels, which are in front of the directory."""
    big = kw.get("big")
    at = 16 if big else 8
    pixels = [Entry(256, SHORT, 16), Entry(257, SHORT, 8), Entry(258, SHORT, 8), Entry(259, SHORT, 1), Entry(262, SHORT, 1),
              Entry(273, LONG, at if not big else at), Entry(277, SHORT, 1), Entry(278, SHORT, 8), Entry(279, LONG, 128)]
    if big:   # the directory comes first there
        pixels = [e for e in pixels if e.tag != 273]
        block = tiff(sorted(ifd0 + pixels + [Entry(273, LONG, 0)], key=lambda e: e.tag), **kw)
        return tiff(sorted(ifd0 + pixels + [Entry(273, LONG, len(block))], key=lambda e: e.tag), **kw) + b"\x80" * 128
    return tiff(sorted(ifd0 + pixels, key=lambda e: e.tag), between=b"\x80" * 128, **kw)


def utf16(text, order="<"):
    return text.encode("utf-16-le" if order == "<" else "utf-16-be") + b"\0\0"


def cases():
    both = "<>"
    for o in both:
        name = "little" if o == "<" else "big"
        yield f"plain-{name}.jpg", exif_jpeg(tiff(camera(), taken(), place(), o))
        yield f"pointer-ifd-{name}.jpg", exif_jpeg(tiff(camera(), taken(), place(), o, pointer=IFD))
        yield f"pointer-slong-{name}.jpg", exif_jpeg(tiff(camera(), taken(), place(), o, pointer=SLONG))
        yield f"pointer-long8-{name}.tif", whole_tiff(camera(), exif=taken(), gps=place(), order=o, big=True, pointer=LONG8)
        yield f"big-tiff-{name}.tif", whole_tiff(camera(), exif=taken(), gps=place(), order=o, big=True)
        yield f"tiff-{name}.tif", whole_tiff(camera() + [Entry(274, SHORT, 8)], exif=taken(), gps=place(), order=o)
        yield f"signed-{name}.jpg", exif_jpeg(tiff(camera(), taken(), place(SRATIONAL), o))
        yield f"signed-negative-{name}.jpg", exif_jpeg(tiff([], taken(), place(SRATIONAL, lat=(-33, 1, 51, 1, 25, 1)), o))
        yield f"orientation-long-{name}.jpg", exif_jpeg(tiff([Entry(274, LONG, 6)], taken(), order=o))
        yield f"orientation-byte-{name}.jpg", exif_jpeg(tiff([Entry(274, BYTE, b"\6")], taken(), order=o))
        yield f"orientation-count-{name}.jpg", exif_jpeg(tiff([Entry(274, SHORT, [6, 1])], taken(), order=o))
        yield f"orientation-zero-count-{name}.jpg", exif_jpeg(tiff([Entry(274, SHORT, [6], count=0)], taken(), order=o))
        yield f"place-float-{name}.jpg", exif_jpeg(tiff([], taken(), place(FLOAT, lat=(48.5,), lon=(11.25,)), o))
        yield f"place-double-{name}.jpg", exif_jpeg(tiff([], taken(), place(DOUBLE, lat=(48., 8., 14.), lon=(11., 34., 30.)), o))
        yield f"place-long-{name}.jpg", exif_jpeg(tiff([], taken(), place(LONG, lat=(48, 8, 14), lon=(11, 34, 30)), o))

    # Dates as written.
    for i, text in enumerate([
            b"2021-06-15 14:30:00\0", b"2021/06/15 14:30:00\0", b"2021:06:15\0", b"2021:06:15 14:30\0", b"2021:06:15 24:30:00\0",
            b"2021:06:15 14:30:00", b"2021:06:15 14:30:00.123\0", b"2021:06:15 14:30:00+02:00\0", b"2021:06:15 14:30:00Z\0",
            b"2021:06:15T14:30:00\0", b"2021: 6:15 14:30:00\0", b"2021:06:15 14: 3: 0\0", b"    :  :     :  :  \0", b"0000:00:00 00:00:00\0",
            b"2021:13:15 14:30:00\0", b"2021:02:30 14:30:00\0", b"2021:06:15 02:30:00 PM\0", b"20210615 143000\0", b"2021:06:15  14:30:00\0",
            b"2021.06.15 14:30:00\0", b"2021:06:15 14-30-00\0", b"2021:06:15 14:30:60\0", b"1969:12:31 23:59:59\0", b"1826:06:15 12:00:00\0",
            b"2021:06:15 14:30:00 \0\0\0", b"\0" * 20, b"2021:06:15 14:30:00\r\n\0", b"2021:06:15 14:30:00\0garbage\0", b"2021:6:5 4:3:2\0"]):
        yield f"date-{i:02}.jpg", exif_jpeg(tiff([], taken(text)))
        yield f"date-{i:02}-digitized.jpg", exif_jpeg(tiff([], taken(text, tag=0x9004)))
    yield "date-only-0132.jpg", exif_jpeg(tiff([Entry(0x132, ASCII, DATE)]))
    yield "date-0132-and-wrong-original.jpg", exif_jpeg(tiff([Entry(0x132, ASCII, DATE)], taken(b"0000:00:00 00:00:00\0")))
    yield "date-original-in-ifd0.jpg", exif_jpeg(tiff([Entry(0x9003, ASCII, DATE)]))
    yield "date-digitized-in-ifd0.jpg", exif_jpeg(tiff([Entry(0x9004, ASCII, DATE)]))
    yield "date-0132-in-exif.jpg", exif_jpeg(tiff([], [Entry(0x132, ASCII, DATE)]))
    yield "date-undefined.jpg", exif_jpeg(tiff([], [Entry(0x9003, UNDEFINED, DATE)]))
    yield "date-utf8.jpg", exif_jpeg(tiff([], [Entry(0x9003, UTF8, DATE)]))
    yield "date-count-19.jpg", exif_jpeg(tiff([], [Entry(0x9003, ASCII, DATE, count=19)]))
    yield "date-count-10.jpg", exif_jpeg(tiff([], [Entry(0x9003, ASCII, DATE, count=10)]))
    yield "date-twice.jpg", exif_jpeg(tiff([], taken() + taken(b"2001:01:01 00:00:00\0")))

    # Dates of GPS, behind all others.
    for name, day, clock in [
            ("both", b"2021:06:15\0", (12, 1, 30, 1, 1550, 100)), ("day-alone", b"2021:06:15\0", None), ("clock-alone", None, (12, 1, 30, 1, 15, 1)),
            ("minutes", b"2021:06:15\0", (12, 1, 3025, 100, 0, 1)), ("clock-zero-below", b"2021:06:15\0", (0, 0, 0, 0, 0, 0)),
            ("clock-over", b"2021:06:15\0", (25, 1, 0, 1, 0, 1)), ("no-end", b"2021:06:15", (12, 1, 30, 1, 15, 1)), ("signs", b"2021-06-15\0", (12, 1, 30, 1, 15, 1)),
            ("zero", b"0000:00:00\0", (0, 1, 0, 1, 0, 1)), ("no-fix", b"1980:01:06\0", (0, 1, 0, 1, 5, 1)), ("year", b"2021\0", (12, 1, 30, 1, 15, 1)),
            ("none", b"\0" * 11, (12, 1, 30, 1, 15, 1)), ("midnight", b"2021:06:15\0", (0, 1, 0, 1, 0, 1)), ("two", b"2021:06:15\0", (12, 1, 30, 1))]:
        block = tiff(camera(), None, gps_date(day, clock))
        yield f"gps-{name}.jpg", exif_jpeg(block)
    block = tiff(camera(), None, place() + gps_date())
    yield "gps-png.png", png(chunk(b"eXIf", block))
    yield "gps-webp.webp", webp((b"EXIF", block))
    yield "gps-big.tif", whole_tiff(camera(), gps=place() + gps_date(), order=">")
    yield "gps-and-original.jpg", exif_jpeg(tiff([], taken(), gps_date(b"2021:06:14\0")))
    yield "gps-and-wrong-original.jpg", exif_jpeg(tiff([], taken(b"0000:00:00 00:00:00\0"), gps_date()))
    yield "gps-and-creation-time.png", png(chunk(b"eXIf", block), chunk(b"tEXt", b"Creation Time\0" + b"2021-06-14 14:30:00"))
    for i, attributes in enumerate(["exif:GPSTimeStamp='2021-06-15T12:30:15Z'", "exif:GPSTimeStamp='2021-06-15T14:30:15+02:00'", "exif:GPSTimeStamp='2021-06-15'",
                                    "exif:GPSDateStamp='2021:06:15' exif:GPSTimeStamp='12:30:15'", "exif:GPSTimeStamp='12:30:15'",
                                    "exif:GPSTimeStamp='2021-06-15T12:30:15Z' xmp:ModifyDate='2021-06-14T14:30:00'"]):
        yield f"gps-xmp-{i}.jpg", xmp_jpeg(attributes=attributes)
    yield "gps-xmp-and-exif.jpg", jpeg(segment(0xe1, b"Exif\0\0" + block),
                                       segment(0xe1, b"http://ns.adobe.com/xap/1.0/\0" + xmp(attributes="xmp:CreateDate='2021-06-14T14:30:00'")))

    # Texts of cameras.
    for name, make, model in [
            ("blanks", b"NIKON CORPORATION   \0", b"NIKON D850      \0"), ("no-end", b"Canon", b"Canon EOS 5D"), ("model-only", b"\0", b"Pixel 7\0"),
            ("make-only", b"Apple\0", b"\0"), ("utf8", "小米\0".encode(), "红米 Note\0".encode()), ("latin", b"Caf\xe9\0", b"Modell \xdc\0"),
            ("repeated", b"OLYMPUS IMAGING CORP.\0", b"OLYMPUS E-M1\0"), ("zeros", b"SONY\0\0\0\0\0\0", b"ILCE-7\0\0\0\0"), ("newline", b"Canon\n\0", b"EOS\r\nR5\0"),
            ("hp", b"Hewlett-Packard\0", b"HP PhotoSmart 618\0"), ("kodak", b"EASTMAN KODAK COMPANY\0", b"KODAK DC240 ZOOM DIGITAL CAMERA\0"),
            ("leading", b"  Canon\0", b"  EOS R5\0"), ("long", b"Canon\0", b"A" * 200 + b"\0")]:
        yield f"camera-{name}.jpg", exif_jpeg(tiff(camera(make, model), taken()))
    yield "camera-type-129.jpg", exif_jpeg(tiff([Entry(0x10f, UTF8, "Übercam\0".encode()), Entry(0x110, UTF8, b"Model 1\0")]))
    yield "camera-byte.jpg", exif_jpeg(tiff([Entry(0x10f, BYTE, b"Canon\0"), Entry(0x110, UNDEFINED, b"EOS R5\0")]))
    yield "camera-in-value.jpg", exif_jpeg(tiff([Entry(0x10f, ASCII, b"LG\0"), Entry(0x110, ASCII, b"G8\0")]))
    yield "camera-count-too-small.jpg", exif_jpeg(tiff([Entry(0x110, ASCII, b"Canon EOS R5\0", count=5)]))

    # Places.
    for name, kw in [
            ("null", dict(lat=(0, 1, 0, 1, 0, 1), lon=(0, 1, 0, 1, 0, 1))), ("zero-below", dict(lat=(0, 0, 0, 0, 0, 0), lon=(0, 0, 0, 0, 0, 0))),
            ("seconds-0-0", dict(lat=(48, 1, 8, 1, 0, 0), lon=(11, 1, 34, 1, 0, 0))), ("south-west", dict(refs=(b"S\0", b"W\0"))),
            ("lower-case", dict(refs=(b"s\0", b"w\0"))), ("words", dict(refs=(b"South\0", b"West\0"))), ("no-end", dict(refs=(b"S", b"W"))),
            ("minutes", dict(lat=(48, 1, 823, 100, 0, 1), lon=(11, 1, 3450, 100, 0, 1))), ("two-values", dict(lat=(48, 1, 823, 100), lon=(11, 1, 3450, 100))),
            ("one-value", dict(lat=(48137, 1000), lon=(11575, 1000))), ("off-the-globe", dict(lat=(148, 1, 0, 1, 0, 1))), ("equator", dict(lat=(0, 1, 0, 1, 0, 1))),
            ("greenwich", dict(lon=(0, 1, 0, 1, 0, 1))), ("antimeridian", dict(lon=(180, 1, 0, 1, 0, 1))), ("pole", dict(lat=(90, 1, 0, 1, 0, 1))),
            ("no-latitude-ref", dict(refs=(b"\0", b"E\0"))), ("zero-refs", dict(refs=(b"\0\0", b"\0\0"))), ("sixty-seconds", dict(lat=(48, 1, 59, 1, 60, 1)))]:
        yield f"place-{name}.jpg", exif_jpeg(tiff([], taken(), place(**kw)))
    yield "place-no-refs.jpg", exif_jpeg(tiff([], taken(), [e for e in place() if e.tag in (2, 4)]))
    yield "place-only-latitude.jpg", exif_jpeg(tiff([], taken(), place()[:2]))
    yield "place-refs-as-bytes.jpg", exif_jpeg(tiff([], taken(), [Entry(1, BYTE, b"S\0"), place()[1], Entry(3, UNDEFINED, b"W\0"), place()[3]]))
    yield "place-within-exif.jpg", exif_jpeg(tiff([], taken() + place()))

    # Blocks and segments.
    whole = tiff(camera() + [Entry(274, SHORT, 6)], taken(), place())
    yield "blocks-no-second-zero.jpg", exif_jpeg(whole, b"Exif\0\xff")
    yield "blocks-capitals.jpg", exif_jpeg(whole, b"EXIF\0\0")
    yield "blocks-header-twice.jpg", exif_jpeg(b"Exif\0\0" + whole)
    yield "blocks-garbage-before.jpg", exif_jpeg(whole, b"\xff\xe1\x10\x10Exif\0\0")
    yield "blocks-empty-first.jpg", jpeg(segment(0xe1, b"Exif\0\0" + tiff([])), segment(0xe1, b"Exif\0\0" + whole))
    yield "blocks-two.jpg", jpeg(segment(0xe1, b"Exif\0\0" + tiff(camera())), segment(0xe1, b"Exif\0\0" + tiff([], taken(), place())))
    yield "blocks-behind-others.jpg", jpeg(segment(0xe0, b"JFIF\0\1\1\0\0\1\0\1\0\0"), segment(0xfe, b"a comment"), segment(0xe2, b"ICC_PROFILE\0\1\1"),
                                          segment(0xe1, b"Exif\0\0" + whole))
    for n in (2, 3, 5):
        cut = [whole[i * len(whole) // n:(i + 1) * len(whole) // n] for i in range(n)]
        yield f"blocks-over-{n}-segments.jpg", jpeg(*[segment(0xe1, b"Exif\0\0" + c) for c in cut])
    large = tiff(camera(), [Entry(0x927c, UNDEFINED, b"\1" * 150000)] + taken(), place())
    yield "blocks-over-64k.jpg", jpeg(*[segment(0xe1, b"Exif\0\0" + large[i:i + 65000]) for i in range(0, len(large), 65000)])
    yield "blocks-torn.jpg", jpeg(segment(0xe1, b"Exif\0\0" + whole[:60]), segment(0xfe, b"between"), segment(0xe1, b"Exif\0\0" + whole[60:]))
    yield "blocks-fill-bytes.jpg", b"\xff\xd8\xff\xff\xff" + segment(0xe1, b"Exif\0\0" + whole)[1:] + PICTURE
    yield "blocks-wrong-magic.jpg", exif_jpeg(tiff(camera(), taken(), magic=0x55))
    yield "blocks-directory-later.jpg", exif_jpeg(tiff(camera(), taken(), place(), between=b"\0" * 100))
    yield "blocks-odd-offset.jpg", exif_jpeg(tiff(camera(), taken(), place(), between=b"\0" * 3))
    yield "blocks-directory-loop.jpg", exif_jpeg(tiff(camera() + [Entry(0x8769, LONG, 8)], None, None))
    yield "blocks-cut.jpg", exif_jpeg(whole[:-20])
    yield "blocks-unsorted.jpg", exif_jpeg(tiff([], list(reversed(taken() + [Entry(0x9000, UNDEFINED, b"0230")])), list(reversed(place()))))

    # PNG.
    yield "png-exif.png", png(chunk(b"eXIf", whole))
    yield "png-exif-behind.png", png(after=[chunk(b"eXIf", whole)])
    yield "png-exif-with-name.png", png(chunk(b"eXIf", b"Exif\0\0" + whole))
    for name, how in [("exif", "exif"), ("app1", "APP1")]:
        data = b"Exif\0\0" + whole
        text = f"\n{how}\n{len(data):8}\n".encode() + b"\n".join(data.hex()[i:i + 72].encode() for i in range(0, 2 * len(data), 72)) + b"\n"
        yield f"png-raw-{name}-text.png", png(chunk(b"tEXt", b"Raw profile type " + how.encode() + b"\0" + text))
        yield f"png-raw-{name}-packed.png", png(chunk(b"zTXt", b"Raw profile type " + how.encode() + b"\0\0" + zlib.compress(text)))
        yield f"png-raw-{name}-behind.png", png(after=[chunk(b"zTXt", b"Raw profile type " + how.encode() + b"\0\0" + zlib.compress(text))])
        yield f"png-raw-{name}-international.png", png(chunk(b"iTXt", b"Raw profile type " + how.encode() + b"\0\1\0\0\0" + zlib.compress(text)))
    packet = xmp(attributes="exif:DateTimeOriginal='2021-06-15T14:30:00' tiff:Make='Canon' tiff:Model='Canon EOS R5' tiff:Orientation='6' "
                            "exif:GPSLatitude='48,8.2333N' exif:GPSLongitude='11,34.5E'")
    yield "png-xmp.png", png(chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet))
    yield "png-xmp-packed.png", png(chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(packet)))
    yield "png-xmp-behind.png", png(after=[chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + packet)])
    for i, text in enumerate([b"15 Jun 2021 14:30:00 +0200", b"Tue, 15 Jun 2021 14:30:00 GMT", b"2021-06-15T14:30:00Z", b"2021:06:15 14:30:00", b"2021-06-15"]):
        yield f"png-creation-time-{i}.png", png(chunk(b"tEXt", b"Creation Time\0" + text))

    # WebP.
    yield "webp-exif.webp", webp((b"EXIF", whole))
    yield "webp-exif-with-name.webp", webp((b"EXIF", b"Exif\0\0" + whole))
    yield "webp-xmp.webp", webp((b"XMP ", packet))
    yield "webp-xmp-zero.webp", webp((b"XMP\0", packet))
    yield "webp-both.webp", webp((b"EXIF", tiff(camera())), (b"XMP ", packet))

    # XMP.
    yield "xmp-attributes.jpg", jpeg(segment(0xe1, b"http://ns.adobe.com/xap/1.0/\0" + packet))
    for i, text in enumerate(["2021-06-15T14:30:00+02:00", "2021-06-15T14:30", "2021-06-15", "2021-06", "2021", "2021-06-15T14:30:00.25Z", "2021:06:15 14:30:00"]):
        yield f"xmp-date-{i}.jpg", xmp_jpeg(f"<exif:DateTimeOriginal>{text}</exif:DateTimeOriginal>")
        yield f"xmp-created-{i}.jpg", xmp_jpeg(f"<photoshop:DateCreated>{text}</photoshop:DateCreated>")
    yield "xmp-create-date.jpg", xmp_jpeg(attributes="xmp:CreateDate='2021-06-15T14:30:00'")
    yield "xmp-modify-date.jpg", xmp_jpeg(attributes="xmp:ModifyDate='2021-06-15T14:30:00'")
    yield "xmp-two-nodes.jpg", jpeg(segment(0xe1, b"http://ns.adobe.com/xap/1.0/\0" + xmp("<tiff:Make>Canon</tiff:Make>").replace(
        b"</rdf:RDF>", b"<rdf:Description rdf:about='' xmlns:tiff='http://ns.adobe.com/tiff/1.0/'><tiff:Model>Canon EOS R5</tiff:Model></rdf:Description></rdf:RDF>")))
    yield "xmp-other-prefixes.jpg", jpeg(segment(0xe1, b"http://ns.adobe.com/xap/1.0/\0" + packet.replace(b"exif:", b"e:").replace(b"tiff:", b"t:")))
    yield "xmp-no-packet.jpg", jpeg(segment(0xe1, b"http://ns.adobe.com/xap/1.0/\0" + xmp("<tiff:Model>Canon EOS R5</tiff:Model>", packet=False)))
    yield "xmp-no-meta.jpg", jpeg(segment(0xe1, b"http://ns.adobe.com/xap/1.0/\0" + packet.replace(b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>", b"").replace(b"</x:xmpmeta>", b"")))
    for name, code in [("utf-16-le", "utf-16-le"), ("utf-16-be", "utf-16-be"), ("utf-32-le", "utf-32-le")]:
        yield f"xmp-{name}.jpg", jpeg(segment(0xe1, b"http://ns.adobe.com/xap/1.0/\0" + packet.decode().encode(code)))
    yield "xmp-cdata.jpg", xmp_jpeg("<tiff:Model><![CDATA[Canon EOS R5]]></tiff:Model>")
    yield "xmp-entities.jpg", xmp_jpeg("<tiff:Model>A &amp; B &#x41;&#66;</tiff:Model>")
    yield "xmp-comment.jpg", xmp_jpeg("<!-- <tiff:Model>no</tiff:Model> --><tiff:Model>Canon EOS R5</tiff:Model>")
    yield "xmp-single-quotes-within.jpg", xmp_jpeg(attributes='tiff:Model="Canon \'EOS\' R5"')
    for i, (lat, lon) in enumerate([("48,8,14N", "11,34,30E"), ("48,8.2333S", "11,34.5W"), ("48.137N", "11.575E"), ("48.137", "11.575"), ("-33.5", "-70.25"),
                                    ("0,0.0N", "0,0.0E"), ("48, 8.2333N", "11, 34.5E"), ("48 deg 8' 14\" N", "11 deg 34' 30\" E")]):
        yield f"xmp-place-{i}.jpg", xmp_jpeg(attributes=f"exif:GPSLatitude='{escape(lat)}' exif:GPSLongitude='{escape(lon)}'")
    yield "xmp-and-exif.jpg", jpeg(segment(0xe1, b"Exif\0\0" + tiff(camera(), taken())), segment(0xe1, b"http://ns.adobe.com/xap/1.0/\0" + packet))
    guid = b"0123456789ABCDEF0123456789ABCDEF"
    main = xmp(attributes=f"xmlns:xmpNote='http://ns.adobe.com/xmp/note/' xmpNote:HasExtendedXMP='{guid.decode()}'")
    def extended(*parts):
        return [segment(0xe1, b"http://ns.adobe.com/xmp/extension/\0" + guid + struct.pack(">II", len(packet), a) + packet[a:b]) for a, b in parts]
    n = len(packet)
    first = segment(0xe1, b"http://ns.adobe.com/xap/1.0/\0" + main)
    yield "xmp-extended-1.jpg", jpeg(first, *extended((0, n)))
    yield "xmp-extended-3.jpg", jpeg(first, *extended((0, 200), (200, 500), (500, n)))
    yield "xmp-extended-out-of-order.jpg", jpeg(first, *extended((500, n), (0, 200), (200, 500)))
    yield "xmp-extended-before.jpg", jpeg(*extended((0, 300), (300, n)), first)
    yield "xmp-extended-part-missing.jpg", jpeg(first, *extended((0, 200), (500, n)))
    yield "xmp-extended-part-twice.jpg", jpeg(first, *extended((0, n - 400), (0, n - 400)))
    yield "xmp-extended-other-name.jpg", jpeg(segment(0xe1, b"http://ns.adobe.com/xap/1.0/\0" + main.replace(guid, guid[::-1])), *extended((0, n)))

    # IPTC.
    when = [(55, b"20210615"), (60, b"143000+0200")]
    yield "iptc.jpg", jpeg(segment(0xed, PHOTOSHOP + resource(0x404, iptc(*when))))
    yield "iptc-behind-others.jpg", jpeg(segment(0xed, PHOTOSHOP + resource(0x3ed, b"\0" * 17, b"\3abc") + resource(0x404, iptc(*when))))
    yield "iptc-no-time.jpg", jpeg(segment(0xed, PHOTOSHOP + resource(0x404, iptc(when[0]))))
    yield "iptc-digital.jpg", jpeg(segment(0xed, PHOTOSHOP + resource(0x404, iptc((62, b"20210615"), (63, b"143000")))))
    yield "iptc-empty-date.jpg", jpeg(segment(0xed, PHOTOSHOP + resource(0x404, iptc((55, b"00000000"), (62, b"20210615"), (63, b"143000+0000")))))
    for name, kind in [("phut", b"PHUT"), ("aghg", b"AgHg"), ("dcsr", b"DCSR"), ("mesa", b"MeSa")]:
        yield f"iptc-behind-{name}.jpg", jpeg(segment(0xed, PHOTOSHOP + resource(0x1234, b"abcd", kind=kind) + resource(0x404, iptc(*when))))
    old = b"Adobe_Photoshop2.5:" + b"\0" * 8
    yield "iptc-old.jpg", jpeg(segment(0xed, old + resource(0x404, iptc(*when))))
    all_resources = resource(0x3ed, b"\0" * 16) + resource(0x404, iptc((25, b"k" * 40), *when)) + resource(0x3f3, b"\0" * 9)
    for cut in (10, 40, 70):
        yield f"iptc-over-2-segments-{cut}.jpg", jpeg(segment(0xed, PHOTOSHOP + all_resources[:cut]), segment(0xed, PHOTOSHOP + all_resources[cut:]))
    many = resource(0x404, iptc(*[(25, b"%05d" % i + b"w" * 1000) for i in range(200)], *when))
    yield "iptc-over-64k.jpg", jpeg(*[segment(0xed, PHOTOSHOP + many[i:i + 65000]) for i in range(0, len(many), 65000)])
    yield "iptc-two-blocks.jpg", jpeg(segment(0xed, PHOTOSHOP + resource(0x3ed, b"\0" * 16)), segment(0xed, PHOTOSHOP + resource(0x404, iptc(*when))))
    yield "photoshop-exif.jpg", jpeg(segment(0xed, PHOTOSHOP + resource(0x422, whole)))
    yield "photoshop-xmp.jpg", jpeg(segment(0xed, PHOTOSHOP + resource(0x424, packet)))

    # What people wrote.
    for name, comment in [("ascii", b"ASCII\0\0\0a dog"), ("unicode-own", b"UNICODE\0" + "ein Hünd".encode("utf-16-le")),
                          ("unicode-other", b"UNICODE\0" + "ein Hünd".encode("utf-16-be")), ("unicode-bom", b"UNICODE\0\xfe\xff" + "ein Hünd".encode("utf-16-be")),
                          ("unicode-utf8", b"UNICODE\0" + "ein Hünd".encode()), ("no-code", b"\0" * 8 + b"a dog"), ("blanks", b"ASCII\0\0\0" + b" " * 20),
                          ("zeros", b"\0" * 30), ("ascii-blanks", b"ASCII   a dog"), ("jis", b"JIS\0\0\0\0\0\x1b$B8$\x1b(B")]:
        yield f"text-comment-{name}.jpg", exif_jpeg(tiff([], [Entry(0x9286, UNDEFINED, comment)]))
    for name, entries in [
            ("xp", [Entry(0x9c9b, BYTE, utf16("Ein Titel")), Entry(0x9c9c, BYTE, utf16("Ein Hünd")), Entry(0x9c9e, BYTE, utf16("Hünd; Wiese;Meer"))]),
            ("xp-no-end", [Entry(0x9c9b, BYTE, utf16("Titel")[:-2])]), ("xp-undefined", [Entry(0x9c9b, UNDEFINED, utf16("Titel"))]),
            ("description", [Entry(0x10e, ASCII, b"a dog on a meadow\0")]), ("description-utf8", [Entry(0x10e, ASCII, "Hünde\0".encode())]),
            ("description-latin", [Entry(0x10e, ASCII, b"H\xfcnde\0")]), ("description-blank", [Entry(0x10e, ASCII, b"          \0")]),
            ("rating", [Entry(0x4746, SHORT, 4)]), ("rating-percent", [Entry(0x4749, SHORT, 75)])]:
        yield f"text-{name}.jpg", exif_jpeg(tiff(entries))
    yield "text-lens.jpg", exif_jpeg(tiff([], [Entry(0xa434, ASCII, b"RF24-105mm F4 L IS USM\0")]))
    for name, body in [
            ("languages", "<dc:title><rdf:Alt><rdf:li xml:lang='de'>Hund</rdf:li><rdf:li xml:lang='x-default'>Dog</rdf:li></rdf:Alt></dc:title>"),
            ("plain", "<dc:title>Dog</dc:title><dc:subject>meadow</dc:subject>"),
            ("bag", "<dc:subject><rdf:Bag><rdf:li>dog</rdf:li><rdf:li>the sea</rdf:li></rdf:Bag></dc:subject>"),
            ("seq", "<dc:subject><rdf:Seq><rdf:li>dog</rdf:li><rdf:li>dog</rdf:li></rdf:Seq></dc:subject>"),
            ("empty", "<dc:title/><dc:subject><rdf:Bag/></dc:subject><dc:description><rdf:Alt><rdf:li xml:lang='x-default'/></rdf:Alt></dc:description>"),
            ("rating-real", "<xmp:Rating>4.0</xmp:Rating>"), ("rating-rejected", "<xmp:Rating>-1</xmp:Rating>"), ("rating-wrong", "<xmp:Rating>99</xmp:Rating>"),
            ("lines", "<dc:description><rdf:Alt><rdf:li xml:lang='x-default'>a&#xA;b\n  c</rdf:li></rdf:Alt></dc:description>"),
            ("resource", "<dc:title rdf:parseType='Resource'><rdf:value>Dog</rdf:value><xmp:Q>q</xmp:Q></dc:title>")]:
        yield f"text-xmp-{name}.jpg", xmp_jpeg(body)
    utf8 = resource(0x404, b"\x1c\x01\x5a\0\3\x1b%G" + iptc((5, "Hünd".encode()), (120, "Würde".encode()), (25, b"sea"), (25, "Käse".encode())))
    yield "text-iptc-utf8.jpg", jpeg(segment(0xed, PHOTOSHOP + utf8))
    yield "text-iptc-latin.jpg", jpeg(segment(0xed, PHOTOSHOP + resource(0x404, iptc((5, b"H\xfcnd"), (120, b"W\xfcrde")))))
    yield "text-iptc-long-count.jpg", jpeg(segment(0xed, PHOTOSHOP + resource(0x404, b"\x1c\x02\x78\x80\4\0\0\0\5a dog" + iptc((5, b"Dog")))))
    yield "text-all.jpg", jpeg(segment(0xe1, b"Exif\0\0" + tiff([Entry(0x10e, ASCII, b"of EXIF\0")])), segment(0xed, PHOTOSHOP + resource(0x404, iptc((120, b"of IPTC")))),
                               segment(0xe1, b"http://ns.adobe.com/xap/1.0/\0" + xmp("<dc:description>of XMP</dc:description>")))

    # TIFF with the other kinds within.
    yield "tiff-xmp.tif", whole_tiff([Entry(700, BYTE, packet)])
    yield "tiff-xmp-undefined.tif", whole_tiff([Entry(700, UNDEFINED, packet)])
    yield "tiff-iptc.tif", whole_tiff([Entry(0x83bb, LONG, iptc(*when) + b"\0" * (-len(iptc(*when)) % 4))])
    yield "tiff-iptc-bytes.tif", whole_tiff([Entry(0x83bb, UNDEFINED, iptc(*when))])
    yield "tiff-photoshop.tif", whole_tiff([Entry(0x8649, BYTE, resource(0x404, iptc(*when)))])

    # JPEG XL (its codestream is only a beginning).
    stream = box(b"jxlc", bytes.fromhex("ff0a0000"))
    head = box(b"JXL ", b"\r\n\x87\n") + box(b"ftyp", b"jxl \0\0\0\0jxl ")
    for name, before, after in [("before", True, False), ("behind", False, True)]:
        exif = box(b"Exif", b"\0\0\0\0" + whole)
        yield f"jxl-exif-{name}.jxl", head + (exif if before else b"") + stream + (exif if after else b"")
    yield "jxl-xmp.jxl", head + box(b"xml ", packet) + stream
    yield from heif_cases()
    yield "jxl-exif-skip.jxl", head + box(b"Exif", b"\0\0\0\6Exif\0\0" + whole) + stream


def heif(items, version=1, method=0, entries=2, brand=b"heic", meta_last=False, extents=1, ids=1, base=False, lead=b""):
    """A file of boxes with these items, (type, data) or ("mime", data, content type, encoding): without pixels. `version` is iloc's,
    `method` its construction method, `entries` infe's version; each item is stored in `extents` parts."""
    wide = entries == 3
    item_id = lambda i: struct.pack(">I" if wide else ">H", ids + i)
    infos = b"".join(box(b"infe", bytes([entries, 0, 0, 0]) + item_id(i) + b"\0\0" + kind + b"\0" + b"".join(t + b"\0" for t in texts))
                     for i, (kind, _, *texts) in enumerate(items))
    iinf = box(b"iinf", b"\0\0\0\0" + struct.pack(">H", len(items)) + infos)
    data = b"".join(d for _, d, *_ in items)

    def iloc(start):
        out, at = b"", 0
        for i, (_, d, *_) in enumerate(items):
            cut = [(len(d) * k // extents, len(d) * (k + 1) // extents) for k in range(extents)]
            out += (struct.pack(">I", ids + i) if version == 2 else struct.pack(">H", ids + i)) + (struct.pack(">H", method) if version else b"")
            out += b"\0\0" + (struct.pack(">I", start) if base else b"") + struct.pack(">H", extents)
            out += b"".join(struct.pack(">II", at + a + (0 if base else start), b - a) for a, b in cut)
            at += len(d)
        sizes = bytes([0x44, 0x40 if base else 0])
        count = struct.pack(">I" if version == 2 else ">H", len(items))
        return box(b"iloc", bytes([version, 0, 0, 0]) + sizes + count + out)

    ftyp = box(b"ftyp", brand + b"\0\0\0\0" + brand + b"mif1")
    hdlr = box(b"hdlr", b"\0" * 8 + b"pict" + b"\0" * 13)
    pitm = box(b"pitm", b"\0\0\0\0\0\1")
    def meta(start):
        return box(b"meta", b"\0\0\0\0" + hdlr + pitm + iinf + iloc(start) + (box(b"idat", data) if method == 1 else b""))
    front = ftyp + lead
    if method == 1:
        return front + meta(0)
    if meta_last:
        return front + box(b"mdat", data) + meta(len(front) + 8)
    return front + meta(len(front) + len(meta(0)) + 8) + box(b"mdat", data)


def heif_cases():
    whole = tiff(camera() + [Entry(274, SHORT, 6)], taken(offset=b"+02:00\0"), place())
    big = tiff(camera() + [Entry(274, SHORT, 6)], taken(), place(), ">")
    packet = xmp("<dc:title>Dog</dc:title>", "xmp:Rating='4' exif:DateTimeOriginal='2021-06-15T14:30:00'")
    exif, rdf = (b"Exif", b"\0\0\0\0" + whole), b"application/rdf+xml"
    for name, options in [("plain", {}), ("iloc-0", {"version": 0}), ("iloc-2", {"version": 2}), ("in-idat", {"method": 1}), ("infe-3", {"entries": 3}),
                          ("avif", {"brand": b"avif"}), ("mif1", {"brand": b"mif1"}), ("heix", {"brand": b"heix"}), ("msf1", {"brand": b"msf1"}),
                          ("hevc", {"brand": b"hevc"}), ("avis", {"brand": b"avis"}),
                          ("meta-last", {"meta_last": True}), ("3-extents", {"extents": 3}), ("base", {"base": True}), ("high-ids", {"ids": 60000}),
                          ("wide-ids", {"ids": 70000, "version": 2, "entries": 3}), ("behind-free", {"lead": box(b"free", b"\0" * 40)})]:
        yield f"heif-{name}.heic", heif([exif, (b"mime", packet, rdf)], **options)
    for name, head in [("no-offset", b""), ("name-within", b"\0\0\0\6Exif\0\0"), ("name-only", b"Exif\0\0"), ("name-behind-0", b"\0\0\0\0Exif\0\0"),
                       ("bytes-before", b"\0\0\0\4abcd"), ("offset-too-far", b"\0\1\0\0")]:
        for order, block in (("little", whole), ("big", big)):
            yield f"heif-exif-{name}-{order}.heic", heif([(b"Exif", head + block)])
    yield "heif-two-exif.heic", heif([(b"Exif", b"\0\0\0\0" + tiff(camera())), (b"Exif", b"\0\0\0\0" + tiff([], taken(), place()))])
    yield "heif-empty-exif-first.heic", heif([(b"Exif", b""), exif])
    yield "heif-other-mime.heic", heif([(b"mime", b"<a/>", b"text/xml"), exif, (b"mime", b"\1\2", b"application/octet-stream")])
    yield "heif-xmp.heic", heif([(b"mime", packet, rdf)])
    yield "heif-gps.heic", heif([(b"Exif", b"\0\0\0\0" + tiff(camera(), None, place() + gps_date()))])
    yield "heif-xmp-no-encoding.heic", heif([(b"mime", packet, rdf, b"")])
    raw = zlib.compressobj(9, zlib.DEFLATED, -15)
    for name, data in [("deflate", raw.compress(packet) + raw.flush()), ("compress_zlib", zlib.compress(packet))]:
        for parts in (1, 2):
            yield f"heif-xmp-{name}-{parts}.heic", heif([(b"mime", data, rdf, name.encode())], extents=parts)
    yield "heif-xmp-unknown-encoding.heic", heif([(b"mime", packet, rdf, b"lzma"), exif])


def escape(text):
    return text.replace("'", "&apos;").replace('"', "&quot;")


target = pathlib.Path(sys.argv[1])
target.mkdir(parents=True, exist_ok=True)
for file, data in cases():
    assert not (target / file).exists(), file
    (target / file).write_bytes(data)
