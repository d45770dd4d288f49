/* taps.h - the weights of one pass. */
#ifndef SCRY_RESIZE_TAPS_H
#define SCRY_RESIZE_TAPS_H

#include "resize/kernels.h"
#include "scry/model.h"

/* Weights of the outputs [first, first + count) when `in_size` pixels become `out_size`.
 * 0 or SCRY_ENOMEM; scry_taps_dispose either way. */
int scry_taps_init(scry_taps *t, int in_size, int out_size, int first, int count,
                   scry_filter filter);
/* The form for the vector kernels as well. */
int scry_taps_split(scry_taps *t);
void scry_taps_dispose(scry_taps *t);

#endif
