#!/usr/bin/env python3
"""Makes the pictures of this folder and manifest.tsv: what Pillow sees in each of them.

    python make.py        (Pillow >= 13, numpy, pillow-heif; libvips.so.42, libjxl.so.0.7)

A picture is a smooth pattern with some noise, small, of a size that no block or tile
divides. For each the manifest has the view (20 x 20, squashed, bicubic) that Pillow makes
after ImageOps.exif_transpose and convert("RGB"), in hexadecimal, and how far
from it scry may be: 0 for lossless formats and for JPEG (all pixels decoded).
"""
import ctypes
import io
import pathlib
import struct
import sys
import zlib

import heif
import numpy as np
import pillow_heif
import raw
from PIL import Image, ImageFile, ImageOps, TiffImagePlugin

HERE = pathlib.Path(__file__).resolve().parent
W, H = 61, 43
VIEW = 20
rows = []


def pattern(w=W, h=H, seed=1):
    y, x = np.mgrid[0:h, 0:w]
    rgb = np.stack([128 + 100 * np.sin(x / 7 + y / 13), 255 * x / w, 255 * y / h], -1)
    rgb[h // 4:h // 2, w // 4:w // 2] = (250, 40, 20)
    noise = np.random.default_rng(seed).normal(0, 6, rgb.shape)
    return Image.fromarray((rgb + noise).clip(0, 255).astype(np.uint8), "RGB")


RGB = pattern()
GREY = RGB.convert("L")
ALPHA = Image.linear_gradient("L").resize((W, H))


def view(im, transpose=True):
    if transpose:
        im = ImageOps.exif_transpose(im)
    return im.convert("RGB").resize((VIEW, VIEW), Image.Resampling.BICUBIC)


def note(name, fmt, reference=None, tolerance=0.0, size=None):
    """Adds a file to the manifest; the reference is Pillow's reading of it unless given."""
    if reference is None:
        with Image.open(HERE / name) as im:
            im.load()
            upright = ImageOps.exif_transpose(im)
            size = size or upright.size
            reference = view(im)
    rows.append((name, fmt, *size, tolerance, np.asarray(reference).tobytes().hex()))


def save(name, im, fmt, tolerance=0.0, **options):
    im.save(HERE / name, **options)
    note(name, fmt, tolerance=tolerance)


def write(name, data, fmt, **options):
    (HERE / name).write_bytes(data)
    note(name, fmt, **options)


def jpegs():
    save("rgb420.jpg", RGB, "jpeg", quality=85, subsampling="4:2:0")
    save("rgb422.jpg", RGB, "jpeg", quality=85, subsampling="4:2:2")
    save("rgb444.jpg", RGB, "jpeg", quality=85, subsampling="4:4:4")
    save("progressive.jpg", RGB, "jpeg", quality=85, progressive=True)
    save("restart.jpg", RGB, "jpeg", quality=85, restart_marker_blocks=2)
    save("grey.jpg", GREY, "jpeg", quality=85)
    save("keep-rgb.jpg", RGB, "jpeg", quality=85, keep_rgb=True)
    save("cmyk.jpg", RGB.convert("CMYK"), "jpeg", quality=85)
    plain = (HERE / "cmyk.jpg").read_bytes()
    at = plain.index(b"Adobe") - 4
    length = struct.unpack(">H", plain[at + 2:at + 4])[0]
    write("cmyk-no-adobe.jpg", plain[:at] + plain[at + 2 + length:], "jpeg")
    big = pattern(500, 375, 3)
    save("photo.jpg", big, "jpeg", quality=70)
    # A motion photo: the video behind the picture has pictures of its own.
    movie = b"\0\0\0\x18ftypmp42\0\0\0\0isommp42" + struct.pack(">I4s", 208, b"mdat") + plain[:200]
    write("motion.jpg", (HERE / "grey.jpg").read_bytes() + movie + b"\0\0\0\x08moov", "jpeg")
    write("trailing.jpg", (HERE / "grey.jpg").read_bytes() + b"after the end" * 9, "jpeg")
    for o in range(1, 9):
        save(f"orientation{o}.jpg", RGB, "jpeg", quality=60, exif=orientation(o))
    exif = Image.Exif()
    exif[0x010f], exif[0x0110], exif[0x0112] = "Canon", "Canon EOS 5D", 6
    exif.get_ifd(0x8769).update({0x9003: "2024:05:17 10:30:00", 0x9011: "+02:00"})
    exif.get_ifd(0x8825).update({1: "S", 2: (33.0, 51.0, 24.5), 3: "E", 4: (151.0, 12.0, 30.0)})
    save("exif.jpg", RGB, "jpeg", quality=60, exif=exif)


def damaged_jpegs():
    """What Pillow makes of files that end too early, where it is told to read them."""
    def coded(**options):
        out = io.BytesIO()
        pattern(90, 160, 7).save(out, "JPEG", quality=60, **options)
        return out.getvalue()

    ImageFile.LOAD_TRUNCATED_IMAGES = True
    whole, progressive = coded(), coded(progressive=True)
    restart = coded(restart_marker_blocks=5, subsampling="4:4:4")
    cut = whole[:len(whole) * 97 // 100]
    for name, data in (("no-end", whole[:-2]), ("no-end-zeros", whole[:-2] + b"\0" * 999),
                       ("no-end-garbage", whole[:-2] + b"\x93\x1b\xe7" * 300), ("cut", cut),
                       ("cut-zeros", cut + b"\0" * (len(whole) - len(cut))), ("end-early", cut + b"\xff\xd9more"),
                       ("cut-restart", restart[:len(restart) * 97 // 100]), ("cut-progressive", progressive[:-150])):
        write(f"damaged-{name}.jpg", data, "jpeg")
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    half = len(whole) // 2
    for name, data in (("cut", whole[:half]), ("zeros", whole[:half] + b"\0" * half),
                       ("end", whole[:half] + b"\xff\xd9"), ("progressive", progressive[:len(progressive) // 4])):
        (HERE / f"half-{name}.jpg").write_bytes(data)


def pngs():
    save("rgb.png", RGB, "png")
    save("rgba.png", Image.merge("RGBA", (*RGB.split(), ALPHA)), "png")
    save("grey.png", GREY, "png")
    save("la.png", Image.merge("LA", (GREY, ALPHA)), "png")
    save("bilevel.png", GREY.convert("1"), "png")
    palette = RGB.quantize(19)
    save("palette.png", palette, "png")
    save("palette-transparent.png", palette, "png", transparency=bytes([0, 128, 255, 7]))
    save("palette4.png", RGB.quantize(4), "png", bits=2)
    save("rgb-transparent.png", RGB, "png", transparency=(250, 40, 20))
    save("grey-transparent.png", GREY, "png", transparency=100)
    save("oriented.png", RGB, "png", exif=orientation(8))
    wide = np.asarray(RGB).astype(np.uint16) * 256 + 77
    write("rgb16.png", png_file(wide, 2), "png")
    grey16 = np.asarray(GREY).astype(np.uint16)[..., None] * 256 + 99
    # Pillow clips 16-bit grey to white; scry takes the high byte: the documented departure.
    write("grey16.png", png_file(grey16, 0), "png", reference=view(GREY), size=(W, H))
    write("interlaced.png", png_interlaced(np.asarray(RGB)), "png")


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_file(samples, colour_type, interlace=0, raw=None, bits=16):
    h, w = samples.shape[:2]
    if raw is None:
        raw = b"".join(b"\0" + r.astype(">u2").tobytes() for r in samples)
    header = struct.pack(">IIBBBBB", w, h, bits, colour_type, 0, 0, interlace)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw, 9))
            + chunk(b"IEND", b""))


def png_interlaced(rgb):
    raw = b""
    for x0, y0, dx, dy in [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4),
                           (1, 0, 2, 2), (0, 1, 1, 2)]:
        raw += b"".join(b"\0" + r.tobytes() for r in rgb[y0::dy, x0::dx])
    return png_file(rgb, 2, 1, raw, 8)


def gifs():
    save("plain.gif", RGB.quantize(64), "gif")
    save("interlaced.gif", RGB.quantize(16), "gif", interlace=1)
    save("transparent.gif", RGB.quantize(16), "gif", transparency=3)
    save("grey.gif", GREY, "gif")
    frames = [pattern(seed=s).quantize(8) for s in (1, 2)]
    frames[0].save(HERE / "animated.gif", save_all=True, append_images=frames[1:], duration=50)
    note("animated.gif", "gif")
    part = bytearray((HERE / "plain.gif").read_bytes())
    # A screen larger than the frame, which lies at (5, 3): the rest shows colour 0.
    struct.pack_into("<HH", part, 6, W + 9, H + 8)
    at = part.index(struct.pack("<HHHH", 0, 0, W, H))
    struct.pack_into("<HH", part, at, 5, 3)
    write("offset.gif", bytes(part), "gif")


def tiffs():
    save("rgb.tif", RGB, "tiff")
    save("lzw.tif", RGB, "tiff", compression="tiff_lzw")
    save("deflate.tif", RGB, "tiff", compression="tiff_adobe_deflate")
    save("jpeg.tif", RGB, "tiff", compression="jpeg", tolerance=1.0)
    save("grey.tif", GREY, "tiff")
    save("bilevel.tif", GREY.convert("1"), "tiff", compression="group4")
    save("palette.tif", RGB.quantize(32), "tiff")
    save("cmyk.tif", RGB.convert("CMYK"), "tiff")
    save("rgba.tif", Image.merge("RGBA", (*RGB.split(), ALPHA)), "tiff")
    save("la.tif", Image.merge("LA", (GREY, ALPHA)), "tiff")
    ifd = TiffImagePlugin.ImageFileDirectory_v2()
    ifd[274] = 6
    save("oriented.tif", RGB, "tiff", tiffinfo=ifd)
    save("multipage.tif", RGB, "tiff", save_all=True, append_images=[GREY])


def others():
    save("lossless.webp", RGB, "webp", lossless=True)
    save("lossy.webp", RGB, "webp", quality=80, tolerance=1.0)
    save("alpha.webp", Image.merge("RGBA", (*RGB.split(), ALPHA)), "webp", lossless=True, exact=True)
    frames = [pattern(seed=s) for s in (1, 2)]
    frames[0].save(HERE / "animated.webp", save_all=True, append_images=frames[1:], lossless=True)
    note("animated.webp", "webp")
    save("oriented.webp", RGB, "webp", lossless=True, exif=orientation(6))
    save("picture.avif", RGB, "avif", quality=80, tolerance=2.0)
    save("oriented.avif", RGB, "avif", quality=80, tolerance=2.0, exif=orientation(6))
    save("lossless.jp2", RGB, "jp2")
    save("lossy.j2k", RGB, "jp2", quality_mode="rates", quality_layers=[8], tolerance=1.0)
    for mode, name in (("RGB", "rgb.ppm"), ("L", "grey.pgm"), ("1", "bilevel.pbm")):
        save(name, RGB.convert(mode), "pnm")
    text = " ".join(str(v) for v in np.asarray(RGB).ravel())
    write("ascii.ppm", f"P3\n# a comment\n{W} {H}\n255\n{text}\n".encode(), "pnm")
    save("rgb.bmp", RGB, "bmp")
    save("grey.bmp", GREY, "bmp")
    save("palette.bmp", RGB.quantize(32), "bmp")
    save("bilevel.bmp", GREY.convert("1"), "bmp")
    save("rgba.bmp", Image.merge("RGBA", (*RGB.split(), ALPHA)), "bmp")


def by_vips():
    """What Pillow cannot write: through libvips, compared with the picture itself."""
    vips = ctypes.CDLL("libvips.so.42")
    vips.vips_init(b"make.py")
    vips.vips_image_new_from_file.restype = ctypes.c_void_p
    for source, name, fmt, tolerance in (("rgb", "picture.heic[Q=90]", "heic", 4.0),
                                         ("rgb16", "ten-bits.heic[Q=90,bitdepth=10]", "heic", 4.0),
                                         ("rgb", "lossless.jxl[lossless]", "jxl", 0.0),
                                         ("rgb16", "deep.jxl[lossless]", "jxl", 0.0)):
        path = str(HERE / f"{source}.png").encode()
        im = ctypes.c_void_p(vips.vips_image_new_from_file(path, None))
        if vips.vips_image_write_to_file(im, str(HERE / name).encode(), None):
            sys.exit(f"libvips cannot write {name}")
        note(name.split("[")[0], fmt, reference=view(RGB), tolerance=tolerance, size=(W, H))


def turned():
    """What HEIC, AVIF and JPEG XL say in their own way: stored as RGB, to be shown turned."""
    pillow_heif.register_heif_opener()
    for o in range(2, 9):
        save(f"turned-{o}.avif", RGB, "avif", quality=80, tolerance=2.0, exif=orientation(o))
    for o in (5, 6, 7):
        upright = RGB.transpose({5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270,
                                 7: Image.Transpose.TRANSVERSE}[o])
        RGB.save(HERE / f"turned-{o}.heic", quality=90, exif=orientation(o).tobytes())
        (HERE / f"turned-{o}.jxl").write_bytes(jxl_file(RGB, o))
        note(f"turned-{o}.heic", "heic", reference=view(upright), tolerance=4.0, size=upright.size)
        note(f"turned-{o}.jxl", "jxl", reference=view(upright), size=upright.size)


def phones():
    """HEIC and AVIF as phones write them, compared with what newer libraries (libheif 1.23, libavif) make of them."""
    exif = Image.Exif()
    exif[0x010f], exif[0x0110] = "Apple", "iPhone 16"
    exif = exif.tobytes()[6:]
    wide, gain = pattern(150, 100, 4), RGB.resize((30, 20))
    movie = heif.box("ftyp", b"isom\0\0\2\0isommp42") + heif.box("mdat", b"frames" * 40) + heif.box("moov", b"")
    lost = (98, "hvc1", 99999999, (), True)
    no_data = (99, "tmap", None, (), True)
    data, properties = heif.coded(RGB, "heic")
    plain = (1, "hvc1", data, properties, False)
    for name, content, tolerance in (
            ("ios18.heic", heif.ios18(RGB, gain, exif), 4.0),
            ("ios18-grid.heic", heif.grid(wide, 64, "heic", exif, 0, 3, (lost, no_data), (1, 99, 98)), 4.0),
            ("movie-behind.heic", heif.ios18(RGB, gain, exif, behind=movie), 4.0),
            ("movie-box.heic", heif.ios18(RGB, gain, exif, behind=heif.box("mpvd", movie)), 4.0),
            ("mif1-only.heic", heif.heif([plain], [], ("mif1", "mif1")), 4.0),
            ("lost-thumbnail.heic", heif.heif([plain, (2, "hvc1", 99999999, properties, True)], [("thmb", 2, [1])]), 4.0),
            ("grid-turned.avif", heif.grid(wide, 64, "avif", exif, 0, 3), 2.0),
            ("grid-turned-twice.avif", heif.grid(wide, 64, "avif", exif, 3, 3), 2.0),
            ("grid-parts-turned.avif", heif.grid(wide, 64, "avif", exif, 3, 0), 2.0)):
        write(name, content, name[-4:], tolerance=tolerance)
    (HERE / "jpeg-within.heic").write_bytes(heif.heif([(1, "jpeg", data, properties[1:2], False)], []))


def jxl_file(im, turn):
    """A lossless JPEG XL with an orientation, which no Python package writes."""
    jxl = ctypes.CDLL("libjxl.so.0.7")
    jxl.JxlEncoderCreate.restype = jxl.JxlEncoderFrameSettingsCreate.restype = ctypes.c_void_p
    encoder = ctypes.c_void_p(jxl.JxlEncoderCreate(None))
    info, colour = (ctypes.c_uint32 * 64)(), (ctypes.c_uint32 * 64)()
    jxl.JxlEncoderInitBasicInfo(info)   # JxlBasicInfo: numbers of 32 bits
    info[1], info[2], info[9], info[12] = *im.size, 1, turn
    jxl.JxlEncoderSetBasicInfo(encoder, info)
    jxl.JxlColorEncodingSetToSRGB(colour, 0)
    jxl.JxlEncoderSetColorEncoding(encoder, colour)
    frame = ctypes.c_void_p(jxl.JxlEncoderFrameSettingsCreate(encoder, None))
    jxl.JxlEncoderSetFrameLossless(frame, 1)
    eight_bits = struct.pack("<IiiiQ", 3, 2, 0, 0, 0)   # JxlPixelFormat
    pixels = im.tobytes()
    jxl.JxlEncoderAddImageFrame(frame, eight_bits, pixels, ctypes.c_size_t(len(pixels)))
    jxl.JxlEncoderCloseInput(encoder)
    out = ctypes.create_string_buffer(1 << 20)
    at, left = ctypes.c_void_p(ctypes.addressof(out)), ctypes.c_size_t(len(out))
    if jxl.JxlEncoderProcessOutput(encoder, ctypes.byref(at), ctypes.byref(left)):
        sys.exit("libjxl cannot encode")
    return out.raw[:len(out) - left.value]


def svg():
    write("shapes.svg", b'<?xml version="1.0"?>\n<!-- a drawing -->\n'
          b'<svg xmlns="http://www.w3.org/2000/svg" width="60" height="40">'
          b'<rect width="60" height="40" fill="#ff0000"/>'
          b'<rect width="30" height="40" fill="#0000ff"/></svg>', "svg",
          reference=view(two_colours()), tolerance=1.0, size=(60, 40))


def two_colours():
    im = Image.new("RGB", (60, 40), (255, 0, 0))
    im.paste((0, 0, 255), (0, 0, 30, 40))
    return im


def dng():
    """A camera's raw file in small: a JPEG preview, and a little sensor data."""
    side = 32
    out = io.BytesIO()
    preview = pattern(120, 80, 5)
    preview.save(out, "JPEG", quality=90)
    jpeg = out.getvalue()
    sensor = b"".join(struct.pack("<H", 500 + 3 * i) for i in range(side * side))
    tail, base = b"", 8 + 2 + 14 * 12 + 4 + 2 + 12 * 12 + 4

    def entry(tag, kind, values):
        nonlocal tail
        size = {1: 1, 2: 1, 3: 2, 4: 4}[kind]
        data = b"".join(v.to_bytes(size, "little") for v in values)
        if len(data) > 4:
            at = base + len(tail)
            tail += data + b"\0" * (len(data) % 2)
            data = struct.pack("<I", at)
        return struct.pack("<HHI", tag, kind, len(values)) + data.ljust(4, b"\0")

    def place(data):
        nonlocal tail
        at = base + len(tail)
        tail += data + b"\0" * (len(data) % 2)
        return at

    text = lambda s: list(s.encode() + b"\0")
    jpeg_at, sensor_at = place(jpeg), place(sensor)
    second = 8 + 2 + 14 * 12 + 4
    first = [entry(254, 4, [1]), entry(256, 4, [120]), entry(257, 4, [80]), entry(258, 3, [8, 8, 8]),
             entry(259, 3, [7]), entry(262, 3, [6]), entry(271, 2, text("Scry")),
             entry(272, 2, text("Test One")), entry(273, 4, [jpeg_at]), entry(274, 3, [1]),
             entry(277, 3, [3]), entry(279, 4, [len(jpeg)]), entry(330, 4, [second]),
             entry(50706, 1, [1, 4, 0, 0])]
    raw = [entry(254, 4, [0]), entry(256, 4, [side]), entry(257, 4, [side]), entry(258, 3, [16]),
           entry(259, 3, [1]), entry(262, 3, [32803]), entry(273, 4, [sensor_at]),
           entry(277, 3, [1]), entry(278, 4, [side]), entry(279, 4, [len(sensor)]),
           entry(33421, 3, [2, 2]), entry(33422, 1, [0, 1, 1, 2])]
    ifd = lambda entries: struct.pack("<H", len(entries)) + b"".join(entries) + b"\0\0\0\0"
    data = b"II*\0" + struct.pack("<I", 8) + ifd(first) + ifd(raw) + tail
    reference = Image.open(io.BytesIO(jpeg))
    write("camera.dng", data, "raw", reference=view(reference), size=(120, 80))


def flat_jpeg(colour, w, h):
    out = io.BytesIO()
    Image.new("RGB", (w, h), colour).save(out, "JPEG", quality=70)
    return out.getvalue(), w, h


def raws():
    """Previews of one colour each, by which a test sees which was read; and sensors of four colours, with none and with a
    thumbnail only, which are developed."""
    large, middle, small = (flat_jpeg(c, w, h) for c, w, h in (((250, 0, 0), 1080, 720), ((0, 250, 0), 270, 180),
                                                               ((0, 0, 250), 54, 36)))
    reference = Image.open(io.BytesIO(large[0]))
    sensor = np.zeros((64, 96, 3))
    sensor[:32, :48], sensor[:32, 48:], sensor[32:, :48], sensor[32:, 48:] = (.6, .02, .02), (.02, .02, .6), (.02, .6, .02), (.5, .5, .02)
    write("previews.dng", raw.dng(sensor, [small, large, middle]), "raw", reference=view(reference), size=(1080, 720))
    exif = b"II*\0" + struct.pack("<I", 8) + raw.directory([(272, 2, list(b"Test Three\0"))], 8)
    write("previews.cr3", raw.cr3(small[0], middle[0], large[0], exif), "raw", reference=view(reference), size=(1080, 720))
    (HERE / "no-preview.dng").write_bytes(raw.dng(sensor, []))
    (HERE / "thumbnail-turned.dng").write_bytes(raw.dng(sensor, [flat_jpeg((0, 0, 0), 24, 16)], 6))


def crop(im, size, fit):
    w, h = im.size
    tw, th = (size, size * h // w) if w < h else (size * w // h, size)
    x, y = (((tw - size) // 2, (th - size) // 2) if fit == "floor"
            else (int(round((tw - size) / 2)), int(round((th - size) / 2))))
    im = im.resize((tw, th), Image.Resampling.BICUBIC)
    return np.asarray(im.crop((x, y, x + size, y + size)))


def views():
    """Crops of longish JPEGs: what is left out of decoding must not show in the rest."""
    lines = []
    for name, size, options in [
            ("wide420", (331, 90), {"subsampling": "4:2:0"}),
            ("wide422", (330, 91), {"subsampling": "4:2:2"}),
            ("wide444", (333, 89), {"subsampling": "4:4:4", "progressive": True}),
            ("tall420", (90, 331), {"subsampling": "4:2:0", "restart_marker_blocks": 3}),
            ("tall422", (91, 330), {"subsampling": "4:2:2", "progressive": True}),
            ("tall444", (89, 333), {"subsampling": "4:4:4"}),
            ("wide-turned", (331, 90), {"subsampling": "4:2:0", "exif": orientation(6)}),
            ("tall-mirrored", (90, 331), {"subsampling": "4:2:0", "exif": orientation(3)})]:
        pattern(*size, seed=9).save(HERE / f"{name}.jpg", quality=50, **options)
        with Image.open(HERE / f"{name}.jpg") as im:
            upright = ImageOps.exif_transpose(im).convert("RGB")
        for side in (16, 45, 90, 120):
            for fit in ("floor", "even"):
                crc = zlib.crc32(crop(upright, side, fit).tobytes())
                lines.append(f"{name}.jpg\t{side}\t{fit}\t{crc:08x}\n")
    (HERE / "views.tsv").write_text("# file size fit crc32 of the view (make.py)\n" + "".join(lines))


def orientation(value):
    exif = Image.Exif()
    exif[0x0112] = value
    return exif


def exif_files():
    """EXIF blocks taken apart by hand here, so that odd ones can be written too."""
    small = RGB.resize((16, 11))
    lines = []

    def block(order, ifd0, exif=(), gps=()):
        e = ">" if order == "MM" else "<"
        sizes = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8}
        counts = [len(ifd0) + bool(exif) + bool(gps), len(exif), len(gps)]
        starts, at = [], 8
        for n in counts:
            starts.append(at)
            at += 2 + 12 * n + 4 if n else 0
        tail = b""

        def entry(tag, kind, count, data):
            nonlocal tail
            assert len(data) == sizes[kind] * count
            if len(data) > 4:
                data, tail = struct.pack(e + "I", at + len(tail)), tail + data + b"\0" * (len(data) % 2)
            return struct.pack(e + "HHI", tag, kind, count) + data.ljust(4, b"\0")

        def value(tag, v):
            if isinstance(v, bytes):
                return entry(tag, 2, len(v), v)
            if isinstance(v, tuple):   # rationals
                return entry(tag, 5, len(v), b"".join(struct.pack(e + "II", *r) for r in v))
            return entry(tag, 3, 1, struct.pack(e + "H", v))

        out = order.encode() + struct.pack(e + "HI", 42, 8)
        pointers = [(0x8769, starts[1])] * bool(exif) + [(0x8825, starts[2])] * bool(gps)
        for i, fields in enumerate((ifd0, exif, gps)):
            if counts[i]:
                rows = [value(t, v) for t, v in fields]
                rows += [entry(t, 4, 1, struct.pack(e + "I", v)) for t, v in pointers] if i == 0 else []
                out += struct.pack(e + "H", len(rows)) + b"".join(rows) + b"\0" * 4
        return out + tail

    place = [(1, b"N\0"), (2, ((48, 1), (8, 1), (14, 1))), (3, b"W\0"), (4, ((11, 1), (3450, 100), (0, 1)))]
    for name, data, expected in [
            ("big", block("MM", [(0x10f, b"NIKON CORPORATION\0"), (0x110, b"NIKON D90\0"), (0x112, 3)],
                          [(0x9003, b"1969:12:31 23:59:50\0")], place),
             "3\tNIKON D90\t-10\t48.137222\t-11.575"),
            ("maker", block("II", [(0x10f, b"  FUJIFILM \0"), (0x110, b"X-T4\0")]), "1\tFUJIFILM X-T4\t-\t-\t-"),
            ("latin", block("II", [(0x110, b"Caf\xe9\x01Cam\0")]), "1\tCafé Cam\t-\t-\t-"),
            ("offset", block("II", [(0x112, 9)], [(0x9003, b"2000:02:29 00:00:00\0"), (0x9011, b"-05:30\0")]),
             "1\t\t951782400\t-\t-"),
            ("digitized", block("MM", [], [(0x9003, b"0000:00:00 00:00:00\0"), (0x9004, b"2010:06:01 12:00:00\0")]),
             "1\t\t1275393600\t-\t-"),
            ("no-such-day", block("II", [(0x112, 0)], [(0x9003, b"2023:02:29 10:00:00\0")]), "1\t\t-\t-\t-"),
            ("no-degrees", block("II", [], [], [(1, b"N\0"), (2, ((0, 0), (0, 0), (0, 0))), *place[2:]]),
             "1\t\t-\t-\t-"),
            ("off-the-globe", block("II", [], [], [(1, b"N\0"), (2, ((91, 1), (0, 1), (0, 1))), *place[2:]]),
             "1\t\t-\t-\t-"),
            ("no-reference", block("II", [], [], [place[1], *place[2:]]), "1\t\t-\t-\t-"),
            ("cut", block("II", [(0x112, 6), (0x110, b"A camera whose name is cut\0")])[:40], "6\t\t-\t-\t-")]:
        out = io.BytesIO()
        small.save(out, "JPEG", quality=20, exif=b"Exif\0\0" + data)
        (HERE / f"exif-{name}.jpg").write_bytes(out.getvalue())
        lines.append(f"exif-{name}.jpg\t{expected}\n")
    lines += other_headers(small, block("II", [(0x110, b"X-T4\0"), (0x112, 6)], [(0x9003, b"2021:06:15 14:30:00\0")], place))
    (HERE / "facts.tsv").write_text("# file orientation camera time latitude longitude (make.py)\n"
                                    + "".join(lines))


def other_headers(small, exif):
    """The same EXIF where PNG, WebP and JPEG XL keep it, and XMP alone. exiftool reads all of them so."""
    facts = "6\tX-T4\t1623767400\t48.137222\t-11.575\n"
    xmp = (b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
           b'xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Model="X-T4" tiff:Orientation="6" '
           b'exif:DateTimeOriginal="2021-06-15T14:30:00+02:00" exif:GPSLatitude="48,8.23333N" exif:GPSLongitude="11,34.5W"/>'
           b'</rdf:RDF></x:xmpmeta>')
    out = io.BytesIO()
    small.save(out, "PNG")
    png = out.getvalue()

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    def box(kind, data):
        return struct.pack(">I", 8 + len(data)) + kind + data

    profile = f"\nexif\n{len(exif):8}\n{exif.hex()}\n".encode()
    codestream = (HERE / "lossless.jxl").read_bytes()
    assert codestream[:2] == b"\xff\x0a"
    files = {
        "exif-raw-profile.png": png[:33] + chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(profile)) + png[33:],
        "exif-after-pixels.png": png[:-12] + chunk(b"eXIf", exif) + png[-12:],
        "exif-box.jxl": box(b"JXL ", b"\r\n\x87\n") + box(b"ftyp", b"jxl \0\0\0\0jxl ") + box(b"Exif", b"\0\0\0\0" + exif)
                        + box(b"jxlc", codestream),
        "xmp.png": png[:33] + chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + zlib.compress(xmp)) + png[33:],
    }
    out = io.BytesIO()
    small.save(out, "JPEG", quality=20, xmp=xmp)
    files["xmp.jpg"] = out.getvalue()
    out = io.BytesIO()
    small.save(out, "WEBP", quality=20, exif=exif)
    files["exif.webp"] = out.getvalue()
    for name, data in files.items():
        (HERE / name).write_bytes(data)
    return [name + "\t" + (facts.replace("6", "1", 1) if name.endswith("jxl") else facts) for name in files]


def main():
    jpegs()
    damaged_jpegs()
    pngs()
    gifs()
    tiffs()
    others()
    by_vips()
    turned()
    phones()
    svg()
    dng()
    raws()
    views()
    exif_files()
    with open(HERE / "manifest.tsv", "w") as f:
        f.write("# file format width height tolerance view (make.py)\n")
        for row in rows:
            f.write("\t".join(str(v) for v in row) + "\n")


if __name__ == "__main__":
    main()
