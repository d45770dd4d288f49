/* deep.h - training the last blocks of the towers by backpropagation.
 *
 *     tune_deep_new(&d, checkpoint, &options, err)
 *     tune_deep_give(...) for each trained side, tune_deep_give_fixed for another
 *     loss = tune_deep_loss(d, &step, parameters, gradient);  tune_deep_update(d, parameters, gradient, moments, number, rate);
 *
 * The texts and pictures of a batch run through the trained part once each, however many pairs they are in. Decay is 0.1 of the
 * rate, of matrices only; gradients are clipped to a norm of 1.
 */
#ifndef SCRY_TUNE_DEEP_H
#define SCRY_TUNE_DEEP_H

#include "nn/kernels.h"
#include "tune/data.h"
#include "tune/inputs.h"
#include "tune/part.h"

typedef struct tune_deep tune_deep;

typedef struct tune_deep_options {
    scry_tune_side side;
    size_t depth;            /* blocks of each tower; all of them, if there are no more */
    int threads;             /* 0: one for each processor */
    scry_mode mode;          /* of products */
} tune_deep_options;

/* SCRY_EINVALID for towers that cannot be trained. */
int tune_deep_new(tune_deep **out, const scry_checkpoint *c, const tune_deep_options *o, scry_error *err) SCRY_NODISCARD;
void tune_deep_free(tune_deep *d);

/* The trained part of the pictures' or the texts' tower; NULL: it is not trained. */
const tune_part *tune_deep_part(const tune_deep *d, bool pictures);
size_t tune_deep_count(const tune_deep *d);              /* parameters of both */
const float *tune_deep_origin(const tune_deep *d);       /* [count] the checkpoint's */

/* What a side's items are: inputs of the trained part, each of at most `rows`, or unit vectors [n, dim] where it is not trained.
 * Both are borrowed. */
void tune_deep_give(tune_deep *d, bool pictures, const tune_inputs *in, size_t n, size_t rows);
void tune_deep_give_fixed(tune_deep *d, bool pictures, const float *units, size_t n);

/* Pairs of a step that the memory for activations holds (1 GiB), at most 64. */
size_t tune_deep_batch(const tune_deep *d);

typedef struct tune_step {
    const tune_pair *pairs;
    size_t n;
    const uint32_t *text_number;   /* [texts] equal for equal texts */
    double scale;                  /* of logits */
} tune_step;

/* The contrastive loss of pairs, and its gradient [count], which is overwritten. NAN: not enough memory. */
double tune_deep_loss(tune_deep *d, const tune_step *s, const float *parameters, float *gradient);

void tune_deep_update(tune_deep *d, float *parameters, float *gradient, float *moments, int step, double rate);

/* The unit vectors [n, dim] of the items that `wanted` [n] names to their rows of `out`. */
int tune_deep_embed(tune_deep *d, bool pictures, const bool *wanted, const float *parameters, float *out,
                    scry_error *err) SCRY_NODISCARD;

#endif
