#include "nn/gemm.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK = 32 };   /* numbers of a row and of a column that are transposed together */

/* A piece [k0, k0 + k) of the inner dimension. */
typedef struct {
    const scry_gemm *g;
    size_t k0, k, groups;
} piece;

/* ---- B ---- */

static void pack_rows_f32(const scry_nn *t, const piece *p, size_t n0, size_t columns, uint32_t *out)
{
    const scry_gemm *g = p->g;
    const uint32_t *rows[SCRY_PANEL];
    for (size_t i = 0; i < SCRY_PANEL; i++)
        rows[i] = i < columns ? (const uint32_t *)(g->b + (n0 + i) * g->ldb + p->k0) : NULL;
    t->k->transpose(rows, p->k, out);
}

static void pack_rows_bf16(const scry_nn *t, const piece *p, size_t n0, size_t columns, uint32_t *out)
{
    const scry_gemm *g = p->g;
    const uint32_t *rows[SCRY_PANEL];
    for (size_t i = 0; i < SCRY_PANEL; i++) {
        uint8_t *staged = t->scratch->staging + i * SCRY_STAGING_ROW;
        rows[i] = i < columns ? (const uint32_t *)staged : NULL;
        if (i >= columns)
            continue;
        memset(staged + (p->groups - 1) * SCRY_GROUP_BYTES, 0, SCRY_GROUP_BYTES);
        t->k->to_bf16(g->b + (n0 + i) * g->ldb + p->k0, p->k, (uint16_t *)staged);
    }
    t->k->transpose(rows, p->groups, out);
}

static void pack_columns_f32(const piece *p, size_t n0, size_t columns, float *out)
{
    const float *b = p->g->b + p->k0 * p->g->ldb + n0;
    for (size_t k = 0; k < p->k; k++, b += p->g->ldb, out += SCRY_PANEL) {
        memcpy(out, b, columns * sizeof *out);
        memset(out + columns, 0, (SCRY_PANEL - columns) * sizeof *out);
    }
}

/* Two rows of B side by side are the groups of a panel. */
static void pack_columns_bf16(const scry_nn *t, const piece *p, size_t n0, size_t columns, uint32_t *out)
{
    const scry_gemm *g = p->g;
    const float *b = g->b + p->k0 * g->ldb + n0;
    for (size_t i = 0; i < p->groups; i++, b += 2 * g->ldb, out += SCRY_PANEL) {
        t->k->pair_bf16(b, 2 * i + 1 < p->k ? b + g->ldb : NULL, columns, out);
        memset(out + columns, 0, (SCRY_PANEL - columns) * sizeof *out);
    }
}

/* A panel of the outputs [n0, n0 + 32) to `out`. */
static void pack_panel(const scry_nn *t, const piece *p, size_t n0, uint8_t *out)
{
    size_t columns = p->g->n - n0 < SCRY_PANEL ? p->g->n - n0 : SCRY_PANEL;
    bool bf16 = p->g->mode == SCRY_MODE_BF16;
    if (p->g->b_transposed)
        (bf16 ? pack_rows_bf16 : pack_rows_f32)(t, p, n0, columns, (uint32_t *)out);
    else if (bf16)
        pack_columns_bf16(t, p, n0, columns, (uint32_t *)out);
    else
        pack_columns_f32(p, n0, columns, (float *)out);
}

/* ---- A ---- */

/* Rows of A in the product's mode. */
typedef struct {
    const uint8_t *at;
    size_t ld_bytes, from, rows;
} a_block;

static a_block block_of(const scry_nn *t, const piece *p, size_t from, size_t rows)
{
    const float *a = p->g->a + from * p->g->lda + p->k0;
    if (p->g->mode == SCRY_MODE_F32)
        return (a_block){ (const uint8_t *)a, p->g->lda * sizeof *a, from, rows };
    size_t ld = p->groups * SCRY_GROUP_BYTES;
    for (size_t r = 0; r < rows; r++) {
        uint8_t *out = t->scratch->a + r * ld;
        memset(out + ld - SCRY_GROUP_BYTES, 0, SCRY_GROUP_BYTES);
        t->k->to_bf16(a + r * p->g->lda, p->k, (uint16_t *)out);
    }
    return (a_block){ t->scratch->a, ld, from, rows };
}

/* ---- both ---- */

/* A packed panel of B or two: the outputs [n0, n0 + columns). */
typedef struct {
    uint8_t *at;
    size_t n0, columns;
} b_panels;

/* Rows [r, r + count) of the block against the panels. Sums go straight to C where nothing is added to them. */
static void multiply_rows(const scry_nn *t, const piece *p, a_block a, size_t r, b_panels b)
{
    const scry_gemm *g = p->g;
    bool two = b.columns > SCRY_PANEL, added = g->add || p->k0 > 0, bias = g->bias && p->k0 == 0;
    bool direct = !added && !bias && b.columns % SCRY_PANEL == 0;
    size_t most = two ? SCRY_TILE2_ROWS : SCRY_TILE1_ROWS, count = a.rows - r < most ? a.rows - r : most;
    float *c = g->c + (a.from + r) * g->ldc + b.n0;
    scry_tile tile = {
        .a = a.at + r * a.ld_bytes, .b = b.at, .groups = p->groups, .lda = a.ld_bytes,
        .panel_stride = p->groups * SCRY_PANEL_GROUP_BYTES, .rows = (int)count, .acc = direct ? c : t->scratch->acc,
        .ld_acc = direct ? g->ldc : 2 * SCRY_PANEL
    };
    (two ? t->k->tile2 : t->k->tile1)[g->mode](&tile);
    if (!direct)
        t->k->finish_float(&(scry_finish){ .acc = tile.acc, .ld_acc = tile.ld_acc, .rows = tile.rows, .cols = (int)b.columns,
                                           .bias = bias ? t->scratch->row_scale : NULL, .add = added, .c = c, .ldc = g->ldc });
}

