/* Files made of boxes (ISO/IEC 14496-12): HEIC, AVIF, JPEG XL, JPEG 2000, Canon's CR3.
 *
 *     meta
 *       iinf          the items: number, type ("Exif", "mime"), content type, how the content is packed
 *       iloc          the position of each: in the file, or in idat
 *       idat
 *     Exif, xml, brob                       JPEG XL; brob holds another box compressed
 *     moov > uuid > CMT1, CMT2, CMT4        CR3: the main, the Exif and the GPS directory
 *     uuid                                  XMP (CR3, JPEG 2000), EXIF and IPTC (JPEG 2000)
 */
#include "metadata/header_parts.h"

#include "base/alloc.h"
#include "metadata/boxes.h"
#include "metadata/exif.h"
#include "metadata/iptc.h"

#include <stdlib.h>
#include <string.h>

typedef struct context {
    scry_bytes file;
    const scry_unpacker *with;
    scry_header_parts *parts;
    int *left;         /* items and compressed boxes that may still be read: they can name the same bytes, or few */
} context;

enum { MAX_BLOCKS = 64 };

/* EXIF after the four bytes with the offset of its TIFF header, which some writers leave out. */
static void add_exif(const context *f, scry_bytes s)
{
    bool has_offset = s.n >= 6 && memcmp(s.p, "II*\0", 4) != 0 && memcmp(s.p, "MM\0*", 4) != 0 && memcmp(s.p, "Exif\0", 6) != 0;
    uint64_t skip = has_offset ? scry_box_take(&s, 4) : 0;
    scry_parts_add_exif(f->parts, skip < s.n ? scry_bytes_part(s, skip, s.n - skip) : s);
}

/* ---- items of HEIC and AVIF ------------------------------------------------------- */

/* How many bytes the numbers of iloc have. */
typedef struct widths {
    size_t offset, length, base, index;
} widths;

/* The extents of an item, `count` of them, which are removed from the front of *s. Several are joined in the unpacker's memory. */
static scry_bytes take_extents(const context *f, scry_bytes *s, widths w, scry_bytes from, uint64_t base, uint64_t count)
{
    scry_bytes whole = scry_bytes_part(from, 0, 0);
    for (uint64_t i = 0; i < count && s->n > 0; i++) {
        scry_box_take(s, w.index);
        uint64_t at = scry_box_take(s, w.offset), length = scry_box_take(s, w.length);
        scry_bytes part = scry_bytes_part(from, base + at, length);
        if (count == 1)
            return part;
        if (!f->with || part.n == 0 || part.n > f->with->capacity - whole.n)
            return scry_bytes_part(from, 0, 0);
        memmove(f->with->memory + whole.n, part.p, part.n);   /* from there, where the boxes themselves were packed */
        whole = (scry_bytes){ f->with->memory, whole.n + part.n };
    }
    return whole;
}

/* An item's bytes; empty where they are in other items. */
static scry_bytes locate(const context *f, scry_bytes meta, uint64_t item)
{
    scry_bytes s, idat = { f->file.p, 0 }, none = idat;
    if (!scry_box_find(meta, "iloc", &s))
        return none;
    scry_box_find(meta, "idat", &idat);
    uint64_t version = scry_box_take_version(&s, NULL), sizes = scry_box_take(&s, 2);
    widths w = { sizes >> 12 & 15, sizes >> 8 & 15, sizes >> 4 & 15, version > 0 ? sizes & 15 : 0 };
    if (w.offset > 8 || w.length > 8 || w.base > 8 || w.index > 8)
        return none;
    for (uint64_t count = scry_box_take(&s, version < 2 ? 2 : 4); count > 0 && s.n > 0; count--) {
        uint64_t id = scry_box_take(&s, version < 2 ? 2 : 4), method = version > 0 ? scry_box_take(&s, 2) & 15 : 0;
        scry_box_take(&s, 2);
        uint64_t base = scry_box_take(&s, w.base), extents = scry_box_take(&s, 2);
        if (id == item)
            return method < 2 ? take_extents(f, &s, w, method == 1 ? idat : f->file, base, extents) : none;
        size_t step = w.index + w.offset + w.length;
        s = scry_bytes_part(s, step * extents, s.n - (step * extents < s.n ? step * extents : s.n));
    }
    return none;
}

/* A text, removed from the front of *s with its end, if it has one. */
static scry_bytes take_text(scry_bytes *s)
{
    const uint8_t *end = s->n ? memchr(s->p, '\0', s->n) : NULL;
    size_t n = end ? (size_t)(end - s->p) : s->n;
    scry_bytes text = { s->p, n };
    n += end ? 1 : 0;
    s->p += n;
    s->n -= n;
    return text;
}

static bool is_text(scry_bytes s, const char *text)
{
    return s.n == strlen(text) && memcmp(s.p, text, s.n) == 0;
}

static void add_packed_xmp(const context *f, scry_bytes encoding, scry_bytes s)
{
    static const struct { const char *name; scry_packing how; } encodings[] = {
        { "deflate", SCRY_PACKED_DEFLATE }, { "compress_zlib", SCRY_PACKED_ZLIB }, { "br", SCRY_PACKED_BROTLI } };
    size_t i = 0, count = sizeof encodings / sizeof *encodings;
    while (i < count && !is_text(encoding, encodings[i].name))
        i++;
    uint8_t *packed = i < count && f->with && s.n ? scry_try_alloc(s.n, 1) : NULL;
    if (!packed)
        return;
    memcpy(packed, s.p, s.n);   /* joined extents are where it is unpacked */
    size_t n = f->with->unpack(encodings[i].how, (scry_bytes){ packed, s.n }, f->with->memory, f->with->capacity);
    scry_parts_add_xmp(f->parts, (scry_bytes){ f->with->memory, n });
    free(packed);
}

