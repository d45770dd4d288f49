#include "nn/linear.h"

#include "nn/reference.h"

#include <math.h>

static size_t panels_of(const scry_linear *l)
{
    return (l->n + SCRY_PANEL - 1) / SCRY_PANEL;
}

static size_t groups_of(const scry_linear *l)
{
    size_t group = scry_mode_group(l->mode);
    return (l->k + group - 1) / group;
}

static size_t panel_bytes(const scry_linear *l)
{
    return groups_of(l) * SCRY_PANEL_GROUP_BYTES;
}

size_t scry_linear_packed_bytes(const scry_linear *l)
{
    return panels_of(l) * panel_bytes(l);
}

/* Room for the arrays that go with the outputs; false when there is none. */
static bool take_arrays(scry_linear *l, bool bias, bool scaled, scry_weights *w)
{
    size_t bytes = panels_of(l) * SCRY_PANEL * sizeof(float);
    bool sums = l->mode == SCRY_MODE_INT8;
    l->bias = bias ? scry_weights_take(w, bytes) : NULL;
    l->col_scale = scaled ? scry_weights_take(w, bytes) : NULL;
    l->col_sum = sums ? scry_weights_take(w, bytes) : NULL;
    return !(bias && !l->bias) && !(scaled && !l->col_scale) && !(sums && !l->col_sum);
}

int scry_linear_init(scry_linear *l, const scry_linear_spec *spec, scry_weights *w,
                     scry_error *err)
{
    *l = (scry_linear){ .parts = spec->parts, .transposed = spec->transposed, .mode = spec->mode,
                        .spread = spec->spread, .gain = spec->gain };
    memcpy(l->weight, spec->weight, sizeof l->weight);
    size_t rows = spec->weight[0].shape[0];
    l->n = spec->transposed ? spec->weight[0].shape[1] : rows * (size_t)spec->parts;
    l->k = spec->transposed ? rows : scry_tensor_row_size(&spec->weight[0]);
    bool scaled = spec->mode == SCRY_MODE_INT8;
    for (int i = 0; i < spec->parts; i++)
        scaled |= spec->weight[i].scale != NULL;
    if (!take_arrays(l, spec->bias[0] != NULL, scaled, w))
        return scry_fail(err, SCRY_ENOMEM, "not enough memory for the model's weights");
    for (int i = 0; i < spec->parts; i++) {
        if (spec->bias[i])
            scry_tensor_floats(spec->bias[i], l->bias + (size_t)i * rows);
        for (size_t r = 0; scaled && r < rows && !spec->transposed; r++)
            l->col_scale[(size_t)i * rows + r] = spec->weight[i].scale ? spec->weight[i].scale[r] : 1;
    }
    for (size_t n = 0; l->gain && l->bias && n < l->n; n++)
        l->bias[n] *= l->gain[n];
    return 0;
}

/* ---- packing ---- */

/* The part that contains output `row`. */
static const scry_tensor *part_of(const scry_linear *l, size_t row)
{
    return &l->weight[l->transposed ? 0 : row / l->weight[0].shape[0]];
}

/* Whether output `row` is int8 in the checkpoint and can stay as it is there. */
static bool keeps_int8(const scry_linear *l, size_t row)
{
    return part_of(l, row)->scale && !l->spread && !l->gain;
}

/* Elements [k0, k0 + n) of output `row`, without its scale, as floats. */
static void source_floats(const scry_kernels *k, const scry_linear *l, size_t row, size_t k0,
                          size_t n, float *out)
{
    if (l->transposed) {
        const scry_tensor *w = &l->weight[0];
        size_t size = scry_dtype_size(w->dtype);
        const uint8_t *at = (const uint8_t *)w->data + (k0 * l->n + row) * size;
        for (size_t i = 0; i < n; i++, at += l->n * size)
            scry_to_floats(w->dtype, at, 1, out + i);
        return;
    }
    const scry_tensor *w = part_of(l, row);
    const uint8_t *at = (const uint8_t *)w->data
                      + (row % w->shape[0] * l->k + k0) * scry_dtype_size(w->dtype);
    k->to_floats(w->dtype, at, n, out);
}

