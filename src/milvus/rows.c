/* Upsert and delete: columns as messages, split into batches by their size in bytes. */
#include "milvus/call.h"

#include "base/alloc.h"
#include "milvus/wire.h"
#include "vector/vector.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_COLUMNS = 64 };

/* ---- the size of a batch ---- */

static size_t string_bytes(const char *s)
{
    return strlen(s) + 4;  /* a tag and up to three bytes of length */
}

/* The most bytes that row `r` takes in a message. */
static size_t row_bytes(const scry_milvus_column *columns, size_t n, size_t r)
{
    size_t bytes = 0;
    for (size_t i = 0; i < n; i++) {
        const scry_milvus_column *c = &columns[i];
        if (c->absent)
            bytes++;
        else if (c->type == SCRY_MILVUS_FLOAT_VECTOR)
            bytes += (size_t)c->dim * (c->half ? sizeof(uint16_t) : sizeof(float));
        else if (c->type == SCRY_MILVUS_VARCHAR || c->type == SCRY_MILVUS_JSON)
            bytes += string_bytes(c->strings[r]);
        else if (c->type == SCRY_MILVUS_ARRAY) {
            bytes += 12;
            for (size_t k = 0; k < c->lists[r].count; k++)
                bytes += string_bytes(c->lists[r].items[k]);
        } else
            bytes += 10;   /* the longest varint */
    }
    return bytes;
}

/* How many rows from `from` on fit a batch; 0 when the first is too large. */
static size_t batch_rows(const scry_milvus_column *columns, size_t n, size_t from, size_t rows)
{
    /* The margin is for the names and lengths of the columns, a few hundred bytes. */
    size_t left = SCRY_MILVUS_BATCH_BYTES - 65536, count = 0;
    while (from + count < rows) {
        size_t bytes = row_bytes(columns, n, from + count);
        if (bytes > left)
            break;
        left -= bytes;
        count++;
    }
    return count;
}

/* ---- a column as a message ---- */

typedef struct column_message {
    Pb__FieldData field;
    Pb__ScalarField scalars;
    Pb__VectorField vectors;
    Pb__BoolArray bools;
    Pb__IntArray ints;
    Pb__LongArray longs;
    Pb__FloatArray floats;
    Pb__DoubleArray doubles;
    Pb__StringArray strings;
    Pb__BytesArray json;
    Pb__ArrayArray array;
    void *owned[4];           /* allocated for the message, which points to it */
} column_message;

/* The lists of `count` rows: a message for each, and one for its strings. */
static void set_lists(column_message *m, const scry_milvus_strings *lists, size_t count)
{
    Pb__ArrayRow **pointers = m->owned[0] = scry_alloc(sizeof *pointers * count);
    Pb__ArrayRow *rows = m->owned[1] = scry_alloc(sizeof *rows * count);
    Pb__StringArray *strings = m->owned[2] = scry_alloc(sizeof *strings * count);
    for (size_t i = 0; i < count; i++) {
        strings[i] = (Pb__StringArray)PB__STRING_ARRAY__INIT;
        strings[i].n_data = lists[i].count;
        strings[i].data = (char **)lists[i].items;
        rows[i] = (Pb__ArrayRow)PB__ARRAY_ROW__INIT;
        rows[i].string_data = &strings[i];
        pointers[i] = &rows[i];
    }
    m->array.data = pointers;
    m->array.n_data = count;
    m->array.element_type = SCRY_MILVUS_VARCHAR;
}

static void set_json(column_message *m, const char *const *texts, size_t count)
{
    ProtobufCBinaryData *data = m->owned[0] = scry_alloc(sizeof *data * count);
    for (size_t i = 0; i < count; i++)
        data[i] = (ProtobufCBinaryData){ strlen(texts[i]), (uint8_t *)texts[i] };
    m->json.data = data;
    m->json.n_data = count;
}

/* Vectors, [count, dim]; those of a FLOAT16_VECTOR as halves, little-endian. */
static void set_vectors(column_message *m, const scry_milvus_column *c, const float *floats, size_t count)
{
    size_t n = count * (size_t)c->dim;
    m->field.field_case = PB__FIELD_DATA__FIELD_VECTORS;
    m->field.vectors = &m->vectors;
    m->vectors.dim = c->dim;
    if (c->half) {
        uint16_t *halves = m->owned[0] = scry_alloc((n + 1) * sizeof *halves);
        scry_half_from_float(halves, floats, n);
        m->field.type = SCRY_WIRE_FLOAT16_VECTOR;
        m->vectors.data_case = PB__VECTOR_FIELD__DATA_FLOAT16_VECTOR;
        m->vectors.float16_vector = (ProtobufCBinaryData){ n * sizeof *halves, (uint8_t *)halves };
        return;
    }
    m->floats.data = (float *)floats;
    m->floats.n_data = n;
    m->vectors.data_case = PB__VECTOR_FIELD__DATA_FLOAT_VECTOR;
    m->vectors.float_vector = &m->floats;
}

