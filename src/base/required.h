/* required.h - arguments of public functions that may not be NULL. */
#ifndef SCRY_BASE_REQUIRED_H
#define SCRY_BASE_REQUIRED_H

#include "scry/error.h"

#include <stddef.h>

/* SCRY_EINVALID, naming `what` ("a time"), where `value` is NULL. */
int scry_required(const void *value, const char *what, scry_error *err) SCRY_NODISCARD;

/* The same where `n` of it are needed: nothing of none. */
int scry_required_array(const void *values, size_t n, const char *what, scry_error *err) SCRY_NODISCARD;

/* The same of each of `texts` [n]. */
int scry_required_texts(const char *const *texts, size_t n, const char *what, scry_error *err) SCRY_NODISCARD;

#endif
