/* heads.h - training the adapter of a model's texts (adapter.h) on what the towers made of pictures and texts. */
#ifndef SCRY_TUNE_HEADS_H
#define SCRY_TUNE_HEADS_H

#include "tune/adapter.h"
#include "tune/data.h"

/* B of the best state, mixed with the identity; owned by the caller, NULL where nothing is gained. The data is open; its pairs
 * are made here. */
int tune_heads(float **b, const tune_shape *s, tune_data *d, scry_error *err) SCRY_NODISCARD;

#endif
