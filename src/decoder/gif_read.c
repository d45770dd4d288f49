/* gif_read.c - the first frame of a GIF.
 *
 * Not by libvips, which makes transparent pixels black: Pillow's convert("RGB") makes them the
 * colour that the palette has for them, and pixels of the screen outside the frame the
 * transparent colour, or colour 0.
 */
#include "decoder/rows.h"

#include "base/alloc.h"
#include "base/byte_order.h"
#include "metadata/headers.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_CODES = 4096, NO_COLOUR = -1 };

typedef struct gif {
    const uint8_t *p, *end;         /* what is left to read */
    int w, h;                       /* screen, made larger when the frame is */
    int x, y, frame_w, frame_h;
    bool interlaced;
    uint8_t palette[256][3];
    int transparent;
    uint8_t *indices;               /* [h, w] */
} gif;

static int truncated(scry_error *err)
{
    return scry_fail(err, SCRY_EINVALID, "truncated GIF");
}

static bool take(gif *g, uint8_t *out, size_t n)
{
    if ((size_t)(g->end - g->p) < n)
        return false;
    memcpy(out, g->p, n);
    g->p += n;
    return true;
}

static int u16(const uint8_t *p)
{
    return (int)scry_read_little_endian(p, 2);
}

/* Colours past the end of the table are greys, as in Pillow. */
static bool read_palette(gif *g, uint8_t flags)
{
    if (!(flags & 0x80))
        return true;
    return take(g, (uint8_t *)g->palette, (size_t)3 << ((flags & 7) + 1));
}

static bool skip_blocks(gif *g)
{
    uint8_t n;
    while (take(g, &n, 1) && n)
        if ((size_t)(g->end - g->p) < n)
            return false;
        else
            g->p += n;
    return g->p <= g->end;
}

static bool read_extension(gif *g)
{
    uint8_t label, body[5];
    if (!take(g, &label, 1))
        return false;
    if (label == 0xf9 && (size_t)(g->end - g->p) >= sizeof body && g->p[0] == 4) {
        memcpy(body, g->p, sizeof body);
        g->transparent = body[1] & 1 ? body[4] : NO_COLOUR;
    }
    return skip_blocks(g);
}

/* Up to the data of the first frame. */
static int read_headers(gif *g, scry_error *err)
{
    uint8_t screen[13], kind, frame[9];
    for (int i = 0; i < 256; i++)
        memset(g->palette[i], i, 3);
    g->transparent = NO_COLOUR;
    if (!take(g, screen, sizeof screen) || !read_palette(g, screen[10]))
        return truncated(err);
    g->w = u16(screen + 6);
    g->h = u16(screen + 8);
    for (;;) {
        if (!take(g, &kind, 1))
            return truncated(err);
        if (kind == ',')
            break;
        if (kind == ';')
            return scry_fail(err, SCRY_EINVALID, "a GIF without a picture");
        if (kind == '!' && !read_extension(g))
            return truncated(err);
    }
    if (!take(g, frame, sizeof frame) || !read_palette(g, frame[8]))
        return truncated(err);
    g->x = u16(frame);
    g->y = u16(frame + 2);
    g->frame_w = u16(frame + 4);
    g->frame_h = u16(frame + 6);
    g->interlaced = frame[8] & 0x40;
    g->w = g->x + g->frame_w > g->w ? g->x + g->frame_w : g->w;
    g->h = g->y + g->frame_h > g->h ? g->y + g->frame_h : g->h;
    return 0;
}

/* ---- LZW ------------------------------------------------------------------------ */

typedef struct bits {
    gif *g;
    uint32_t value;
    int count;       /* bits in `value` */
    int block;       /* bytes left in this block of the data */
    bool ended;
} bits;

static int next_code(bits *b, int width)
{
    while (b->count < width) {
        uint8_t byte;
        if (b->block == 0) {
            if (!take(b->g, &byte, 1) || byte == 0) {
                b->ended = true;
                return -1;
            }
            b->block = byte;
        }
        if (!take(b->g, &byte, 1)) {
            b->ended = true;
            return -1;
        }
        b->block--;
        b->value |= (uint32_t)byte << b->count;
        b->count += 8;
    }
    int code = (int)(b->value & ((1u << width) - 1));
    b->value >>= width;
    b->count -= width;
    return code;
}

/* The position of pixel number `n` of the frame, in the order of interlacing. */
typedef struct cursor {
    const gif *g;
    int x, y, pass;
} cursor;

