/* adapter.h - B, what it does to texts, the loss and its gradient.
 *
 *     u = unit(concat over branches b of place_b(B_b t_b)),   place_b(y) = w_b unit(y), or y where w_b is 0
 *
 * t [dim] is what the texts' side outputs. For pairs of a text u_i and a picture v_i, with logits l_ij = s u_i . v_j,
 *
 *     loss = (CE(softmax over j of l_ij, y_ij) + CE(softmax over i of l_ij, y_ij)) / 2
 *          + anchor * mean over k of (1 - a_k . a_k at B = I)
 *
 * y_ij: equal parts for all pairs that have the same text or the same picture as i. a_k are texts that are to stay where they are.
 */
#ifndef SCRY_TUNE_ADAPTER_H
#define SCRY_TUNE_ADAPTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TUNE_MAX_BRANCHES = 8 };

typedef struct tune_shape {
    size_t dim, branches, width[TUNE_MAX_BRANCHES];   /* the widths add up to dim */
    double weight[TUNE_MAX_BRANCHES];
    bool mapped;    /* the model has a text map, and t is what it outputs: one branch, multiplied into the map */
} tune_shape;

size_t tune_parameters(const tune_shape *s);    /* numbers of B: all branches, row-major, one after the other */
void tune_identity(const tune_shape *s, float *b);

typedef struct tune_batch {
    size_t n;
    const float *texts, *pictures;              /* [n, dim]: t, and unit v */
    const uint32_t *text_of, *picture_of;       /* [n]: equal numbers, equal texts or pictures */
    double scale;
    size_t anchors;
    const float *anchor_texts, *anchor_units;   /* [anchors, dim]: t, and u at B = I */
    double anchor;
} tune_batch;

/* Unit vectors u [n, dim] of texts t [n, dim]. */
void tune_apply(const tune_shape *s, const float *b, const float *texts, size_t n, float *out);

/* The loss; its gradient to `gradient` [parameters], which may be NULL. */
double tune_loss(const tune_shape *s, const float *b, const tune_batch *batch, float *gradient);

/* AdamW's step number `step` (from 1) with gradient clipping to a norm of 1; the decay is towards the identity. `moments` is
 * [2, parameters], zero at first. */
void tune_adamw(const tune_shape *s, float *b, float *gradient, float *moments, int step, double rate);

#endif
