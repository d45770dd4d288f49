#include "nn/depthwise.h"

size_t scry_depthwise_floats(size_t channels, size_t kernel)
{
    size_t blocks = (channels + SCRY_DEPTHWISE_BLOCK - 1) / SCRY_DEPTHWISE_BLOCK;
    return blocks * (1 + kernel * kernel) * SCRY_DEPTHWISE_BLOCK;
}

void scry_depthwise_pack(const float *weights, const float *bias, size_t step, size_t channels, size_t kernel, float *out)
{
    size_t places = kernel * kernel;
    memset(out, 0, scry_depthwise_floats(channels, kernel) * sizeof *out);
    for (size_t c = 0; c < channels; c++) {
        float *lane = out + c / SCRY_DEPTHWISE_BLOCK * (1 + places) * SCRY_DEPTHWISE_BLOCK + c % SCRY_DEPTHWISE_BLOCK;
        *lane = bias[c * step];
        for (size_t i = 0; i < places; i++)
            lane[(1 + i) * SCRY_DEPTHWISE_BLOCK] = weights[c * step * places + i];
    }
}

/* Output rows oy and oy + 1, or oy alone where it is the last. */
static void run_rows(scry_nn *t, const scry_depthwise_conv *c, const scry_depthwise_map *m, size_t oy)
{
    const float *rows[SCRY_DEPTHWISE_MAX_KERNEL + 2];
    for (size_t i = 0; i < c->kernel + c->stride; i++) {
        size_t y = oy * c->stride + i;   /* from the padding's first row on */
        rows[i] = y >= m->pad && y - m->pad < m->side ? m->in + (y - m->pad) * m->side * c->channels : NULL;
    }
    size_t wide = c->times * c->channels, row = m->out_side * wide;
    scry_depthwise d = {
        .rows = rows, .kernel = (int)c->kernel, .stride = (int)c->stride, .width = (int)m->side, .pad_left = (int)m->pad,
        .channels = c->channels, .out_stride = wide, .out_width = (int)m->out_side, .act = m->act
    };
    for (size_t i = 0; i < c->times; i++) {
        d.weights = c->packed + i * scry_depthwise_floats(c->channels, c->kernel);
        d.out[0] = m->out + oy * row + i * c->channels;
        d.out[1] = oy + 1 < m->out_side ? d.out[0] + row : NULL;
        t->k->depthwise(&d);
    }
}

void scry_depthwise_run(scry_nn *t, const scry_depthwise_conv *c, const scry_depthwise_map *m)
{
    scry_range mine = scry_share(t, m->out_side, 2);
    for (size_t oy = mine.from; oy < mine.to; oy += 2)
        run_rows(t, c, m, oy);
    scry_nn_wait(t);
}
