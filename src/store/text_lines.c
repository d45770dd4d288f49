#include "store/text_lines.h"

#include "base/alloc.h"
#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { FORMAT = 1, WINDOW_BITS = -15, NEW_WINDOW = 1, WINDOW = 128, MAX_RAW = 1 << 19 };

/* ---- numbers ---- */

static void put_number(scry_buf *b, uint64_t n)
{
    for (; n >= 128; n >>= 7)
        scry_buf_putc(b, (char)((n & 127) | 128));
    scry_buf_putc(b, (char)n);
}

static void put_signed(scry_buf *b, int n)
{
    put_number(b, n < 0 ? (uint64_t)-(int64_t)n * 2 - 1 : (uint64_t)n * 2);
}

typedef struct {
    const uint8_t *at, *end;
    bool bad;
} reader;

static uint32_t take_number(reader *r)
{
    uint32_t n = 0;
    for (int shift = 0; shift < 28; shift += 7) {
        if (r->at == r->end)
            break;
        uint8_t byte = *r->at++;
        n |= (uint32_t)(byte & 127) << shift;
        if (byte < 128)
            return n;
    }
    r->bad = true;
    return 0;
}

/* The number before it and a difference: one in 0..SCRY_TEXT_UNITS. */
static int take_near(reader *r, int before)
{
    uint32_t n = take_number(r);
    int64_t value = before + (n & 1 ? -(int64_t)(n / 2) - 1 : (int64_t)(n / 2));
    r->bad |= value < 0 || value > SCRY_TEXT_UNITS;
    return r->bad ? 0 : (int)value;
}

/* ---- corners ---- */

static int part_of(float value, int units)
{
    return value > 0 ? value < 1 ? (int)(value * (float)units + 0.5f) : units : 0;   /* NaN is 0 */
}

/* Whether the corners are those of a rectangle whose sides are parallel to the picture's. */
static bool is_upright(const int c[8])
{
    return c[1] == c[3] && c[2] == c[4] && c[5] == c[7] && c[0] == c[6];
}

/* An upright line has two corners, another four; each is a difference from one before it. */
static void put_corners(scry_buf *b, const int c[8], const int before[8], bool upright)
{
    put_signed(b, c[0] - before[0]);
    put_signed(b, c[1] - before[1]);
    for (int i = upright ? 4 : 2; i < (upright ? 6 : 8); i++)
        put_signed(b, c[i] - c[upright ? i - 4 : i - 2]);
}

static void take_corners(reader *r, int c[8], const int before[8], bool upright)
{
    c[0] = take_near(r, before[0]);
    c[1] = take_near(r, before[1]);
    for (int i = upright ? 4 : 2; i < (upright ? 6 : 8); i++)
        c[i] = take_near(r, c[upright ? i - 4 : i - 2]);
    if (upright) {
        c[2] = c[4];
        c[3] = c[1];
        c[6] = c[0];
        c[7] = c[5];
    }
}

/* ---- letters ---- */

/* A byte for a letter: ASCII as it is, another one by its place among the 128 letters of the window that was named last. */
static void put_letters(scry_buf *b, const char *text, size_t n, uint32_t *window)
{
    for (size_t i = 0; i < n;) {
        uint32_t rune;
        i += scry_utf8_next(text + i, n - i, &rune);
        if (rune < WINDOW) {
            scry_buf_putc(b, (char)(rune < ' ' || rune == 127 ? ' ' : rune));
            continue;
        }
        if (rune / WINDOW != *window) {
            *window = rune / WINDOW;
            scry_buf_putc(b, NEW_WINDOW);
            put_number(b, *window);
        }
        scry_buf_putc(b, (char)((rune % WINDOW) | 128));
    }
}

