/* taps.h - the weights of one pass. */
#ifndef SCRY_RESIZE_TAPS_H
#define SCRY_RESIZE_TAPS_H

#include "resize/kernels.h"
#include "scry/model.h"

/* One side of a resampling: of `in_size` pixels, the extent [at, at + extent) becomes
 * `out_size`, of which [first, first + count) are wanted. */
typedef struct scry_taps_plan {
    int in_size;
    double at, extent;
    int out_size, first, count;
} scry_taps_plan;

/* 0 or SCRY_ENOMEM; scry_taps_dispose either way. */
int scry_taps_init(scry_taps *t, const scry_taps_plan *plan, scry_filter filter);
/* The form for the vector kernels as well. */
int scry_taps_split(scry_taps *t);
void scry_taps_dispose(scry_taps *t);

#endif
