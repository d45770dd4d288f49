#include "metadata/iptc.h"

#include "base/byte_order.h"
#include "metadata/fields.h"
#include "metadata/text.h"

#include <stdio.h>
#include <string.h>

enum { APPLICATION = 2 };   /* the record */
enum { EXTENDED = 0x8000 }; /* of a size: it is the number of bytes that the size itself has, behind it */
enum { TITLE = 5, HEADLINE = 105, KEYWORD = 25,
       DATE_CREATED = 55, TIME_CREATED = 60, DIGITAL_DATE = 62, DIGITAL_TIME = 63, CAPTION = 120 };

/* Remove the next data set from the front; false at the end and where the bytes are not one. */
static bool next_set(scry_bytes *s, uint8_t *record, uint8_t *number, scry_bytes *data)
{
    if (s->n < 5 || s->p[0] != 0x1c)
        return false;
    size_t size = (size_t)scry_read_big_endian(s->p + 3, 2), head = 5;
    if (size & EXTENDED) {
        size_t bytes = size & (EXTENDED - 1);
        if (bytes < 1 || bytes > 4 || bytes > s->n - head)
            return false;
        size = (size_t)scry_read_big_endian(s->p + head, bytes);
        head += bytes;
    }
    if (size > s->n - head)
        return false;
    *record = s->p[1];
    *number = s->p[2];
    *data = (scry_bytes){ s->p + head, size };
    s->p += head + size;
    s->n -= head + size;
    return true;
}

static void put_date(scry_metadata *m, const char *date, const char *time)
{
    char both[48];
    scry_date d;
    snprintf(both, sizeof both, "%.15s %.15s", date, time);
    if (scry_date_parse(&d, both) || scry_date_parse(&d, date))
        scry_metadata_put_date(m, &d, SCRY_TAKEN_IPTC);
}

void scry_iptc_read(scry_bytes s, scry_metadata *m)
{
    char date[16] = "", time[16] = "", digital_date[16] = "", digital_time[16] = "", word[256], headline[256] = "";
    scry_metadata more = { 0 };
    uint8_t record, number;
    scry_bytes data;
    while (next_set(&s, &record, &number, &data)) {
        switch (record == APPLICATION ? number : 0) {
        case TITLE:        scry_text_put(more.title, sizeof more.title, data.p, data.n); break;
        case HEADLINE:     scry_text_put(headline, sizeof headline, data.p, data.n); break;
        case CAPTION:      scry_text_put(more.description, sizeof more.description, data.p, data.n); break;
        case DATE_CREATED: scry_text_put(date, sizeof date, data.p, data.n); break;
        case TIME_CREATED: scry_text_put(time, sizeof time, data.p, data.n); break;
        case DIGITAL_DATE: scry_text_put(digital_date, sizeof digital_date, data.p, data.n); break;
        case DIGITAL_TIME: scry_text_put(digital_time, sizeof digital_time, data.p, data.n); break;
        case KEYWORD:
            scry_text_put(word, sizeof word, data.p, data.n);
            scry_text_add_keyword(more.keywords, sizeof more.keywords, word);
            break;
        default: break;
        }
    }
    put_date(&more, date, time);
    put_date(&more, digital_date, digital_time);
    if (!more.title[0])
        memcpy(more.title, headline, sizeof more.title);
    scry_metadata_merge(m, &more);
}

/* The kinds of resources: Photoshop's own, and those of programs that share its segment. */
static bool is_resource(scry_bytes s)
{
    static const char kinds[][5] = { "8BIM", "PHUT", "DCSR", "AgHg", "MeSa" };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (s.n >= 12 && memcmp(s.p, kinds[i], 4) == 0)
            return true;
    return false;
}

static scry_bytes behind(scry_bytes s, const char *signature, size_t n)
{
    return s.n >= n && memcmp(s.p, signature, strlen(signature)) == 0 ? (scry_bytes){ s.p + n, s.n - n } : s;
}

/*     "8BIM"  id:2  name: length:1 and so many, made even  size:4  data, made even     */
scry_bytes scry_photoshop_resource(scry_bytes s, unsigned id)
{
    enum { HEAD = 14, OLD_HEAD = 27 };
    s = behind(behind(s, "Photoshop 3.0", HEAD), "Adobe_Photoshop2.5:", OLD_HEAD);
    while (is_resource(s)) {
        bool own = s.p[0] == '8';
        unsigned here = (unsigned)scry_read_big_endian(s.p + 4, 2);
        size_t name = ((size_t)s.p[6] + 2) & ~(size_t)1;
        if (6 + name + 4 > s.n)
            break;
        size_t size = (size_t)scry_read_big_endian(s.p + 6 + name, 4), head = 10 + name;
        if (size > s.n - head)
            break;
        if (own && here == id)
            return (scry_bytes){ s.p + head, size };
        size += size & 1;
        if (size > s.n - head)
            break;
        s.p += head + size;
        s.n -= head + size;
    }
    return (scry_bytes){ NULL, 0 };
}
