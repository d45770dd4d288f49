/* publish.h - the tuned checkpoint: a copy of the original in which some tensors have other numbers. */
#ifndef SCRY_TUNE_PUBLISH_H
#define SCRY_TUNE_PUBLISH_H

#include "model/checkpoint.h"

/* Changes the copy `folder` of a checkpoint. */
typedef int tune_write_fn(const void *arg, const scry_checkpoint *c, const char *folder, scry_error *err);

typedef struct tune_publishing {
    tune_write_fn *write;
    const void *arg;
    bool same_weights;    /* `write` leaves the weights as they are */
    const char *record;   /* JSON, written as SCRY_TUNE_RECORD */
    bool replace;         /* the folder may exist: a result of scry tune, which is replaced */
} tune_publishing;

/* Bytes that are left on the disk of the folder `dir`. */
int tune_room(uint64_t *left, const char *dir, scry_error *err) SCRY_NODISCARD;

/* Whether `out` can be made: its folder is there and may be written, and its disk has room for a copy of the checkpoint and for
 * two states of `count` parameters, of which one replaces the other. */
int tune_check_out(const char *out, const scry_checkpoint *c, size_t count, scry_error *err) SCRY_NODISCARD;

/* Make the folder `out`. It appears complete or not at all. */
int tune_publish(const scry_checkpoint *c, const tune_publishing *p, const char *out, scry_error *err) SCRY_NODISCARD;

/* For such functions: values [count] in place of those of the tensor `name`, which is `t` in the original, in its format. */
int tune_write_values(const scry_checkpoint *c, const char *folder, const char *name, const scry_tensor *t, const float *values,
                      scry_error *err) SCRY_NODISCARD;

#endif
