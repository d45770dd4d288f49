/* publish.h - the tuned checkpoint: a copy of the original whose texts' last matrices are multiplied by B. */
#ifndef SCRY_TUNE_PUBLISH_H
#define SCRY_TUNE_PUBLISH_H

#include "model/checkpoint.h"
#include "tune/adapter.h"

/* The branches of a checkpoint's texts. SCRY_EINVALID for a model whose texts do not end in a matrix. */
int tune_shape_of(tune_shape *out, const scry_checkpoint *c, scry_error *err) SCRY_NODISCARD;

/* Make the folder `out`, which must not exist: the files of c->dir with B multiplied in, in the numbers' own format, and
 * `record` (JSON) as SCRY_TUNE_RECORD. It appears complete or not at all. */
int tune_publish(const scry_checkpoint *c, const tune_shape *s, const float *b, const char *record, const char *out,
                 scry_error *err) SCRY_NODISCARD;

#endif
