/* weights.h - memory that lives as long as a prepared tower: biases and norms as floats,
 * packed matrices. Many small pieces, freed together. Large pieces ask the system for
 * large pages, since a product walks through all of them for every picture. */
#ifndef SCRY_NN_WEIGHTS_H
#define SCRY_NN_WEIGHTS_H

#include <stddef.h>

typedef struct scry_weights scry_weights;

scry_weights *scry_weights_new(void);

/* `bytes` zeroed bytes aligned to 64, or NULL if allocation fails. */
void *scry_weights_take(scry_weights *w, size_t bytes);
void scry_weights_free(scry_weights *w);

#endif
