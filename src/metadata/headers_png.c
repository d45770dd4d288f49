/* PNG: chunks of length:4 type:4 data crc:4, in any order but for the first and the last. Checksums are
 * left to the decoder of the pixels. */
#include "metadata/header_parts.h"

#include "base/byte_order.h"
#include "metadata/exif.h"
#include "metadata/fields.h"
#include "metadata/iptc.h"
#include "metadata/text.h"

#include <ctype.h>
#include <string.h>

/* The text of a tEXt, zTXt or iTXt chunk, and its keyword before. */
typedef struct note {
    const char *keyword;
    scry_bytes text;
} note;

static bool read_note(const char *type, scry_bytes s, const scry_unpacker *with, note *out)
{
    const uint8_t *end = s.n ? memchr(s.p, '\0', s.n) : NULL;
    if (!end)
        return false;
    out->keyword = (const char *)s.p;
    size_t head = (size_t)(end + 1 - s.p);
    bool packed = type[0] == 'z';
    if (packed) {
        head++;                       /* the method */
    } else if (type[0] == 'i') {      /* flag, method, language, translated keyword */
        if (head + 2 > s.n)
            return false;
        packed = s.p[head] == 1;
        head += 2;
        for (int i = 0; i < 2; i++) {
            end = head < s.n ? memchr(s.p + head, '\0', s.n - head) : NULL;
            if (!end)
                return false;
            head = (size_t)(end + 1 - s.p);
        }
    }
    if (head > s.n)
        return false;
    out->text = scry_bytes_part(s, head, s.n - head);
    if (packed && with)
        out->text = (scry_bytes){ with->memory, with->unpack(SCRY_PACKED_ZLIB, out->text, with->memory, with->capacity) };
    return !packed || with;
}

/* "\nexif\n   1234\n45786966...": decode the hexadecimal digits into the unpacker's memory (possibly in place). */
static scry_bytes read_profile(scry_bytes text, const scry_unpacker *with)
{
    size_t at = 0, n = 0;
    for (int lines = 0; lines < 2; lines++) {   /* the name, which may have blanks, and the length */
        while (at < text.n && isspace(text.p[at]))
            at++;
        while (at < text.n && text.p[at] != '\n')
            at++;
    }
    for (int high = -1; at < text.n && n < with->capacity; at++) {
        int c = tolower(text.p[at]), v = isdigit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (v < 0)
            continue;
        if (high >= 0)
            with->memory[n++] = (uint8_t)(high << 4 | v);
        high = high < 0 ? v : -1;
    }
    return (scry_bytes){ with->memory, n };
}

static void add_profile(scry_header_parts *parts, const char *name, scry_bytes s)
{
    static const char xmp[] = "http://ns.adobe.com/xap/1.0/";
    if (s.n > 0 && s.p[0] == 0x1c)
        scry_iptc_read(s, &parts->iptc);
    else if (strcmp(name, "iptc") == 0 || strcmp(name, "8bim") == 0)
        scry_parts_add_photoshop(parts, s);
    else if (s.n >= sizeof xmp && memcmp(s.p, xmp, sizeof xmp) == 0)
        scry_parts_add_xmp(parts, scry_bytes_part(s, sizeof xmp, s.n - sizeof xmp));
    else if (strcmp(name, "xmp") == 0)
        scry_parts_add_xmp(parts, s);
    else
        scry_parts_add_exif(parts, s);
}

static void add_text(scry_metadata *m, const note *t)
{
    char text[64];
    scry_date d;
    if (strcasecmp(t->keyword, "Title") == 0 && !m->title[0]) {
        scry_text_put(m->title, sizeof m->title, t->text.p, t->text.n);
    } else if (strcasecmp(t->keyword, "Description") == 0 && !m->description[0]) {
        scry_text_put(m->description, sizeof m->description, t->text.p, t->text.n);
    } else if (strcasecmp(t->keyword, "Creation Time") == 0 || strcasecmp(t->keyword, "CreationTime") == 0) {
        scry_text_put(text, sizeof text, t->text.p, t->text.n);
        if (scry_date_parse(&d, text))
            scry_metadata_put_date(m, &d, SCRY_TAKEN_PNG_TEXT);
    }
}

static void read_text_chunk(scry_header_parts *parts, const char *type, scry_bytes s, const scry_unpacker *with)
{
    static const char profile[] = "Raw profile type ";
    note t;
    if (!read_note(type, s, with, &t))
        return;
    if (strcmp(t.keyword, "XML:com.adobe.xmp") == 0)
        scry_parts_add_xmp(parts, t.text);
    else if (strncmp(t.keyword, profile, sizeof profile - 1) != 0)
        add_text(&parts->text, &t);
    else if (with)
        add_profile(parts, t.keyword + sizeof profile - 1, read_profile(t.text, with));
}

void scry_headers_read_png(scry_bytes s, const scry_unpacker *with, scry_metadata *m)
{
    enum { MAX_TEXTS = 256 };   /* each may be a megabyte compressed to a thousandth */
    scry_header_parts parts = { 0 };
    int texts = 0;
    for (size_t at = 8; at + 12 <= s.n;) {
        size_t size = (size_t)scry_read_big_endian(s.p + at, 4);
        const char *type = (const char *)s.p + at + 4;
        scry_bytes chunk = scry_bytes_part(s, at + 8, size);
        if (memcmp(type, "eXIf", 4) == 0)
            scry_parts_add_exif(&parts, chunk);
        else if ((memcmp(type + 1, "EXt", 3) == 0 || memcmp(type + 1, "TXt", 3) == 0) && texts++ < MAX_TEXTS)
            read_text_chunk(&parts, type, chunk, with);
        at += 12 + size;
    }
    scry_parts_join(&parts, m);
}
