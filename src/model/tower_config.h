/* tower_config.h - what a family's configuration says about the two towers: sizes, options
 * and the names of tensors.
 *
 * A family fills these in (family.h); the towers (vit.c, naflex.c, fastvit.c, convnext.c, clip_text.c, effnet.c, bert.c)
 * read nothing else of a configuration.
 */
#ifndef SCRY_MODEL_TOWER_CONFIG_H
#define SCRY_MODEL_TOWER_CONFIG_H

#include "nn/kernels.h"
#include "scry/error.h"
#include "tokenizer/tokenizer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Far above any published checkpoint: they limit what scry allocates for a damaged file. */
enum {
    SCRY_MAX_LAYERS = 512, SCRY_MAX_WIDTH = 1 << 15, SCRY_MAX_FFN = 1 << 17,
    SCRY_MAX_VOCAB = 1 << 22, SCRY_MAX_CONTEXT = 1 << 13,
    SCRY_MAX_NAFLEX_GRID = 256, SCRY_MAX_BLOCKS = 128, SCRY_MAX_BRANCHES = 8, SCRY_MAX_HEAD_LAYERS = 16
};

typedef struct scry_layer_names scry_layer_names;   /* transformer.h */

/* Constructors of towers: tower.h. */
typedef struct scry_tower_source scry_tower_source;
typedef struct scry_image_tower scry_image_tower;
typedef struct scry_text_tower scry_text_tower;
typedef int scry_new_image_tower(scry_image_tower **out, const scry_tower_source *src, scry_error *err);
typedef int scry_new_text_tower(scry_text_tower **out, const scry_tower_source *src, scry_error *err);

typedef struct scry_stack_config {   /* a stack of transformer layers */
    size_t layers, width, heads, ffn;
    float eps;
    scry_act act;
    const char *act_name;            /* as published: "quick_gelu" */
} scry_stack_config;

/* ---- image towers ---- */

/* Tensors of the attention-pooling head (attention_pool.h). */
typedef struct scry_attention_pool_names {
    const char *probe, *q, *kv;      /* the same `q` and `kv`: stacked as [3 W, W] */
    const char *weight, *bias;       /* suffixes of q and kv: ".weight" or "_weight" */
    const char *out, *norm, *up, *down;
} scry_attention_pool_names;

/* Tensors of a vision transformer outside its layers. NULL: the tower does not have it. */
typedef struct scry_vit_names {
    const char *stack;               /* prefix of the layers */
    const scry_layer_names *layer;
    const char *class_token;         /* before the patches; the tower is read at it, unless scry_vit_config.averages */
    const char *patches, *positions, *pre_norm, *post_norm;
    bool patch_bias;
    const char *stem;                /* the patches are those of patch_stem.h, and this is its tensors' prefix */
    bool bare_class_token;           /* there is a position for each patch and none for the class token */
    bool batched;                    /* class token and positions are stored [1, T, W] */
    const char *projection, *projection_bias;   /* whole names */
    bool transposed;                 /* the projection is stored [W, D] */
    const scry_attention_pool_names *pool;   /* without a class token */
} scry_vit_names;

typedef struct scry_vit_config {
    scry_stack_config stack;
    size_t patch;                    /* side in pixels */
    const scry_vit_names *names;
    size_t pool_heads, pool_ffn;     /* of the pooling head; 0: as in the layers */
    size_t rotary_grid;              /* rotary positions on a grid of so many rows; 0: none */
    size_t rotary_first;             /* the first row's and column's number */
    bool rotary_rows_first;          /* the first half of a head turns by the row; else by the column */
    bool averages;                   /* read at the mean of the patches, not at the class token */
    bool norm_after_mean;            /* the last norm is of that mean, not of the patches */
} scry_vit_config;

/* SigLIP 2 for pictures of any shape: its vision transformer's names are those of SigLIP's. */
typedef struct scry_naflex_config {
    scry_stack_config stack;
    size_t grid;                     /* side of the stored table of positions */
    const scry_vit_names *names;
} scry_naflex_config;

/* One inverted residual of an EfficientNet-Lite: 1x1 expand, depthwise, 1x1 project. */
typedef struct scry_conv_block {
    size_t kernel, stride, expand, in, out;
} scry_conv_block;

typedef enum { SCRY_HEAD_LINEAR, SCRY_HEAD_SOFTMAX, SCRY_HEAD_GELU } scry_head_kind;

