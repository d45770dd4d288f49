/* npy.h - NumPy's .npy format, version 1.0: float32, C order. */
#ifndef SCRY_CLI_NPY_H
#define SCRY_CLI_NPY_H

#include "scry/error.h"

#include <stddef.h>

/* Write `rows` [n, dim] to `path` with cli_write_file(). */
int cli_write_npy(const char *path, const float *rows, size_t n, size_t dim, scry_error *err) SCRY_NODISCARD;

#endif