/* All that is left, as UTF-8; lines end with '\n'. */
static void take_letters(reader *r, scry_buf *out)
{
    uint32_t window = 0;
    while (r->at < r->end && !r->bad) {
        uint8_t byte = *r->at++;
        if (byte == NEW_WINDOW) {
            window = take_number(r);
            r->bad |= window == 0 || window > 0x10FFFF / WINDOW || (window >= 0xD800 / WINDOW && window < 0xE000 / WINDOW);
        } else if (byte >= 128) {
            char utf8[4];
            r->bad |= window == 0;
            scry_buf_append(out, utf8, scry_utf8_put(utf8, window * WINDOW + (byte & 127)));
        } else {
            r->bad |= byte < ' ' && byte != '\n';
            scry_buf_putc(out, (char)byte);
        }
    }
}

/* ---- packing ---- */

/* The bytes of a text that are stored. */
static size_t kept_bytes(const char *text, size_t room)
{
    size_t n = strlen(text);
    if (n <= room)
        return n;
    for (n = room; n > 0 && (text[n] & 0xC0) == 0x80; n--)
        continue;
    return n;
}

static void deflate_all(scry_buf *out, const scry_buf *raw)
{
    z_stream z = { .next_in = (uint8_t *)raw->data, .avail_in = (uInt)raw->size };
    scry_buf_putc(out, FORMAT);
    put_number(out, raw->size);
    if (raw->failed || deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, WINDOW_BITS, 9, Z_DEFAULT_STRATEGY) != Z_OK) {
        out->failed = true;
        return;
    }
    size_t bound = deflateBound(&z, raw->size), start = out->size;
    z.next_out = scry_buf_extend(out, bound);
    z.avail_out = z.next_out ? (uInt)bound : 0;
    if (z.next_out && deflate(&z, Z_FINISH) == Z_STREAM_END)
        out->size = start + z.total_out;
    else
        out->failed = true;
    deflateEnd(&z);
}

void scry_text_pack(scry_buf *out, const scry_text_line *lines, size_t n)
{
    scry_buf boxes = SCRY_BUF_INIT(MAX_RAW), letters = SCRY_BUF_INIT(MAX_RAW), raw = SCRY_BUF_INIT(MAX_RAW);
    size_t count = 0, room = SCRY_TEXT_BYTES;
    int before[8] = { 0 };
    uint32_t window = 0;
    scry_buf_clear(out);
    for (size_t i = 0; i < n && count < SCRY_TEXT_LINES; i++) {
        int c[8];
        size_t bytes = kept_bytes(lines[i].text ? lines[i].text : "", room);
        if (bytes == 0)
            continue;
        for (int k = 0; k < 8; k++)
            c[k] = part_of(lines[i].corner[k], SCRY_TEXT_UNITS);
        bool upright = is_upright(c);
        put_number(&boxes, (unsigned)part_of(lines[i].confidence, 100) * 2 + !upright);
        put_corners(&boxes, c, before, upright);
        memcpy(before, c, sizeof before);
        put_letters(&letters, lines[i].text, bytes, &window);
        scry_buf_putc(&letters, '\n');
        room -= bytes;
        count++;
    }
    if (count) {
        put_number(&raw, count);
        scry_buf_append(&raw, boxes.data, boxes.size);
        scry_buf_append(&raw, letters.data, letters.size);
        raw.failed |= boxes.failed || letters.failed;
        deflate_all(out, &raw);
    }
    scry_buf_dispose(&boxes);
    scry_buf_dispose(&letters);
    scry_buf_dispose(&raw);
}

/* ---- unpacking ---- */

/* Whether `n` bytes are what deflate_all() made. */
static bool inflate_all(scry_buf *raw, const void *bytes, size_t n)
{
    reader r = { bytes, (const uint8_t *)bytes + n, false };
    bool good = n > 0 && n <= SCRY_TEXT_PACKED && *r.at++ == FORMAT;
    size_t size = good ? take_number(&r) : 0;
    z_stream z = { .next_in = (uint8_t *)r.at, .avail_in = (uInt)(r.end - r.at) };
    if (!good || r.bad || size == 0 || size > MAX_RAW || inflateInit2(&z, WINDOW_BITS) != Z_OK)
        return false;
    z.next_out = scry_buf_extend(raw, size);
    z.avail_out = z.next_out ? (uInt)size : 0;
    good = z.next_out && inflate(&z, Z_FINISH) == Z_STREAM_END && z.avail_out == 0 && z.avail_in == 0;
    inflateEnd(&z);
    return good;
}

