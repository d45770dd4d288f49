/* Query and search: the requests; answer.c decodes the answers. */
#include "milvus/answer.h"

#include "base/alloc.h"
#include "milvus/wire.h"
#include "vector/vector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The guarantee timestamp that Milvus's SDKs send for each level. One more than that of the last write: at
 * exactly that timestamp 2.3 returns both an upserted row and the one it replaces. */
static uint64_t guarantee(const scry_milvus *m, scry_milvus_consistency c)
{
    if (c == SCRY_MILVUS_SESSION && m->last_write)
        return m->last_write + 1;
    return c == SCRY_MILVUS_STRONG ? 0 : c == SCRY_MILVUS_BOUNDED ? 2 : 1;
}

static int query_rows(scry_milvus *m, const char *name, const scry_milvus_query *q, bool by_key, scry_milvus_rows **out,
                      scry_error *err)
{
    char limit[24];
    snprintf(limit, sizeof limit, "%lld", (long long)q->limit);
    Pb__KeyValue pairs[] = { scry_call_pair("limit", limit), scry_call_pair("iterator", "True"),
                             scry_call_pair("reduce_stop_for_best", "False") };
    Pb__KeyValue *list[] = { &pairs[0], &pairs[1], &pairs[2] };
    Pb__QueryRequest r = PB__QUERY_REQUEST__INIT;
    r.db_name = scry_call_database(m);
    r.collection_name = (char *)name;
    r.expr = (char *)(q->filter ? q->filter : "");
    r.output_fields = (char **)q->fields;
    r.n_output_fields = q->field_count;
    r.query_params = list;
    r.n_query_params = by_key ? 3 : q->limit > 0;
    r.consistency_level = q->consistency;
    r.guarantee_timestamp = guarantee(m, q->consistency);
    ProtobufCMessage *answer;
    int result = scry_call(m, "Query", &r.base, &pb__query_results__descriptor, &answer, err);
    return result < 0 ? result : scry_answer_of_query(out, (Pb__QueryResults *)answer, err);
}

int scry_milvus_query_rows(scry_milvus *m, const char *name, const scry_milvus_query *q, scry_milvus_rows **out,
                           scry_error *err)
{
    return query_rows(m, name, q, false, out, err);
}

int scry_milvus_query_by_key(scry_milvus *m, const char *name, const scry_milvus_query *q, scry_milvus_rows **out,
                             scry_error *err)
{
    return query_rows(m, name, q, true, out, err);
}

int scry_milvus_count(scry_milvus *m, const char *name, const char *filter, scry_milvus_consistency consistency,
                      int64_t *out, scry_error *err)
{
    static const char *const fields[] = { "count(*)" };
    scry_milvus_query q = { filter, fields, 1, 0, consistency };
    scry_milvus_rows *rows;
    int result = scry_milvus_query_rows(m, name, &q, &rows, err);
    if (result < 0)
        return result;
    const scry_milvus_column *c = scry_milvus_find_column(rows, "count(*)", SCRY_MILVUS_INT64);
    if (c && rows->rows == 1)
        *out = c->longs[0];
    else
        result = scry_fail(err, SCRY_EREMOTE, "Milvus at %s did not count the rows of %s", m->where, name);
    scry_milvus_rows_free(rows);
    return result;
}

/* The queries as one serialised placeholder group. */
static int pack_group(scry_buf *out, int32_t type, ProtobufCBinaryData *data, size_t n)
{
    Pb__PlaceholderValue value = PB__PLACEHOLDER_VALUE__INIT, *values[] = { &value };
    Pb__PlaceholderGroup group = PB__PLACEHOLDER_GROUP__INIT;
    value.tag = "$0";
    value.type = type;
    value.values = data;
    value.n_values = n;
    group.placeholders = values;
    group.n_placeholders = 1;
    uint8_t *at = scry_buf_extend(out, pb__placeholder_group__get_packed_size(&group));
    if (at)
        pb__placeholder_group__pack(&group, at);
    return at ? 0 : -1;
}

