/* remote_paths.c - collections of other programs: the field that has paths, rows looked up by their keys, and what is said of
 * them. */
#include "store/milvus/remote_external.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/sha256.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The field of all dynamic values: a JSON object for each row. */
static const char META[] = "$meta";

/* NAME, or NAME["KEY"]["KEY"]... as Milvus writes paths in JSON: the length of NAME; *out gets the keys, one after the other with a
 * zero after each. 0: it is neither. */
static size_t split_name(const char *text, scry_buf *out, size_t *count)
{
    size_t n = strcspn(text, "[");
    const char *at = text + n;
    *count = 0;
    while (n && at[0] == '[' && (at[1] == '"' || at[1] == '\'')) {
        size_t key = strcspn(at + 2, (char[]){ at[1], '\0' });
        if (key == 0 || at[2 + key] != at[1] || at[3 + key] != ']')
            return 0;
        scry_buf_append(out, at + 2, key);
        scry_buf_putc(out, '\0');
        ++*count;
        at += 4 + key;
    }
    return *at ? 0 : n;
}

/* $meta["KEY"] is the dynamic field KEY: its keys are those that follow. */
static void take_meta(scry_remote_external *e)
{
    if (e->path_key_count == 0)
        return;
    free(e->path_field);
    e->path_field = scry_strdup(e->path_keys);
    char *rest = e->path_keys + strlen(e->path_keys) + 1;
    size_t bytes = 0;
    for (size_t i = 1; i < e->path_key_count; i++)
        bytes += strlen(rest + bytes) + 1;
    memmove(e->path_keys, rest, bytes);
    e->path_key_count--;
}

/* Whether the field `f` (NULL: there is none of that name) can have paths. */
static int check_path_field(const scry_remote *s, const scry_milvus_schema *schema, const scry_milvus_field *f, scry_error *err)
{
    const scry_remote_external *e = s->external;
    const char *problem = NULL;
    if (!f)
        return schema->dynamic ? 0 : scry_fail(err, SCRY_EINVALID, "there is no field %s in the collection %s at %s, which has no dynamic "
                                               "fields", e->path_field, s->shown, s->where);
    if (f->type == SCRY_MILVUS_JSON && !e->path_key_count)
        problem = "is JSON: say under which key its paths are, as in --milvus-path 'NAME[\"path\"]'";
    else if (f->type == SCRY_MILVUS_VARCHAR && e->path_key_count)
        problem = "is text without keys: give its name alone";
    else if (f->type != SCRY_MILVUS_JSON && f->type != SCRY_MILVUS_VARCHAR)
        problem = "is not text: paths are in a VARCHAR or JSON field, or a dynamic one";
    return problem ? scry_fail(err, SCRY_EINVALID, "the field %s of the collection %s at %s %s", e->path_field, s->shown, s->where, problem)
                   : 0;
}

int scry_remote_set_path_field(scry_remote *s, const scry_milvus_schema *schema, const char *given, scry_error *err)
{
    scry_remote_external *e = s->external;
    scry_buf keys = SCRY_BUF_INIT(4096);
    size_t n = split_name(given, &keys, &e->path_key_count);
    e->path_given = scry_strdup(given);
    e->path_field = scry_strndup(given, n ? n : strlen(given));
    e->path_keys = scry_buf_take(&keys);
    bool meta = n && e->path_keys && schema->dynamic && strcmp(e->path_field, META) == 0;
    if (meta)
        take_meta(e);
    const scry_milvus_field *f = scry_milvus_find_field(schema, e->path_field);
    e->path_is_dynamic = !f && schema->dynamic;
    e->path_is_json = e->path_is_dynamic || (f && f->type == SCRY_MILVUS_JSON);
    if (!n || !e->path_keys)
        return scry_fail(err, SCRY_EINVALID, "\"%s\" is not the name of a field: NAME, or NAME[\"KEY\"] for what is in a JSON field", given);
    if (meta && strcmp(e->path_field, META) == 0)
        return scry_fail(err, SCRY_EINVALID, "the field %s of the collection %s at %s is JSON: say under which key its paths are, as in "
                         "--milvus-path 'NAME'", META, s->shown, s->where);
    return check_path_field(s, schema, f, err);
}

