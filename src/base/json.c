#include "base/json.h"

#include "base/file.h"
#include "base/utf8.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const json_t *in(const scry_json *v)
{
    return (const json_t *)v;
}

/* Whole numbers that were read as reals, as they all are where one of them is too large, become whole ones again. */
static json_t *with_whole_numbers(json_t *v)
{
    if (json_is_real(v) && fabs(json_real_value(v)) < (double)(1LL << 53) && json_real_value(v) == floor(json_real_value(v))) {
        json_t *whole = json_integer((json_int_t)json_real_value(v));
        json_decref(v);
        return whole;
    }
    for (void *it = json_object_iter(v); it; it = json_object_iter_next(v, it))
        json_object_iter_set_new(v, it, with_whole_numbers(json_incref(json_object_iter_value(it))));
    for (size_t i = 0; i < json_array_size(v); i++)
        json_array_set_new(v, i, with_whole_numbers(json_incref(json_array_get(v, i))));
    return v;
}

int scry_json_parse(scry_json **out, const char *text, size_t n, const char *what, scry_error *err)
{
    json_error_t e;
    size_t mark = scry_utf8_mark_bytes(text, n);
    text += mark;
    n -= mark;
    size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY;
    json_t *root = json_loadb(text, n, flags, &e);
    /* transformers writes 10^30 for a length that is not set. */
    if (!root && json_error_code(&e) == json_error_numeric_overflow)
        root = with_whole_numbers(json_loadb(text, n, flags | JSON_DECODE_INT_AS_REAL, &e));
    if (!root)
        return scry_fail(err, SCRY_EINVALID, "%s is not valid JSON: line %d: %s", what, e.line, e.text);
    *out = (scry_json *)root;
    return 0;
}

int scry_json_read(scry_json **out, const char *path, size_t limit_bytes, scry_error *err)
{
    scry_buf text = SCRY_BUF_INIT(limit_bytes);
    int result = scry_read_file(path, &text, err);
    if (result == 0)
        result = scry_json_parse(out, scry_buf_str(&text), text.size, path, err);
    scry_buf_dispose(&text);
    return result;
}

void scry_json_free(scry_json *root)
{
    json_decref((json_t *)root);
}

const scry_json *scry_json_get(const scry_json *object, const char *key)
{
    return (const scry_json *)json_object_get(in(object), key);
}

const scry_json *scry_json_at(const scry_json *array, size_t i)
{
    return (const scry_json *)json_array_get(in(array), i);
}

size_t scry_json_size(const scry_json *v)
{
    return json_is_array(in(v)) ? json_array_size(in(v)) : json_object_size(in(v));
}

scry_json_type scry_json_type_of(const scry_json *v)
{
    if (!v)
        return SCRY_JSON_NONE;
    switch (json_typeof(in(v))) {
    case JSON_OBJECT: return SCRY_JSON_OBJECT;
    case JSON_ARRAY: return SCRY_JSON_ARRAY;
    case JSON_STRING: return SCRY_JSON_STRING;
    case JSON_INTEGER: return SCRY_JSON_INT;
    case JSON_REAL: return SCRY_JSON_REAL;
    case JSON_TRUE:
    case JSON_FALSE: return SCRY_JSON_BOOL;
    default: return SCRY_JSON_NULL;
    }
}

const char *scry_json_str(const scry_json *v, const char *fallback)
{
    const char *s = json_string_value(in(v));
    return s ? s : fallback;
}

int64_t scry_json_int(const scry_json *v, int64_t fallback)
{
    return json_is_integer(in(v)) ? json_integer_value(in(v)) : fallback;
}

double scry_json_num(const scry_json *v, double fallback)
{
    return json_is_number(in(v)) ? json_number_value(in(v)) : fallback;
}

bool scry_json_bool(const scry_json *v, bool fallback)
{
    return json_is_boolean(in(v)) ? json_is_true(in(v)) : fallback;
}

bool scry_json_next(const scry_json *object, void **it, const char **key, const scry_json **value)
{
    json_t *o = (json_t *)object;
    *it = *it ? json_object_iter_next(o, *it) : json_object_iter(o);
    if (!*it)
        return false;
    *key = json_object_iter_key(*it);
    *value = (const scry_json *)json_object_iter_value(*it);
    return true;
}

/* ---- writing ---- */

static void before_value(scry_json_writer *w)
{
    if (w->after_key)
        w->after_key = false;
    else if (w->has_item[w->depth])
        scry_buf_putc(w->out, ',');
    w->has_item[w->depth] = true;
}

void scry_json_begin(scry_json_writer *w, char bracket)
{
    before_value(w);
    scry_buf_putc(w->out, bracket);
    if (w->depth + 1 < sizeof w->has_item / sizeof *w->has_item)
        w->has_item[++w->depth] = false;
    else
        w->out->failed = true;
}

