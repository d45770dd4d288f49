/* Containers of metadata, each made here around one EXIF block and one XMP packet: both are found wherever a kind of
 * file keeps them, and no cut of any file is read past its end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/byte_order.h"
#include "metadata/headers.h"

#include <stdlib.h>
#include <string.h>

/* Orientation 6, and DateTime 2021:06:15 14:30:00 after the directory. */
static const char exif[] = "II*\0\x08\0\0\0\x02\0" "\x12\x01\x03\0\x01\0\0\0\x06\0\0\0" "\x32\x01\x02\0\x14\0\0\0\x26\0\0\0" "\0\0\0\0"
    "2021:06:15 14:30:00";
/* The Exif directory of CR3: DateTimeOriginal. */
static const char details[] = "II*\0\x08\0\0\0\x01\0" "\x03\x90\x02\0\x14\0\0\0\x1a\0\0\0" "\0\0\0\0" "2021:06:15 14:30:00";
static const char xmp[] = "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>"
    "<rdf:Description xmlns:dc='http://purl.org/dc/elements/1.1/' dc:title='Beach'/></rdf:RDF>";

enum { EXIF_BYTES = sizeof exif, XMP_BYTES = sizeof xmp - 1, WHEN = 1623767400 };

static scry_buf file;

static void add(const void *bytes, size_t n)
{
    scry_buf_append(&file, bytes, n);
}

#define ADD(literal) add(literal, sizeof literal - 1)

static void add_number(uint64_t v, size_t bytes)
{
    uint8_t b[8];
    scry_write_big_endian(b, bytes, v);
    add(b, bytes);
}

static void start(void)
{
    scry_buf_dispose(&file);
    file = (scry_buf)SCRY_BUF_INIT(1 << 16);
}

/* A stand-in for zlib, deflate and Brotli: what is packed begins with a byte that is dropped. */
static size_t unpack(scry_packing how, scry_bytes packed, uint8_t *out, size_t capacity)
{
    uint8_t mark = (uint8_t)"zdb"[how];
    if (packed.n < 1 || packed.p[0] != mark || packed.n - 1 > capacity)
        return 0;
    memcpy(out, packed.p + 1, packed.n - 1);
    return packed.n - 1;
}

static uint8_t memory[4096];
static const scry_unpacker unpacker = { unpack, memory, sizeof memory };

typedef enum { JPEG, PNG, WEBP, GIF, TIFF, RAW, BOXES } kind;

static void read_as(kind k, scry_bytes s, scry_metadata *m)
{
    switch (k) {
    case JPEG:  scry_headers_read_jpeg(s, m); break;
    case PNG:   scry_headers_read_png(s, &unpacker, m); break;
    case WEBP:  scry_headers_read_webp(s, m); break;
    case GIF:   scry_headers_read_gif(s, m); break;
    case TIFF:  scry_headers_read_tiff(s, m); break;
    case RAW:   scry_headers_read_raw(s, m); break;
    case BOXES: scry_headers_read_boxes(s, &unpacker, m); break;
    }
}

/* The file as that kind; then all of its beginnings, each in memory of its own size for the sanitizers. */
static void check(kind k, bool has_exif, bool has_xmp)
{
    scry_metadata m;
    read_as(k, (scry_bytes){ (const uint8_t *)file.data, file.size }, &m);
    assert_int_equal(m.taken_source != SCRY_TAKEN_UNKNOWN, has_exif);
    if (has_exif)
        assert_int_equal(m.taken_at, WHEN);
    assert_string_equal(m.title, has_xmp ? "Beach" : "");
    for (size_t n = 0; n < file.size; n++) {
        uint8_t *part = malloc(n ? n : 1);
        memcpy(part, file.data, n);
        read_as(k, (scry_bytes){ part, n }, &m);
        assert_true(scry_metadata_is_sound(&m));
        free(part);
    }
}

/* ---- JPEG, and what holds one ---------------------------------------------------------- */

static void segment(unsigned marker, const void *head, size_t head_bytes, const void *data, size_t n)
{
    add_number(0xff00 | marker, 2);
    add_number(2 + head_bytes + n, 2);
    add(head, head_bytes);
    add(data, n);
}

