/* bmp_read.c - Windows bitmaps: 1 to 32 bits, bit fields, run-length coding.
 *
 * libvips reads them through ImageMagick only, whose coders are files that are opened on
 * demand, which a confined worker cannot do.
 */
#include "decoder/rows.h"

#include "base/alloc.h"
#include "base/byte_order.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { PLAIN = 0, RLE8 = 1, RLE4 = 2, BIT_FIELDS = 3, ALPHA_BIT_FIELDS = 6 };

typedef struct bmp {
    const uint8_t *bytes;
    size_t size;
    int w, h, bits;
    uint32_t compression;
    bool top_down;
    size_t data;              /* offset of the rows */
    size_t stride;
    uint8_t palette[256][3];
    uint32_t mask[3];         /* of red, green, blue in pixels of 16 and 32 bits */
    uint8_t *indices;         /* [h, w], of run-length coded rows, first row at the bottom */
} bmp;

static uint32_t number(const bmp *b, size_t at, size_t bytes)
{
    return b->size < bytes || at > b->size - bytes ? 0 : (uint32_t)scry_read_little_endian(b->bytes + at, bytes);
}

static int damaged(scry_error *err, const char *what)
{
    return scry_fail(err, SCRY_EINVALID, "damaged BMP: %s", what);
}

static void read_masks(bmp *b, uint32_t header)
{
    static const uint32_t of16[] = { 0x7c00, 0x3e0, 0x1f }, of32[] = { 0xff0000, 0xff00, 0xff };
    memcpy(b->mask, b->bits == 16 ? of16 : of32, sizeof b->mask);
    if (b->compression != BIT_FIELDS && b->compression != ALPHA_BIT_FIELDS)
        return;
    size_t at = 14 + (header > 40 ? 40 : header);
    for (size_t i = 0; i < 3; i++)
        b->mask[i] = number(b, at + 4 * i, 4);
}

static void read_palette(bmp *b, uint32_t header)
{
    size_t each = header == 12 ? 3 : 4, at = 14 + (size_t)header;
    if (header == 40 && b->compression == BIT_FIELDS)
        at += 12;
    uint32_t used = header >= 36 ? number(b, 46, 4) : 0;
    uint32_t count = used && used <= 256 ? used : 256;
    for (uint32_t i = 0; i < count && at + each * (i + 1) <= b->size; i++)
        for (size_t k = 0; k < 3; k++)
            b->palette[i][k] = b->bytes[at + each * i + 2 - k];
}

static bool is_known(int bits, uint32_t compression)
{
    switch (compression) {
    case PLAIN:
        return bits == 1 || bits == 4 || bits == 8 || bits == 16 || bits == 24 || bits == 32;
    case RLE8:
        return bits == 8;
    case RLE4:
        return bits == 4;
    case BIT_FIELDS:
    case ALPHA_BIT_FIELDS:
        return bits == 16 || bits == 32;
    default:
        return false;
    }
}

static int read_header(bmp *b, scry_error *err)
{
    uint32_t header = number(b, 14, 4);
    b->data = number(b, 10, 4);
    if (header == 12) {
        b->w = (int)number(b, 18, 2);
        b->h = (int)number(b, 20, 2);
        b->bits = (int)number(b, 24, 2);
    } else if (header >= 40) {
        int32_t h = (int32_t)number(b, 22, 4);
        b->w = (int)number(b, 18, 4);
        b->top_down = h < 0;
        b->h = h == INT32_MIN ? 0 : abs(h);
        b->bits = (int)number(b, 28, 2);
        b->compression = number(b, 30, 4);
    }
    if (b->w <= 0 || b->h <= 0)
        return damaged(err, "no size");
    if (!is_known(b->bits, b->compression))
        return damaged(err, "an unknown depth or compression");
    read_masks(b, header);
    read_palette(b, header);
    b->stride = (((size_t)b->w * (size_t)b->bits + 31) / 32) * 4;
    return 0;
}

/* Where run-length coded pixels are put, and what is left of the code. */
typedef struct runs {
    bmp *b;
    const uint8_t *p, *end;
    int x, y;
} runs;

/* `n` pixels: `from` has one value for all, or, when literal, theirs one after the other. */
static void put_run(runs *r, const uint8_t *from, int n, bool literal)
{
    bmp *b = r->b;
    bool nibbles = b->compression == RLE4;
    for (int i = 0; i < n && r->x < b->w; i++, r->x++) {
        int pair = from[literal ? nibbles ? i / 2 : i : 0];
        int v = !nibbles ? pair : i % 2 ? pair & 15 : pair >> 4;
        b->indices[(size_t)r->y * (size_t)b->w + (size_t)r->x] = (uint8_t)v;
    }
}

