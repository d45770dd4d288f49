#include "model/config_reader.h"

#include "base/alloc.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int scry_config_fail(scry_config_reader *r, int code, const char *fmt, ...)
{
    if (r->code < 0)
        return r->code;
    va_list ap;
    va_start(ap, fmt);
    char *message = scry_vasprintf(fmt, ap);
    va_end(ap);
    r->code = scry_fail(r->err, code, "%s: %s", r->path, message);
    free(message);
    return r->code;
}

/* "PART.KEY must be WHAT". */
static void must_be(scry_config_reader *r, const scry_config_part *p, const char *key, const char *what)
{
    scry_config_fail(r, SCRY_EINVALID, "%s%s%s must be %s", p->name ? p->name : "", p->name ? "." : "", key, what);
}

const scry_json *scry_config_value(const scry_config_part *p, const char *key)
{
    return scry_json_get(p->object, key);
}

/* NULL for null, too: transformers writes null for values that are not set. */
static const scry_json *set_value(const scry_config_part *p, const char *key)
{
    const scry_json *v = scry_config_value(p, key);
    return scry_json_type_of(v) == SCRY_JSON_NULL ? NULL : v;
}

size_t scry_config_size(scry_config_reader *r, const scry_config_part *p, const char *key,
                        size_t fallback, size_t most)
{
    const scry_json *v = scry_config_value(p, key);
    int64_t n = v ? scry_json_int(v, -1) : (int64_t)fallback;
    if (n >= 1 && (uint64_t)n <= most)
        return (size_t)n;
    char *what = scry_asprintf("a whole number from 1 to %zu", most);
    must_be(r, p, key, what);
    free(what);
    return 1;
}

int64_t scry_config_int(scry_config_reader *r, const scry_config_part *p, const char *key, int64_t fallback)
{
    const scry_json *v = set_value(p, key);
    if (v && scry_json_type_of(v) != SCRY_JSON_INT)
        must_be(r, p, key, "a whole number");
    return scry_json_int(v, fallback);
}

double scry_config_num(scry_config_reader *r, const scry_config_part *p, const char *key, double fallback)
{
    const scry_json *v = set_value(p, key);
    if (v && scry_json_type_of(v) != SCRY_JSON_INT && scry_json_type_of(v) != SCRY_JSON_REAL)
        must_be(r, p, key, "a number");
    return scry_json_num(v, fallback);
}

bool scry_config_bool(scry_config_reader *r, const scry_config_part *p, const char *key, bool fallback)
{
    const scry_json *v = set_value(p, key);
    if (v && scry_json_type_of(v) != SCRY_JSON_BOOL)
        must_be(r, p, key, "true or false");
    return scry_json_bool(v, fallback);
}

const char *scry_config_str(scry_config_reader *r, const scry_config_part *p, const char *key,
                            const char *fallback)
{
    const scry_json *v = set_value(p, key);
    if (v && scry_json_type_of(v) != SCRY_JSON_STRING)
        must_be(r, p, key, "a string");
    return scry_json_str(v, fallback);
}

void scry_config_require(scry_config_reader *r, const scry_config_part *p, const char *key, const char *only)
{
    const char *s = scry_config_str(r, p, key, only);
    if (strcmp(s, only) != 0)
        scry_config_fail(r, SCRY_EINVALID, "%s.%s is \"%.40s\": only \"%s\" is supported", p->name, key, s, only);
}

/* null, false, 0 and {} turn an option off. */
static bool is_off(const scry_json *v)
{
    switch (scry_json_type_of(v)) {
    case SCRY_JSON_NONE:
    case SCRY_JSON_NULL: return true;
    case SCRY_JSON_BOOL: return !scry_json_bool(v, true);
    case SCRY_JSON_INT:
    case SCRY_JSON_REAL: return scry_json_num(v, 1) == 0;
    case SCRY_JSON_OBJECT: return scry_json_size(v) == 0;
    case SCRY_JSON_STRING:
    case SCRY_JSON_ARRAY: break;
    }
    return false;
}

/* Weights that a program has quantised, whatever it calls that. */
static bool is_quantised(scry_config_reader *r, const scry_config_part *p, const char *key, const scry_json *v)
{
    if (strcmp(key, "quantization_config") != 0 && strcmp(key, "quantization") != 0)
        return false;
    scry_config_fail(r, SCRY_EINVALID, "%s%s%s says that the weights are quantised (%.40s), which scry does not read: give the folder of the "
                     "same model as it was before; --precision int8 makes it as small in memory", p->name ? p->name : "", p->name ? "." : "", key,
                     scry_json_str(scry_json_get(v, "quant_method"), "by some program"));
    return true;
}