static bool put(cursor *c, uint8_t index)
{
    static const struct { int first, step; } passes[] = { { 0, 8 }, { 4, 8 }, { 2, 4 }, { 1, 2 } };
    const gif *g = c->g;
    if (c->y >= g->frame_h)
        return false;
    g->indices[(size_t)(g->y + c->y) * (size_t)g->w + (size_t)(g->x + c->x)] = index;
    if (++c->x < g->frame_w)
        return true;
    c->x = 0;
    c->y += g->interlaced ? passes[c->pass].step : 1;
    while (g->interlaced && c->y >= g->frame_h && c->pass < 3)
        c->y = passes[++c->pass].first;
    return true;
}

typedef struct codes {
    uint16_t prefix[MAX_CODES];
    uint8_t last[MAX_CODES], first[MAX_CODES];
    uint8_t string[MAX_CODES];
} codes;

/* The string of a code, first pixel first, at the end of t->string. */
static const uint8_t *expand(codes *t, int code, int roots, int *n)
{
    uint8_t *p = t->string + MAX_CODES;
    while (code >= roots) {
        *--p = t->last[code];
        code = t->prefix[code];
    }
    *--p = (uint8_t)code;
    *n = (int)(t->string + MAX_CODES - p);
    return p;
}

/* Until the frame is full; -1 if the data end before or hold an invalid code. */
static int decode_frame(gif *g, codes *t, int root_bits)
{
    const int clear = 1 << root_bits, end = clear + 1;
    bits b = { .g = g };
    cursor c = { .g = g };
    int width = root_bits + 1, next = end + 1, previous = -1;
    while (c.y < g->frame_h) {
        int code = next_code(&b, width);
        if (b.ended || code == end || code > next)
            return -1;
        if (code == clear) {
            width = root_bits + 1;
            next = end + 1;
            previous = -1;
            continue;
        }
        if (code > end && previous < 0)
            return -1;
        if (previous >= 0 && next < MAX_CODES) {
            t->prefix[next] = (uint16_t)previous;
            t->first[next] = previous < clear ? (uint8_t)previous : t->first[previous];
            int source = code == next ? previous : code;
            t->last[next] = source < clear ? (uint8_t)source : t->first[source];
            next++;
            if (next == 1 << width && width < 12)
                width++;
        } else if (code >= next) {
            return -1;
        }
        int n;
        const uint8_t *s = expand(t, code, clear, &n);
        while (n-- > 0)
            put(&c, *s++);
        previous = code;
    }
    return 0;
}

static int read_frame(gif *g, scry_error *err)
{
    uint8_t root_bits;
    if (!take(g, &root_bits, 1))
        return truncated(err);
    if (root_bits < 1 || root_bits > 8)
        return scry_fail(err, SCRY_EINVALID, "damaged GIF: codes of %d bits", root_bits);
    g->indices = scry_try_alloc((size_t)g->w, (size_t)g->h);
    codes *t = scry_try_alloc(1, sizeof *t);
    int rc = g->indices && t ? 0 : scry_fail(err, SCRY_ENOMEM, "no memory for %d x %d pixels",
                                             g->w, g->h);
    if (rc == 0 && g->transparent != NO_COLOUR)
        memset(g->indices, g->transparent, (size_t)g->w * (size_t)g->h);
    if (rc == 0 && g->frame_w > 0 && decode_frame(g, t, root_bits) < 0)
        rc = g->p >= g->end ? truncated(err)
                            : scry_fail(err, SCRY_EINVALID, "damaged GIF: bad data");
    free(t);
    return rc;
}

static void gif_row(const void *picture, int y, uint8_t *out)
{
    const gif *g = picture;
    const uint8_t *in = g->indices + (size_t)y * (size_t)g->w;
    for (int x = 0; x < g->w; x++)
        memcpy(out + 3 * x, g->palette[in[x]], 3);
}

int scry_read_gif(const scry_job *job, scry_error *err)
{
    scry_sink sink = { 0 };
    gif *g = scry_alloc(sizeof *g);
    g->p = job->bytes;
    g->end = job->bytes + job->size;
    scry_decode_result *result = &job->reply->result;
    scry_headers_read_gif((scry_bytes){ job->bytes, job->size }, &result->metadata);
    if (result->metadata.orientation)
        result->orientation = result->metadata.orientation;
    int rc = read_headers(g, err);
    if (rc == 0)
        rc = scry_sink_init(&sink, job, g->w, g->h, err);
    if (rc == 0)
        rc = read_frame(g, err);
    if (rc == 0 && g->transparent != NO_COLOUR && scry_job_reads_words(job))
        memset(g->palette[g->transparent], SCRY_BEHIND_LETTERS, 3);
    if (rc == 0)
        rc = scry_put_picture(&sink, gif_row, g, err);
    scry_sink_dispose(&sink);
    free(g->indices);
    free(g);
    return rc;
}
