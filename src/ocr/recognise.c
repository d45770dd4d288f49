/* recognise.c - PP-OCRv6's small recogniser of lines.
 *
 *     48 x W pixels -> trunk -> 3 x W/4 places of 384 -> means of 3 x 2 places: T = W/8 places -> in -> 120
 *     x += silu(depthwise 1x7 x);  two layers: attention, feed forward;  norm;  + silu(aside of the same means)
 *     head: 18,710 classes; at each place the likeliest
 */
#include "ocr/recognise.h"

#include "model/transformer.h"
#include "nn/attention.h"

#include <math.h>
#include <stdio.h>

enum { NAME = 64, WIDTH = 120, HEADS = 8, KERNEL = 7, TRUNK = 384, POOL_Y = 3, POOL_X = 2, HEAD_ROWS = 32 };

/* A kernel of one row as the middle one of a square. */
static void bind_row_filter(scry_binder *b, scry_ocr_depthwise *d)
{
    const float *row = scry_bind_shaped_floats(b, 2, (size_t[]){ WIDTH, KERNEL }, "rec.neck.dw.weight");
    const float *bias = scry_bind_floats(b, WIDTH, "rec.neck.dw.bias");
    float *packed = scry_bind_memory(b, scry_depthwise_floats(WIDTH, KERNEL));
    float square[WIDTH * KERNEL * KERNEL] = { 0 };
    for (size_t c = 0; row && c < WIDTH; c++)
        memcpy(square + (c * KERNEL + KERNEL / 2) * KERNEL, row + c * KERNEL, KERNEL * sizeof *square);
    if (row && bias && packed)
        scry_depthwise_pack(square, bias, 1, WIDTH, KERNEL, packed);
    *d = (scry_ocr_depthwise){ { KERNEL, 1, WIDTH, 1, packed }, 1, SCRY_ACT_SILU };
}

static void bind_layer(scry_binder *b, scry_ocr_mixer *l, size_t i)
{
    const struct { scry_linear *to; const char *name; size_t n, k; } linears[] = {
        { &l->qkv, "qkv", 3 * WIDTH, WIDTH }, { &l->proj, "proj", WIDTH, WIDTH }, { &l->fc1, "fc1", 2 * WIDTH, WIDTH }, { &l->fc2, "fc2", WIDTH, 2 * WIDTH }
    };
    for (size_t k = 0; k < sizeof linears / sizeof *linears; k++) {
        char at[NAME];
        snprintf(at, sizeof at, "rec.%zu.%s", i, linears[k].name);
        scry_ocr_bind_linear(b, linears[k].to, linears[k].n, linears[k].k, true, at);
    }
    l->norm1 = scry_bind_norm(b, WIDTH, 1e-5f, "rec.%zu.norm1", i);
    l->norm2 = scry_bind_norm(b, WIDTH, 1e-5f, "rec.%zu.norm2", i);
}

void scry_ocr_bind_recogniser(scry_binder *b, scry_ocr_recogniser *r, size_t classes)
{
    r->trunk = (scry_ocr_trunk){ .name = "rec", .stem_width = 48, .stages = 3, .width = { 96, 192, TRUNK }, .layers = { 3, 6, 2 },
                                 .squeezed = { 1, 21, 1 }, .stride_x = 1 };
    r->classes = classes;
    scry_ocr_bind_trunk(b, &r->trunk);
    scry_ocr_bind_linear(b, &r->aside, WIDTH, TRUNK, true, "rec.neck.aside");
    scry_ocr_bind_linear(b, &r->in, WIDTH, TRUNK, true, "rec.neck.in");
    bind_row_filter(b, &r->dw);
    for (size_t i = 0; i < SCRY_OCR_LAYERS; i++)
        bind_layer(b, &r->layers[i], i);
    r->norm = scry_bind_norm(b, WIDTH, 1e-6f, "rec.norm");
    scry_ocr_bind_linear(b, &r->head, classes, WIDTH, true, "rec.head");
    size_t tokens = scry_ocr_line_places(SCRY_OCR_MAX_LINE_WIDTH);
    b->need.max_tokens = b->need.max_tokens > tokens ? b->need.max_tokens : tokens;
    b->need.max_head = b->need.max_head > WIDTH / HEADS ? b->need.max_head : WIDTH / HEADS;
}

/* ---- memory ---- */

size_t scry_ocr_line_places(size_t padded)
{
    return (padded + 3) / 4 / POOL_X;
}

/* Where a pass has its numbers. */
typedef struct {
    scry_ocr_map stage[SCRY_OCR_STAGES];
    float *other[SCRY_OCR_STAGES];
    float *sums, *own, *pooled, *aside, *x, *h, *qkv, *mixed, *logits;
    size_t total, places;
    scry_ocr_pixels seen;     /* the columns that are computed */
} layout;

static float *take(layout *l, float *memory, size_t n)
{
    float *at = memory ? memory + l->total : NULL;
    l->total += (n + 15) / 16 * 16;
    return at;
}

