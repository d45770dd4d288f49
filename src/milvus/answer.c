#include "milvus/answer.h"

#include "base/alloc.h"
#include "milvus/wire.h"
#include "vector/vector.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* What an answer owns; `rows` first, since callers hold a pointer to it. */
typedef struct answer {
    scry_milvus_rows rows;
    ProtobufCMessage *message;
    scry_milvus_column *columns;
    void **owned;                /* [columns]: lists and strings allocated for a column, or NULL */
    size_t *first;
} answer;

void scry_milvus_rows_free(scry_milvus_rows *r)
{
    if (!r)
        return;
    answer *a = (answer *)r;
    for (size_t i = 0; i < a->rows.column_count; i++)
        free(a->owned[i]);
    free(a->owned);
    free(a->columns);
    free(a->first);
    scry_call_free(a->message);
    free(a);
}

const scry_milvus_column *scry_milvus_find_column(const scry_milvus_rows *r, const char *name, scry_milvus_type type)
{
    for (size_t i = 0; i < r->column_count; i++)
        if (r->columns[i].type == type && strcmp(r->columns[i].name, name) == 0)
            return &r->columns[i];
    return NULL;
}

/* ---- columns ---- */

/* Rows of ARRAY as lists; an empty list is sent as a row without strings. NULL if allocation fails. */
static scry_milvus_strings *lists_of(const Pb__ArrayArray *a)
{
    scry_milvus_strings *lists = scry_try_alloc(a->n_data ? a->n_data : 1, sizeof *lists);
    for (size_t i = 0; lists && i < a->n_data; i++) {
        const Pb__StringArray *s = a->data[i]->string_data;
        if (s)
            lists[i] = (scry_milvus_strings){ (const char *const *)s->data, s->n_data };
    }
    return lists;
}

/* JSON rows are bytes without a terminating zero: copied into one block behind their pointers. */
static char **texts_of(const Pb__BytesArray *a)
{
    size_t bytes = 0;
    for (size_t i = 0; i < a->n_data; i++)
        bytes += a->data[i].len + 1;
    char **texts = scry_try_alloc(1, (a->n_data + 1) * sizeof *texts + bytes);
    char *at = texts ? (char *)(texts + a->n_data + 1) : NULL;
    for (size_t i = 0; texts && i < a->n_data; i++) {
        texts[i] = at;
        if (a->data[i].len)
            memcpy(at, a->data[i].data, a->data[i].len);
        at += a->data[i].len + 1;
    }
    return texts;
}

/* Fill `c` from the scalars of a field; the number of rows, or -1 for data that does not match the
 * field's type. */
static int64_t take_scalars(scry_milvus_column *c, void **owned, const Pb__ScalarField *s)
{
    switch (c->type) {
    case SCRY_MILVUS_BOOL:
        if (s->data_case != PB__SCALAR_FIELD__DATA_BOOL_DATA)
            return -1;
        c->bools = s->bool_data->data;
        return (int64_t)s->bool_data->n_data;
    case SCRY_MILVUS_INT8: case SCRY_MILVUS_INT16: case SCRY_MILVUS_INT32:
        if (s->data_case != PB__SCALAR_FIELD__DATA_INT_DATA)
            return -1;
        c->ints = s->int_data->data;
        return (int64_t)s->int_data->n_data;
    case SCRY_MILVUS_INT64:
        if (s->data_case != PB__SCALAR_FIELD__DATA_LONG_DATA)
            return -1;
        c->longs = s->long_data->data;
        return (int64_t)s->long_data->n_data;
    case SCRY_MILVUS_FLOAT:
        if (s->data_case != PB__SCALAR_FIELD__DATA_FLOAT_DATA)
            return -1;
        c->floats = s->float_data->data;
        return (int64_t)s->float_data->n_data;
    case SCRY_MILVUS_DOUBLE:
        if (s->data_case != PB__SCALAR_FIELD__DATA_DOUBLE_DATA)
            return -1;
        c->doubles = s->double_data->data;
        return (int64_t)s->double_data->n_data;
    case SCRY_MILVUS_VARCHAR:
        if (s->data_case != PB__SCALAR_FIELD__DATA_STRING_DATA)
            return -1;
        c->strings = (const char *const *)s->string_data->data;
        return (int64_t)s->string_data->n_data;
    case SCRY_MILVUS_JSON:
        if (s->data_case != PB__SCALAR_FIELD__DATA_JSON_DATA || !(*owned = texts_of(s->json_data)))
            return -1;
        c->strings = *owned;
        return (int64_t)s->json_data->n_data;
    case SCRY_MILVUS_ARRAY:
        if (s->data_case != PB__SCALAR_FIELD__DATA_ARRAY_DATA || !(*owned = lists_of(s->array_data)))
            return -1;
        c->lists = *owned;
        return (int64_t)s->array_data->n_data;
    case SCRY_MILVUS_FLOAT_VECTOR:
        break;
    }
    return -1;
}

