/* dual.h - scry's own checkpoint format (docs/model-format.md): a convolutional image
 * tower, a BERT text tower, and on both a head that maps into the common space. */
#ifndef SCRY_MODEL_DUAL_H
#define SCRY_MODEL_DUAL_H

#include "base/json.h"
#include "model/config_types.h"

#include <stdbool.h>

enum { SCRY_MAX_BLOCKS = 128, SCRY_MAX_BRANCHES = 8, SCRY_MAX_HEAD_LAYERS = 16 };

/* One inverted residual of an EfficientNet-Lite: 1x1 expand, depthwise, 1x1 project. */
typedef struct scry_conv_block {
    size_t kernel, stride, expand, in, out;
} scry_conv_block;

typedef struct scry_conv_config {
    size_t image_size, stem, head;   /* S; channels */
    size_t blocks;
    scry_conv_block block[SCRY_MAX_BLOCKS];
} scry_conv_config;

typedef enum { SCRY_HEAD_LINEAR, SCRY_HEAD_SOFTMAX, SCRY_HEAD_GELU } scry_head_kind;

typedef struct scry_head_layer {
    scry_head_kind kind;
    size_t in, out;          /* LINEAR; equal for the others */
    bool bias;
    float temperature;       /* SOFTMAX */
} scry_head_layer;

typedef struct scry_head_branch {
    float weight;
    size_t layers;
    scry_head_layer layer[SCRY_MAX_HEAD_LAYERS];
} scry_head_branch;

typedef struct scry_head_config {
    size_t branches;
    scry_head_branch branch[SCRY_MAX_BRANCHES];
} scry_head_config;

typedef struct scry_dual_config {
    size_t dim;
    scry_conv_config image;
    scry_stack_config text;
    size_t vocab, context, types;
    const char *prefix;      /* before every text; borrowed from the configuration */
    scry_head_config image_head, text_head;
} scry_dual_config;

/* Read a config.json whose model_type is scry_dual_encoder. */
int scry_dual_parse(scry_dual_config *out, const scry_json *config, const char *what,
                    scry_error *err) SCRY_NODISCARD;

#endif