static void read_item(const context *f, scry_bytes meta, scry_bytes infe)
{
    uint64_t version = scry_box_take_version(&infe, NULL);
    if (version < 2)
        return;
    uint64_t id = scry_box_take(&infe, version == 2 ? 2 : 4);
    scry_bytes none = { infe.p, 0 };
    scry_box_take(&infe, 2);
    uint32_t type = (uint32_t)scry_box_take(&infe, 4);
    bool is_exif = type == 0x45786966, is_mime = type == 0x6d696d65;
    if ((!is_exif && !is_mime) || (*f->left)-- <= 0)
        return;
    if (is_exif) {
        add_exif(f, locate(f, meta, id));
    } else {
        (void)take_text(&infe);   /* its name */
        bool is_xmp = is_text(take_text(&infe), "application/rdf+xml");
        scry_bytes encoding = take_text(&infe), xmp = is_xmp ? locate(f, meta, id) : none;
        if (encoding.n)
            add_packed_xmp(f, encoding, xmp);
        else
            scry_parts_add_xmp(f->parts, xmp);
    }
}

static void read_meta(const context *f, scry_bytes meta)
{
    scry_bytes iinf, infe;
    char type[4];
    scry_box_take(&meta, 4);
    if (!scry_box_find(meta, "iinf", &iinf))
        return;
    scry_box_take(&iinf, scry_box_take_version(&iinf, NULL) ? 4 : 2);   /* how many: the boxes say so too */
    while (scry_box_next(&iinf, type, &infe))
        if (memcmp(type, "infe", 4) == 0)
            read_item(f, meta, infe);
}

/* ---- boxes by their names -------------------------------------------------------------- */

static void read_uuid(const context *f, scry_bytes s)
{
    static const char xmp[] = "\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8\x9c\x71\x99\x94\x91\xe3\xaf\xac";
    static const char iptc[] = "\x33\xc7\xa4\xd2\xb8\x1d\x47\x23\xa0\xba\xf1\xa3\xe0\x97\xad\x38";
    static const char canon[] = "\x85\xc0\xb6\x87\x82\x0f\x11\xe0\x81\x11\xf4\xce\x46\x2b\x6a\x48";
    if (s.n < 16)
        return;
    scry_bytes content = scry_bytes_part(s, 16, s.n - 16), block;
    if (memcmp(s.p, xmp, 16) == 0)
        scry_parts_add_xmp(f->parts, content);
    else if (memcmp(s.p, iptc, 16) == 0)
        scry_iptc_read(content, &f->parts->iptc);
    else if (memcmp(s.p, "JpgTiffExif->JP2", 16) == 0)
        scry_parts_add_exif(f->parts, content);
    else if (memcmp(s.p, canon, 16) == 0) {
        static const struct { const char *name; scry_exif_directory which; } blocks[] = {
            { "CMT1", SCRY_EXIF_MAIN }, { "CMT2", SCRY_EXIF_DETAILS }, { "CMT4", SCRY_EXIF_PLACE } };
        for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
            if (scry_box_find(content, blocks[i].name, &block))
                scry_exif_read_directory(block, blocks[i].which, &f->parts->exif);
    }
}

static void read_box(const context *f, const char *type, scry_bytes content);

static void read_packed(const context *f, scry_bytes s)
{
    if (!f->with || (*f->left)-- <= 0 || s.n < 4 || memcmp(s.p, "brob", 4) == 0)
        return;
    size_t n = f->with->unpack(SCRY_PACKED_BROTLI, scry_bytes_part(s, 4, s.n - 4), f->with->memory, f->with->capacity);
    read_box(f, (const char *)s.p, (scry_bytes){ f->with->memory, n });
}

static void read_box(const context *f, const char *type, scry_bytes content)
{
    char inner[4];
    scry_bytes uuid;
    if (memcmp(type, "meta", 4) == 0)
        read_meta(f, content);
    else if (memcmp(type, "uuid", 4) == 0)
        read_uuid(f, content);
    else if (memcmp(type, "Exif", 4) == 0)
        add_exif(f, content);
    else if (memcmp(type, "xml ", 4) == 0)
        scry_parts_add_xmp(f->parts, content);
    else if (memcmp(type, "brob", 4) == 0)
        read_packed(f, content);
    else if (memcmp(type, "moov", 4) == 0)
        while (scry_box_next(&content, inner, &uuid))
            if (memcmp(inner, "uuid", 4) == 0)
                read_uuid(f, uuid);
}

void scry_headers_read_boxes(scry_bytes s, const scry_unpacker *with, scry_metadata *m)
{
    scry_header_parts parts = { 0 };
    int left = MAX_BLOCKS;
    context f = { s, with, &parts, &left };
    char type[4];
    scry_bytes content;
    while (scry_box_next(&s, type, &content))
        read_box(&f, type, content);
    scry_parts_join(&parts, m);
}
