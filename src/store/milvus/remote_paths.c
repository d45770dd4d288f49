/* remote_paths.c - collections of other programs: the field that has paths, rows looked up by their keys, and what is said of
 * them. */
#include "store/milvus/remote_external.h"

#include "base/alloc.h"
#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The field of all dynamic values: a JSON object for each row. */
static const char META[] = "$meta";

int scry_remote_set_path_field(scry_remote *s, const scry_milvus_schema *schema, const char *name, scry_error *err)
{
    scry_remote_external *e = s->external;
    const scry_milvus_field *f = scry_milvus_find_field(schema, name);
    if (f ? f->type != SCRY_MILVUS_VARCHAR : !schema->dynamic)
        return scry_fail(err, SCRY_EINVALID, f ? "the field %s of the collection %s at %s is not text: paths are in a VARCHAR field, or "
                                                 "a dynamic one"
                                               : "there is no field %s in the collection %s at %s, which has no dynamic fields",
                         name, s->shown, s->where);
    e->path_field = scry_strdup(name);
    e->path_is_dynamic = !f;
    return 0;
}

/* The text under the name of the field in a row's JSON, owned. */
static char *text_in(const char *json, const char *name)
{
    scry_json *value;
    if (scry_json_parse(&value, json, strlen(json), "a row", NULL) < 0)
        return NULL;
    const char *text = scry_json_str(scry_json_get(value, name), NULL);
    char *copy = text ? scry_strdup(text) : NULL;
    scry_json_free(value);
    return copy;
}

char *scry_remote_path_in(const scry_remote *s, const scry_milvus_rows *rows, size_t i)
{
    const scry_remote_external *e = s->external;
    if (!e->path_field)
        return NULL;
    const scry_milvus_column *text = scry_milvus_find_column(rows, e->path_field, SCRY_MILVUS_VARCHAR);
    if (text)
        return text->strings[i][0] ? scry_strdup(text->strings[i]) : NULL;
    for (size_t k = 0; k < rows->column_count; k++)   /* 2.3 calls it $meta, whatever was asked for */
        if (rows->columns[k].type == SCRY_MILVUS_JSON && e->path_is_dynamic)
            return text_in(rows->columns[k].strings[i], e->path_field);
    return NULL;
}

/* One field of the row of a key. */
static int find_row(scry_remote *s, int64_t number, const char *field, scry_milvus_rows **out, scry_error *err)
{
    char filter[400];
    scry_milvus *m;
    snprintf(filter, sizeof filter, "%.300s in [%lld]", s->external->key, (long long)number);
    scry_milvus_query q = { filter, &field, 1, 1, scry_remote_freshness(s) };
    int result = scry_remote_take(s, &m, err);
    if (result < 0)
        return result;
    result = scry_remote_query(s, m, &q, out, err);
    scry_remote_give(s, m);
    return result;
}

int scry_remote_path_of(scry_remote *s, int64_t number, char **out, scry_error *err)
{
    scry_milvus_rows *rows;
    *out = NULL;
    int result = find_row(s, number, s->external->path_field, &rows, err);
    if (result < 0)
        return result;
    if (rows->rows)
        *out = scry_remote_path_in(s, rows, 0);
    scry_milvus_rows_free(rows);
    return 0;
}

/* ---- vectors ---- */

static double norm_of(const float *v, size_t dim)
{
    double sum = 0;
    for (size_t i = 0; i < dim; i++)
        sum += (double)v[i] * v[i];
    return sqrt(sum);
}

int scry_remote_vector_of(scry_remote *s, int64_t number, float *out, scry_error *err)
{
    scry_milvus_rows *rows;
    size_t dim = (size_t)s->base.dim;
    int result = find_row(s, number, s->vector_field, &rows, err);
    if (result < 0)
        return result;
    const scry_milvus_column *v = scry_milvus_find_column(rows, s->vector_field, SCRY_MILVUS_FLOAT_VECTOR);
    double norm = rows->rows && v && v->dim == s->base.dim ? norm_of(v->floats, dim) : 0;
    if (!rows->rows)
        result = scry_fail(err, SCRY_ENOTFOUND, "no row with the key %lld in %s", (long long)number, s->where);
    else if (!(norm > 0 && norm < HUGE_VAL))
        result = scry_fail(err, SCRY_EREMOTE, "the vector of the key %lld in %s cannot be searched with", (long long)number, s->where);
    for (size_t i = 0; i < dim && result == 0; i++)
        out[i] = (float)(v->floats[i] / norm);
    scry_milvus_rows_free(rows);
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
                                  .type = e->path_is_dynamic ? SCRY_MILVUS_JSON : SCRY_MILVUS_VARCHAR,
                                  .strings = (const char *const *)paths };
    if (!e->path_is_dynamic)
        return column;
    char **texts = scry_alloc((n + 1) * sizeof *texts);
    for (size_t i = 0; i < n; i++) {
        scry_buf b = SCRY_BUF_INIT(1 << 20);
        scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
        scry_json_begin(&w, '{');
        scry_json_add_str(&w, e->path_field, paths[i]);
        scry_json_end(&w, '}');
        texts[i] = scry_buf_take(&b);
    }
    column.strings = (const char *const *)texts;
    return column;
}

void scry_remote_path_column_free(const scry_remote *s, scry_milvus_column *column, size_t n)
{
    char **texts = (char **)column->strings;
    if (!s->external->path_is_dynamic)
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
                                   e->path_field ? e->path_field : "",
                                   e->why_not ? "nothing can be added: " : "pictures can be added", e->why_not ? e->why_not : "");
    pthread_mutex_unlock(&s->lock);
    return e->summary;
}
