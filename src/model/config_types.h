/* config_types.h - sizes that several families' configurations share, and the checks
 * that read them. */
#ifndef SCRY_MODEL_CONFIG_TYPES_H
#define SCRY_MODEL_CONFIG_TYPES_H

#include "base/json.h"
#include "nn/kernels.h"
#include "scry/error.h"

/* Far above any published checkpoint; they keep a lying file from sizing anything. */
enum {
    SCRY_MAX_LAYERS = 512, SCRY_MAX_WIDTH = 1 << 15, SCRY_MAX_FFN = 1 << 17,
    SCRY_MAX_VOCAB = 1 << 22, SCRY_MAX_CONTEXT = 1 << 13
};

typedef struct scry_stack_config {   /* a stack of transformer layers */
    size_t layers, width, heads, ffn;
    float eps;
    scry_act act;
    const char *act_name;            /* as people know it: "quick_gelu" */
} scry_stack_config;

/* A size from a configuration: `object`[key] within 1..most, or `fallback` (if not 0) when
 * the key is absent. Any other value is an error naming the key. */
int scry_config_size(const scry_json *object, const char *key, size_t fallback, size_t most,
                     const char *what, size_t *out, scry_error *err) SCRY_NODISCARD;

/* "quick_gelu", "gelu", "gelu_new", "gelu_pytorch_tanh", "relu6". */
int scry_config_act(const char *name, const char *what, scry_act *out, scry_error *err)
    SCRY_NODISCARD;

/* Width shared evenly by the heads, epsilon in range. `tower` is for the message. */
int scry_config_check_stack(const scry_stack_config *s, const char *what, const char *tower,
                            scry_error *err) SCRY_NODISCARD;

#endif
