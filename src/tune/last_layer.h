/* last_layer.h - the matrices that end a model's texts: which they are, and B multiplied into them. */
#ifndef SCRY_TUNE_LAST_LAYER_H
#define SCRY_TUNE_LAST_LAYER_H

#include "model/checkpoint.h"
#include "tune/adapter.h"

/* The branches of a checkpoint's texts. SCRY_EINVALID for a model whose texts do not end in a matrix. */
int tune_shape_of(tune_shape *out, const scry_checkpoint *c, scry_error *err) SCRY_NODISCARD;

typedef struct tune_product {
    const tune_shape *s;
    const float *b;
} tune_product;

/* A tune_write_fn (publish.h) with a tune_product: B times the last matrices, or the text map, of the copy `folder`. */
int tune_multiply(const void *product, const scry_checkpoint *c, const char *folder, scry_error *err) SCRY_NODISCARD;

#endif
