/* train.h - training itself, whatever is trained: epochs of steps, the held-out part, interpolation with the original. */
#ifndef SCRY_TUNE_TRAIN_H
#define SCRY_TUNE_TRAIN_H

#include "tune/data.h"

/* A method of training: what its parameters are and what a step does. */
typedef struct tune_method {
    size_t count;                /* parameters */
    const float *origin;         /* [count] those of the original */
    size_t batch;                /* pairs of a step, at most */
    double rate;                 /* highest, reached after a tenth of the steps, from where it falls as a cosine */
    void *self;
    /* The loss of the pairs; writes its gradient. */
    double (*loss)(void *self, const tune_pair *pairs, size_t n, const float *parameters, float *gradient);
    /* A step of the optimiser, number `step` from 1. `moments` is [2, count], zero at first. */
    void (*update)(void *self, float *parameters, float *gradient, float *moments, int step, double rate);
    /* Recall on the held-out part. */
    double (*recall)(void *self, const float *parameters);
} tune_method;

/* Train, and mix the best state with the original: `best` [count], owned by the caller, NULL where nothing is gained
 * (report->saved). Fills in the report. With a state of the same run at OUT.state it goes on from there. What a later run needs to
 * go on is left there: the caller removes it when the result is written. */
int tune_train(float **best, const tune_data *d, const tune_method *m, scry_error *err) SCRY_NODISCARD;

#endif
