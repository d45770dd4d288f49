#include "model/binder.h"

#include "base/alloc.h"

#include <stdarg.h>
#include <stdio.h>

enum { NAME_BYTES = 256 };

static scry_tensor bind_named(scry_binder *b, int rank, const size_t *shape, const char *name)
{
    scry_tensor t = { .data = NULL };
    if (b->result == 0)
        b->result = scry_tensors_get(b->tensors, name, rank, shape, &t, b->err);
    return t;
}

static const float *floats_of(scry_binder *b, const scry_tensor *t)
{
    if (b->result < 0 || !b->weights)
        return NULL;
    float *out = scry_weights_take(b->weights, (scry_tensor_count(t) + SCRY_PANEL) * sizeof *out);
    if (!out)
        b->result = scry_fail(b->err, SCRY_ENOMEM, "not enough memory for the model's weights");
    else
        scry_tensor_floats(t, out);
    return out;
}

const float *scry_bind_floats(scry_binder *b, size_t n, const char *fmt, ...)
{
    char name[NAME_BYTES];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(name, sizeof name, fmt, ap);
    va_end(ap);
    scry_tensor t = bind_named(b, 1, &n, name);
    return floats_of(b, &t);
}

scry_tensor scry_bind_tensor(scry_binder *b, int rank, const size_t *shape, const char *fmt, ...)
{
    char name[NAME_BYTES];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(name, sizeof name, fmt, ap);
    va_end(ap);
    return bind_named(b, rank, shape, name);
}

static void remember(scry_binder *b, scry_linear *l)
{
    b->linears = scry_realloc(b->linears, (b->linear_count + 1) * sizeof *b->linears);
    b->linears[b->linear_count++] = l;
}

/* Part i of a linear: its weight, and its bias into `bias` where there is one. */
static void bind_part(scry_binder *b, const scry_linear_names *names, int i, const size_t *shape,
                      scry_linear_spec *spec, scry_tensor *bias)
{
    char name[NAME_BYTES];
    snprintf(name, sizeof name, "%s%s%s", names->prefix, names->part[i], names->weight);
    spec->weight[i] = bind_named(b, names->rank == 4 ? 4 : 2, shape, name);
    if (!names->bias)
        return;
    size_t rows = shape[names->transposed ? 1 : 0];
    snprintf(name, sizeof name, "%s%s%s", names->prefix, names->part[i], names->bias);
    *bias = bind_named(b, 1, &rows, name);
    spec->bias[i] = bias;
}

void scry_bind_linear(scry_binder *b, scry_linear *l, size_t n, size_t k,
                      const scry_linear_names *names)
{
    scry_linear_spec spec = { .transposed = names->transposed, .mode = b->mode,
                              .spread = names->spread };
    scry_tensor biases[SCRY_LINEAR_MAX_PARTS];
    while (spec.parts < SCRY_LINEAR_MAX_PARTS && names->part[spec.parts])
        spec.parts++;
    size_t rows = n / (size_t)spec.parts;
    size_t shape[4] = { names->transposed ? k : rows, names->transposed ? n : k };
    if (names->rank == 4)
        memcpy(shape + 1, names->tail, sizeof names->tail);
    for (int i = 0; i < spec.parts; i++)
        bind_part(b, names, i, shape, &spec, &biases[i]);
    if (b->result == 0 && names->transposed && spec.weight[0].scale)
        b->result = scry_fail(b->err, SCRY_EINVALID, "%s%s: int8 needs its outputs as rows",
                              names->prefix, names->part[0]);
    b->need.max_k = k > b->need.max_k ? k : b->need.max_k;
    if (b->result < 0 || !b->weights)
        return;
    b->result = scry_linear_init(l, &spec, b->weights, b->err);
    if (b->result == 0)
        remember(b, l);
}
