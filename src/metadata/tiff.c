#include "metadata/tiff.h"

#include "base/byte_order.h"

#include <math.h>
#include <string.h>

enum { MAX_ENTRIES = 1024, BIG_TIFF = 43 };

static uint64_t number(const scry_tiff *t, const uint8_t *p, size_t bytes)
{
    return scry_read_endian(p, bytes, t->big);
}

/* `bytes` bytes at `at`, or NULL when they are not all in the block. */
static const uint8_t *reach(const scry_tiff *t, uint64_t at, uint64_t bytes)
{
    return bytes <= t->n && at <= t->n - bytes ? t->p + at : NULL;
}

/* The size of one value of a type, 0 for unknown types. */
static size_t size_of(int type)
{
    static const uint8_t sizes[] = { 0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8 };
    return type == SCRY_TIFF_UTF8 ? 1 : type > 0 && type < (int)sizeof sizes ? sizes[type] : 0;
}

bool scry_tiff_is_text(int type)
{
    return type == SCRY_TIFF_ASCII || type == SCRY_TIFF_UTF8 || type == SCRY_TIFF_BYTE || type == SCRY_TIFF_UNDEFINED;
}

/* `entry`: tag:2 type:2 count:w value:w, with w of 4 bytes, of 8 in BigTIFF. */
static scry_tiff_value read_value(const scry_tiff *t, const uint8_t *entry)
{
    size_t w = t->wide ? 8 : 4, size = size_of((int)number(t, entry + 2, 2));
    scry_tiff_value v = { (int)number(t, entry + 2, 2), number(t, entry + 4, w), entry + 4 + w };
    uint64_t bytes = size && v.count <= t->n / size ? size * v.count : 0;
    if (bytes > w)
        v.p = reach(t, number(t, v.p, w), bytes);
    return bytes > 0 && v.p ? v : (scry_tiff_value){ 0, 0, NULL };
}

/* How many entries of the directory at `at` are looked at; false: not even their number is in the block. */
static bool count_entries(const scry_tiff *t, uint64_t at, uint64_t *entries)
{
    size_t head = t->wide ? 8 : 2;
    const uint8_t *p = reach(t, at, head);
    *entries = p ? number(t, p, head) : 0;
    *entries = *entries < MAX_ENTRIES ? *entries : MAX_ENTRIES;
    return p;
}

/* Entry i of it, or NULL when it is not all in the block. */
static const uint8_t *entry_at(const scry_tiff *t, uint64_t at, uint64_t i)
{
    size_t head = t->wide ? 8 : 2, step = t->wide ? 20 : 12;
    return reach(t, at + head + i * step, step);
}

bool scry_tiff_ends_behind(const scry_tiff *t, uint64_t at)
{
    uint64_t entries;
    if (!count_entries(t, at, &entries))
        return true;
    for (uint64_t i = 0; i < entries; i++) {
        const uint8_t *entry = entry_at(t, at, i);
        if (!entry)
            return true;
        bool has_values = size_of((int)number(t, entry + 2, 2)) && number(t, entry + 4, t->wide ? 8 : 4);
        if (has_values && !read_value(t, entry).p)
            return true;
    }
    return false;
}

void scry_tiff_read(const scry_tiff *t, uint64_t at, const uint16_t *tags, size_t count, scry_tiff_value *values)
{
    uint64_t entries;
    (void)count_entries(t, at, &entries);
    for (uint64_t i = 0; i < entries; i++) {
        const uint8_t *entry = entry_at(t, at, i);
        if (!entry)
            return;
        uint64_t tag = number(t, entry, 2);
        for (size_t k = 0; k < count; k++)
            if (tags[k] == tag && values[k].type == 0)
                values[k] = read_value(t, entry);
    }
}