/* "PART.KEY is VALUE: scry does not know ..." */
static void unknown(scry_config_reader *r, const scry_config_part *p, const char *key, const scry_json *v)
{
    if (is_quantised(r, p, key, v))
        return;
    char number[40], *quoted = scry_asprintf("\"%.60s\"", scry_json_str(v, ""));
    const char *value = scry_json_type_of(v) == SCRY_JSON_STRING ? quoted
                      : scry_json_type_of(v) == SCRY_JSON_BOOL ? (scry_json_bool(v, true) ? "true" : "false")
                      : scry_json_type_of(v) == SCRY_JSON_NULL ? "null"
                      : scry_json_type_of(v) == SCRY_JSON_OBJECT ? "{...}"
                      : scry_json_type_of(v) == SCRY_JSON_ARRAY ? "[...]" : number;
    snprintf(number, sizeof number, "%g", scry_json_num(v, 0));
    scry_config_fail(r, SCRY_EINVALID, "%s%s%.60s is %s: scry does not know this option, which may change what the model "
                     "computes", p->name ? p->name : "", p->name ? "." : "", key, value);
    free(quoted);
}

void scry_config_known(scry_config_reader *r, const scry_config_part *p, const char *const *keys)
{
    void *it = NULL;
    const char *key;
    const scry_json *v;
    while (scry_json_next(p->object, &it, &key, &v)) {
        size_t i = 0;
        while (keys[i] && strcmp(keys[i], key) != 0)
            i++;
        if (!keys[i] && !is_off(v))
            unknown(r, p, key, v);
    }
}

void scry_config_none(scry_config_reader *r, const scry_config_part *p)
{
    void *it = NULL;
    const char *key;
    const scry_json *v;
    while (scry_json_next(p->object, &it, &key, &v))
        unknown(r, p, key, v);
}

void scry_config_off(scry_config_reader *r, const scry_config_part *p, const char *key)
{
    const scry_json *v = scry_config_value(p, key);
    if (!is_off(v))
        unknown(r, p, key, v);
}

void scry_config_three(scry_config_reader *r, const scry_config_part *p, const char *key,
                       const float *fallback, bool positive, float *out)
{
    const scry_json *v = scry_config_value(p, key);
    for (size_t i = 0; i < 3; i++) {
        out[i] = !v && fallback ? fallback[i] : (float)scry_json_num(scry_json_at(v, i), NAN);
        if (!isfinite(out[i]) || (positive && out[i] <= 0))
            must_be(r, p, key, positive ? "three numbers above 0" : "three numbers");
    }
}

void scry_config_check_stack(scry_config_reader *r, const scry_config_part *p, scry_stack_config *s)
{
    static const struct { const char *name; scry_act act; } known[] = {
        { "quick_gelu", SCRY_ACT_QUICK_GELU }, { "gelu", SCRY_ACT_GELU },
        { "gelu_new", SCRY_ACT_GELU_TANH }, { "gelu_pytorch_tanh", SCRY_ACT_GELU_TANH },
        { "relu6", SCRY_ACT_RELU6 }, { "relu", SCRY_ACT_RELU }, { "silu", SCRY_ACT_SILU }
    };
    size_t i = 0, count = sizeof known / sizeof *known;
    while (i < count && strcmp(known[i].name, s->act_name) != 0)
        i++;
    if (i < count)
        s->act = known[i].act;
    else
        scry_config_fail(r, SCRY_EINVALID, "%s: the activation \"%.40s\" is not known to scry", p->name, s->act_name);
    if (s->width % s->heads != 0)
        scry_config_fail(r, SCRY_EINVALID, "%s: a width of %zu is not divisible by %zu heads", p->name, s->width,
                         s->heads);
    if (!(s->eps >= 0 && s->eps < 1))
        scry_config_fail(r, SCRY_EINVALID, "%s: layer_norm_eps is out of range", p->name);
}

void scry_config_check_patches(scry_config_reader *r, const scry_image_config *image)
{
    enum { MAX_PATCHES = 1 << 13 };   /* 1024 pixels in patches of 14 are 5329 */
    size_t grid = image->size / image->vit.patch;
    if (grid < 1)
        scry_config_fail(r, SCRY_EINVALID, "pictures of %zu pixels cannot be cut into patches of %zu", image->size,
                         image->vit.patch);
    if (grid * grid > MAX_PATCHES)
        scry_config_fail(r, SCRY_ELIMIT, "%zu patches a picture: at most %d are supported", grid * grid, MAX_PATCHES);
}