#define SCALARS(m, array, member, which) \
    ((m)->scalars.data_case = PB__SCALAR_FIELD__DATA_##which, (m)->scalars.member = &(m)->array)

/* A field that no row has a value of, as Milvus's own clients send it: no data, and for each row that it is not there. 2.3.5
 * crashes where such a field is left out of rows to be replaced. */
static void set_absent(column_message *m, size_t count)
{
    m->field.valid_data = m->owned[3] = scry_alloc((count + 1) * sizeof *m->field.valid_data);
    m->field.n_valid_data = count;
}

/* Rows `from` .. `from + count` of a column; false for a type that cannot be sent. */
static bool column_to_message(column_message *m, const scry_milvus_column *c, size_t from, size_t count)
{
    const size_t rows = count;
    if (c->absent)
        from = count = 0;
    *m = (column_message){
        .field = PB__FIELD_DATA__INIT, .scalars = PB__SCALAR_FIELD__INIT, .vectors = PB__VECTOR_FIELD__INIT,
        .bools = PB__BOOL_ARRAY__INIT, .ints = PB__INT_ARRAY__INIT, .longs = PB__LONG_ARRAY__INIT,
        .floats = PB__FLOAT_ARRAY__INIT, .doubles = PB__DOUBLE_ARRAY__INIT, .strings = PB__STRING_ARRAY__INIT,
        .json = PB__BYTES_ARRAY__INIT, .array = PB__ARRAY_ARRAY__INIT,
    };
    m->bools.n_data = m->ints.n_data = m->longs.n_data = m->floats.n_data = m->doubles.n_data = m->strings.n_data = count;
    m->field.type = (int32_t)c->type;
    m->field.field_name = (char *)c->name;
    m->field.field_case = PB__FIELD_DATA__FIELD_SCALARS;
    m->field.scalars = &m->scalars;
    if (c->absent)
        set_absent(m, rows);
    switch (c->type) {
    case SCRY_MILVUS_BOOL:
        m->bools.data = (int *)c->bools + from;
        SCALARS(m, bools, bool_data, BOOL_DATA);
        return true;
    case SCRY_MILVUS_INT8: case SCRY_MILVUS_INT16: case SCRY_MILVUS_INT32:
        m->ints.data = (int32_t *)c->ints + from;
        SCALARS(m, ints, int_data, INT_DATA);
        return true;
    case SCRY_MILVUS_INT64:
        m->longs.data = (int64_t *)c->longs + from;
        SCALARS(m, longs, long_data, LONG_DATA);
        return true;
    case SCRY_MILVUS_FLOAT:
        m->floats.data = (float *)c->floats + from;
        SCALARS(m, floats, float_data, FLOAT_DATA);
        return true;
    case SCRY_MILVUS_DOUBLE:
        m->doubles.data = (double *)c->doubles + from;
        SCALARS(m, doubles, double_data, DOUBLE_DATA);
        return true;
    case SCRY_MILVUS_VARCHAR:
        m->strings.data = (char **)c->strings + from;
        SCALARS(m, strings, string_data, STRING_DATA);
        return true;
    case SCRY_MILVUS_JSON:
        m->field.is_dynamic = strcmp(c->name, "$meta") == 0;
        set_json(m, c->strings + from, count);
        SCALARS(m, json, json_data, JSON_DATA);
        return true;
    case SCRY_MILVUS_ARRAY:
        set_lists(m, c->lists + from, count);
        SCALARS(m, array, array_data, ARRAY_DATA);
        return true;
    case SCRY_MILVUS_FLOAT_VECTOR:
        set_vectors(m, c, c->floats + from * (size_t)c->dim, count);
        return true;
    }
    return false;
}

/* ---- sending ---- */

/* A proxy refuses rows that were made for an older schema; milvus 2.3 does not check. */
static int schema_is_known(scry_milvus *m, const char *name, bool again, scry_error *err)
{
    scry_milvus_schema *s;
    if (!again && m->schema_of && strcmp(m->schema_of, name) == 0)
        return 0;
    int result = scry_milvus_describe(m, name, &s, err);
    if (result == 0)
        scry_milvus_schema_free(s);
    return result;
}

/* Send one batch; every row must be acknowledged. */
static int send_batch(scry_milvus *m, Pb__MutationRequest *q, scry_error *err)
{
    ProtobufCMessage *answer;
    for (int tries = 0;; tries++) {
        scry_error failed = SCRY_ERROR_INIT;
        int result = schema_is_known(m, q->collection_name, tries > 0, err);
        if (result < 0)
            return result;
        q->schema_timestamp = m->schema_timestamp;
        result = scry_call(m, "Upsert", &q->base, &pb__mutation_result__descriptor, &answer, &failed);
        if (result == 0)
            break;
        if (m->code != SCRY_MILVUS_SCHEMA_CHANGED || tries > 0)
            return scry_fail(err, result, "%s", failed.message);
    }
    const Pb__MutationResult *r = (Pb__MutationResult *)answer;
    int64_t kept = r->upsert_cnt;
    size_t refused = r->n_err_index;
    scry_milvus_see_write(m, r->timestamp);
    scry_call_free(answer);
    if (refused || kept != q->num_rows)
        return scry_fail(err, SCRY_EREMOTE, "Milvus at %s kept %lld of %u rows sent to %s", m->where, (long long)kept,
                         q->num_rows, q->collection_name);
    return 0;
}

/* Rows `from` .. `from + q->num_rows` as messages, sent. `messages` is [MAX_COLUMNS]. */
static int send_rows(scry_milvus *m, Pb__MutationRequest *q, column_message *messages, const scry_milvus_table *t, size_t from,
                     scry_error *err)
{
    size_t made = 0;
    int result = 0;
    for (; made < t->column_count && result == 0; made++) {
        if (!column_to_message(&messages[made], &t->columns[made], from, q->num_rows))
            result = scry_fail(err, SCRY_EINVALID, "the column %s has a type (%d) that cannot be sent", t->columns[made].name,
                               (int)t->columns[made].type);
        q->fields_data[made] = &messages[made].field;
    }
    if (result == 0)
        result = send_batch(m, q, err);
    for (size_t i = 0; i < made; i++)
        for (size_t k = 0; k < sizeof messages->owned / sizeof *messages->owned; k++)
            free(messages[i].owned[k]);
    return result;
}

/* A server may accept less than the usual 64 MiB: a batch that it finds too large is halved. */
int scry_milvus_upsert(scry_milvus *m, const char *name, const scry_milvus_table *t, scry_error *err)
{
    enum { TOO_LARGE = -8 };   /* gRPC's RESOURCE_EXHAUSTED */
    if (t->column_count > MAX_COLUMNS)
        return scry_fail(err, SCRY_ELIMIT, "rows of %zu columns: Milvus takes %d", t->column_count, MAX_COLUMNS);
    column_message *messages = scry_alloc(sizeof *messages * MAX_COLUMNS);
    Pb__FieldData *list[MAX_COLUMNS];
    Pb__MutationRequest q = PB__MUTATION_REQUEST__INIT;
    q.db_name = scry_call_database(m);
    q.collection_name = (char *)name;
    q.partition_name = (char *)(t->partition ? t->partition : "");
    q.fields_data = list;
    q.n_fields_data = t->column_count;
    int result = 0;
    size_t most = t->rows;
    for (size_t at = 0; at < t->rows && result == 0;) {
        scry_error failed = SCRY_ERROR_INIT;
        size_t count = batch_rows(t->columns, t->column_count, at, at + most < t->rows ? at + most : t->rows);
        q.num_rows = (uint32_t)count;
        if (count == 0)
            result = scry_fail(err, SCRY_ELIMIT, "a single row for %s is larger than %d bytes", name, SCRY_MILVUS_BATCH_BYTES);
        else if ((result = send_rows(m, &q, messages, t, at, &failed)) == 0)
            at += count;
        else if (result == SCRY_ELIMIT && m->code == TOO_LARGE && count > 1) {
            most = count / 2;
            result = 0;
        } else
            result = scry_fail(err, result, "%s", failed.message);
    }
    free(messages);
    return result;
}

int scry_milvus_delete(scry_milvus *m, const char *name, const char *filter, int64_t *deleted, scry_error *err)
{
    Pb__DeleteRequest q = PB__DELETE_REQUEST__INIT;
    q.db_name = scry_call_database(m);
    q.collection_name = (char *)name;
    q.expr = (char *)filter;
    ProtobufCMessage *answer;
    int result = scry_call(m, "Delete", &q.base, &pb__mutation_result__descriptor, &answer, err);
    if (result < 0)
        return result;
    const Pb__MutationResult *r = (Pb__MutationResult *)answer;
    scry_milvus_see_write(m, r->timestamp);
    if (deleted)
        *deleted = r->delete_cnt;
    scry_call_free(answer);
    return 0;
}