static int pack_text(scry_buf *out, const char *text, scry_error *err)
{
    ProtobufCBinaryData data = { strlen(text), (uint8_t *)text };
    if (pack_group(out, SCRY_WIRE_TEXT, &data, 1) == 0)
        return 0;
    return scry_fail(err, SCRY_ELIMIT, "a query of %zu bytes is too long", strlen(text));
}

/* Each vector as little-endian floats, or halves. */
static int pack_vectors(scry_buf *out, const scry_milvus_search *s, scry_error *err)
{
    ProtobufCBinaryData *data = scry_alloc(sizeof *data * s->queries);
    size_t n = s->queries * s->dim, bytes = s->dim * (s->half ? sizeof(uint16_t) : sizeof(float));
    uint16_t *halves = s->half ? scry_alloc(n * sizeof *halves) : NULL;
    if (halves)
        scry_half_from_float(halves, s->vectors, n);
    uint8_t *vectors = halves ? (uint8_t *)halves : (uint8_t *)s->vectors;
    for (size_t i = 0; i < s->queries; i++)
        data[i] = (ProtobufCBinaryData){ bytes, vectors + i * bytes };
    int packed = pack_group(out, s->half ? SCRY_WIRE_FLOAT16_VECTOR : SCRY_MILVUS_FLOAT_VECTOR, data, s->queries);
    free(data);
    free(halves);
    return packed == 0 ? 0 : scry_fail(err, SCRY_ELIMIT, "%zu query vectors of %zu numbers are too many at once", s->queries, s->dim);
}

int scry_milvus_search_rows(scry_milvus *m, const char *name, const scry_milvus_search *s, scry_milvus_rows **out,
                            scry_error *err)
{
    size_t queries = s->text ? 1 : s->queries;
    if (queries < 1 || queries > SCRY_MILVUS_MAX_TOPK || s->limit < 1 || s->limit > SCRY_MILVUS_MAX_TOPK ||
        (!s->text && (s->dim < 1 || s->dim > SCRY_MILVUS_MAX_DIM)))
        return scry_fail(err, SCRY_ELIMIT, "a search of Milvus takes at most %d queries and %d results each",
                         SCRY_MILVUS_MAX_TOPK, SCRY_MILVUS_MAX_TOPK);
    char limit[24];
    snprintf(limit, sizeof limit, "%lld", (long long)s->limit);
    Pb__KeyValue pairs[] = { scry_call_pair("anns_field", s->field), scry_call_pair("topk", limit),
                             scry_call_pair("metric_type", s->metric),
                             scry_call_pair("params", s->params && s->params[0] ? s->params : "{}") };
    Pb__KeyValue *list[] = { &pairs[0], &pairs[1], &pairs[2], &pairs[3] };
    Pb__SearchRequest r = PB__SEARCH_REQUEST__INIT;
    r.search_params = list;
    r.n_search_params = 4;
    scry_buf group = SCRY_BUF_INIT((size_t)SCRY_MILVUS_BATCH_BYTES * 2);
    int result = s->text ? pack_text(&group, s->text, err) : pack_vectors(&group, s, err);
    r.db_name = scry_call_database(m);
    r.collection_name = (char *)name;
    r.dsl = (char *)(s->filter ? s->filter : "");
    r.dsl_type = 1;
    r.placeholder_group = (ProtobufCBinaryData){ group.size, (uint8_t *)group.data };
    r.output_fields = (char **)s->fields;
    r.n_output_fields = s->field_count;
    r.partition_names = (char **)s->partitions;
    r.n_partition_names = s->partition_count;
    r.nq = (int64_t)queries;
    r.consistency_level = s->consistency;
    r.guarantee_timestamp = guarantee(m, s->consistency);
    ProtobufCMessage *answer;
    if (result == 0)
        result = scry_call(m, "Search", &r.base, &pb__search_results__descriptor, &answer, err);
    scry_buf_dispose(&group);
    return result < 0 ? result : scry_answer_of_search(out, (Pb__SearchResults *)answer, queries, err);
}