static void add_jpeg(void)
{
    ADD("\xff\xd8");
    segment(0xe0, "JFIF", 5, "\1\1\0\0\1\0\1\0\0", 9);
    segment(0xe1, "Exif\0", 6, "II*\0\x08\0\0\0\0\0", 10);   /* an empty one first */
    segment(0xe1, "http://ns.adobe.com/xap/1.0/", 29, xmp, XMP_BYTES);
    ADD("junk");
    segment(0xe1, "Exif\0", 6, exif, EXIF_BYTES);
    ADD("\xff\xda\0\2");
}

static void in_jpeg(void **state)
{
    start();
    ADD("\xff\xd8");
    segment(0xe1, "\0\1EXIF\0", 8, exif, EXIF_BYTES);   /* bytes before its name, in capitals */
    ADD("\xff\xda\0\2");
    check(JPEG, true, false);
    start();
    add_jpeg();
    check(JPEG, true, true);
    start();
    ADD("\xff\xd8\xff\xda\0\2");   /* after the first scan nothing counts */
    segment(0xe1, "Exif\0", 6, exif, EXIF_BYTES);
    check(JPEG, false, false);
}

/* A part of an extended packet, and the packet that names it. */
static void extension(const char *id, size_t at, size_t n)
{
    char head[75] = "http://ns.adobe.com/xmp/extension/";
    memcpy(head + 35, id, 32);
    scry_write_big_endian(head + 67, 4, XMP_BYTES);
    scry_write_big_endian(head + 71, 4, at);
    segment(0xe1, head, sizeof head, xmp + at, n);
}

static void in_extended_xmp(void **state)
{
    static const char id[] = "0123456789ABCDEF0123456789ABCDEF", other[] = "0123456789ABCDEF0123456789ABCDE0";
    static const char main_packet[] = "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description"
        " xmlns:xmpNote='http://ns.adobe.com/xmp/note/' xmpNote:HasExtendedXMP='0123456789ABCDEF0123456789ABCDEF'/></rdf:RDF>";
    for (int missing = 0; missing < 3; missing++) {
        start();
        ADD("\xff\xd8");
        extension(other, 0, XMP_BYTES);   /* of an earlier state of the file */
        extension(id, 40, 30);
        if (missing != 1)
            extension(id, 70, XMP_BYTES - 70);
        segment(0xe1, "http://ns.adobe.com/xap/1.0/", 29, main_packet, missing == 2 ? 60 : sizeof main_packet - 1);
        extension(id, 0, 40);
        ADD("\xff\xda\0\2");
        check(JPEG, false, missing == 0);
    }
}

/* What is too long for a segment goes on in the next one of its kind, but not behind another, as in exiftool. */
static void in_several_segments(void **state)
{
    static const char resources[] = "8BIM\x04\x04\0\0\0\0\0\x0a\x1c\x02\5\0\5" "Beach";
    for (int between = 0; between < 2; between++) {
        start();
        ADD("\xff\xd8");
        segment(0xe1, "Exif\0", 6, exif, 20);
        if (between)
            segment(0xe2, "other", 5, "", 0);
        segment(0xe1, "Exif\0", 6, exif + 20, 20);
        segment(0xe1, "Exif\0", 6, exif + 40, EXIF_BYTES - 40);
        segment(0xe1, "Exif\0", 6, "MM\0*\0\0\0\x08\0\0", 10);   /* another block */
        segment(0xed, "Photoshop 3.0", 14, resources, 15);
        if (between)
            segment(0xe2, "other", 5, "", 0);
        segment(0xed, "Photoshop 3.0", 14, resources + 15, sizeof resources - 1 - 15);
        ADD("\xff\xda\0\2");
        check(JPEG, !between, !between);
    }
}

