/* part.h - the trained part of a tower: its last blocks and its head, their parameters in one array, forward and backward.
 *
 *     x [T, W] of each picture or text: what enters the first trained block
 *       blocks: x += out(attention(norm1(x))), x += down(act(up(norm2(x))))
 *       one token's row, normed              or all rows, normed, pooled by attention (attention_pool.h)
 *       (-> projection) -> z [D]
 *
 * Numbers are floats; products may be rounded to bf16. Where one token is read, the last block computes only its row after
 * keys and values.
 */
#ifndef SCRY_TUNE_PART_H
#define SCRY_TUNE_PART_H

#include "model/checkpoint.h"
#include "nn/nn.h"

enum { TUNE_NAME_BYTES = 256, TUNE_NONE = -1 };

/* A tensor of the checkpoint, in the array of parameters. */
typedef struct tune_tensor {
    char name[TUNE_NAME_BYTES];
    size_t at, count;
    bool matrix;             /* decays */
} tune_tensor;

/* y = x W^T + b: where W [N, K] (or, stored the other way round, [K, N]) and b [N] are. */
typedef struct tune_linear {
    size_t w, n, k;
    int64_t b;               /* TUNE_NONE: there is none */
    bool transposed;
} tune_linear;

typedef struct tune_norm {
    size_t gain, bias;
} tune_norm;

/* down(act(up(norm(x)))) */
typedef struct tune_mlp {
    tune_norm norm;
    tune_linear up, down;
} tune_mlp;

typedef struct tune_block {
    tune_norm norm;
    tune_linear qkv, out;
    tune_mlp mlp;
} tune_block;

typedef struct tune_part {
    size_t layers, first;    /* of the tower; the first trained one */
    size_t width, heads, ffn, dim;
    scry_act act;
    float eps;
    bool causal;
    bool pooled;             /* by attention; else by the token that is given for each picture or text */
    tune_block *blocks;      /* [layers - first]; owned */
    tune_norm final;
    struct {                 /* of the pooling head */
        size_t probe, heads;
        tune_linear q, kv, out;
        tune_mlp mlp;
    } pool;
    bool projected;
    tune_linear projection;
    tune_tensor *tensors;    /* all of them; owned */
    size_t tensor_count, count;   /* tensors; numbers */
} tune_part;

/* The last `depth` blocks of the pictures' or the texts' tower, or all if there are no more. `base` is where their parameters
 * begin in the array. SCRY_EINVALID for a tower that is no plain transformer. */
int tune_part_bind(tune_part *out, const scry_checkpoint *c, bool pictures, size_t depth, size_t base,
                   scry_error *err) SCRY_NODISCARD;
void tune_part_dispose(tune_part *p);

/* A view of such a tensor in the checkpoint. */
int tune_part_tensor(const scry_checkpoint *c, const tune_tensor *want, scry_tensor *out, scry_error *err) SCRY_NODISCARD;

/* The checkpoint's numbers to `parameters`. */
int tune_part_read(const tune_part *p, const scry_checkpoint *c, float *parameters, scry_error *err) SCRY_NODISCARD;

/* ---- a batch (part_run.c) ---- */

typedef struct tune_sequences {
    size_t n;
    const size_t *starts;    /* [n + 1] rows of each */
    const size_t *read;      /* [n] the token that is read, counted among its own; for pooled parts not looked at */
} tune_sequences;

typedef struct tune_run tune_run;

/* Memory for batches of a part; grows with what is run. */
tune_run *tune_run_new(const tune_part *p, scry_team *team, scry_mode mode);
void tune_run_free(tune_run *r);

/* Floats for one row of a batch. */
size_t tune_run_row_floats(const tune_part *p);

/* Where the batch's x [rows, W] is to be written before tune_run_forward; NULL: not enough memory. The batch is borrowed until
 * the next one. */
float *tune_run_begin(tune_run *r, const tune_sequences *s);

/* z [n, D], not normalised. Borrowed until the next tune_run_begin. */
const float *tune_run_forward(tune_run *r, const float *parameters);

/* Add to `gradient`, as long as the parameters, what dz [n, D] gives. Once after a forward run. */
void tune_run_backward(tune_run *r, const float *parameters, const float *dz, float *gradient);

#endif
