/* attention.h - softmax(Q K^T / sqrt(head)) V for a batch of sequences.
 *
 * The rows of Q, K and V lie side by side: qkv is [rows, 3 * width], row i holding q, k
 * and v of token i, heads one after the other in each. Sequences follow each other
 * without padding. Rows before the first one's are a beginning that all of them share:
 * with `causal` it does not depend on what follows, so it is computed once.
 */
#ifndef SCRY_NN_ATTENTION_H
#define SCRY_NN_ATTENTION_H

#include "nn/nn.h"

typedef struct scry_attention {
    const float *qkv;        /* [starts[sequences], 3 * width] */
    const size_t *starts;    /* [sequences + 1]: first row of each sequence; then the end.
                                starts[0] > 0 only with `causal` */
    size_t sequences;
    size_t width, heads;
    bool causal;             /* a token sees itself and those before it */
    const size_t *only;      /* [sequences]: compute this token (counted within its sequence's own
                                rows) alone, to row s of out; NULL = all tokens */
    float *out;              /* [rows, width]; may not overlap qkv */
} scry_attention;

void scry_attention_run(scry_nn *t, const scry_attention *a);

#endif
