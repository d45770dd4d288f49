/* depthwise.h - convolutions of each channel by itself, over maps with channels last.
 *
 * They are bound by the second-level cache rather than by arithmetic unless inputs are used several times once they are in
 * registers: the kernels compute blocks of 2 x 8 places of a few channels.
 */
#ifndef SCRY_NN_DEPTHWISE_H
#define SCRY_NN_DEPTHWISE_H

#include "nn/nn.h"

enum { SCRY_DEPTHWISE_MAX_KERNEL = 15 };

typedef struct scry_depthwise_conv {
    size_t kernel, stride, channels;
    size_t times;          /* outputs a channel; output k of every channel lies at [k * channels, (k + 1) * channels) */
    const float *packed;   /* [times] of scry_depthwise_floats; borrowed */
} scry_depthwise_conv;

/* The kernels' layout of weights [channels * step, kernel^2] and bias [channels * step], of which every step-th is used:
 * its size, and itself to `out`. */
size_t scry_depthwise_floats(size_t channels, size_t kernel);
void scry_depthwise_pack(const float *weights, const float *bias, size_t step, size_t channels, size_t kernel, float *out);

typedef struct scry_depthwise_map {
    const float *in;       /* [side, side, channels] */
    float *out;            /* [out_side, out_side, times * channels]; may not overlap `in` */
    size_t side, out_side;
    size_t pad;            /* zeros before the first row and column; as many as needed follow the last */
    scry_act act;
} scry_depthwise_map;

/* Ends with a barrier of the team. */
void scry_depthwise_run(scry_nn *t, const scry_depthwise_conv *c, const scry_depthwise_map *m);

#endif