/* Columns of the maps, from `at` on, that are the same in all rows: where they are farther from the letters and from the right
 * end than filters reach, there is only padding to be seen. All but the first are not computed. */
typedef struct {
    size_t at, more;
} alike;

static alike find_alike(const scry_ocr_trunk *t, const scry_ocr_pixels *p)
{
    size_t reach = t->stages - 1;
    for (size_t i = 0; i < t->stages; i++)
        reach += t->layers[i];
    /* Column i of the stem's map sees the pixels from 4 i - 3 to 4 i + 7. */
    size_t at = (p->width + 3 + 3) / 4 + reach, end = p->padded / 4;
    size_t count = end > at + reach + 1 ? end - at - reach - 1 : 0;
    return (alike){ at, count > 1 ? (count - 1) / POOL_X * POOL_X : 0 };
}

/* Room for a line with so many places; of its maps' columns those of `same` are left out. */
static layout plan(const scry_ocr_recogniser *r, const scry_ocr_pixels *line, alike same, float *memory)
{
    const size_t t = scry_ocr_line_places(line->padded);
    layout l = { .places = t, .seen = *line };
    scry_ocr_pixels *pixels = &l.seen;
    pixels->padded -= 4 * same.more;
    for (size_t i = 0; i < r->trunk.stages; i++) {
        size_t h = scry_ocr_stage_height(&r->trunk, i, pixels->height), w = scry_ocr_stage_width(&r->trunk, i, pixels->padded);
        size_t c = r->trunk.width[i];
        l.stage[i] = scry_ocr_whole(take(&l, memory, h * w * c), h, w, c);
        l.stage[i].alike = same.at;
        l.stage[i].more = same.more;
        l.other[i] = take(&l, memory, h * w * c);
    }
    l.sums = take(&l, memory, scry_ocr_trunk_shared_floats(&r->trunk, pixels));
    l.own = take(&l, memory, scry_ocr_trunk_own_floats(&r->trunk, pixels->padded));
    l.pooled = take(&l, memory, t * TRUNK);
    l.aside = take(&l, memory, t * WIDTH);
    l.x = take(&l, memory, t * WIDTH);
    l.h = take(&l, memory, t * WIDTH);
    l.qkv = take(&l, memory, t * 3 * WIDTH);
    l.mixed = take(&l, memory, t * 2 * WIDTH);
    l.logits = take(&l, memory, HEAD_ROWS * r->classes);
    return l;
}

size_t scry_ocr_recognise_floats(const scry_ocr_recogniser *r, size_t padded)
{
    return plan(r, &(scry_ocr_pixels){ NULL, SCRY_OCR_LINE_HEIGHT, padded, padded }, (alike){ 0, 0 }, NULL).total;
}

/* ---- running ---- */

/* Where a column of the whole line is. */
static size_t column_of(const scry_ocr_map *m, size_t column)
{
    return column <= m->alike || m->more == 0 ? column : column <= m->alike + m->more ? m->alike : column - m->more;
}

/* Means of POOL_Y x POOL_X places; a column that is left over is ignored. */
static void pool(const scry_ocr_map *m, size_t places, float *out)
{
    for (size_t t = 0; t < places; t++, out += TRUNK) {
        memset(out, 0, TRUNK * sizeof *out);
        for (size_t i = 0; i < POOL_Y * POOL_X; i++) {
            const float *x = m->x + (i / POOL_X * m->width + column_of(m, t * POOL_X + i % POOL_X)) * TRUNK;
            for (size_t c = 0; c < TRUNK; c++)
                out[c] += x[c];
        }
        for (size_t c = 0; c < TRUNK; c++)
            out[c] /= POOL_Y * POOL_X;
    }
}

static void run_layer(scry_nn *n, const scry_ocr_mixer *y, const layout *l, size_t t)
{
    const size_t starts[] = { 0, t }, w = WIDTH;
    scry_norm_rows(n, &y->norm1, l->x, t, l->h);
    scry_linear_run(n, &y->qkv, &(scry_product){ t, l->h, w, l->qkv, 3 * w, SCRY_ACT_NONE, false });
    scry_attention_run(n, &(scry_attention){ .qkv = l->qkv, .starts = starts, .sequences = 1, .width = w, .heads = HEADS,
                                             .out = l->h });
    scry_linear_run(n, &y->proj, &(scry_product){ t, l->h, w, l->x, w, SCRY_ACT_NONE, true });
    scry_norm_rows(n, &y->norm2, l->x, t, l->h);
    scry_linear_run(n, &y->fc1, &(scry_product){ t, l->h, w, l->mixed, 2 * w, SCRY_ACT_SILU, false });
    scry_linear_run(n, &y->fc2, &(scry_product){ t, l->mixed, 2 * w, l->x, w, SCRY_ACT_NONE, true });
}

