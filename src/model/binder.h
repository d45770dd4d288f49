/* binder.h - from a checkpoint's tensors to the parameters of operations.
 *
 * A tower calls the binder once for each parameter. The first failure is kept and later calls
 * do nothing, so that callers check once, at the end. A tower is bound twice: when the model is
 * opened, only to check that every tensor is present with the right shape and dtype, and when
 * the tower is first needed, to fill in the parameters.
 */
#ifndef SCRY_MODEL_BINDER_H
#define SCRY_MODEL_BINDER_H

#include "model/outliers.h"
#include "model/safetensors.h"
#include "nn/linear.h"

typedef struct scry_binder {
    const scry_tensors *tensors;
    scry_weights *weights;    /* where small parameters go; NULL: check only */
    scry_mode mode;           /* arithmetic of the linears */
    scry_scratch_need need;   /* grows with what is bound */
    scry_linear **linears;    /* every linear that was bound, for packing; owned */
    size_t linear_count;
    int result;               /* 0, or the first failure */
    scry_error *err;
} scry_binder;

/* A vector of `n` as floats; NULL when only checking or after a failure. */
const float *scry_bind_floats(scry_binder *b, size_t n, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The same of a tensor of another shape. */
const float *scry_bind_shaped_floats(scry_binder *b, int rank, const size_t *shape, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* A layer norm over W numbers. */
typedef struct scry_norm {
    size_t width;
    float eps;
    const float *gain, *bias;   /* [W]; NULL when only checking or after a failure */
} scry_norm;

/* The norm whose tensors are NAME.weight and NAME.bias. */
scry_norm scry_bind_norm(scry_binder *b, size_t width, float eps, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* A view of a tensor; see scry_tensors_get for `shape`. */
scry_tensor scry_bind_tensor(scry_binder *b, int rank, const size_t *shape, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* How a linear's weights [n, k] are stored. */
typedef struct scry_linear_names {
    const char *prefix;                        /* before all of them */
    const char *part[SCRY_LINEAR_MAX_PARTS];   /* stacked: [n / parts, k] each */
    const char *weight, *bias;                 /* suffixes: ".weight", ".bias"; bias may be NULL */
    bool transposed;                           /* stored as [k, n] */
    int rank;                                  /* 0: a matrix; 4: a convolution, k a product */
    size_t tail[3];                            /* rank 4: its last three sizes */
    const float *made_bias;                    /* [n], or [of], that were computed, in place of `bias`; NULL: none */
    const float *spread, *gain;                /* see scry_linear_spec; may be NULL */
    bool precise;                              /* bf16 where the tower is int8 */
    size_t skip, of;                           /* only outputs [skip, skip + n) of `of`; 0: all */
} scry_linear_names;

/* The stacked weights [n, k] themselves, as views. Neither transposed nor `skip`. */
void scry_bind_stacked(scry_binder *b, scry_stacked *w, size_t n, size_t k,
                       const scry_linear_names *names);

/* `l` must outlive the binder's list of linears. */
void scry_bind_linear(scry_binder *b, scry_linear *l, size_t n, size_t k,
                      const scry_linear_names *names);

/* A linear of weights [n, k] and bias [n] (NULL: none) that were computed from the checkpoint's; both must outlive it. bf16
 * where the tower is int8. */
void scry_bind_made_linear(scry_binder *b, scry_linear *l, size_t n, size_t k, const float *weights, const float *bias);

/* `n` floats of the tower's memory, uninitialised; NULL when only checking or after a failure. */
float *scry_bind_memory(scry_binder *b, size_t n);

#endif