/* The names under which the path is in the JSON of a row, each in the object of the one before: of dynamic fields first the
 * field's. */
static size_t depth(const scry_remote_external *e)
{
    return e->path_key_count + e->path_is_dynamic;
}

static const char *name_at(const scry_remote_external *e, size_t i)
{
    const char *key = e->path_keys;
    if (e->path_is_dynamic && i-- == 0)
        return e->path_field;
    while (i--)
        key += strlen(key) + 1;
    return key;
}

/* The path in a row's JSON, owned. */
static char *text_in(const scry_remote_external *e, const char *json)
{
    scry_json *value;
    if (scry_json_parse(&value, json, strlen(json), "a row", NULL) < 0)
        return NULL;
    const scry_json *at = value;
    for (size_t i = 0; at && i < depth(e); i++)
        at = scry_json_get(at, name_at(e, i));
    const char *text = scry_json_str(at, NULL);
    char *copy = text && text[0] ? scry_strdup(text) : NULL;
    scry_json_free(value);
    return copy;
}

/* file:///a%20b and file://localhost/a%20b, as other programs name files, become paths; takes and gives an owned text. */
static char *plain_path(char *text)
{
    static const char scheme[] = "file://", here[] = "localhost";
    if (!text || strncasecmp(text, scheme, sizeof scheme - 1) != 0)
        return text;
    const char *from = text + sizeof scheme - 1;
    if (strncasecmp(from, here, sizeof here - 1) == 0)
        from += sizeof here - 1;
    char *path = scry_alloc(strlen(from) + 1), *to = path;
    for (; *from; to++) {
        uint8_t byte;
        char digits[3] = { from[0] == '%' ? from[1] : '\0', from[0] == '%' && from[1] ? from[2] : '\0', '\0' };
        bool escaped = scry_unhex(digits, &byte, 1) == 0 && byte;
        *to = escaped ? (char)byte : *from;
        from += escaped ? 3 : 1;
    }
    char *result = path[0] == '/' ? path : text;
    free(result == path ? text : path);
    return result;
}

char *scry_remote_path_in(const scry_remote *s, const scry_milvus_rows *rows, size_t i)
{
    const scry_remote_external *e = s->external;
    for (size_t k = 0; e->path_field && k < rows->column_count; k++) {
        const scry_milvus_column *c = &rows->columns[k];
        bool named = strcmp(c->name, e->path_field) == 0;
        if (c->type != (e->path_is_json ? SCRY_MILVUS_JSON : SCRY_MILVUS_VARCHAR) || !(named || e->path_is_dynamic))
            continue;                    /* 2.3 calls the dynamic one $meta, whatever was asked for */
        if (c->valid && !c->valid[i])
            return NULL;
        return plain_path(e->path_is_json ? text_in(e, c->strings[i]) : c->strings[i][0] ? scry_strdup(c->strings[i]) : NULL);
    }
    return NULL;
}

/* ---- vectors ---- */

static double norm_of(const float *v, size_t dim)
{
    double sum = 0;
    for (size_t i = 0; i < dim; i++)
        sum += (double)v[i] * v[i];
    return sqrt(sum);
}

int scry_remote_external_vector_of(scry_store *base, const uint8_t *id, float *out, scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    scry_remote_key key;
    scry_milvus_rows *rows = NULL;
    size_t dim = (size_t)s->base.dim;
    int result = scry_remote_key_of_id(s, id, &key, err);
    if (result == 0)
        result = scry_remote_find_key(s, &key, s->vector_field, &rows, err);
    if (result == 0) {
        const scry_milvus_column *v = scry_milvus_find_column(rows, s->vector_field, SCRY_MILVUS_FLOAT_VECTOR);
        double norm = rows->rows && v && v->dim == s->base.dim ? norm_of(v->floats, dim) : 0;
        if (!rows->rows)
            result = scry_fail(err, SCRY_ENOTFOUND, "no file of that id in %s", s->where);
        else if (!(norm > 0 && norm < HUGE_VAL))
            result = scry_fail(err, SCRY_EREMOTE, "the vector of that picture in %s is not there, or cannot be searched with", s->where);
        for (size_t i = 0; i < dim && result == 0; i++)
            out[i] = (float)(v->floats[i] / norm);
    }
    scry_milvus_rows_free(rows);
    scry_remote_key_dispose(&key);
    return result;
}