static void in_camera_raw(void **state)
{
    start();
    ADD("FUJIFILMCCD-RAW ");
    for (int i = 16; i < 84; i++)
        ADD("\0");
    add_number(92, 4);
    add_number(500, 4);
    size_t before = file.size;
    add_jpeg();
    scry_write_big_endian(file.data + 88, 4, file.size - before);
    check(RAW, true, true);
    start();
    ADD("\0MRM\0\0\0\0" "\0PRD\0\0\0\2ab" "\0TTW");
    add_number(EXIF_BYTES, 4);
    add(exif, EXIF_BYTES);
    check(RAW, true, false);
    start();
    add(exif, EXIF_BYTES);
    check(RAW, true, false);
    check(TIFF, true, false);
}

/* ---- PNG, WebP ------------------------------------------------------------------------- */

static void chunk(const char *type, const void *head, size_t head_bytes, const void *data, size_t n)
{
    add_number(head_bytes + n, 4);
    add(type, 4);
    add(head, head_bytes);
    add(data, n);
    add_number(0, 4);
}

static void start_png(void)
{
    start();
    ADD("\x89PNG\r\n\x1a\n");
    chunk("IHDR", "", 0, "\0\0\0\1\0\0\0\1\x08\0\0\0\0", 13);
}

static void in_png(void **state)
{
    char hex[2 * EXIF_BYTES + 32] = "\nexif\n      59\n";
    size_t n = strlen(hex);
    for (size_t i = 0; i < EXIF_BYTES; i++, n += 2) {
        static const char digits[] = "0123456789abcdef";
        hex[n] = digits[(uint8_t)exif[i] >> 4];
        hex[n + 1] = digits[exif[i] & 15];
    }
    start_png();
    chunk("eXIf", "", 0, exif, EXIF_BYTES);
    chunk("iTXt", "XML:com.adobe.xmp\0\0\0\0", 22, xmp, XMP_BYTES);
    check(PNG, true, true);
    start_png();
    chunk("IDAT", "", 0, "pixels", 6);
    chunk("iTXt", "XML:com.adobe.xmp\0\1\0\0\0z", 23, xmp, XMP_BYTES);
    chunk("eXIf", "", 0, exif, EXIF_BYTES);
    check(PNG, true, true);
    start_png();
    chunk("zTXt", "Raw profile type exif\0\0z", 24, hex, n);
    check(PNG, true, false);
    start_png();
    chunk("tEXt", "Raw profile type APP1", 22, hex, n);
    check(PNG, true, false);
    start_png();
    chunk("tEXt", "Raw profile type iptc", 22, "\nIPTC profile\n  22\n3842494d040400000000000a1c020500054265616368", 63);
    check(PNG, false, true);
    start_png();
    chunk("tEXt", "Creation Time", 14, "Tue, 15 Jun 2021 14:30:00 +0200", 31);
    chunk("zTXt", "Title\0\0z", 8, "Beach", 5);
    check(PNG, true, true);
    start_png();
    chunk("zTXt", "Title\0\0?", 8, "Beach", 5);   /* damaged */
    check(PNG, false, false);
}

static void in_webp(void **state)
{
    start();
    ADD("RIFF\0\0\0\0WEBP" "VP8X\x01\0\0\0a\0");
    uint8_t size[4] = { EXIF_BYTES, 0, 0, 0 };
    ADD("EXIF");
    add(size, 4);
    add(exif, EXIF_BYTES);
    if (EXIF_BYTES & 1)
        ADD("\0");
    size[0] = XMP_BYTES;
    ADD("XMP ");
    add(size, 4);
    add(xmp, XMP_BYTES);
    check(WEBP, true, true);
}

static void in_gif(void **state)
{
    start();
    ADD("GIF89a\1\0\1\0\x80\0\0" "abcdef" "\x21\xfe\5hello\0" "\x2c\0\0\0\0\1\0\1\0\x80" "abcdef" "\2\2\x4c\1\0"
        "\x21\xff\x0bXMP DataXMP");
    add(xmp, XMP_BYTES);
    ADD("\1");
    for (unsigned i = 0; i < 256; i++)
        add_number(255 - i, 1);
    ADD("\0;");
    check(GIF, false, true);
}