/* The first of the largest: blocks of which none is larger than what was found are passed over by their maximum alone. */
static uint32_t largest_of(const float *x, size_t n)
{
    enum { BLOCK = 256, LANES = 32 };
    size_t best = 0;
    for (size_t at = 0; at < n; at += BLOCK) {
        size_t end = at + BLOCK < n ? at + BLOCK : n, i = at;
        float lane[LANES], most = x[at];
        for (size_t k = 0; k < LANES; k++)
            lane[k] = most;
        for (; i + LANES <= end; i += LANES)
            for (size_t k = 0; k < LANES; k++)
                lane[k] = x[i + k] > lane[k] ? x[i + k] : lane[k];
        for (; i < end; i++)
            most = x[i] > most ? x[i] : most;
        for (size_t k = 0; k < LANES; k++)
            most = lane[k] > most ? lane[k] : most;
        for (i = at; most > x[best] && i < end; i++)
            if (x[i] == most)
                best = i;
    }
    return (uint32_t)best;
}

/* The softmax of the largest number alone. */
static float share_of(const float *x, size_t n, float most)
{
    float sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += expf(x[i] - most);
    return 1 / sum;
}

/* Rows of l->h to be classified: those equal to the one before, as in the padding, are left out, but not with `all`; `row` [places]
 * is where each is. */
static size_t distinct_rows(const layout *l, bool all, uint32_t *row)
{
    const size_t bytes = WIDTH * sizeof *l->h;
    size_t kept = 0;
    for (size_t i = 0; i < l->places; i++) {
        const float *x = l->h + i * WIDTH;
        if (all || i == 0 || memcmp(l->h + (kept - 1) * WIDTH, x, bytes) != 0)
            memmove(l->h + kept++ * WIDTH, x, bytes);
        row[i] = (uint32_t)kept - 1;
    }
    return kept;
}

/* The classes of the places, a few rows of logits at a time, which stay in the cache. */
static void run_head(scry_nn *n, const scry_ocr_recogniser *r, const layout *l, const scry_ocr_recognition *job)
{
    const size_t kept = distinct_rows(l, job->tracer != NULL, job->best);
    uint32_t *best = (uint32_t *)l->x;   /* of the rows that are kept */
    float *probability = l->qkv;
    for (size_t from = 0; from < kept; from += HEAD_ROWS) {
        size_t rows = kept - from < HEAD_ROWS ? kept - from : HEAD_ROWS;
        scry_linear_run(n, &r->head, &(scry_product){ rows, l->h + from * WIDTH, WIDTH, l->logits, r->classes, SCRY_ACT_NONE,
                                                      false });
        if (from == 0)
            scry_trace_state(job->tracer, n->index, "rec.logits", l->logits, rows, r->classes);
        for (size_t i = 0; i < rows; i++) {
            const float *x = l->logits + i * r->classes;
            uint32_t b = largest_of(x, r->classes);
            bool counts = b != 0 && (from + i == 0 || best[from + i - 1] != b);
            best[from + i] = b;
            probability[from + i] = counts ? share_of(x, r->classes, x[b]) : 0;
        }
    }
    for (size_t i = l->places; i-- > 0;) {
        bool follows = i > 0 && job->best[i - 1] == job->best[i];
        job->probability[i] = follows ? 0 : probability[job->best[i]];
        job->best[i] = best[job->best[i]];
    }
}

/* With a tracer all columns are computed, which is what it is to see. */
void scry_ocr_recognise(scry_nn *n, const scry_ocr_recogniser *r, const scry_ocr_recognition *job)
{
    const alike same = job->tracer ? (alike){ 0, 0 } : find_alike(&r->trunk, &job->pixels);
    layout l = plan(r, &job->pixels, same, job->memory);
    const size_t t = l.places;
    scry_ocr_pass pass = { job->tracer, l.own, l.sums };
    scry_ocr_run_trunk(n, &r->trunk, &l.seen, &pass, l.stage, l.other);
    pool(&l.stage[r->trunk.stages - 1], t, l.pooled);
    scry_linear_run(n, &r->aside, &(scry_product){ t, l.pooled, TRUNK, l.aside, WIDTH, SCRY_ACT_SILU, false });
    scry_linear_run(n, &r->in, &(scry_product){ t, l.pooled, TRUNK, l.x, WIDTH, SCRY_ACT_SILU, false });
    scry_ocr_map x = scry_ocr_whole(l.x, 1, t, WIDTH), h = scry_ocr_whole(l.h, 1, t, WIDTH);
    scry_ocr_depthwise_rows(n, &r->dw, &x, &h, 0, 1);
    for (size_t i = 0; i < t * WIDTH; i++)
        l.x[i] += l.h[i];
    scry_trace_state(job->tracer, n->index, "rec.neck", l.x, t, WIDTH);
    for (size_t i = 0; i < SCRY_OCR_LAYERS; i++)
        run_layer(n, &r->layers[i], &l, t);
    scry_norm_rows(n, &r->norm, l.x, t, l.h);
    for (size_t i = 0; i < t * WIDTH; i++)
        l.h[i] += l.aside[i];
    scry_trace_state(job->tracer, n->index, "rec.mixed", l.h, t, WIDTH);
    run_head(n, r, &l, job);
}
