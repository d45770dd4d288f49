/* pnm_read.c - PBM, PGM and PPM, as text and binary (P1 to P6).
 *
 * Not by libvips: its loader (8.14) does not scale samples by the file's maximum, misreads a PBM whose
 * digits have no spaces, and accepts truncated and damaged text.
 */
#include "decoder/rows.h"

#include "base/alloc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct pnm {
    const uint8_t *p, *end;
    int kind;                 /* 1..6 */
    int w, h, channels;
    int most;                 /* the largest sample */
    uint8_t scaled[65536];    /* sample -> 0..255 */
    uint8_t *pixels;          /* [h, w, channels] */
} pnm;

static bool is_space(uint8_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The next number; comments run from # to the end of the line. -1 at the end or at
 * anything else. A PBM as text may have its digits without spaces: `one_digit`. */
static int next_number(pnm *m, bool one_digit)
{
    for (;;) {
        while (m->p < m->end && is_space(*m->p))
            m->p++;
        if (m->p >= m->end || *m->p != '#')
            break;
        while (m->p < m->end && *m->p != '\n')
            m->p++;
    }
    int v = -1;
    while (m->p < m->end && *m->p >= '0' && *m->p <= '9' && v < 100000000) {
        v = (v < 0 ? 0 : v) * 10 + (*m->p++ - '0');
        if (one_digit)
            break;
    }
    return v;
}

static int read_header(pnm *m, scry_error *err)
{
    m->kind = m->p[1] - '0';
    m->p += 2;
    bool bits = m->kind == 1 || m->kind == 4;
    m->channels = m->kind == 3 || m->kind == 6 ? 3 : 1;
    m->w = next_number(m, false);
    m->h = next_number(m, false);
    m->most = bits ? 1 : next_number(m, false);
    if (m->w < 1 || m->h < 1 || m->most < 1 || m->most > 65535)
        return scry_fail(err, SCRY_EINVALID, "damaged PNM: a bad header");
    if (m->kind >= 4) {
        if (m->p >= m->end || !is_space(*m->p))
            return scry_fail(err, SCRY_EINVALID, "truncated PNM");
        m->p++;
    }
    for (int v = 0; v <= 65535; v++)
        m->scaled[v] = v >= m->most ? 255 : (uint8_t)rint((double)v / m->most * 255);
    if (bits) {   /* 1 is black */
        m->scaled[0] = 255;
        m->scaled[1] = 0;
    }
    return 0;
}

static int truncated(scry_error *err)
{
    return scry_fail(err, SCRY_EINVALID, "truncated PNM");
}

static int read_text(pnm *m, size_t samples, scry_error *err)
{
    for (size_t i = 0; i < samples; i++) {
        int v = next_number(m, m->kind == 1);
        if (v < 0 && m->p >= m->end)
            return truncated(err);
        if (v < 0 || v > m->most)
            return scry_fail(err, SCRY_EINVALID, "damaged PNM: a bad sample");
        m->pixels[i] = m->scaled[v];
    }
    return 0;
}

static int read_binary(pnm *m, size_t samples, scry_error *err)
{
    size_t each = m->most > 255 ? 2 : 1, left = (size_t)(m->end - m->p);
    if (m->kind == 4) {
        size_t stride = ((size_t)m->w + 7) / 8;
        if (left / stride < (size_t)m->h)
            return truncated(err);
        for (size_t i = 0; i < samples; i++) {
            size_t x = i % (size_t)m->w, y = i / (size_t)m->w;
            m->pixels[i] = m->scaled[m->p[y * stride + x / 8] >> (7 - x % 8) & 1];
        }
        return 0;
    }
    if (left / each < samples)
        return truncated(err);
    for (size_t i = 0; i < samples; i++)
        m->pixels[i] = m->scaled[each == 1 ? m->p[i] : m->p[2 * i] << 8 | m->p[2 * i + 1]];
    return 0;
}

static int read_samples(pnm *m, scry_error *err)
{
    size_t samples = (size_t)m->w * (size_t)m->h * (size_t)m->channels;
    if (m->kind <= 3 && samples > 2 * (size_t)(m->end - m->p))   /* before the memory is taken */
        return truncated(err);
    m->pixels = scry_try_alloc(samples, 1);
    if (!m->pixels)
        return scry_fail(err, SCRY_ENOMEM, "no memory for %d x %d pixels", m->w, m->h);
    return m->kind <= 3 ? read_text(m, samples, err) : read_binary(m, samples, err);
}

static void pnm_row(const void *picture, int y, uint8_t *out)
{
    const pnm *m = picture;
    size_t n = (size_t)m->w * (size_t)m->channels;
    const uint8_t *in = m->pixels + (size_t)y * n;
    if (m->channels == 3)
        memcpy(out, in, n);
    else
        for (int x = 0; x < m->w; x++)
            memset(out + 3 * x, in[x], 3);
}

int scry_read_pnm(const scry_job *job, scry_error *err)
{
    scry_sink sink = { 0 };
    pnm *m = scry_alloc(sizeof *m);
    m->p = job->bytes;
    m->end = job->bytes + job->size;
    int rc = read_header(m, err);
    if (rc == 0)
        rc = scry_sink_init(&sink, job, m->w, m->h, err);
    if (rc == 0)
        rc = read_samples(m, err);
    if (rc == 0)
        rc = scry_put_picture(&sink, pnm_row, m, err);
    scry_sink_dispose(&sink);
    free(m->pixels);
    free(m);
    return rc;
}