/* Of the types of whole numbers; 0 for others. */
static int64_t whole_number(const scry_tiff *t, int type, const uint8_t *p)
{
    size_t bytes = size_of(type);
    switch (type) {
    case SCRY_TIFF_SBYTE:
    case SCRY_TIFF_SSHORT:
    case SCRY_TIFF_SLONG:
    case SCRY_TIFF_SLONG8: {
        unsigned unused = 64 - 8 * (unsigned)bytes;
        return (int64_t)(number(t, p, bytes) << unused) >> unused;
    }
    case SCRY_TIFF_BYTE:
    case SCRY_TIFF_UNDEFINED:
    case SCRY_TIFF_SHORT:
    case SCRY_TIFF_LONG:
    case SCRY_TIFF_IFD:
    case SCRY_TIFF_LONG8:
    case SCRY_TIFF_IFD8:
        return (int64_t)number(t, p, bytes);
    default:
        return 0;
    }
}

double scry_tiff_real(const scry_tiff *t, const scry_tiff_value *v, size_t i)
{
    union { uint32_t i; float f; } single;
    union { uint64_t i; double f; } wide;
    if (v->type == 0)
        return NAN;
    const uint8_t *p = v->p + size_of(v->type) * i;
    switch (v->type) {
    case SCRY_TIFF_RATIONAL: {
        uint64_t below = number(t, p + 4, 4);
        return below ? (double)number(t, p, 4) / (double)below : NAN;
    }
    case SCRY_TIFF_SRATIONAL: {
        int32_t below = (int32_t)number(t, p + 4, 4);
        return below ? (double)(int32_t)number(t, p, 4) / below : NAN;
    }
    case SCRY_TIFF_FLOAT:
        single.i = (uint32_t)number(t, p, 4);
        return single.f;
    case SCRY_TIFF_DOUBLE:
        wide.i = number(t, p, 8);
        return wide.f;
    case SCRY_TIFF_ASCII:
    case SCRY_TIFF_UTF8:
        return NAN;
    default:
        return (double)whole_number(t, v->type, p);
    }
}

int64_t scry_tiff_number(const scry_tiff *t, const scry_tiff_value *v, size_t i)
{
    enum { LARGEST = 1 << 30 };
    if (v->type == 0)
        return 0;
    if (v->type == SCRY_TIFF_RATIONAL || v->type == SCRY_TIFF_SRATIONAL || v->type == SCRY_TIFF_FLOAT
        || v->type == SCRY_TIFF_DOUBLE) {
        double real = scry_tiff_real(t, v, i);
        return fabs(real) < LARGEST ? (int64_t)real : 0;
    }
    return whole_number(t, v->type, v->p + size_of(v->type) * i);
}

scry_bytes scry_tiff_bytes(const scry_tiff_value *v)
{
    return v->type ? (scry_bytes){ v->p, (size_t)v->count * size_of(v->type) } : (scry_bytes){ NULL, 0 };
}

bool scry_tiff_open(scry_tiff *t, scry_bytes exif)
{
    *t = (scry_tiff){ .p = exif.p, .n = exif.n };
    if (t->n >= 6 && memcmp(t->p, "Exif\0", 5) == 0) {
        t->p += 6;
        t->n -= 6;
    }
    if (t->n < 8 || (memcmp(t->p, "II", 2) != 0 && memcmp(t->p, "MM", 2) != 0))
        return false;
    t->big = t->p[0] == 'M';
    t->wide = number(t, t->p + 2, 2) == BIG_TIFF;
    return !t->wide || t->n >= 16;
}

uint64_t scry_tiff_first(const scry_tiff *t)
{
    return t->wide ? number(t, t->p + 8, 8) : number(t, t->p + 4, 4);
}

uint64_t scry_tiff_next(const scry_tiff *t, uint64_t at)
{
    size_t head = t->wide ? 8 : 2, step = t->wide ? 20 : 12, w = t->wide ? 8 : 4;
    const uint8_t *p = reach(t, at, head);
    uint64_t entries = p ? number(t, p, head) : 0;
    p = p && entries <= t->n / step ? reach(t, at + head + entries * step, w) : NULL;
    return p ? number(t, p, w) : 0;
}
