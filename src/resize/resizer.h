/* resizer.h - for tests: a resizer with chosen kernels. */
#ifndef SCRY_RESIZE_RESIZER_H
#define SCRY_RESIZE_RESIZER_H

#include "resize/kernels.h"
#include "resize/resize.h"

int scry_resizer_new_with(scry_resizer **out, int src_w, int src_h, const scry_resize_window *window,
                          const scry_resize_kernels *kernels, scry_error *err) SCRY_NODISCARD;

#endif
