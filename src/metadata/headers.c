#include "metadata/header_parts.h"

#include "base/alloc.h"
#include "base/byte_order.h"
#include "metadata/exif.h"
#include "metadata/fields.h"
#include "metadata/iptc.h"
#include "metadata/xmp.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool begins(scry_bytes s, const char *with, size_t n)
{
    return s.n >= n && memcmp(s.p, with, n) == 0;
}

/* ---- the parts of a file --------------------------------------------------------- */

void scry_parts_add_xmp(scry_header_parts *parts, scry_bytes xmp)
{
    scry_xmp_read(xmp, SCRY_TAKEN_XMP, &parts->xmp);
}

void scry_parts_add_photoshop(scry_header_parts *parts, scry_bytes resources)
{
    scry_iptc_read(scry_photoshop_resource(resources, SCRY_PHOTOSHOP_IPTC), &parts->iptc);
    scry_parts_add_xmp(parts, scry_photoshop_resource(resources, SCRY_PHOTOSHOP_XMP));
    scry_exif_read(scry_photoshop_resource(resources, SCRY_PHOTOSHOP_EXIF), &parts->exif, NULL);
}

void scry_parts_add_exif(scry_header_parts *parts, scry_bytes exif)
{
    scry_exif_blocks blocks = { 0 };
    scry_exif_read(exif, &parts->exif, &blocks);
    scry_parts_add_xmp(parts, blocks.xmp);
    scry_iptc_read(blocks.iptc, &parts->iptc);
    scry_parts_add_photoshop(parts, blocks.photoshop);
    scry_parts_add_jpeg(parts, blocks.jpeg);
}

void scry_parts_join(const scry_header_parts *parts, scry_metadata *m)
{
    *m = parts->exif;
    m->title[0] = m->description[0] = m->keywords[0] = '\0';
    m->has_rating = false;
    m->rating = 0;
    scry_metadata_merge(m, &parts->xmp);
    scry_metadata_merge(m, &parts->iptc);
    scry_metadata_merge(m, &parts->exif);
    scry_metadata_merge(m, &parts->text);
}

/* ---- JPEG ------------------------------------------------------------------------ */

/* Remove the next segment from the front; false at the first scan and at the end. Bytes between segments that are
 * none are passed over, as libjpeg does. */
static bool next_segment(scry_bytes *s, unsigned *marker, scry_bytes *content)
{
    for (size_t at = 0; at + 4 <= s->n; at++) {
        *marker = s->p[at + 1];
        if (s->p[at] != 0xff || *marker == 0xff || *marker <= 1 || (*marker >= 0xd0 && *marker <= 0xd8))
            continue;
        size_t length = (size_t)scry_read_big_endian(s->p + at + 2, 2);
        if (*marker == 0xda || *marker == 0xd9 || length < 2)
            return false;
        *content = scry_bytes_part(*s, at + 4, length - 2);
        *s = scry_bytes_part(*s, at + 2 + length, s->n - at - 2 - length);
        return true;
    }
    return false;
}

/* A part of an XMP packet that is too long for one segment. */
typedef struct extension {
    const uint8_t *id;    /* [EXTENSION_ID] a digest of the packet, in hexadecimal */
    uint64_t size, at;    /* of the packet; where the part belongs */
    scry_bytes text;
} extension;

enum { EXTENSION_ID = 32 };

static bool read_extension(unsigned marker, scry_bytes s, extension *e)
{
    static const char name[] = "http://ns.adobe.com/xmp/extension/";
    enum { HEAD = sizeof name + EXTENSION_ID + 8 };
    if (marker != 0xe1 || s.n <= HEAD || !begins(s, name, sizeof name))
        return false;
    e->id = s.p + sizeof name;
    e->size = scry_read_big_endian(e->id + EXTENSION_ID, 4);
    e->at = scry_read_big_endian(e->id + EXTENSION_ID + 4, 4);
    e->text = scry_bytes_part(s, HEAD, s.n - HEAD);
    return true;
}

/* The extended packet that the packet `main` names, when all its parts are there, in any order. The digest is not
 * computed: as exiftool reads it, a packet counts that its parts fill. */
static void add_extended(scry_header_parts *parts, scry_bytes jpeg, scry_bytes main)
{
    extension first = { 0 }, e;
    uint8_t *packet = NULL;
    uint64_t got = 0;
    unsigned marker;
    scry_bytes content;
    for (scry_bytes rest = scry_bytes_part(jpeg, 2, jpeg.n - 2); next_segment(&rest, &marker, &content);) {
        if (!read_extension(marker, content, &e) || !memmem(main.p, main.n, e.id, EXTENSION_ID))
            continue;
        if (!packet) {
            first = e;
            packet = e.size <= jpeg.n ? scry_try_alloc((size_t)e.size, 1) : NULL;
        }
        if (!packet)
            return;
        if (memcmp(e.id, first.id, EXTENSION_ID) != 0 || e.at > first.size || e.text.n > first.size - e.at)
            continue;
        memcpy(packet + e.at, e.text.p, e.text.n);
        got += e.text.n;
    }
    if (packet && got >= first.size)
        scry_parts_add_xmp(parts, (scry_bytes){ packet, (size_t)first.size });
    free(packet);
}

