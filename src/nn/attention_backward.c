/* attention_backward.c - for each head of each sequence, with P = softmax(f Q K^T), computed again:
 *
 *     dV = P^T dO      dS = P (dP - rowsums(dP P)) f,  dP = dO V^T      dQ = dS K      dK = dS^T Q
 *
 * Heads are shared by the team; each is a few small products of one thread.
 */
#include "nn/backward.h"

#include <math.h>
#include <string.h>

/* One head of one sequence: Q rows of `queries` tokens from token `first` on, K and V of all. */
typedef struct {
    const float *qkv;       /* the head's columns of its first row */
    float *dqkv;
    const float *dout;      /* of its first query */
    size_t width, head, tokens, first, queries;
    bool causal;
    float *p, *s, *transposed;   /* [queries, tokens] */
} head_job;

size_t scry_attention_backward_floats(size_t most_tokens, size_t head)
{
    return 3 * most_tokens * most_tokens;
}

/* P of the job: what a query does not see is 0. */
static void probabilities(scry_nn *t, const head_job *j)
{
    size_t ld = 3 * j->width;
    float factor = 1 / sqrtf((float)j->head);
    scry_gemm_run(t, &(scry_gemm){ .m = j->queries, .n = j->tokens, .k = j->head, .a = j->qkv + j->first * ld, .lda = ld,
                                   .b = j->qkv + j->width, .ldb = ld, .b_transposed = true, .c = j->p, .ldc = j->tokens });
    for (size_t i = 0; i < j->queries; i++) {
        size_t seen = j->causal ? j->first + i + 1 : j->tokens;
        t->k->softmax(j->p + i * j->tokens, seen, factor);
        memset(j->p + i * j->tokens + seen, 0, (j->tokens - seen) * sizeof *j->p);
    }
}

/* dP in s to dS, the factor of the scores included. */
static void scores_backward(const head_job *j)
{
    float factor = 1 / sqrtf((float)j->head);
    for (size_t i = 0; i < j->queries; i++) {
        float *s = j->s + i * j->tokens;
        const float *p = j->p + i * j->tokens;
        double along = 0;
        for (size_t k = 0; k < j->tokens; k++)
            along += (double)(s[k] * p[k]);
        for (size_t k = 0; k < j->tokens; k++)
            s[k] = factor * p[k] * (s[k] - (float)along);
    }
}

static void head_backward(scry_nn *t, const head_job *j)
{
    size_t ld = 3 * j->width, n = j->tokens;
    const float *q = j->qkv + j->first * ld, *keys = j->qkv + j->width, *values = keys + j->width;
    float *dq = j->dqkv + j->first * ld, *dk = j->dqkv + j->width, *dv = dk + j->width;
    probabilities(t, j);
    scry_transpose_run(t, j->p, j->queries, n, n, j->transposed);
    scry_gemm_run(t, &(scry_gemm){ .m = n, .n = j->head, .k = j->queries, .a = j->transposed, .lda = j->queries, .b = j->dout,
                                   .ldb = j->width, .c = dv, .ldc = ld });
    scry_gemm_run(t, &(scry_gemm){ .m = j->queries, .n = n, .k = j->head, .a = j->dout, .lda = j->width, .b = values, .ldb = ld,
                                   .b_transposed = true, .c = j->s, .ldc = n });
    scores_backward(j);
    scry_gemm_run(t, &(scry_gemm){ .m = j->queries, .n = j->head, .k = n, .a = j->s, .lda = n, .b = keys, .ldb = ld, .c = dq,
                                   .ldc = ld });
    scry_transpose_run(t, j->s, j->queries, n, n, j->transposed);
    scry_gemm_run(t, &(scry_gemm){ .m = n, .n = j->head, .k = j->queries, .a = j->transposed, .lda = j->queries, .b = q, .ldb = ld,
                                   .c = dk, .ldc = ld });
}

void scry_attention_backward_run(scry_nn *t, const scry_attention *a, const float *dout, float *dqkv, float *memory)
{
    size_t head = a->width / a->heads, most = 0;
    scry_nn alone = { t->k, 0, 1, NULL, t->scratch };
    for (size_t s = 0; s < a->sequences; s++)
        most = a->starts[s + 1] - a->starts[s] > most ? a->starts[s + 1] - a->starts[s] : most;
    float *mine = memory + (size_t)t->index * scry_attention_backward_floats(most, head);
    scry_range share = scry_share(t, a->sequences * a->heads, 1);
    for (size_t i = share.from; i < share.to; i++) {
        size_t s = i / a->heads, column = i % a->heads * head, row = a->starts[s], tokens = a->starts[s + 1] - row;
        head_job j = { a->qkv + row * 3 * a->width + column, dqkv + row * 3 * a->width + column,
                       dout + (a->only ? s : row) * a->width + column, a->width, head, tokens, a->only ? a->only[s] : 0,
                       a->only ? 1 : tokens, a->causal, mine, mine + most * most, mine + 2 * most * most };
        for (size_t r = 0; a->only && r < tokens; r++)
            memset(j.dqkv + r * 3 * a->width, 0, head * sizeof *dqkv);
        head_backward(&alone, &j);
    }
    scry_nn_wait(t);
}
