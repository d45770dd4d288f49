/* What a server answers: any bytes as each of the messages that are read, and all of the
 * columns and hits that come out touched. */
#include "milvus/answer.h"
#include "milvus/wire.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile double sink;

static void touch_column(const scry_milvus_column *c, size_t i)
{
    switch (c->type) {
    case SCRY_MILVUS_BOOL: sink += c->bools[i]; break;
    case SCRY_MILVUS_INT8: case SCRY_MILVUS_INT16: case SCRY_MILVUS_INT32: sink += c->ints[i]; break;
    case SCRY_MILVUS_INT64: sink += (double)c->longs[i]; break;
    case SCRY_MILVUS_FLOAT: sink += c->floats[i]; break;
    case SCRY_MILVUS_DOUBLE: sink += c->doubles[i]; break;
    case SCRY_MILVUS_VARCHAR: case SCRY_MILVUS_JSON: sink += (double)strlen(c->strings[i]); break;
    case SCRY_MILVUS_ARRAY:
        for (size_t k = 0; k < c->lists[i].count; k++)
            sink += (double)strlen(c->lists[i].items[k]);
        break;
    case SCRY_MILVUS_FLOAT_VECTOR: sink += c->floats[(i + 1) * (size_t)c->dim - 1]; break;
    }
}

static void touch(scry_milvus_rows *r)
{
    for (size_t i = 0; i < r->rows; i++)
        for (size_t k = 0; k < r->column_count; k++)
            touch_column(&r->columns[k], i);
    for (size_t i = 0; i < r->queries; i++)
        for (size_t k = r->first[i]; k < r->first[i + 1]; k++)
            sink += r->scores[k] + (double)(r->int_ids ? (size_t)r->int_ids[k] : strlen(r->str_ids[k]));
    scry_milvus_rows_free(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const ProtobufCMessageDescriptor *const types[] = {
        &pb__query_results__descriptor, &pb__search_results__descriptor, &pb__describe_collection_response__descriptor,
        &pb__describe_index_response__descriptor, &pb__flush_response__descriptor, &pb__mutation_result__descriptor,
        &pb__connect_response__descriptor,
    };
    if (size < 1)
        return 0;
    /* The prefix is made right, so that the message is what gets explored. */
    unsigned which = data[0] % (sizeof types / sizeof *types);
    size_t n = size - 1;
    uint8_t *body = malloc(n + SCRY_WIRE_PREFIX);
    ProtobufCMessage *m = NULL;
    scry_milvus_rows *rows = NULL;
    body[0] = 0;
    for (int i = 0; i < 4; i++)
        body[1 + i] = (uint8_t)(n >> (24 - 8 * i));
    memcpy(body + SCRY_WIRE_PREFIX, data + 1, n);
    if (scry_wire_unpack(&m, types[which], body, n + SCRY_WIRE_PREFIX, 16 << 20, NULL) == 0) {
        if (which == 0 && scry_answer_of_query(&rows, (Pb__QueryResults *)m, NULL) == 0)
            touch(rows);
        else if (which == 1 && scry_answer_of_search(&rows, (Pb__SearchResults *)m, (data[0] >> 4) + 1u, NULL) == 0)
            touch(rows);
        else if (which > 1)
            scry_call_free(m);
    }
    free(body);
    return 0;
}
