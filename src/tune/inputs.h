/* inputs.h - what enters the first trained block, of every picture or text: halves in a temporary file without a name, mapped.
 *
 * The frozen part of a tower runs once; a step of training reads its rows from here.
 */
#ifndef SCRY_TUNE_INPUTS_H
#define SCRY_TUNE_INPUTS_H

#include "scry/error.h"

#include <stddef.h>
#include <stdint.h>

typedef struct tune_inputs tune_inputs;

/* For `items` of about `rows` rows of `width` numbers, in a file in the folder `dir`. SCRY_ELIMIT, with both numbers, when its
 * disk has not the room for them. */
int tune_inputs_new(tune_inputs **out, const char *dir, size_t items, size_t rows, size_t width, scry_error *err) SCRY_NODISCARD;
void tune_inputs_free(tune_inputs *in);

/* The rows x [rows, width] of an item; `read` is the one that is read. Any number of threads, each item once. A failure is
 * reported by tune_inputs_finish. */
void tune_inputs_put(tune_inputs *in, size_t item, const float *x, size_t rows, size_t read);

/* After the last put: SCRY_EIO when something could not be written. */
int tune_inputs_finish(tune_inputs *in, scry_error *err) SCRY_NODISCARD;

size_t tune_inputs_rows(const tune_inputs *in, size_t item);   /* 0: was not put */
size_t tune_inputs_read(const tune_inputs *in, size_t item);
uint64_t tune_inputs_bytes(const tune_inputs *in);

/* The item's rows [rows, width]. After tune_inputs_finish. */
void tune_inputs_get(const tune_inputs *in, size_t item, float *out);

#endif