/* The elements [k0, ...) of output `row` as stored, if they can be packed unchanged; else NULL. */
static const uint32_t *source_as_is(const scry_linear *l, size_t row, size_t k0)
{
    scry_dtype want = l->mode == SCRY_MODE_F32 ? SCRY_DTYPE_F32
                    : l->mode == SCRY_MODE_BF16 ? SCRY_DTYPE_BF16 : SCRY_DTYPE_I8;
    const scry_tensor *w = part_of(l, row);
    if (l->transposed || l->spread || l->gain || w->dtype != want || l->k % scry_mode_group(l->mode) != 0)
        return NULL;
    const uint8_t *at = (const uint8_t *)w->data
                      + (row % w->shape[0] * l->k + k0) * scry_dtype_size(want);
    return (uintptr_t)at % 4 == 0 ? (const uint32_t *)at : NULL;
}

/* The same with what belongs to a column or a row: spread, gain, and before quantising the stored scale. */
static void spread_floats(const scry_kernels *k, const scry_linear *l, size_t row, size_t k0,
                          size_t n, float *out)
{
    source_floats(k, l, row, k0, n, out);
    if (!l->spread && !l->gain)
        return;
    const scry_tensor *w = part_of(l, row);
    float factor = w->scale && l->mode == SCRY_MODE_INT8 ? w->scale[row % w->shape[0]] : 1;
    factor *= l->gain ? l->gain[row] : 1;
    for (size_t i = 0; i < n; i++)
        out[i] *= l->spread ? factor * l->spread[k0 + i] : factor;
}

/* The int8 step of such weights: largest magnitude / 127. */
static float weight_step(const scry_kernels *k, const scry_linear *l, size_t row, float *buffer)
{
    float high = 0;
    for (size_t k0 = 0; k0 < l->k; k0 += SCRY_STAGING_K) {
        size_t n = l->k - k0 < SCRY_STAGING_K ? l->k - k0 : SCRY_STAGING_K;
        spread_floats(k, l, row, k0, n, buffer);
        for (size_t i = 0; i < n; i++) {   /* fmaxf would be a call and take a third of the packing time */
            float size = fabsf(buffer[i]);
            high = size > high ? size : high;
        }
    }
    return high > 0 ? high / 127 : 1;
}

static void to_int8(const float *src, size_t n, float step, int8_t *out)
{
    float inverse = 1 / step;
    for (size_t i = 0; i < n; i++) {
        float q = rintf(src[i] * inverse);
        out[i] = (int8_t)(q < -127 ? -127 : q > 127 ? 127 : q);
    }
}

/* Elements [k0, k0 + n) of output `row`, converted to the product's mode, at `staged`. */
static void stage(const scry_nn *t, const scry_linear *l, size_t row, size_t k0, size_t n,
                  uint8_t *staged)
{
    float *floats = (float *)t->scratch->staging;
    const scry_tensor *w = part_of(l, row);
    size_t group = scry_mode_group(l->mode);
    memset(staged + n / group * SCRY_GROUP_BYTES, 0, SCRY_GROUP_BYTES);
    const float *from = floats;
    if (l->mode == SCRY_MODE_F32)
        spread_floats(t->k, l, row, k0, n, (float *)staged);
    else if (l->mode == SCRY_MODE_BF16 && w->dtype == SCRY_DTYPE_F32 && !l->transposed && !l->spread && !l->gain)
        from = (const float *)w->data + row % w->shape[0] * l->k + k0;
    else
        spread_floats(t->k, l, row, k0, n, floats);
    if (l->mode == SCRY_MODE_BF16)
        t->k->to_bf16(from, n, (uint16_t *)staged);
    else if (l->mode == SCRY_MODE_INT8)
        to_int8(floats, n, keeps_int8(l, row) ? 1 : l->col_scale[row], (int8_t *)staged);
}

/* One piece of K (at most SCRY_STAGING_K elements) of one panel. */
static void pack_piece(const scry_nn *t, scry_linear *l, size_t panel, size_t k0, uint8_t *out)
{
    const uint32_t *rows[SCRY_PANEL];
    size_t group = scry_mode_group(l->mode);
    size_t n = l->k - k0 < SCRY_STAGING_K ? l->k - k0 : SCRY_STAGING_K;
    for (size_t i = 0; i < SCRY_PANEL; i++) {
        size_t row = panel * SCRY_PANEL + i;
        rows[i] = NULL;
        if (row >= l->n)
            continue;
        rows[i] = source_as_is(l, row, k0);
        if (!rows[i]) {
            uint8_t *staged = t->scratch->staging + (i + 1) * SCRY_STAGING_ROW;
            stage(t, l, row, k0, n, staged);
            rows[i] = (const uint32_t *)staged;
        }
        if (l->mode == SCRY_MODE_INT8)
            for (size_t j = 0; j < n; j++)
                l->col_sum[row] += ((const int8_t *)rows[i])[j];
    }
    t->k->transpose(rows, (n + group - 1) / group, (uint32_t *)out);
}

