/* claim.h - whether a file is large enough for the pixels that its header announces. */
#ifndef SCRY_DECODER_CLAIM_H
#define SCRY_DECODER_CLAIM_H

#include "scry/error.h"

#include <stddef.h>
#include <stdint.h>

struct scry_job;

/* For PNG, before memory for w x h pixels is taken: deflate packs 1032 bytes into one at most. BMP, PNM and JPEG are
 * checked by their readers; the other formats may describe any number of equal pixels in a few bytes. */
int scry_check_claim(const struct scry_job *job, int w, int h, scry_error *err) SCRY_NODISCARD;

/* The error: `size` bytes are too few. */
int scry_refuse_claim(const char *format, size_t size, int w, int h, scry_error *err);

#endif