/* How many bytes name a segment that continues the one before: EXIF and Photoshop's resources that are too long for one segment
 * go on in the next, as exiftool joins them. EXIF with a TIFF header begins anew. 0: it continues nothing. */
static size_t continuation_head(unsigned marker, scry_bytes s)
{
    enum { EXIF_HEAD = 6, PHOTOSHOP_HEAD = 14 };
    if (marker == 0xed && begins(s, "Photoshop 3.0", PHOTOSHOP_HEAD))
        return PHOTOSHOP_HEAD;
    if (marker != 0xe1 || !begins(s, "Exif\0", EXIF_HEAD))
        return 0;
    scry_bytes tiff = scry_bytes_part(s, EXIF_HEAD, s.n - EXIF_HEAD);
    return begins(tiff, "II*\0", 4) || begins(tiff, "MM\0*", 4) ? 0 : EXIF_HEAD;
}

/* The content of a segment and of those behind it that continue it, in memory that the caller frees, while these are removed
 * from the front of *rest. NULL where there are none. */
static uint8_t *join_segments(scry_bytes *rest, unsigned marker, scry_bytes first, size_t *size)
{
    scry_bytes after = *rest, part, next = *rest;
    unsigned kind;
    size_t head;
    *size = first.n;
    while (next_segment(&next, &kind, &part) && kind == marker && (head = continuation_head(kind, part)) > 0) {
        *size += part.n - head;
        after = next;
    }
    uint8_t *all = after.p == rest->p ? NULL : scry_try_alloc(*size, 1);
    if (!all)
        return NULL;
    if (first.n)
        memcpy(all, first.p, first.n);
    for (size_t at = first.n; rest->p != after.p && next_segment(rest, &kind, &part); at += part.n - head) {
        head = continuation_head(kind, part);
        memcpy(all + at, part.p + head, part.n - head);
    }
    return all;
}

/* The EXIF of a segment: behind its name in any case, before which exiftool lets up to four bytes pass. */
static scry_bytes exif_of_segment(scry_bytes s)
{
    enum { BEFORE = 4, NAME = 6 };
    for (size_t at = 0; at <= BEFORE && at + NAME <= s.n; at++)
        if (strncasecmp((const char *)s.p + at, "Exif", 4) == 0 && s.p[at + 4] == '\0')
            return scry_bytes_part(s, at + NAME, s.n - at - NAME);
    return scry_bytes_part(s, 0, 0);
}

static bool is_photoshop(unsigned marker, scry_bytes s)
{
    return marker == 0xed && (begins(s, "Photoshop 3.0", 13) || begins(s, "Adobe_Photoshop2.5:", 19));
}

static bool may_continue(unsigned marker, scry_bytes s)
{
    return is_photoshop(marker, s) || (marker == 0xe1 && exif_of_segment(s).n > 0);
}

static void read_app(scry_header_parts *parts, unsigned marker, scry_bytes s, scry_bytes *main, bool *extended)
{
    static const char xmp[] = "http://ns.adobe.com/xap/1.0/";
    extension e;
    scry_bytes exif = marker == 0xe1 ? exif_of_segment(s) : scry_bytes_part(s, 0, 0);
    if (is_photoshop(marker, s)) {
        scry_parts_add_photoshop(parts, s);
    } else if (exif.n > 0) {
        scry_exif_read(exif, &parts->exif, NULL);
    } else if (marker == 0xe1 && begins(s, xmp, sizeof xmp - 1)) {
        *main = scry_bytes_part(s, sizeof xmp, s.n - sizeof xmp);
        scry_parts_add_xmp(parts, *main);
    } else {
        *extended |= read_extension(marker, s, &e);
    }
}

/* Up to the first scan. */
void scry_parts_add_jpeg(scry_header_parts *parts, scry_bytes s)
{
    scry_bytes content, main = { s.p, 0 };
    unsigned marker;
    bool extended = false;
    if (!begins(s, "\xff\xd8", 2))
        return;
    for (scry_bytes rest = scry_bytes_part(s, 2, s.n - 2); next_segment(&rest, &marker, &content);) {
        size_t size;
        uint8_t *joined = may_continue(marker, content) ? join_segments(&rest, marker, content, &size) : NULL;
        read_app(parts, marker, joined ? (scry_bytes){ joined, size } : content, &main, &extended);
        free(joined);
    }
    if (extended)
        add_extended(parts, s, main);
}

void scry_headers_read_jpeg(scry_bytes file, scry_metadata *m)
{
    scry_header_parts parts = { 0 };
    scry_parts_add_jpeg(&parts, file);
    scry_parts_join(&parts, m);
}

/* ---- WebP, GIF, TIFF, camera RAW --------------------------------------------------------- */