/* Halves, little-endian, as floats. */
static int64_t take_halves(scry_milvus_column *c, void **owned, const Pb__VectorField *v)
{
    if (v->data_case != PB__VECTOR_FIELD__DATA_FLOAT16_VECTOR || v->dim < 1 || v->dim > SCRY_MILVUS_MAX_DIM ||
        v->float16_vector.len % ((size_t)v->dim * sizeof(uint16_t)) != 0)
        return -1;
    size_t n = v->float16_vector.len / sizeof(uint16_t);
    uint16_t *halves = scry_try_alloc(n + 1, sizeof *halves);   /* aligned */
    float *floats = *owned = scry_try_alloc(n + 1, sizeof *floats);
    if (halves && floats && n) {
        memcpy(halves, v->float16_vector.data, n * sizeof *halves);
        scry_half_to_float(floats, halves, n);
    }
    bool read = halves && floats;
    free(halves);
    c->floats = floats;
    c->dim = v->dim;
    c->half = true;
    return read ? (int64_t)n / v->dim : -1;
}

static int64_t take_vectors(scry_milvus_column *c, const Pb__VectorField *v)
{
    if (v->data_case != PB__VECTOR_FIELD__DATA_FLOAT_VECTOR || v->dim < 1 || v->dim > SCRY_MILVUS_MAX_DIM ||
        v->float_vector->n_data % (size_t)v->dim != 0)
        return -1;
    c->floats = v->float_vector->data;
    c->dim = v->dim;
    return (int64_t)v->float_vector->n_data / v->dim;
}

static bool is_known(int type)
{
    return (type >= SCRY_MILVUS_BOOL && type <= SCRY_MILVUS_INT64) || type == SCRY_MILVUS_FLOAT ||
           type == SCRY_MILVUS_DOUBLE || (type >= SCRY_MILVUS_VARCHAR && type <= SCRY_MILVUS_JSON) ||
           type == SCRY_MILVUS_FLOAT_VECTOR || type == SCRY_WIRE_FLOAT16_VECTOR;
}

/* Rows without a vector may be left out of a column of them: zeros take their places. */
static int64_t insert_missing(scry_milvus_column *c, void **owned, int64_t count, const Pb__FieldData *f)
{
    enum { MOST_BYTES = 256 << 20 };   /* a small answer may not ask for more memory than a large one */
    size_t dim = (size_t)c->dim, at = 0, valid = 0;
    for (size_t i = 0; i < f->n_valid_data; i++)
        valid += f->valid_data[i] != 0;
    if (count < 0 || (size_t)count == f->n_valid_data || (size_t)count != valid)
        return count;
    if (f->n_valid_data > MOST_BYTES / (dim * sizeof *c->floats))
        return -1;
    float *all = scry_try_alloc(f->n_valid_data * dim + 1, sizeof *all);
    for (size_t i = 0; all && i < f->n_valid_data; i++)
        if (f->valid_data[i])
            memcpy(all + i * dim, c->floats + at++ * dim, dim * sizeof *all);
    free(*owned);
    c->floats = *owned = all;
    return all ? (int64_t)f->n_valid_data : -1;
}

/* Fill `c`, which has its name; the number of rows, or -1. */
static int64_t take_column(scry_milvus_column *c, void **owned, const Pb__FieldData *f)
{
    bool is_half = f->type == SCRY_WIRE_FLOAT16_VECTOR;
    int64_t count = -1;
    c->type = is_half ? SCRY_MILVUS_FLOAT_VECTOR : (scry_milvus_type)f->type;
    bool is_vector = c->type == SCRY_MILVUS_FLOAT_VECTOR;
    if (is_vector && f->field_case == PB__FIELD_DATA__FIELD_VECTORS)
        count = is_half ? take_halves(c, owned, f->vectors) : take_vectors(c, f->vectors);
    else if (!is_vector && f->field_case == PB__FIELD_DATA__FIELD_SCALARS)
        count = take_scalars(c, owned, f->scalars);
    if (is_vector && f->n_valid_data)
        count = insert_missing(c, owned, count, f);
    c->valid = f->n_valid_data && count == (int64_t)f->n_valid_data ? f->valid_data : NULL;
    return count;
}

