#include "model/fold.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { NAME_BYTES = 256 };

static const float EPS = 1e-5f;   /* torch's default, which no published model changes */

scry_fold scry_fold_begin(scry_binder *b, size_t out, size_t in, size_t kernel)
{
    size_t n = out * in * kernel * kernel;
    scry_fold f = { out, in, kernel, scry_bind_memory(b, n), scry_bind_memory(b, out) };
    if (f.weights && f.bias) {
        memset(f.weights, 0, n * sizeof *f.weights);
        memset(f.bias, 0, out * sizeof *f.bias);
    } else {
        f.weights = NULL;
    }
    return f;
}

static scry_affine bind_affine(scry_binder *b, size_t n, const char *name)
{
    const float *weight = scry_bind_floats(b, n, "%s.weight", name), *bias = scry_bind_floats(b, n, "%s.bias", name);
    const float *mean = scry_bind_floats(b, n, "%s.running_mean", name);
    const float *variance = scry_bind_floats(b, n, "%s.running_var", name);
    float *gain = scry_bind_memory(b, n), *shift = scry_bind_memory(b, n);
    if (!shift)
        return (scry_affine){ NULL, NULL };
    for (size_t i = 0; i < n; i++) {
        gain[i] = weight[i] / sqrtf(variance[i] + EPS);
        shift[i] = bias[i] - mean[i] * gain[i];
    }
    return (scry_affine){ gain, shift };
}

scry_affine scry_fold_affine(scry_binder *b, size_t n, const char *fmt, ...)
{
    char name[NAME_BYTES];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(name, sizeof name, fmt, ap);
    va_end(ap);
    return bind_affine(b, n, name);
}

void scry_fold_conv(scry_binder *b, scry_fold *f, size_t kernel, const char *fmt, ...)
{
    char name[NAME_BYTES];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(name, sizeof name, fmt, ap);
    va_end(ap);
    scry_affine a = scry_fold_affine(b, f->out, "%s.bn", name);
    const float *w = scry_bind_shaped_floats(b, 4, (size_t[]){ f->out, f->in, kernel, kernel }, "%s.conv.weight", name);
    if (!f->weights || !w)
        return;
    size_t border = (f->kernel - kernel) / 2, places = kernel * kernel;
    for (size_t o = 0; o < f->out; o++) {
        f->bias[o] += a.shift[o];
        for (size_t i = 0; i < f->in * places; i++) {
            size_t y = i % places / kernel + border, x = i % kernel + border;
            f->weights[((o * f->in + i / places) * f->kernel + y) * f->kernel + x] += a.gain[o] * w[o * f->in * places + i];
        }
    }
}

void scry_fold_plain(scry_binder *b, scry_fold *f, const char *fmt, ...)
{
    char name[NAME_BYTES];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(name, sizeof name, fmt, ap);
    va_end(ap);
    const size_t shape[4] = { f->out, f->in, f->kernel, f->kernel };
    const float *w = scry_bind_shaped_floats(b, 4, shape, "%s.weight", name);
    const float *bias = scry_bind_floats(b, f->out, "%s.bias", name);
    if (!f->weights || !bias)
        return;
    for (size_t i = 0; i < f->out * f->in * f->kernel * f->kernel; i++)
        f->weights[i] += w[i];
    for (size_t o = 0; o < f->out; o++)
        f->bias[o] += bias[o];
}

/* Where output `o` takes the input of its own number. */
static float *centre(scry_fold *f, size_t o)
{
    return &f->weights[(o * f->in + (f->in == 1 ? 0 : o)) * f->kernel * f->kernel + f->kernel * f->kernel / 2];
}

const float *scry_fold_by_places(scry_binder *b, const scry_fold *f)
{
    size_t places = f->kernel * f->kernel;
    float *w = scry_bind_memory(b, f->out * f->in * places);
    for (size_t o = 0; w && f->weights && o < f->out; o++)
        for (size_t i = 0; i < f->in * places; i++)
            w[o * f->in * places + i % places * f->in + i / places] = f->weights[o * f->in * places + i];
    return w;
}

void scry_fold_norm(scry_binder *b, scry_fold *f, float factor, const char *fmt, ...)
{
    char name[NAME_BYTES];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(name, sizeof name, fmt, ap);
    va_end(ap);
    scry_affine a = bind_affine(b, f->out, name);
    for (size_t o = 0; f->weights && a.gain && o < f->out; o++) {
        *centre(f, o) += factor * a.gain[o];
        f->bias[o] += factor * a.shift[o];
    }
}

void scry_fold_residual(scry_fold *f, const float *gain)
{
    size_t row = f->in * f->kernel * f->kernel;
    for (size_t o = 0; f->weights && o < f->out; o++) {
        for (size_t i = 0; gain && i < row; i++)
            f->weights[o * row + i] *= gain[o];
        f->bias[o] *= gain ? gain[o] : 1;
        *centre(f, o) += 1;
    }
}