int scry_remote_check_units(scry_remote *s, scry_milvus *m, scry_error *err)
{
    enum { ROWS = 16 };
    const char *field = s->vector_field;
    scry_milvus_rows *rows;
    if (strcmp(s->metric, "COSINE") == 0)
        return 0;
    scry_milvus_query q = { "", &field, 1, ROWS, SCRY_MILVUS_BOUNDED };
    int result = scry_remote_query(s, m, &q, &rows, err);
    if (result < 0)
        return result;
    const scry_milvus_column *v = scry_milvus_find_column(rows, s->vector_field, SCRY_MILVUS_FLOAT_VECTOR);
    double worst = 1;
    for (size_t i = 0; v && v->dim == s->base.dim && i < rows->rows; i++) {
        double norm = norm_of(v->floats + i * (size_t)s->base.dim, (size_t)s->base.dim);
        if (norm == 0 && v->valid && !v->valid[i])
            continue;
        worst = fabs(norm - 1) > fabs(worst - 1) ? norm : worst;
    }
    scry_milvus_rows_free(rows);
    if (fabs(worst - 1) > 1e-2)
        scry_remote_notice(s, "the vectors of the collection %s are not of unit length (one has %.3g) and are compared by %s: scores are not "
                           "cosines, and long vectors come first or last", s->name, worst, s->metric);
    return 0;
}

/* ---- rows that are sent ---- */

scry_milvus_column scry_remote_path_column(const scry_remote *s, char *const *paths, size_t n)
{
    const scry_remote_external *e = s->external;
    scry_milvus_column column = { .name = e->path_is_dynamic ? META : e->path_field,
                                  .type = e->path_is_json ? SCRY_MILVUS_JSON : SCRY_MILVUS_VARCHAR,
                                  .strings = (const char *const *)paths };
    if (!e->path_is_json)
        return column;
    char **texts = scry_alloc((n + 1) * sizeof *texts);
    for (size_t i = 0; i < n; i++) {
        scry_buf b = SCRY_BUF_INIT(1 << 20);
        scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
        for (size_t k = 0; k < depth(e); k++) {
            scry_json_begin(&w, '{');
            if (k + 1 < depth(e))
                scry_json_key(&w, name_at(e, k));
        }
        scry_json_add_str(&w, name_at(e, depth(e) - 1), paths[i]);
        for (size_t k = 0; k < depth(e); k++)
            scry_json_end(&w, '}');
        texts[i] = scry_buf_take(&b);
    }
    column.strings = (const char *const *)texts;
    return column;
}

void scry_remote_path_column_free(const scry_remote *s, scry_milvus_column *column, size_t n)
{
    char **texts = (char **)column->strings;
    if (!s->external->path_is_json)
        return;
    for (size_t i = 0; i < n; i++)
        free(texts[i]);
    free(texts);
}

/* ---- what is said of it ---- */

const char *scry_remote_external_summary(scry_remote *s)
{
    scry_remote_external *e = s->external;
    pthread_mutex_lock(&s->lock);
    if (!e->summary)
        e->summary = scry_asprintf("key %s (%s), vectors %s, metric %s, index %s%s%s, paths %s%s; %s%s", e->key, e->numbers ? "INT64" : "VARCHAR",
                                   s->vector_field, s->metric, s->index_type, s->index_params[0] ? " " : "", s->index_params,
                                   e->path_field ? "in " : e->map_count ? "from a table" : "not known (--milvus-path, --milvus-map)",
                                   e->path_given ? e->path_given : "",
                                   e->why_not ? "nothing can be added: " : "pictures can be added", e->why_not ? e->why_not : "");
    pthread_mutex_unlock(&s->lock);
    return e->summary;
}