/* Two entries of 20 bytes, one with its value behind the directory; and the same in the other byte order. */
static void in_big_tiff(void **state)
{
    start();
    ADD("II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0" "\x02\0\0\0\0\0\0\0" "\x32\x01\x02\0\x14\0\0\0\0\0\0\0\x48\0\0\0\0\0\0\0"
        "\xbc\x02\x01\0");
    add((uint8_t[8]){ XMP_BYTES }, 8);
    ADD("\x5c\0\0\0\0\0\0\0" "\0\0\0\0\0\0\0\0" "2021:06:15 14:30:00\0");
    add(xmp, XMP_BYTES);
    check(TIFF, true, true);
    start();
    ADD("MM\0+\0\x08\0\0\0\0\0\0\0\0\0\x10" "\0\0\0\0\0\0\0\x02");
    ADD("\x87\x69\0\x12\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\x48" "\x02\xbc\0\x01");
    add_number(XMP_BYTES, 8);
    add_number(0x48 + 8 + 20 + 8 + 20, 8);
    ADD("\0\0\0\0\0\0\0\0" "\0\0\0\0\0\0\0\1" "\x90\x03\0\x02\0\0\0\0\0\0\0\x14\0\0\0\0\0\0\0\x6c"
        "\0\0\0\0\0\0\0\0" "2021:06:15 14:30:00\0");
    scry_write_big_endian(file.data + 0x38, 8, file.size);
    add(xmp, XMP_BYTES);
    check(TIFF, true, true);
}

/* ---- boxes ------------------------------------------------------------------------------- */

/* Begins a box; its size is written when it ends. */
static size_t begin_box(const char *type)
{
    size_t at = file.size;
    add_number(0, 4);
    add(type, 4);
    return at;
}

static void end_box(size_t at)
{
    scry_write_big_endian(file.data + at, 4, file.size - at);
}

static void box(const char *type, const void *head, size_t head_bytes, const void *data, size_t n)
{
    size_t at = begin_box(type);
    add(head, head_bytes);
    add(data, n);
    end_box(at);
}

static void in_jpeg_xl(void **state)
{
    start();
    box("JXL ", "\r\n\x87\n", 4, "", 0);
    box("Exif", "\0\0\0", 4, exif, EXIF_BYTES);
    box("xml ", "", 0, xmp, XMP_BYTES);
    check(BOXES, true, true);
    start();
    box("JXL ", "\r\n\x87\n", 4, "", 0);
    box("brob", "Exifb\0\0\0", 9, exif, EXIF_BYTES);
    box("brob", "xml b", 5, xmp, XMP_BYTES);
    check(BOXES, true, true);
    start();
    box("brob", "brobbExif", 9, exif, EXIF_BYTES);   /* packed twice is refused */
    check(BOXES, false, false);
}

/* A picture of HEIC: items 1 (EXIF, in the file) and 2 (XMP, in idat, in `parts` extents). */
static void add_heic(unsigned iloc_version, unsigned parts)
{
    box("ftyp", "heic\0\0\0\0", 8, "mif1heic", 8);
    size_t meta = begin_box("meta"), at;
    add_number(0, 4);
    size_t iinf = begin_box("iinf");
    ADD("\0\0\0\0\0\2");
    box("infe", "\2\0\0\0\0\1\0\0Exif", 12, "", 1);
    box("infe", "\2\0\0\0\0\2\0\0mime\0", 13, "application/rdf+xml", 20);
    end_box(iinf);
    box("idat", "", 0, xmp, XMP_BYTES);
    size_t iloc = begin_box("iloc");
    add_number((uint64_t)iloc_version << 24, 4);
    ADD("\x44\x40");
    add_number(2, iloc_version < 2 ? 2 : 4);
    for (unsigned item = 1; item <= 2; item++) {
        add_number(item, iloc_version < 2 ? 2 : 4);
        if (iloc_version > 0)
            add_number(item - 1, 2);
        add_number(0, 2);
        add_number(0, 4);
        unsigned extents = item == 1 ? 1 : parts;
        add_number(extents, 2);
        at = file.size;
        for (unsigned i = 0, from = 0; i < extents; i++, from += 10) {
            add_number(from, 4);
            add_number(item == 1 ? 4 + EXIF_BYTES : i + 1 < extents ? 10 : XMP_BYTES - from, 4);
        }
        if (item == 1)
            scry_write_big_endian(file.data + at, 4, 0);
    }
    end_box(iloc);
    end_box(meta);
    /* The offset of item 1, now that it is known: the number after its id, method, index, base and count. */
    size_t head = iloc + 8 + 4 + 2 + (iloc_version < 2 ? 2 + 2 : 4 + 4) + (iloc_version > 0 ? 2 : 0) + 2 + 4 + 2;
    scry_write_big_endian(file.data + head, 4, file.size + 8);
    size_t mdat = begin_box("mdat");
    add_number(0, 4);
    add(exif, EXIF_BYTES);
    end_box(mdat);
}

