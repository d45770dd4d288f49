/* attention.h - softmax(Q K^T / sqrt(head)) V for a batch of sequences.
 *
 * The rows of Q, K and V lie side by side: qkv is [rows, 3 * width], row i holding q, k and v
 * of token i, heads one after the other in each. Sequences follow each other without padding.
 * With `causal` a token does not depend on later ones, so sequences can share the rows of a
 * common prefix: in lexicographic order each needs rows only for the tokens after the prefix
 * that it shares with its predecessor.
 */
#ifndef SCRY_NN_ATTENTION_H
#define SCRY_NN_ATTENTION_H

#include "nn/nn.h"

typedef struct scry_attention {
    const float *qkv;        /* [starts[sequences], 3 * width] */
    const size_t *starts;    /* [sequences + 1]: first of each sequence's own rows, 0; then the end */
    const size_t *shared;    /* [sequences] tokens before its own rows, which are the first ones of
                                the sequence before it; NULL = 0. Above 0 only with `causal` */
    size_t sequences;
    size_t width, heads;
    bool causal;             /* a token sees itself and those before it */
    const size_t *only;      /* [sequences]: compute only this token (an index into the sequence's own rows),
                              * to row s of out; NULL = all tokens */
    float *out;              /* [rows, width]; may not overlap qkv */
    scry_mode mode;          /* of both products: F32, or BF16, which is F32 where it is not taken. The softmax between them is
                              * float */
    bool bf16_in, bf16_out;  /* where it is taken: qkv (in mode BF16 only), `out` have bf16 numbers instead of floats */
} scry_attention;

/* Whether the processor has bf16, and a head fits the scratch for it in whole groups. */
static inline bool scry_attention_takes_bf16(const scry_nn *t, size_t head)
{
    return t->k->fast_bf16 && head <= SCRY_STAGING_K && head % 2 == 0;
}

void scry_attention_run(scry_nn *t, const scry_attention *a);

/* The rows of all tokens of sequence s, shared ones first, to `rows`; returns how many. */
size_t scry_attention_rows(const scry_attention *a, size_t s, size_t *rows);

#endif