/* Read the boxes of `raw` into `lines` (NULL: pass over them), and the texts into `words`, each with a final '\n'. Their number, 0
 * when they are damaged. */
static size_t take_lines(const scry_buf *raw, scry_text_line *lines, scry_buf *words)
{
    reader r = { (const uint8_t *)raw->data, (const uint8_t *)raw->data + raw->size, false };
    size_t n = take_number(&r), ends = 0;
    int c[8], before[8] = { 0 };
    r.bad |= n == 0 || n > SCRY_TEXT_LINES;
    for (size_t i = 0; i < n && !r.bad; i++) {
        uint32_t head = take_number(&r);
        take_corners(&r, c, before, !(head & 1));
        memcpy(before, c, sizeof before);
        r.bad |= head / 2 > 100;
        for (int k = 0; lines && k < 8; k++)
            lines[i].corner[k] = (float)c[k] / SCRY_TEXT_UNITS;
        if (lines)
            lines[i].confidence = (float)(head / 2) / 100;
    }
    take_letters(&r, words);
    for (size_t i = 0; i < words->size; i++)
        ends += words->data[i] == '\n';
    bool whole = words->size && words->data[words->size - 1] == '\n' && ends == n;
    return r.bad || words->failed || !whole ? 0 : n;
}

static size_t count_lines(const scry_buf *raw)
{
    reader r = { (const uint8_t *)raw->data, (const uint8_t *)raw->data + raw->size, false };
    size_t n = take_number(&r);
    return r.bad || n > SCRY_TEXT_LINES ? 0 : n;
}

static char *put_string(char **at, const char *text)
{
    char *to = *at;
    size_t n = strlen(text) + 1;
    memcpy(to, text, n);
    *at += n;
    return to;
}

scry_picture_text *scry_text_unpack(const void *bytes, size_t n, const char *who, const char *why)
{
    scry_buf raw = SCRY_BUF_INIT(MAX_RAW), words = SCRY_BUF_INIT(4 * MAX_RAW);
    bool good = n == 0 || inflate_all(&raw, bytes, n);
    size_t count = n && good ? count_lines(&raw) : 0;
    scry_text_line *lines = scry_alloc((count + 1) * sizeof *lines);
    good = good && (n == 0 || (count > 0 && take_lines(&raw, lines, &words) == count));
    scry_picture_text *t = NULL;
    if (good) {
        t = scry_alloc(sizeof *t + count * sizeof *lines + words.size + strlen(who) + strlen(why) + 2);
        scry_text_line *to = (scry_text_line *)(t + 1);
        char *at = (char *)(to + count);
        *t = (scry_picture_text){ .lines = to, .line_count = count };
        memcpy(to, lines, count * sizeof *to);
        if (words.size)
            memcpy(at, words.data, words.size);
        for (size_t i = 0; i < count; i++) {
            char *end = strchr(at, '\n');
            to[i].text = at;
            *end = '\0';
            at = end + 1;
        }
        t->reader = put_string(&at, who);
        t->reason = put_string(&at, why);
    }
    free(lines);
    scry_buf_dispose(&raw);
    scry_buf_dispose(&words);
    return t;
}

bool scry_text_unpack_words(scry_buf *out, const void *bytes, size_t n)
{
    scry_buf raw = SCRY_BUF_INIT(MAX_RAW);
    scry_buf_clear(out);
    bool good = n == 0 || (inflate_all(&raw, bytes, n) && take_lines(&raw, NULL, out) > 0);
    scry_buf_dispose(&raw);
    if (good && out->size)
        out->data[--out->size] = '\0';   /* the last '\n' */
    return good;
}

void scry_picture_text_free(scry_picture_text *text)
{
    free(text);
}