typedef struct scry_head_layer {
    scry_head_kind kind;
    size_t in, out;                  /* LINEAR; equal for the others */
    bool bias;
    const char *name;                /* LINEAR: its tensors without ".weight"; NULL: numbered, see head.h */
    float temperature;               /* SOFTMAX */
} scry_head_layer;

typedef struct scry_head_branch {
    float weight;                    /* of its unit vector; 0: the vector as it is */
    size_t layers;
    scry_head_layer layer[SCRY_MAX_HEAD_LAYERS];
} scry_head_branch;

typedef struct scry_head_config {
    size_t branches;
    scry_head_branch branch[SCRY_MAX_BRANCHES];
} scry_head_config;

typedef struct scry_conv_config {
    size_t stem, top;                /* channels of the first and of the last layer */
    size_t blocks;
    scry_conv_block block[SCRY_MAX_BLOCKS];
    scry_head_config head;
} scry_conv_config;

enum { SCRY_MAX_STAGES = 5 };

/* MobileCLIP's image towers: stages of convolutions, in the last ones attention, too. */
typedef struct scry_fastvit_config {
    size_t stages, layers[SCRY_MAX_STAGES], width[SCRY_MAX_STAGES];
    size_t ratio;                    /* hidden channels of a block for each of its own */
    size_t attentive, squeezed;      /* how many of the last stages attend, and weight their channels when they begin */
    bool layer_norm;                 /* before attention; else batch norm */
    bool stem_scale;                 /* the stem has the branches of 1x1 */
} scry_fastvit_config;

enum { SCRY_CONVNEXT_STAGES = 4 };

typedef struct scry_convnext_config {
    size_t layers[SCRY_CONVNEXT_STAGES], width[SCRY_CONVNEXT_STAGES];
    float eps;
    size_t head_hidden;              /* of a head of two layers; 0: one layer */
    bool head_biased;                /* its last layer */
} scry_convnext_config;

typedef struct scry_image_config {
    scry_new_image_tower *new_tower;
    bool any_shape;                  /* its views are those of SCRY_FIT_PATCHES, of as many patches as the preprocessor says */
    size_t size;                     /* S: side of its views in pixels */
    union {
        scry_vit_config vit;
        scry_naflex_config naflex;
        scry_conv_config conv;
        scry_fastvit_config fastvit;
        scry_convnext_config convnext;
    };
} scry_image_config;

/* ---- text towers ---- */

/* Which of the hidden states is pooled as the text's. */
typedef enum {
    SCRY_POOL_END,    /* of the first `end_id`; where end_id is -1, of the first highest id */
    SCRY_POOL_LAST,   /* of the last, padding included */
    SCRY_POOL_FIRST,
    SCRY_POOL_MEAN    /* the mean of all */
} scry_text_pool;

typedef struct scry_clip_text_names {
    const char *stack;               /* prefix of the layers */
    const scry_layer_names *layer;
    const char *tokens, *positions, *final_norm;
    const char *projection, *projection_bias;   /* whole names; NULL: none, D is W */
    bool transposed;                 /* the projection is stored [W, D] */
} scry_clip_text_names;

/* Tensors of a text model of transformers outside its layers, below its prefix. NULL: it does not have it. */
typedef struct scry_bert_names {
    const char *words, *positions, *types;   /* without `positions` they are sinusoids */
    const char *norm;                /* of the embeddings */
    const char *stack;               /* prefix of the layers */
    const scry_layer_names *layer;
    const char *final_norm;          /* of what is pooled */
} scry_bert_names;

typedef struct scry_bert_config {
    const scry_bert_names *names;
    const char *prefix;              /* of all its tensors but the head's */
    size_t types;                    /* rows of the table of token types */
    size_t positions;                /* rows of the table of positions */
    size_t first_position;           /* the row of a text's first token */
    float scale;                     /* of the rows of the table of words */
    bool pre_norm;
    scry_head_config head;
} scry_bert_config;

typedef struct scry_text_config {
    scry_new_text_tower *new_tower;
    scry_stack_config stack;
    size_t vocab, context;
    scry_text_pool pool;
    int64_t end_id;
    bool causal;                     /* causal attention */
    bool padded;                     /* every text is padded to the context */
    bool strips_end;                 /* a text's end token is replaced by id 0 */
    const char *prefix;              /* prepended to every text; borrowed from the configuration */
    scry_tokenizer_dialect dialect;
    union {
        const scry_clip_text_names *clip_names;
        scry_bert_config bert;
    };
} scry_text_config;

#endif
