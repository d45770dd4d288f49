#include "nn/reference.h"

#include "nn/kernels_internal.h"

#include <math.h>

/* Weights of output `row`, their scale applied, to `out` [K]. */
static void weight_row(const scry_linear *l, size_t row, float *out)
{
    const scry_tensor *w = &l->weight[0];
    if (l->transposed) {
        size_t size = scry_dtype_size(w->dtype);
        for (size_t k = 0; k < l->k; k++)
            scry_to_floats(w->dtype, (const uint8_t *)w->data + (k * l->n + row) * size, 1, out + k);
    } else {
        size_t rows = w->shape[0];
        scry_tensor_row(&l->weight[row / rows], row % rows, out);
    }
    for (size_t k = 0; l->gain && k < l->k; k++)
        out[k] *= l->gain[row];
}

void scry_reference_linear(const scry_nn *t, const scry_linear *l, const scry_product *p)
{
    scry_range mine = scry_share(t, l->n, 1);
    float *w = (float *)t->scratch->panels;   /* has room for one row of K */
    for (size_t n = mine.from; n < mine.to; n++) {
        weight_row(l, n, w);
        for (size_t m = 0; m < p->m; m++) {
            double sum = l->bias ? l->bias[n] : 0;
            for (size_t k = 0; k < l->k; k++)
                sum += (double)w[k] * p->a[m * p->lda + k];
            float *c = &p->c[m * p->ldc + n];
            float y = scry_activate(p->act, (float)sum);
            *c = p->add ? *c + y : y;
        }
    }
}

/* One query token `q` of head columns [column, column + head); token i is row rows[i]. */
static void attend(const scry_attention *a, const size_t *rows, size_t tokens, size_t column,
                   size_t q, float *out)
{
    size_t head = a->width / a->heads, ld = 3 * a->width;
    size_t visible = a->causal ? q + 1 : tokens;
    const float *query = a->qkv + rows[q] * ld + column;
    double high = -INFINITY, total = 0;
    memset(out, 0, head * sizeof *out);
    for (int pass = 0; pass < 2; pass++) {   /* the largest score first, then the sums */
        for (size_t k = 0; k < visible; k++) {
            const float *row = a->qkv + rows[k] * ld + column;
            double score = 0;
            for (size_t d = 0; d < head; d++)
                score += (double)query[d] * row[a->width + d];
            score /= sqrt((double)head);
            if (pass == 0) {
                high = fmax(high, score);
                continue;
            }
            double e = exp(score - high);
            total += e;
            for (size_t d = 0; d < head; d++)
                out[d] += (float)(e * row[2 * a->width + d]);
        }
    }
    for (size_t d = 0; d < head; d++)
        out[d] /= (float)total;
}

void scry_reference_attention(const scry_nn *t, const scry_attention *a)
{
    size_t head = a->width / a->heads, *rows = t->scratch->rows;
    scry_range mine = scry_share(t, a->heads, 1);
    for (size_t s = 0; s < a->sequences; s++) {
        size_t tokens = scry_attention_rows(a, s, rows);
        size_t own = a->starts[s + 1] - a->starts[s], first = tokens - own;
        for (size_t column = mine.from * head; column < mine.to * head; column += head)
            for (size_t q = first; q < tokens; q++)
                if (!a->only || first + a->only[s] == q)
                    attend(a, rows, tokens, column, q,
                           a->out + (a->only ? s : rows[q]) * a->width + column);
    }
}
