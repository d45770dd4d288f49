/* attention_pool.h - the head of SigLIP's image tower: a learnt query attends to all patches.
 *
 *     q = Wq probe    k, v = Wkv x      o = out(attention(q, k, v))
 *     y = o + down(act(up(norm(o))))
 *
 * big_vision's MAPHead; transformers' SiglipMultiheadAttentionPoolingHead; timm's
 * AttentionPoolLatent.
 */
#ifndef SCRY_MODEL_ATTENTION_POOL_H
#define SCRY_MODEL_ATTENTION_POOL_H

#include "model/binder.h"
#include "model/tower_config.h"

typedef struct scry_attention_pool {
    size_t heads;
    scry_act act;
    const float *probe;               /* [W] */
    scry_linear q, kv, out, up, down; /* [W, W], [2 W, W], [W, W], [F, W], [W, F] */
    scry_norm norm;
} scry_attention_pool;

/* Width, heads and activation are those of the tower's layers. */
void scry_attention_pool_bind(scry_attention_pool *p, scry_binder *b, const scry_attention_pool_names *names,
                              const scry_stack_config *stack);

/* Floats of scratch for each of `tokens` rows of a picture. */
size_t scry_attention_pool_row_floats(const scry_stack_config *stack);

/* x [starts[n], W], the sequences at `starts` [n + 1], to out [n, W]. Overwrites neither. */
void scry_attention_pool_run(scry_nn *t, const scry_attention_pool *p, size_t n, const size_t *starts,
                             const float *x, float *memory, float *out);

#endif
