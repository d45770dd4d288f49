#include "tokenizer/charsmap.h"

#include "base/alloc.h"
#include "base/base64.h"
#include "base/byte_order.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_CLUSTER_BYTES = 5 };

/* ---- reading ---- */

static uint32_t read_u32(const char *p)
{
    return (uint32_t)scry_read_little_endian(p, 4);
}

int scry_charsmap_open(scry_charsmap *m, const char *base64, const char *path, scry_error *err)
{
    size_t n = strlen(base64);
    scry_buf blob = SCRY_BUF_INIT(n);
    int result = 0;
    memset(m, 0, sizeof *m);
    bool decoded = scry_base64_decode(&blob, base64, n) == 0 && blob.size >= 4;
    const char *bytes = blob.data;
    size_t size = blob.size, trie = decoded ? read_u32(bytes) : 0;
    if (trie % 4 != 0 || trie == 0 || trie > size - 4) {
        result = scry_fail(err, SCRY_EINVALID, "%s is damaged: the normaliser's precompiled_charsmap", path);
        goto out;
    }
    m->units_n = trie / 4;
    m->texts_n = size - 4 - trie;
    m->units = scry_try_alloc(m->units_n, sizeof *m->units);
    m->texts = scry_try_alloc(m->texts_n + 1, 1);
    if (!m->units || !m->texts) {
        result = scry_fail(err, SCRY_ENOMEM, "%s: no memory for the normaliser's table", path);
        scry_charsmap_dispose(m);
        goto out;
    }
    for (size_t i = 0; i < m->units_n; i++)
        m->units[i] = read_u32(bytes + 4 + i * 4);
    memcpy(m->texts, bytes + 4 + trie, m->texts_n);
out:
    scry_buf_dispose(&blob);
    return result;
}

void scry_charsmap_dispose(scry_charsmap *m)
{
    free(m->units);
    free(m->texts);
    memset(m, 0, sizeof *m);
}

/* ---- looking up ---- */

static size_t offset_of(uint32_t unit)
{
    return (size_t)(unit >> 10) << ((unit & (1U << 9)) >> 6);
}

/* The replacement of the shortest or longest prefix of bytes[0..n) that is in the trie, and its length, or NULL. An
 * offset outside a damaged trie ends the search. */
static const char *find_prefix(const scry_charsmap *m, const char *bytes, size_t n, size_t *taken)
{
    const char *found = NULL;
    size_t place = offset_of(m->units[0]);
    for (size_t i = 0; i < n && bytes[i]; i++) {
        place ^= (unsigned char)bytes[i];
        if (place >= m->units_n)
            return found;
        uint32_t unit = m->units[place];
        if ((unit & (1U << 31 | 0xFF)) != (unsigned char)bytes[i])
            return found;
        place ^= offset_of(unit);
        if (unit >> 8 & 1) {
            size_t text = place < m->units_n ? m->units[place] & ~(1U << 31) : SIZE_MAX;
            found = text <= m->texts_n ? m->texts + text : NULL;
            *taken = i + 1;
            if (!m->longest)
                return found;
        }
    }
    return found;
}

static const char *find_text(const scry_charsmap *m, const char *bytes, size_t n)
{
    size_t taken;
    return find_prefix(m, bytes, n, &taken);
}

static void put_each(const scry_charsmap *m, const uint32_t *runes, size_t n, scry_runes *out)
{
    for (size_t i = 0; i < n; i++) {
        char bytes[4];
        const char *text = find_text(m, bytes, scry_utf8_put(bytes, runes[i]));
        if (text)
            scry_runes_decode(out, text, strlen(text));
        else
            scry_runes_push(out, runes[i]);
    }
}

static void put_cluster(const scry_charsmap *m, const uint32_t *runes, size_t n, scry_runes *out)
{
    char bytes[MAX_CLUSTER_BYTES + 4];
    size_t size = 0;
    for (size_t i = 0; i < n && size <= MAX_CLUSTER_BYTES; i++)
        size += scry_utf8_put(bytes + size, runes[i]);
    const char *text = size <= MAX_CLUSTER_BYTES ? find_text(m, bytes, size) : NULL;
    if (text)
        scry_runes_decode(out, text, strlen(text));
    else
        put_each(m, runes, n, out);
}

static void put_longest(const scry_charsmap *m, const scry_runes *r, scry_runes *out)
{
    scry_buf bytes = SCRY_BUF_INIT(SIZE_MAX / 2);
    scry_runes_encode(r, &bytes);
    out->failed |= bytes.failed;
    const char *at = bytes.data;
    for (size_t left = bytes.failed ? 0 : bytes.size, taken; left; left -= taken, at += taken) {
        const char *text = find_prefix(m, at, left, &taken);
        uint32_t rune;
        if (text) {
            scry_runes_decode(out, text, strlen(text));
        } else {
            taken = scry_utf8_next(at, left, &rune);
            scry_runes_push(out, rune);
        }
    }
    scry_buf_dispose(&bytes);
}

void scry_charsmap_apply(const scry_charsmap *m, scry_runes *r)
{
    scry_runes out = SCRY_RUNES_INIT(r->limit);
    int32_t state = 0;
    if (m->longest) {
        put_longest(m, r, &out);
        out.failed |= r->failed;
        free(r->at);
        *r = out;
        return;
    }
    for (size_t start = 0, end; start < r->n; start = end) {
        for (end = start + 1; end < r->n; end++)
            if (scry_rune_breaks(r->at[end - 1], r->at[end], &state))
                break;
        put_cluster(m, r->at + start, end - start, &out);
    }
    out.failed |= r->failed;
    free(r->at);
    *r = out;
}