static void pack_panel(const scry_nn *t, scry_linear *l, size_t panel, uint8_t *out)
{
    if (l->mode == SCRY_MODE_INT8) {
        for (size_t row = panel * SCRY_PANEL; row < (panel + 1) * SCRY_PANEL && row < l->n; row++) {
            l->col_sum[row] = 0;
            if (!keeps_int8(l, row))
                l->col_scale[row] = weight_step(t->k, l, row, (float *)t->scratch->staging);
        }
    }
    for (size_t k0 = 0; k0 < l->k; k0 += SCRY_STAGING_K)
        pack_piece(t, l, panel, k0,
                   out + k0 / scry_mode_group(l->mode) * SCRY_PANEL_GROUP_BYTES);
}

void scry_linear_pack(scry_nn *t, scry_linear *l, uint8_t *memory)
{
    scry_range mine = scry_share(t, panels_of(l), 1);
    for (size_t p = mine.from; p < mine.to; p++)
        pack_panel(t, l, p, memory + p * panel_bytes(l));
}

void scry_linear_publish(scry_linear *l, uint8_t *memory)
{
    __atomic_store_n(&l->packed, memory, __ATOMIC_RELEASE);
}

/* ---- running ---- */

/* A block of rows of A, in the product's mode. */
typedef struct {
    const uint8_t *at;
    size_t ld_bytes, first, rows;   /* first: its number in A */
} a_block;

static a_block convert_rows(const scry_nn *t, const scry_linear *l, const scry_product *p, bool is_bf16,
                            size_t m0, size_t rows)
{
    if (is_bf16)
        return (a_block){ (const uint8_t *)p->a + m0 * p->lda * sizeof(uint16_t), p->lda * sizeof(uint16_t), m0, rows };
    const float *a = p->a + m0 * p->lda;
    if (l->mode == SCRY_MODE_F32)
        return (a_block){ (const uint8_t *)a, p->lda * sizeof(float), m0, rows };
    const scry_scratch *s = t->scratch;
    size_t ld = groups_of(l) * SCRY_GROUP_BYTES;
    for (size_t r = 0; r < rows; r++) {
        uint8_t *out = s->a + r * ld;
        memset(out + ld - SCRY_GROUP_BYTES, 0, SCRY_GROUP_BYTES);
        if (l->mode == SCRY_MODE_BF16)
            t->k->to_bf16(a + r * p->lda, l->k, (uint16_t *)out);
        else
            t->k->quantise(a + r * p->lda, l->k, out, &s->row_scale[r], &s->row_zero[r]);
    }
    return (a_block){ s->a, ld, m0, rows };
}

/* One panel of weights or two neighbours. */
typedef struct {
    size_t first;          /* number of the first */
    int count;
    const uint8_t *at;
    const uint8_t *next;   /* the panels after these, or NULL */
} panel_group;

/* Ask for the tile's part of C, which is read or written when its sums are complete: 2 % of SigLIP 2 B/16. */
static void prefetch_rows(const uint8_t *c, size_t ld_bytes, size_t rows, size_t bytes)
{
    for (size_t r = 0; r < rows; r++, c += ld_bytes)
        for (size_t i = 0; i < bytes; i += 64)
            __builtin_prefetch(c + i, 1);
}

/* The sums of a tile to C; as bf16, they are finished in place where the table has no function for that. */
static void finish_tile(const scry_nn *t, const scry_linear *l, scry_finish *f, uint16_t *c_bf16)
{
    size_t ldc = f->ldc;
    void (*to_bf16)(const scry_finish *) = l->mode == SCRY_MODE_INT8 ? t->k->finish_int_bf16 : t->k->finish_float_bf16;
    if (c_bf16 && to_bf16) {
        to_bf16(f);
        return;
    }
    if (c_bf16) {
        f->c = t->scratch->acc;
        f->ldc = f->ld_acc;
    }
    (l->mode == SCRY_MODE_INT8 ? t->k->finish_int : t->k->finish_float)(f);
    for (size_t r = 0; c_bf16 && r < (size_t)f->rows; r++)
        t->k->to_bf16(f->c + r * f->ldc, (size_t)f->cols, c_bf16 + r * ldc);
}

/* The block's rows against the panels. The first tiles wait for
 * memory; meanwhile `next` is prefetched, each tile fetching one of the four lines of a
 * group. */
