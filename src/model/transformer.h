/* transformer.h - the stack of transformer layers of CLIP's, SigLIP's and BERT's towers.
 *
 *     pre-norm (CLIP)                         post-norm (BERT)
 *     x = x + out(attention(norm1(x)))        x = norm1(x + out(attention(x)))
 *     x = x + down(act(up(norm2(x))))         x = norm2(x + down(act(up(x))))
 *
 * EVA has more of them in a pre-norm layer:
 *     x = x + out(out_norm(attention(norm1(x))))
 *     x = x + down(down_norm(act(gate(h)) * up(h))),  h = norm2(x)
 *
 * Where only one token of each sequence is pooled, the last layer computes only those rows
 * after its keys and values: exact, and saves 3/4 of a layer.
 */
#ifndef SCRY_MODEL_TRANSFORMER_H
#define SCRY_MODEL_TRANSFORMER_H

#include "model/binder.h"
#include "model/tower_config.h"
#include "model/trace.h"

typedef struct scry_layer {
    scry_norm norm1, norm2;
    scry_linear qkv;    /* [3 W, W]; [W, W], the values, where queries and keys are apart */
    scry_linear qk;     /* [2 W, W] in more than int8: see outliers.h; else its n is 0 */
    scry_norm out_norm; /* of the input of `out`; its width is 0 where there is none */
    scry_linear out;    /* [W, W] */
    scry_linear up;     /* [F, W] */
    scry_linear gate;   /* [F, W], activated in place of `up` and multiplied by it; its n is 0 where there is none */
    scry_norm down_norm;   /* of the input of `down`; its width is 0 where there is none */
    scry_linear down;   /* [W, F] */
} scry_layer;

typedef struct scry_stack {
    scry_stack_config config;
    bool causal, post_norm;
    bool gated;               /* layers have a gate */
    bool reads_all_rows;      /* of the last layer, without scry_stack_run_args.only */
    const float *rotary;      /* [tokens, W / heads / 2, 2] cosine and sine by which each pair of numbers of a head's query
                                 and key is rotated, for sequences of `rotary_tokens`; NULL: none. Borrowed. */
    size_t rotary_tokens;
    scry_layer *layers;       /* [config.layers]; owned */
} scry_stack;

/* Names of a layer's tensors below its prefix. */
struct scry_layer_names {
    const char *layer;        /* "%zu" is the number: "text_model.encoder.layers.%zu." */
    const char *norm1, *norm2;
    const char *qkv[SCRY_LINEAR_MAX_PARTS];   /* one name: fused */
    const char *qkv_weight, *qkv_bias;        /* ".weight" or, fused, "_weight" */
    const char *out, *up, *down;
    /* EVA's; NULL: a layer has none */
    const char *q_bias, *v_bias;              /* whole names, in place of qkv_bias; keys have no bias */
    const char *out_norm, *gate, *down_norm;
};

extern const scry_layer_names scry_names_clip, scry_names_open_clip, scry_names_bert, scry_names_distilbert, scry_names_m2m;
extern const scry_bert_names scry_names_bert_model;

/* Bind the layers, whose prefix is `prefix` + names->layer. s->config and the flags are set
 * by the caller. */
void scry_stack_bind(scry_stack *s, scry_binder *b, const char *prefix,
                     const scry_layer_names *names, size_t max_tokens);
void scry_stack_dispose(scry_stack *s);

/* Floats of scratch for each row, x included. */
size_t scry_stack_row_floats(const scry_stack *s);

typedef struct scry_stack_run_args {
    float *memory;            /* [rows * row_floats]; x is its beginning: [rows, W] */
    const size_t *starts;     /* [sequences + 1] rows of the sequences; see attention.h */
    const size_t *shared;     /* [sequences] tokens of each before its rows, or NULL: attention.h */
    size_t sequences;
    const size_t *only;       /* [sequences] token to keep, or NULL: see attention.h. x is then
                                 [sequences, W] at the end. */
    const scry_tracer *tracer;
    const char *name;         /* "image", "text": prefix of the traced states */
} scry_stack_run_args;

void scry_stack_run(scry_nn *t, const scry_stack *s, const scry_stack_run_args *run);

/* Mean over the rows of x [rows, W] to out [W], the team sharing the columns. Ends with a barrier of the team. */
void scry_mean_rows(scry_nn *t, const float *x, size_t rows, size_t width, float *out);

/* Layer norm of x [rows, W], the team sharing the rows. Ends with a barrier of the team. */
void scry_norm_rows(scry_nn *t, const scry_norm *norm, const float *x, size_t rows, float *out);

#endif