void scry_headers_read_webp(scry_bytes s, scry_metadata *m)
{
    scry_header_parts parts = { 0 };
    for (size_t at = 12; at + 8 <= s.n;) {
        size_t size = (size_t)scry_read_little_endian(s.p + at + 4, 4);
        scry_bytes chunk = scry_bytes_part(s, at + 8, size);
        if (memcmp(s.p + at, "EXIF", 4) == 0)
            scry_parts_add_exif(&parts, chunk);
        else if (memcmp(s.p + at, "XMP", 3) == 0)   /* some writers end the name with a zero instead of a blank */
            scry_parts_add_xmp(&parts, chunk);
        at += 8 + size + (size & 1);
    }
    scry_parts_join(&parts, m);
}

/* Behind the blocks of at most 255 bytes from `at` on. */
static size_t end_of_blocks(scry_bytes s, size_t at)
{
    while (at < s.n && s.p[at])
        at += 1 + (size_t)s.p[at];
    return at + 1;
}

/* The bytes of a GIF's table of colours, of which the flags tell. */
static size_t colours_bytes(uint8_t flags)
{
    return flags & 0x80 ? (size_t)3 << ((flags & 7) + 1) : 0;
}

/* XMP is an application's extension, a text that is not cut into blocks: bytes behind it end it as blocks. */
void scry_headers_read_gif(scry_bytes s, scry_metadata *m)
{
    enum { HEAD = 13, FLAGS = 10, PICTURE = 0x2c, PICTURE_HEAD = 10, PICTURE_FLAGS = 9, EXTENSION = 0x21 };
    static const char xmp[] = "\x21\xff\x0bXMP DataXMP";
    scry_header_parts parts = { 0 };
    for (size_t at = s.n > FLAGS ? HEAD + colours_bytes(s.p[FLAGS]) : s.n, next; at + PICTURE_HEAD < s.n; at = next) {
        if (s.p[at] == PICTURE)   /* its head, its colours, the size of its codes */
            next = end_of_blocks(s, at + PICTURE_HEAD + colours_bytes(s.p[at + PICTURE_FLAGS]) + 1);
        else if (s.p[at] == EXTENSION)
            next = end_of_blocks(s, at + 2);
        else
            break;
        scry_bytes block = scry_bytes_part(s, at, (next < s.n ? next : s.n) - at);
        if (begins(block, xmp, sizeof xmp - 1))
            scry_parts_add_xmp(&parts, scry_bytes_part(block, sizeof xmp - 1, block.n - (sizeof xmp - 1)));
    }
    scry_parts_join(&parts, m);
}

void scry_headers_read_tiff(scry_bytes file, scry_metadata *m)
{
    scry_header_parts parts = { 0 };
    scry_parts_add_exif(&parts, file);
    scry_parts_join(&parts, m);
}

/* Minolta's: blocks before the sensor's data, one of which is a TIFF. */
static scry_bytes find_mrw_tiff(scry_bytes s)
{
    for (size_t at = 8; at + 8 <= s.n;) {
        size_t size = (size_t)scry_read_big_endian(s.p + at + 4, 4);
        if (memcmp(s.p + at, "\0TTW", 4) == 0)
            return scry_bytes_part(s, at + 8, size);
        at += 8 + size;
    }
    return scry_bytes_part(s, 0, 0);
}

/* Sigma's: a directory, which the last four bytes point to, of sections; the first that is a JPEG. */
static scry_bytes find_x3f_jpeg(scry_bytes s)
{
    enum { HEAD = 28 };   /* of a section with a picture */
    uint64_t at = scry_read_little_endian(s.p + s.n - 4, 4);
    scry_bytes head = scry_bytes_part(s, at, 12);
    uint64_t count = begins(head, "SECd", 4) ? scry_read_little_endian(head.p + 8, 4) : 0;
    for (at += 12; count > 0; count--, at += 12) {
        scry_bytes entry = scry_bytes_part(s, at, 12);
        if (entry.n == 0)
            break;
        scry_bytes section = scry_bytes_part(s, scry_read_little_endian(entry.p, 4), scry_read_little_endian(entry.p + 4, 4));
        if (section.n > HEAD + 2 && begins(scry_bytes_part(section, HEAD, 2), "\xff\xd8", 2))
            return scry_bytes_part(section, HEAD, section.n - HEAD);
    }
    return scry_bytes_part(s, 0, 0);
}

void scry_headers_read_raw(scry_bytes s, scry_metadata *m)
{
    enum { RAF_JPEG = 84 };   /* where its offset and length are */
    scry_header_parts parts = { 0 };
    if (begins(s, "FUJIFILMCCD-RAW ", 16) && s.n >= RAF_JPEG + 8)
        scry_parts_add_jpeg(&parts, scry_bytes_part(s, scry_read_big_endian(s.p + RAF_JPEG, 4),
                                                    scry_read_big_endian(s.p + RAF_JPEG + 4, 4)));
    else if (begins(s, "FOVb", 4))
        scry_parts_add_jpeg(&parts, find_x3f_jpeg(s));
    else if (begins(s, "\0MRM", 4))
        scry_parts_add_exif(&parts, find_mrw_tiff(s));
    else if (s.n >= 12 && memcmp(s.p + 4, "ftyp", 4) == 0) {
        scry_headers_read_boxes(s, NULL, m);
        return;
    } else
        scry_parts_add_exif(&parts, s);
    scry_parts_join(&parts, m);
}