/* All fields of known types as columns. Every column must have `rows` rows; -1: as many as
 * the first. An ARRAY of another type than strings is read as empty lists. */
static int take_columns(answer *a, Pb__FieldData *const *fields, size_t n, int64_t rows, scry_error *err)
{
    a->columns = scry_try_alloc(n + 1, sizeof *a->columns);
    a->owned = scry_try_alloc(n + 1, sizeof *a->owned);
    if (!a->columns || !a->owned)
        return scry_fail(err, SCRY_ENOMEM, "out of memory for %zu columns of Milvus's answer", n);
    a->rows.columns = a->columns;
    for (size_t i = 0; i < n; i++) {
        const Pb__FieldData *f = fields[i];
        if (!is_known(f->type))
            continue;
        size_t k = a->rows.column_count++;
        scry_milvus_column *c = &a->columns[k];
        c->name = f->field_name;
        int64_t count = take_column(c, &a->owned[k], f);
        if (rows < 0)
            rows = count;
        if (count < 0 || count != rows)
            return scry_fail(err, SCRY_EREMOTE, "Milvus answered with a damaged column \"%.64s\": %lld values of type %d "
                             "for %lld rows", f->field_name, (long long)count, f->type, (long long)rows);
    }
    a->rows.rows = rows < 0 ? 0 : (size_t)rows;
    return 0;
}

/* ---- answers ---- */

static answer *answer_new(ProtobufCMessage *message)
{
    static atomic_uint_least64_t last;
    answer *a = scry_alloc(sizeof *a);
    a->rows.number = atomic_fetch_add(&last, 1) + 1;
    a->message = message;
    return a;
}

static int finish(scry_milvus_rows **out, answer *a, int result)
{
    if (result < 0)
        scry_milvus_rows_free(&a->rows);
    else
        *out = &a->rows;
    return result;
}

int scry_answer_of_query(scry_milvus_rows **out, Pb__QueryResults *message, scry_error *err)
{
    answer *a = answer_new(&message->base);
    return finish(out, a, take_columns(a, message->fields_data, message->n_fields_data, -1, err));
}

/* Where each query's hits begin, from their counts. */
static int take_counts(answer *a, const Pb__SearchResultData *d, size_t queries, scry_error *err)
{
    a->first = scry_try_alloc(queries + 1, sizeof *a->first);
    if (!a->first)
        return scry_fail(err, SCRY_ENOMEM, "out of memory for the answers to %zu queries", queries);
    a->rows.first = a->first;
    a->rows.queries = queries;
    size_t scores = d ? d->n_scores : 0;
    for (size_t i = 0; i < queries; i++) {
        int64_t count = d && i < d->n_topks ? d->topks[i] : 0;
        if (count < 0 || (uint64_t)count > scores - a->first[i])
            return scry_fail(err, SCRY_EREMOTE, "Milvus answered with %lld hits but fewer scores", (long long)count);
        a->first[i + 1] = a->first[i] + (size_t)count;
    }
    return 0;
}

static int take_ids(answer *a, const Pb__SearchResultData *d, size_t hits, scry_error *err)
{
    size_t ids = 0;
    if (d->ids && d->ids->id_field_case == PB__IDS__ID_FIELD_INT_ID) {
        ids = d->ids->int_id->n_data;
        a->rows.int_ids = d->ids->int_id->data;
    } else if (d->ids && d->ids->id_field_case == PB__IDS__ID_FIELD_STR_ID) {
        ids = d->ids->str_id->n_data;
        a->rows.str_ids = (const char *const *)d->ids->str_id->data;
    }
    if (ids != hits || d->n_scores != hits)
        return scry_fail(err, SCRY_EREMOTE, "Milvus answered with %zu ids and %zu scores for %zu hits", ids, d->n_scores,
                         hits);
    a->rows.scores = d->scores;
    return 0;
}

int scry_answer_of_search(scry_milvus_rows **out, Pb__SearchResults *message, size_t queries, scry_error *err)
{
    const Pb__SearchResultData *d = message->results;
    answer *a = answer_new(&message->base);
    int result = take_counts(a, d, queries, err);
    size_t hits = result == 0 ? a->first[queries] : 0;
    /* Without hits, columns and ids may be absent or empty: nothing to check or read. */
    if (result == 0 && hits > 0) {
        result = take_ids(a, d, hits, err);
        if (result == 0)
            result = take_columns(a, d->fields_data, d->n_fields_data, (int64_t)hits, err);
    }
    return finish(out, a, result);
}
