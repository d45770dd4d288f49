/* put_checks.h - what callers give to a store, refused before any kind of store sees it. */
#ifndef SCRY_STORE_PUT_CHECKS_H
#define SCRY_STORE_PUT_CHECKS_H

#include "scry/error.h"
#include "scry/store.h"

#include <stdbool.h>
#include <stddef.h>

/* Unit length as far as fp32 rounding over `dim` terms can tell; refuses NaN. */
bool scry_is_unit_vector(const float *v, int dim);

/* SCRY_EINVALID for files without a path below their root, with a vector that is not of unit length or a label that is NULL. */
int scry_check_puts(const scry_put *batch, size_t n, int dim, scry_error *err) SCRY_NODISCARD;

/* SCRY_EINVALID for what was read by nobody, or has a line that is NULL. */
int scry_check_texts(const scry_picture_text *texts, size_t n, scry_error *err) SCRY_NODISCARD;

#endif
