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

float *scry_bind_memory(scry_binder *b, size_t n)
{
    if (b->result < 0 || !b->weights)
        return NULL;
    float *out = scry_weights_take(b->weights, (n + SCRY_PANEL) * sizeof *out);
    if (!out)
        b->result = scry_fail(b->err, SCRY_ENOMEM, "not enough memory for the model's weights");
    return out;
}

static const float *floats_of(scry_binder *b, const scry_tensor *t)
{
    float *out = scry_bind_memory(b, scry_tensor_count(t));
    if (out)
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

const float *scry_bind_shaped_floats(scry_binder *b, int rank, const size_t *shape, const char *fmt, ...)
{
    char name[NAME_BYTES];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(name, sizeof name, fmt, ap);
    va_end(ap);
    scry_tensor t = bind_named(b, rank, shape, name);
    return floats_of(b, &t);
}

scry_norm scry_bind_norm(scry_binder *b, size_t width, float eps, const char *fmt, ...)
{
    char name[NAME_BYTES];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(name, sizeof name, fmt, ap);
    va_end(ap);
    return (scry_norm){ .width = width, .eps = eps, .gain = scry_bind_floats(b, width, "%s.weight", name),
                        .bias = scry_bind_floats(b, width, "%s.bias", name) };
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

static int parts_of(const scry_linear_names *names)
{
    int parts = 0;
    while (parts < SCRY_LINEAR_MAX_PARTS && names->part[parts])
        parts++;
    return parts;
}

static scry_tensor bind_part(scry_binder *b, const scry_linear_names *names, int i,
                             const char *suffix, int rank, const size_t *shape)
{
    char name[NAME_BYTES];
    snprintf(name, sizeof name, "%s%s%s", names->prefix, names->part[i], suffix);
    return bind_named(b, rank, shape, name);
}

/* Rows [first, first + rows) of a bound tensor. */
static scry_tensor slice(scry_tensor t, size_t first, size_t rows)
{
    if (!t.data)   /* not found: the error is in the binder */
        return t;
    t.data = (const uint8_t *)t.data + first * scry_tensor_row_size(&t) * scry_dtype_size(t.dtype);
    t.scale = t.scale ? t.scale + first : NULL;
    t.shape[0] = rows;
    return t;
}

void scry_bind_stacked(scry_binder *b, scry_stacked *w, size_t n, size_t k,
                       const scry_linear_names *names)
{
    *w = (scry_stacked){ .parts = parts_of(names), .n = n, .k = k };
    for (int i = 0; i < w->parts; i++)
        w->part[i] = bind_part(b, names, i, names->weight, 2, (size_t[]){ n / (size_t)w->parts, k });
}

/* The bias of the outputs [i * rows, (i + 1) * rows). */
static scry_tensor bias_of_part(scry_binder *b, const scry_linear_names *names, int i, size_t rows)
{
    if (names->made_bias)
        return (scry_tensor){ names->made_bias + (size_t)i * rows, SCRY_DTYPE_F32, 1, { rows, 1, 1, 1 }, NULL };
    return bind_part(b, names, i, names->bias, 1, &rows);
}

/* For each part of a linear that overlaps the outputs [skip, skip + n): its weights to `spec` and
 * its bias, if it has one, to `biases`, restricted to these outputs. */
static void bind_parts(scry_binder *b, const scry_linear_names *names, size_t n, size_t k,
                       scry_linear_spec *spec, scry_tensor *biases)
{
    int parts = parts_of(names);
    size_t rows = (names->of ? names->of : n) / (size_t)parts, last = names->skip + n;
    size_t shape[4] = { names->transposed ? k : rows, names->transposed ? n : k };
    if (names->rank == 4)
        memcpy(shape + 1, names->tail, sizeof names->tail);
    for (int i = 0; i < parts; i++) {
        size_t at = (size_t)i * rows, from = names->skip > at ? names->skip - at : 0;
        size_t to = last < at + rows ? last - at : rows;
        if (last <= at || from >= rows)
            continue;
        bool whole = from == 0 && to == rows;
        scry_tensor w = bind_part(b, names, i, names->weight, names->rank == 4 ? 4 : 2, shape);
        spec->weight[spec->parts] = whole ? w : slice(w, from, to - from);
        if (names->made_bias || names->bias) {
            biases[spec->parts] = slice(bias_of_part(b, names, i, rows), from, to - from);
            spec->bias[spec->parts] = &biases[spec->parts];
        }
        spec->parts++;
    }
}

static void make_linear(scry_binder *b, scry_linear *l, scry_linear_spec *spec, size_t k, bool precise)
{
    spec->mode = precise && b->mode == SCRY_MODE_INT8 ? SCRY_MODE_BF16 : b->mode;
    b->need.max_k = k > b->need.max_k ? k : b->need.max_k;
    if (b->result < 0 || !b->weights)
        return;
    b->result = scry_linear_init(l, spec, b->weights, b->err);
    if (b->result == 0)
        remember(b, l);
}

void scry_bind_linear(scry_binder *b, scry_linear *l, size_t n, size_t k,
                      const scry_linear_names *names)
{
    scry_linear_spec spec = { .transposed = names->transposed, .spread = names->spread, .gain = names->gain };
    scry_tensor biases[SCRY_LINEAR_MAX_PARTS];
    bind_parts(b, names, n, k, &spec, biases);
    if (b->result == 0 && names->transposed && spec.weight[0].scale)
        b->result = scry_fail(b->err, SCRY_EINVALID, "%s%s: int8 needs one row for each output",
                              names->prefix, names->part[0]);
    make_linear(b, l, &spec, k, names->precise);
}

void scry_bind_made_linear(scry_binder *b, scry_linear *l, size_t n, size_t k, const float *weights, const float *bias)
{
    const scry_tensor own = { bias, SCRY_DTYPE_F32, 1, { n, 1, 1, 1 }, NULL };
    scry_linear_spec spec = { .weight = { { weights, SCRY_DTYPE_F32, 2, { n, k, 1, 1 }, NULL } }, .bias = { bias ? &own : NULL },
                              .parts = 1 };
    make_linear(b, l, &spec, k, true);
}
