/* attention_pool.h - the head of SigLIP's image tower: a learnt query attends to all patches.
 *
 *     q = Wq probe    k, v = Wkv x      o = out(attention(q, k, v))
 *     y = o + down(act(up(norm(o))))
 *
 * big_vision's MAPHead; transformers' SiglipMultiheadAttentionPoolingHead; timm's
 * AttentionPoolLatent.
 *
 * As the query is the same for all pictures, keys and values of patches are never computed: a head's scores are
 * q (Wk x) = (Wk^T q) x, a product with one vector for each head, made when the tower is bound (what the keys' bias adds is
 * the same for all patches, so that the softmax drops it), and of its values only the mean is read,
 * sum p (Wv x + b) = Wv (sum p x) + b. Those products were 1.3 % of SigLIP 2 B/16.
 */
#ifndef SCRY_MODEL_ATTENTION_POOL_H
#define SCRY_MODEL_ATTENTION_POOL_H

#include "model/binder.h"
#include "model/tower_config.h"

typedef struct scry_attention_pool {
    size_t heads;
    scry_act act;
    scry_linear scores;           /* [heads, W]: Wk^T q */
    scry_linear v, out, up, down; /* [W, W], [W, W], [F, W], [W, F] */
    scry_norm norm;
} scry_attention_pool;

/* Width, heads and activation are those of the tower's layers. */
void scry_attention_pool_bind(scry_attention_pool *p, scry_binder *b, const scry_attention_pool_names *names,
                              const scry_stack_config *stack);

/* Floats of scratch for a picture of `tokens` rows. */
size_t scry_attention_pool_floats(const scry_stack_config *stack, size_t tokens);

/* x [starts[n], W], the sequences at `starts` [n + 1], to out [n, W]. Overwrites neither. */
void scry_attention_pool_run(scry_nn *t, const scry_attention_pool *p, size_t n, const size_t *starts,
                             const float *x, float *memory, float *out);

#endif
