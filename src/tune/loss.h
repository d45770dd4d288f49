/* loss.h - the contrastive loss of pairs of unit vectors u_i (texts) and v_i (pictures), with logits l_ij = s u_i . v_j:
 *
 *     (CE(softmax over j of l_ij, y_ij) + CE(softmax over i of l_ij, y_ij)) / 2, the mean over i
 *
 * y_ij: equal parts for all pairs that have the same text or the same picture as i.
 */
#ifndef SCRY_TUNE_LOSS_H
#define SCRY_TUNE_LOSS_H

#include <stddef.h>
#include <stdint.h>

typedef struct tune_pairs {
    size_t n, dim;
    const float *u, *v;                         /* [n, dim] */
    const uint32_t *text_of, *picture_of;       /* [n]: equal numbers, equal texts or pictures */
    double scale;
} tune_pairs;

/* The loss; its gradients are added to du and dv [n, dim]; NULL: not wanted. */
double tune_contrast(const tune_pairs *p, float *du, float *dv);

#endif