static void run_panels(const scry_nn *t, const scry_linear *l, const scry_product *p, bool c_bf16, a_block a,
                       panel_group g)
{
    int count = g.count;
    const scry_scratch *s = t->scratch;
    size_t most = count == 2 ? SCRY_TILE2_ROWS : SCRY_TILE1_ROWS, size = c_bf16 ? sizeof(uint16_t) : sizeof(float);
    size_t tiles = (a.rows + most - 1) / most, n0 = g.first * SCRY_PANEL;
    size_t cols = (size_t)count * SCRY_PANEL < l->n - n0 ? (size_t)count * SCRY_PANEL : l->n - n0;
    scry_tile_fn *multiply = (count == 2 ? t->k->tile2 : t->k->tile1)[l->mode];
    for (size_t i = 0; i < tiles; i++) {
        size_t r0 = a.rows * i / tiles, r1 = a.rows * (i + 1) / tiles;
        uint8_t *c = (uint8_t *)p->c + ((a.first + r0) * p->ldc + n0) * size;
        scry_tile tile = {
            .a = a.at + r0 * a.ld_bytes, .b = g.at, .groups = groups_of(l), .lda = a.ld_bytes,
            .panel_stride = panel_bytes(l), .rows = (int)(r1 - r0), .acc = s->acc,
            .ld_acc = 2 * SCRY_PANEL,
            .soon = g.next && i < 2 * (size_t)count ? g.next + i / 2 * panel_bytes(l) + i % 2 * 64 : NULL
        };
        prefetch_rows(c, p->ldc * size, r1 - r0, cols * size);
        multiply(&tile);
        scry_finish f = {
            .acc = s->acc, .ld_acc = 2 * SCRY_PANEL, .rows = tile.rows, .cols = (int)cols,
            .col_scale = l->col_scale ? l->col_scale + n0 : NULL,
            .bias = l->bias ? l->bias + n0 : NULL, .act = scry_act_after(l->mode, p->act), .add = p->add,
            .c = (float *)c, .ldc = p->ldc
        };
        if (l->mode == SCRY_MODE_INT8) {
            f.row_scale = s->row_scale + r0;
            f.row_zero = s->row_zero + r0;
            f.col_sum = l->col_sum + n0;
        }
        finish_tile(t, l, &f, c_bf16 ? (uint16_t *)c : NULL);
    }
}

/* Rows of A that fit the scratch in the product's mode. */
static size_t block_rows(const scry_nn *t, const scry_linear *l)
{
    size_t rows = t->scratch->a_bytes / (groups_of(l) * SCRY_GROUP_BYTES);
    return rows < SCRY_MAX_BLOCK_ROWS ? rows : SCRY_MAX_BLOCK_ROWS;
}

void scry_linear_run(scry_nn *t, const scry_linear *l, const scry_product *p)
{
    scry_linear_run_bf16(t, l, p, 0);
}

void scry_linear_run_bf16(scry_nn *t, const scry_linear *l, const scry_product *p, int rows)
{
    if (t->k->reference) {
        scry_reference_linear(t, l, p);
        scry_nn_wait(t);
        return;
    }
    const uint8_t *packed = __atomic_load_n(&l->packed, __ATOMIC_ACQUIRE);
    int together = p->m <= SCRY_TILE1_ROWS ? 1 : 2;
    scry_range mine = scry_share(t, panels_of(l), (size_t)together);
    size_t most = block_rows(t, l), blocks = (p->m + most - 1) / most;
    for (size_t i = 0; i < blocks && mine.from < mine.to; i++) {
        size_t m0 = p->m * i / blocks, m1 = p->m * (i + 1) / blocks;
        a_block a = convert_rows(t, l, p, rows & SCRY_ROWS_A, m0, m1 - m0);
        for (size_t panel = mine.from; panel < mine.to;) {
            int count = mine.to - panel >= 2 ? together : 1;
            const uint8_t *b = packed ? packed + panel * panel_bytes(l) : t->scratch->panels;
            for (int j = 0; !packed && j < count; j++)
                pack_panel(t, (scry_linear *)l, panel + (size_t)j,
                           t->scratch->panels + (size_t)j * panel_bytes(l));
            bool more = packed && panel + 2 * (size_t)count <= mine.to;
            const uint8_t *next = more ? b + (size_t)count * panel_bytes(l) : NULL;
            run_panels(t, l, p, rows & SCRY_ROWS_C, a, (panel_group){ panel, count, b, next });
            panel += (size_t)count;
        }
    }
    scry_nn_wait(t);
}