/* After a zero: end of row (0), a jump (2), or `code` literal pixels. False when cut. */
static bool escape(runs *r, int code)
{
    if (code == 0) {
        r->x = 0;
        r->y++;
        return true;
    }
    size_t bytes = code == 2 ? 2 : (size_t)(r->b->compression == RLE4 ? (code + 1) / 2 : code);
    if ((size_t)(r->end - r->p) < bytes)
        return false;
    if (code == 2) {
        r->x += r->p[0];
        r->y += r->p[1];
    } else {
        put_run(r, r->p, code, true);
    }
    r->p += bytes;
    if (bytes % 2 && r->p < r->end)
        r->p++;
    return true;
}

/* Pairs (count, value), and escapes after a zero; rows that are left out stay colour 0. */
static int unpack_runs(bmp *b)
{
    enum { END = 1 };
    runs r = { b, b->bytes + b->data, b->bytes + b->size, 0, 0 };
    while (r.end - r.p >= 2 && r.y < b->h) {
        int count = r.p[0], code = r.p[1];
        const uint8_t *value = r.p + 1;
        r.p += 2;
        if (count)
            put_run(&r, value, count, false);
        else if (code == END)
            return 0;
        else if (!escape(&r, code))
            return -1;
    }
    return r.y >= b->h ? 0 : -1;
}

/* The bits of `mask` in v, stretched to 0..255. */
static uint8_t field(uint32_t v, uint32_t mask)
{
    if (mask == 0)
        return 0;
    int shift = __builtin_ctz(mask);
    uint32_t most = mask >> shift;
    return (uint8_t)(((uint64_t)((v & mask) >> shift) * 255) / most);
}

static void bmp_row(const void *picture, int y, uint8_t *out)
{
    const bmp *b = picture;
    size_t at = (size_t)(b->top_down ? y : b->h - 1 - y);
    const uint8_t *in = b->bytes + b->data + at * b->stride;
    for (int x = 0; x < b->w; x++, out += 3) {
        if (b->indices) {
            memcpy(out, b->palette[b->indices[at * (size_t)b->w + (size_t)x]], 3);
        } else if (b->bits <= 8) {
            int per_byte = 8 / b->bits, shift = (per_byte - 1 - x % per_byte) * b->bits;
            memcpy(out, b->palette[in[x / per_byte] >> shift & ((1 << b->bits) - 1)], 3);
        } else if (b->bits == 24) {
            for (int k = 0; k < 3; k++)
                out[k] = in[3 * x + 2 - k];
        } else {
            size_t bytes = (size_t)b->bits / 8;
            uint32_t v = (uint32_t)scry_read_little_endian(in + bytes * (size_t)x, bytes);
            for (int k = 0; k < 3; k++)
                out[k] = field(v, b->mask[k]);
        }
    }
}

static int read_rows(bmp *b, scry_error *err)
{
    if (b->data > b->size)
        return scry_fail(err, SCRY_EINVALID, "truncated BMP");
    if (b->compression == RLE8 || b->compression == RLE4) {
        b->indices = scry_try_alloc((size_t)b->w, (size_t)b->h);
        if (!b->indices)
            return scry_fail(err, SCRY_ENOMEM, "no memory for %d x %d pixels", b->w, b->h);
        return unpack_runs(b) < 0 ? scry_fail(err, SCRY_EINVALID, "truncated BMP") : 0;
    }
    /* The padding of the last row is often not there. */
    size_t last = ((size_t)b->w * (size_t)b->bits + 7) / 8, rows = (size_t)b->h - 1;
    size_t left = b->size - b->data;
    if (left / b->stride < rows || left - rows * b->stride < last)
        return scry_fail(err, SCRY_EINVALID, "truncated BMP");
    return 0;
}

int scry_read_bmp(const scry_job *job, scry_error *err)
{
    scry_sink sink = { 0 };
    bmp *b = scry_alloc(sizeof *b);
    b->bytes = job->bytes;
    b->size = job->size;
    int rc = read_header(b, err);
    if (rc == 0)
        rc = scry_sink_init(&sink, job, b->w, b->h, err);
    if (rc == 0)
        rc = read_rows(b, err);
    if (rc == 0)
        rc = scry_put_picture(&sink, bmp_row, b, err);
    scry_sink_dispose(&sink);
    free(b->indices);
    free(b);
    return rc;
}
