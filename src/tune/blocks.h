/* blocks.h - a training of blocks (deep.h) from the pictures and texts to their parameters: what the frozen part makes of them is
 * computed once, then steps run the trained part alone. */
#ifndef SCRY_TUNE_BLOCKS_H
#define SCRY_TUNE_BLOCKS_H

#include "tune/data.h"
#include "tune/deep.h"

typedef struct tune_blocks {
    tune_deep *deep;
    float *parameters;       /* of the best state, mixed with the original; NULL: nothing was gained */
    tune_data *data;
    tune_inputs *pictures, *texts;
    float *fixed_texts;      /* [texts, dim], where they are not trained */
    float *text_units, *picture_units;   /* of a recall */
    bool *dev_texts, *dev_pictures;      /* which it needs */
} tune_blocks;

/* The data is open; its pairs are made here. To be disposed of in any case. */
int tune_blocks_train(tune_blocks *out, tune_data *d, scry_error *err) SCRY_NODISCARD;
void tune_blocks_dispose(tune_blocks *b);

/* A tune_write_fn (publish.h) with a tune_blocks. */
int tune_blocks_write(const void *blocks, const scry_checkpoint *c, const char *folder, scry_error *err) SCRY_NODISCARD;

#endif