static void in_heic(void **state)
{
    start();
    add_heic(0, 1);
    check(BOXES, true, false);   /* version 0 knows no idat */
    start();
    add_heic(1, 1);
    check(BOXES, true, true);
    start();
    add_heic(2, 1);
    check(BOXES, true, true);
    start();
    add_heic(1, 3);
    check(BOXES, true, true);
}

static void in_uuids(void **state)
{
    static const char xmp_id[] = "\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac";
    start();
    box("ftyp", "crx \0\0\0\1", 8, "crx isom", 8);
    size_t moov = begin_box("moov"), uuid = begin_box("uuid");
    ADD("\x85\xc0\xb6\x87\x82\x0f\x11\xe0\x81\x11\xf4\xce\x46\x2b\x6a\x48");
    box("CMT1", "II*\0\x08\0\0\0\0\0", 10, "", 0);
    box("CMT2", details, sizeof details, "", 0);
    end_box(uuid);
    end_box(moov);
    box("uuid", xmp_id, 16, xmp, XMP_BYTES);
    check(RAW, true, true);
    start();
    box("jP  ", "\r\n\x87\n", 4, "", 0);
    box("uuid", "JpgTiffExif->JP2", 16, exif, EXIF_BYTES);
    check(BOXES, true, false);
}

/* Who tells what when several do. */
static void precedence(void **state)
{
    static const char photoshop[] = "Photoshop 3.0\0" "8BIM\x04\x04\0\0\0\0\0\x1a" "\x1c\x02\x05\0\x04" "IPTC" "\x1c\x02\x37\0\x08" "20010101"
        "\x1c\x02\x19\0";
    static const char modified[] = "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description "
        "xmlns:xmp='http://ns.adobe.com/xap/1.0/' xmlns:tiff='http://ns.adobe.com/tiff/1.0/' xmp:CreateDate='2001-01-01' tiff:Orientation='3'/></rdf:RDF>";
    scry_metadata m;
    start();
    ADD("\xff\xd8");
    segment(0xed, photoshop, sizeof photoshop - 1, "", 0);
    segment(0xe1, "http://ns.adobe.com/xap/1.0/", 29, modified, sizeof modified - 1);
    segment(0xe1, "Exif\0", 6, exif, EXIF_BYTES);
    read_as(JPEG, (scry_bytes){ (const uint8_t *)file.data, file.size }, &m);
    assert_int_equal(m.taken_at, WHEN);
    assert_int_equal(m.taken_source, SCRY_TAKEN_EXIF_MODIFIED);
    assert_int_equal(m.orientation, 6);
    assert_string_equal(m.title, "IPTC");
    segment(0xe1, "http://ns.adobe.com/xap/1.0/", 29, xmp, XMP_BYTES);
    read_as(JPEG, (scry_bytes){ (const uint8_t *)file.data, file.size }, &m);
    assert_string_equal(m.title, "Beach");
    scry_buf_dispose(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(in_jpeg), cmocka_unit_test(in_extended_xmp),
        cmocka_unit_test(in_several_segments), cmocka_unit_test(in_camera_raw), cmocka_unit_test(in_png),
        cmocka_unit_test(in_webp), cmocka_unit_test(in_gif), cmocka_unit_test(in_big_tiff),
        cmocka_unit_test(in_jpeg_xl), cmocka_unit_test(in_heic), cmocka_unit_test(in_uuids), cmocka_unit_test(precedence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
