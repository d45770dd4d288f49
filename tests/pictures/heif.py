"""HEIC and AVIF files as phones write them, put together from pictures that an encoder made."""
import io
import struct

import pillow_heif


def box(kind, *parts, version=None, flags=0):
    body = b"".join(parts)
    head = b"" if version is None else struct.pack(">I", version << 24 | flags)
    return struct.pack(">I4s", 8 + len(head) + len(body), kind.encode()) + head + body


def boxes(data):
    at = 0
    while at + 8 <= len(data):
        size, kind = struct.unpack_from(">I4s", data, at)
        yield kind.decode(), data[at + 8:at + size]
        at += size


def child(data, *path):
    for kind in path:
        data = dict(reversed(list(boxes(data))))[kind]
        if kind in ("meta",):
            data = data[4:]
    return data


def coded(im, fmt):
    """The coded data of `im`, and its properties: the codec's, the size and, where the encoder pads, the crop."""
    out = io.BytesIO()
    if fmt == "avif":
        im.save(out, "AVIF", quality=80)
    else:
        pillow_heif.from_pillow(im).save(out, quality=90)
    data = out.getvalue()
    meta = child(data, "meta")
    kind = "av1C" if fmt == "avif" else "hvcC"
    properties = tuple(box(k, content) for k, content in boxes(child(meta, "iprp", "ipco")) if k in (kind, "ispe", "clap"))
    iloc = child(meta, "iloc")
    # One item with one extent: offset and length are the last 8 bytes of its entry.
    version, sizes, count = iloc[0], iloc[4:6], struct.unpack_from(">H", iloc, 6)[0]
    assert sizes[0] == 0x44 and count >= 1, (version, sizes, count)
    base = sizes[1] >> 4
    at = 8 + 2 + (2 if version else 0) + 2 + base
    extents, offset, length = struct.unpack_from(">HII", iloc, at)
    offset += int.from_bytes(iloc[at - base:at], "big")
    assert extents == 1
    return data[offset:offset + length], properties


def ispe(w, h):
    return box("ispe", struct.pack(">II", w, h), version=0)


def turn(quarters):
    return box("irot", bytes([quarters]))


def aux(kind):
    return box("auxC", kind.encode() + b"\0", version=0)


def heif(items, references, brands=("heic", "mif1", "heic"), primary=1, behind=b""):
    """items: (number, type, data or None, properties, hidden); references: (type, from, [to])."""
    properties, associations = [], b""
    for number, _, _, own, _ in items:
        for p in own:
            if p not in properties:
                properties.append(p)
        if own:
            associations += struct.pack(">HB", number, len(own)) + bytes(0x80 | properties.index(p) + 1 for p in own)
    with_properties = sum(bool(i[3]) for i in items)
    ftyp = box("ftyp", brands[0].encode() + b"\0\0\0\0" + "".join(brands[1:]).encode())

    def meta(offset):
        located, entries = [i for i in items if i[2] is not None], b""
        for number, _, data, _, _ in located:
            at = data if isinstance(data, int) else offset   # a number: an offset out of the file
            size = 64 if isinstance(data, int) else len(data)
            entries += struct.pack(">HHHII", number, 0, 1, at, size)
            offset += 0 if isinstance(data, int) else size
        return box("meta",
                   box("hdlr", b"\0\0\0\0pict" + b"\0" * 13, version=0),
                   box("pitm", struct.pack(">H", primary), version=0),
                   box("iloc", b"\x44\x00", struct.pack(">H", len(located)), entries, version=0),
                   box("iinf", struct.pack(">H", len(items)),
                       *(box("infe", struct.pack(">HH", n, 0), t.encode(), b"\0", version=2, flags=int(hidden))
                         for n, t, _, _, hidden in items), version=0),
                   box("iref", *(box(t, struct.pack(">HH", f, len(to)), *(struct.pack(">H", i) for i in to))
                                 for t, f, to in references), version=0),
                   box("iprp", box("ipco", *properties),
                       box("ipma", struct.pack(">I", with_properties), associations, version=0)), version=0)

    data = b"".join(i[2] for i in items if isinstance(i[2], bytes))
    return ftyp + meta(len(ftyp) + len(meta(0)) + 8) + box("mdat", data) + behind


def exif_item(number, exif):
    return number, "Exif", b"\0\0\0\x06Exif\0\0" + exif, (), True


def ios18(im, gain, exif, **options):
    """A picture, its gain map and their tone-mapped form, which the Exif item and the gain map refer to as well."""
    data, properties = coded(im, "heic")
    gain_data, gain_properties = coded(gain, "heic")
    items = [(1, "hvc1", data, properties, False),
             (2, "hvc1", gain_data, (*gain_properties, aux("urn:com:apple:photo:2020:aux:hdrgainmap")), True),
             exif_item(3, exif), (99, "tmap", None, (ispe(*im.size),), True)]
    references = [("cdsc", 3, [1, 99]), ("dimg", 99, [1, 2]), ("auxl", 2, [1, 99])]
    return heif(items, references, ("heic", "mif1", "MiHB", "tmap", "heic"), **options)


def grid(im, tile, fmt, exif, parts_turned=0, whole_turned=0, more=(), exif_of=(1,)):
    """`im` cut into square tiles; the last ones are filled up."""
    across, down = -(-im.width // tile), -(-im.height // tile)
    kind = "av01" if fmt == "avif" else "hvc1"
    items, numbers = [], []
    for y in range(down):
        for x in range(across):
            part = im.crop((x * tile, y * tile, (x + 1) * tile, (y + 1) * tile))
            data, properties = coded(part, fmt)
            numbers.append(10 + len(numbers))
            turned = (turn(parts_turned),) if parts_turned else ()
            items.append((numbers[-1], kind, data, properties + turned, True))
    shape = struct.pack(">BBBBHH", 0, 0, down - 1, across - 1, im.width, im.height)
    whole = (1, "grid", shape, (ispe(*im.size),) + ((turn(whole_turned),) if whole_turned else ()), False)
    brands = ("avif", "mif1", "avif") if fmt == "avif" else ("heic", "mif1", "heic")
    return heif([whole, *items, exif_item(3, exif), *more], [("dimg", 1, numbers), ("cdsc", 3, list(exif_of))], brands)