void scry_json_end(scry_json_writer *w, char bracket)
{
    if (w->depth)
        w->depth--;
    scry_buf_putc(w->out, bracket);
}

/* Length of the valid UTF-8 sequence at `s` (of `n` bytes), or 0. */
static size_t sequence_length(const unsigned char *s, size_t n)
{
    size_t len = s[0] < 0x80 ? 1 : s[0] >= 0xC2 && s[0] < 0xE0 ? 2 : (s[0] & 0xF0) == 0xE0 ? 3
                 : s[0] >= 0xF0 && s[0] < 0xF5 ? 4 : 0;
    if (len == 0 || len > n)
        return 0;
    for (size_t i = 1; i < len; i++)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    if (len == 3 && ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F)))
        return 0;
    if (len == 4 && ((s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F)))
        return 0;
    return len;
}

static void quoted(scry_buf *b, const char *text, size_t n)
{
    const unsigned char *s = (const unsigned char *)text;
    scry_buf_putc(b, '"');
    for (size_t i = 0; i < n;) {
        size_t len = sequence_length(s + i, n - i);
        if (len == 0) {
            scry_buf_puts(b, "\xEF\xBF\xBD");
            i++;
        } else if (s[i] == '"' || s[i] == '\\') {
            scry_buf_putc(b, '\\');
            scry_buf_putc(b, text[i++]);
        } else if (s[i] < 0x20 || s[i] == 0x7F) {
            scry_buf_printf(b, "\\u%04x", s[i++]);
        } else {
            scry_buf_append(b, text + i, len);
            i += len;
        }
    }
    scry_buf_putc(b, '"');
}

void scry_json_key(scry_json_writer *w, const char *key)
{
    before_value(w);
    quoted(w->out, key, strlen(key));
    scry_buf_putc(w->out, ':');
    w->after_key = true;
}

void scry_json_put_bytes(scry_json_writer *w, const char *s, size_t n)
{
    before_value(w);
    quoted(w->out, s, n);
}

void scry_json_put_str(scry_json_writer *w, const char *s)
{
    if (s)
        scry_json_put_bytes(w, s, strlen(s));
    else
        scry_json_put_null(w);
}

void scry_json_put_int(scry_json_writer *w, int64_t v)
{
    before_value(w);
    scry_buf_printf(w->out, "%lld", (long long)v);
}

void scry_json_put_num(scry_json_writer *w, double v, int digits)
{
    if (!isfinite(v)) {
        scry_json_put_null(w);
        return;
    }
    before_value(w);
    scry_buf_printf(w->out, "%.*g", digits, v);
}

void scry_json_put_bool(scry_json_writer *w, bool v)
{
    before_value(w);
    scry_buf_puts(w->out, v ? "true" : "false");
}

void scry_json_put_null(scry_json_writer *w)
{
    before_value(w);
    scry_buf_puts(w->out, "null");
}

void scry_json_put_raw(scry_json_writer *w, const char *json)
{
    before_value(w);
    scry_buf_puts(w->out, json);
}

void scry_json_put_value(scry_json_writer *w, const scry_json *v)
{
    void *it = NULL;
    const char *key;
    const scry_json *member;
    switch (scry_json_type_of(v)) {
    case SCRY_JSON_OBJECT:
        scry_json_begin(w, '{');
        while (scry_json_next(v, &it, &key, &member)) {
            scry_json_key(w, key);
            scry_json_put_value(w, member);
        }
        scry_json_end(w, '}');
        break;
    case SCRY_JSON_ARRAY:
        scry_json_begin(w, '[');
        for (size_t i = 0; i < scry_json_size(v); i++)
            scry_json_put_value(w, scry_json_at(v, i));
        scry_json_end(w, ']');
        break;
    case SCRY_JSON_STRING: scry_json_put_str(w, scry_json_str(v, "")); break;
    case SCRY_JSON_INT: scry_json_put_int(w, scry_json_int(v, 0)); break;
    case SCRY_JSON_REAL: scry_json_put_num(w, scry_json_num(v, 0), 17); break;
    case SCRY_JSON_BOOL: scry_json_put_bool(w, scry_json_bool(v, false)); break;
    case SCRY_JSON_NONE: case SCRY_JSON_NULL: scry_json_put_null(w); break;
    }
}

void scry_json_add_str(scry_json_writer *w, const char *key, const char *s)
{
    scry_json_key(w, key);
    scry_json_put_str(w, s);
}

void scry_json_add_int(scry_json_writer *w, const char *key, int64_t v)
{
    scry_json_key(w, key);
    scry_json_put_int(w, v);
}

void scry_json_add_num(scry_json_writer *w, const char *key, double v, int digits)
{
    scry_json_key(w, key);
    scry_json_put_num(w, v, digits);
}

void scry_json_add_bool(scry_json_writer *w, const char *key, bool v)
{
    scry_json_key(w, key);
    scry_json_put_bool(w, v);
}