static void multiply(const scry_nn *t, const piece *p, a_block a, b_panels b)
{
    if (p->g->bias)   /* finish reads whole panels */
        memcpy(t->scratch->row_scale, p->g->bias + b.n0, b.columns * sizeof(float));
    for (size_t r = 0; r < a.rows; r += b.columns > SCRY_PANEL ? SCRY_TILE2_ROWS : SCRY_TILE1_ROWS)
        multiply_rows(t, p, a, r, b);
}

/* Rows and columns that are this thread's: by columns, where there are enough panels for all. */
static void share(const scry_nn *t, const scry_gemm *g, scry_range *rows, scry_range *columns)
{
    bool by_rows = (g->n + SCRY_PANEL - 1) / SCRY_PANEL < 2 * (size_t)t->count && g->m > SCRY_TILE1_ROWS;
    *rows = by_rows ? scry_share(t, g->m, 1) : (scry_range){ 0, g->m };
    *columns = by_rows ? (scry_range){ 0, g->n } : scry_share(t, g->n, SCRY_PANEL);
}

/* Rows of A that are converted at once. */
static size_t rows_at_once(const scry_nn *t, const scry_gemm *g, size_t groups, scry_range rows)
{
    return g->mode == SCRY_MODE_BF16 ? t->scratch->a_bytes / (groups * SCRY_GROUP_BYTES) : rows.to - rows.from;
}

/* `all`: room for the panels of all columns, which are packed once then; NULL: they are packed for each block of rows. */
static void run_piece(const scry_nn *t, const piece *p, scry_range rows, scry_range columns, uint8_t *all)
{
    size_t block = rows_at_once(t, p->g, p->groups, rows), panel = p->groups * SCRY_PANEL_GROUP_BYTES;
    for (size_t r = rows.from; r < rows.to; r += block) {
        a_block a = block_of(t, p, r, rows.to - r < block ? rows.to - r : block);
        for (size_t n = columns.from; n < columns.to; n += 2 * SCRY_PANEL) {
            b_panels b = { all ? all + (n - columns.from) / SCRY_PANEL * panel : t->scratch->panels, n,
                           columns.to - n < 2 * SCRY_PANEL ? columns.to - n : 2 * SCRY_PANEL };
            bool packed = all && r > rows.from;
            if (!packed)
                pack_panel(t, p, n, b.at);
            if (!packed && b.columns > SCRY_PANEL)
                pack_panel(t, p, n + SCRY_PANEL, b.at + panel);
            multiply(t, p, a, b);
        }
    }
}

/* Packing reads a column's numbers from as many pages as B has rows, and takes a third of the time when it is done for each block
 * of A's rows. Room for all panels of a piece is a few MB; without it the product is slower and the same. */
static uint8_t *room_for_panels(const scry_nn *t, const scry_gemm *g, scry_range rows, scry_range columns)
{
    size_t group = scry_mode_group(g->mode), k = g->k < SCRY_GEMM_K ? g->k : SCRY_GEMM_K, groups = (k + group - 1) / group;
    size_t panels = (columns.to - columns.from + SCRY_PANEL - 1) / SCRY_PANEL;
    bool once = rows.to - rows.from <= rows_at_once(t, g, groups, rows);
    return once ? NULL : scry_try_alloc_aligned(panels * groups, SCRY_PANEL_GROUP_BYTES);
}

void scry_gemm_run(scry_nn *t, const scry_gemm *g)
{
    scry_range rows, columns;
    size_t group = scry_mode_group(g->mode);
    share(t, g, &rows, &columns);
    uint8_t *all = room_for_panels(t, g, rows, columns);
    for (size_t k0 = 0; k0 < g->k && rows.from < rows.to; k0 += SCRY_GEMM_K) {
        size_t k = g->k - k0 < SCRY_GEMM_K ? g->k - k0 : SCRY_GEMM_K;
        run_piece(t, &(piece){ g, k0, k, (k + group - 1) / group }, rows, columns, all);
    }
    free(all);
    scry_nn_wait(t);
}

void scry_transpose_run(scry_nn *t, const float *x, size_t rows, size_t columns, size_t ld, float *out)
{
    scry_range mine = scry_share(t, columns, BLOCK);
    for (size_t r0 = 0; r0 < rows; r0 += BLOCK)
        for (size_t c0 = mine.from; c0 < mine.to; c0 += BLOCK)
            for (size_t c = c0; c < c0 + BLOCK && c < mine.to; c++)
                for (size_t r = r0; r < r0 + BLOCK && r < rows; r++)
                    out[c * rows + r] = x[r * ld + c];
    scry_nn_wait(t);
}
