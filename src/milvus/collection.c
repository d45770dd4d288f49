/* Databases, collections and their schemas. */
#include "milvus/call.h"

#include "base/alloc.h"
#include "milvus/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static Pb__CollectionRequest collection_request(scry_milvus *m, const char *name)
{
    Pb__CollectionRequest q = PB__COLLECTION_REQUEST__INIT;
    q.db_name = scry_call_database(m);
    q.collection_name = (char *)name;
    return q;
}

/* ---- databases ---- */

int scry_milvus_create_database(scry_milvus *m, const char *name, scry_error *err)
{
    Pb__CreateDatabaseRequest q = PB__CREATE_DATABASE_REQUEST__INIT;
    q.db_name = (char *)name;
    return scry_call_status(m, "CreateDatabase", &q.base, err);
}

int scry_milvus_databases(scry_milvus *m, scry_milvus_name_fn *each, void *arg, scry_error *err)
{
    Pb__ListDatabasesRequest q = PB__LIST_DATABASES_REQUEST__INIT;
    ProtobufCMessage *answer;
    int result = scry_call(m, "ListDatabases", &q.base, &pb__list_databases_response__descriptor, &answer, err);
    if (result < 0)
        return result;
    const Pb__ListDatabasesResponse *r = (Pb__ListDatabasesResponse *)answer;
    for (size_t i = 0; i < r->n_db_names && !each(arg, r->db_names[i]); i++)
        continue;
    scry_call_free(answer);
    return 0;
}

/* ---- collections ---- */

int scry_milvus_collections(scry_milvus *m, scry_milvus_name_fn *each, void *arg, scry_error *err)
{
    Pb__ShowCollectionsRequest q = PB__SHOW_COLLECTIONS_REQUEST__INIT;
    q.db_name = scry_call_database(m);
    ProtobufCMessage *answer;
    int result = scry_call(m, "ShowCollections", &q.base, &pb__show_collections_response__descriptor, &answer, err);
    if (result < 0)
        return result;
    const Pb__ShowCollectionsResponse *r = (Pb__ShowCollectionsResponse *)answer;
    for (size_t i = 0; i < r->n_collection_names && !each(arg, r->collection_names[i]); i++)
        continue;
    scry_call_free(answer);
    return 0;
}

int scry_milvus_has_collection(scry_milvus *m, const char *name, bool *out, scry_error *err)
{
    Pb__CollectionRequest q = collection_request(m, name);
    ProtobufCMessage *answer;
    int result = scry_call(m, "HasCollection", &q.base, &pb__bool_response__descriptor, &answer, err);
    if (result < 0)
        return result;
    *out = ((Pb__BoolResponse *)answer)->value;
    scry_call_free(answer);
    return 0;
}

int scry_milvus_drop(scry_milvus *m, const char *name, scry_error *err)
{
    Pb__CollectionRequest q = collection_request(m, name);
    return scry_call_status(m, "DropCollection", &q.base, err);
}

int scry_milvus_rename(scry_milvus *m, const char *name, const char *to, scry_error *err)
{
    Pb__RenameCollectionRequest q = PB__RENAME_COLLECTION_REQUEST__INIT;
    q.db_name = scry_call_database(m);
    q.oldname = (char *)name;
    q.newname = (char *)to;
    return scry_call_status(m, "RenameCollection", &q.base, err);
}

static int send_alias(scry_milvus *m, const char *rpc, const char *alias, const char *name, scry_error *err)
{
    Pb__AliasRequest q = PB__ALIAS_REQUEST__INIT;
    q.db_name = scry_call_database(m);
    q.collection_name = (char *)name;
    q.alias = (char *)alias;
    return scry_call_status(m, rpc, &q.base, err);
}

int scry_milvus_create_alias(scry_milvus *m, const char *alias, const char *name, scry_error *err)
{
    return send_alias(m, "CreateAlias", alias, name, err);
}

int scry_milvus_set_alias(scry_milvus *m, const char *alias, const char *name, scry_error *err)
{
    return send_alias(m, "AlterAlias", alias, name, err);
}

int scry_milvus_drop_alias(scry_milvus *m, const char *alias, scry_error *err)
{
    Pb__DropAliasRequest q = PB__DROP_ALIAS_REQUEST__INIT;
    q.db_name = scry_call_database(m);
    q.alias = (char *)alias;
    return scry_call_status(m, "DropAlias", &q.base, err);
}

int scry_milvus_set_property(scry_milvus *m, const char *name, const char *key, const char *value, scry_error *err)
{
    Pb__KeyValue pair = scry_call_pair(key, value), *pairs[] = { &pair };
    Pb__AlterCollectionRequest q = PB__ALTER_COLLECTION_REQUEST__INIT;
    q.db_name = scry_call_database(m);
    q.collection_name = (char *)name;
    q.n_properties = 1;
    q.properties = pairs;
    return scry_call_status(m, "AlterCollection", &q.base, err);
}

int scry_milvus_create_partition(scry_milvus *m, const char *name, const char *partition, scry_error *err)
{
    Pb__CreatePartitionRequest q = PB__CREATE_PARTITION_REQUEST__INIT;
    q.db_name = scry_call_database(m);
    q.collection_name = (char *)name;
    q.partition_name = (char *)partition;
    return scry_call_status(m, "CreatePartition", &q.base, err);
}

/* ---- a schema, sent ---- */

enum { MAX_FIELDS = 64, MAX_PROPERTIES = 256, PARAMS = 5 };

/* A field as a message; the message points into the rest. */
typedef struct field_message {
    Pb__FieldSchema schema;
    Pb__KeyValue params[PARAMS], *param_list[PARAMS];
    char numbers[PARAMS][24];
} field_message;

static void add_param(field_message *f, const char *key, int64_t value)
{
    size_t i = f->schema.n_type_params;
    if (value <= 0)
        return;
    snprintf(f->numbers[i], sizeof f->numbers[i], "%lld", (long long)value);
    f->params[i] = scry_call_pair(key, f->numbers[i]);
    f->param_list[i] = &f->params[i];
    f->schema.n_type_params = i + 1;
}

static void add_text_param(field_message *f, const char *key, const char *value)
{
    size_t i = f->schema.n_type_params++;
    f->params[i] = scry_call_pair(key, value);
    f->param_list[i] = &f->params[i];
}

static void field_to_message(field_message *f, const scry_milvus_field *from)
{
    f->schema = (Pb__FieldSchema)PB__FIELD_SCHEMA__INIT;
    f->schema.name = (char *)from->name;
    f->schema.is_primary_key = from->primary;
    f->schema.autoid = from->auto_id;
    f->schema.is_partition_key = from->partition_key;
    f->schema.data_type = from->half ? SCRY_WIRE_FLOAT16_VECTOR : from->type;
    f->schema.element_type = from->type == SCRY_MILVUS_ARRAY ? SCRY_MILVUS_VARCHAR : 0;
    f->schema.type_params = f->param_list;
    add_param(f, "dim", from->dim);
    add_param(f, "max_length", from->max_length);
    add_param(f, "max_capacity", from->max_capacity);
    f->schema.is_function_output = from->made;
    if (from->analyzer) {
        add_text_param(f, "enable_analyzer", "true");
        add_text_param(f, "analyzer_params", from->analyzer);
    }
}

int scry_milvus_create_collection(scry_milvus *m, const char *name, const scry_milvus_schema *s, scry_error *err)
{
    if (s->field_count > MAX_FIELDS || s->property_count > MAX_PROPERTIES)
        return scry_fail(err, SCRY_ELIMIT, "a collection has at most %d fields and %d properties", MAX_FIELDS,
                         MAX_PROPERTIES);
    field_message *fields = scry_alloc(sizeof *fields * MAX_FIELDS);
    Pb__FieldSchema *field_list[MAX_FIELDS];
    for (size_t i = 0; i < s->field_count; i++) {
        field_to_message(&fields[i], &s->fields[i]);
        field_list[i] = &fields[i].schema;
    }
    Pb__CollectionSchema schema = PB__COLLECTION_SCHEMA__INIT;
    schema.name = (char *)name;
    schema.description = (char *)(s->description ? s->description : "");
    schema.fields = field_list;
    schema.n_fields = s->field_count;
    schema.enable_dynamic_field = s->dynamic;
    Pb__FunctionSchema function = PB__FUNCTION_SCHEMA__INIT, *functions[] = { &function };
    function.name = "bm25";
    function.type = SCRY_WIRE_BM25;
    function.input_field_names = (char **)&s->bm25.input;
    function.output_field_names = (char **)&s->bm25.output;
    function.n_input_field_names = function.n_output_field_names = 1;
    schema.functions = functions;
    schema.n_functions = s->bm25.input != NULL;
    Pb__KeyValue pairs[MAX_PROPERTIES], *pair_list[MAX_PROPERTIES];
    for (size_t i = 0; i < s->property_count; i++) {
        pairs[i] = scry_call_pair(s->properties[i].key, s->properties[i].value);
        pair_list[i] = &pairs[i];
    }
    Pb__CreateCollectionRequest q = PB__CREATE_COLLECTION_REQUEST__INIT;
    q.db_name = scry_call_database(m);
    q.collection_name = (char *)name;
    q.schema.len = pb__collection_schema__get_packed_size(&schema);
    q.schema.data = scry_alloc(q.schema.len);
    pb__collection_schema__pack(&schema, q.schema.data);
    q.shards_num = s->shards;
    q.consistency_level = SCRY_MILVUS_BOUNDED;
    q.n_properties = s->property_count;
    q.properties = pair_list;
    int result = scry_call_status(m, "CreateCollection", &q.base, err);
    free(q.schema.data);
    free(fields);
    return result;
}

/* ---- a schema, described ---- */

typedef struct described {
    scry_milvus_schema schema;       /* first: what callers hold */
    Pb__DescribeCollectionResponse *answer;
} described;

static int64_t number_param(const Pb__FieldSchema *f, const char *key)
{
    for (size_t i = 0; i < f->n_type_params; i++)
        if (strcmp(f->type_params[i]->key, key) == 0)
            return strtoll(f->type_params[i]->value, NULL, 10);
    return 0;
}

static void schema_from_message(scry_milvus_schema *s, const Pb__DescribeCollectionResponse *r)
{
    const Pb__CollectionSchema *from = r->schema;
    scry_milvus_field *fields = scry_alloc(sizeof *fields * (from->n_fields + 1));
    scry_milvus_property *properties = scry_alloc(sizeof *properties * (r->n_properties + 1));
    for (size_t i = 0; i < from->n_fields; i++) {
        const Pb__FieldSchema *f = from->fields[i];
        fields[i] = (scry_milvus_field){
            .name = f->name, .half = f->data_type == SCRY_WIRE_FLOAT16_VECTOR,
            .type = f->data_type == SCRY_WIRE_FLOAT16_VECTOR ? SCRY_MILVUS_FLOAT_VECTOR : f->data_type,
            .primary = f->is_primary_key,
            .auto_id = f->autoid || (f->is_primary_key && from->autoid),
            .partition_key = f->is_partition_key, .made = f->is_function_output,
            .may_be_absent = f->nullable || f->default_value.len,
            .optional = f->nullable || f->is_dynamic || f->is_function_output || f->default_value.len, .dim = number_param(f, "dim"),
            .max_length = number_param(f, "max_length"), .max_capacity = number_param(f, "max_capacity"),
        };
    }
    for (size_t i = 0; i < r->n_properties; i++)
        properties[i] = (scry_milvus_property){ r->properties[i]->key, r->properties[i]->value };
    *s = (scry_milvus_schema){
        .description = from->description, .fields = fields, .field_count = from->n_fields, .properties = properties,
        .property_count = r->n_properties, .shards = r->shards_num, .dynamic = from->enable_dynamic_field,
    };
}

int scry_milvus_describe(scry_milvus *m, const char *name, scry_milvus_schema **out, scry_error *err)
{
    Pb__CollectionRequest q = collection_request(m, name);
    ProtobufCMessage *answer;
    int result = scry_call(m, "DescribeCollection", &q.base,
                           &pb__describe_collection_response__descriptor, &answer, err);
    if (result < 0)
        return result;
    Pb__DescribeCollectionResponse *r = (Pb__DescribeCollectionResponse *)answer;
    if (!r->schema) {
        scry_call_free(answer);
        return scry_fail(err, SCRY_EREMOTE, "Milvus at %s describes the collection %s without a schema", m->where, name);
    }
    const char *own = r->schema->name[0] ? r->schema->name : name;   /* 2.3 repeats an alias as collection_name */
    if (m->schema_of != own) {
        free(m->schema_of);
        m->schema_of = scry_strdup(own);
    }
    m->schema_timestamp = r->update_timestamp;
    described *d = scry_alloc(sizeof *d);
    d->answer = r;
    schema_from_message(&d->schema, r);
    d->schema.aliases = r->aliases;
    d->schema.alias_count = r->n_aliases;
    d->schema.name = own == name ? m->schema_of : own;
    *out = &d->schema;
    return 0;
}

void scry_milvus_schema_free(scry_milvus_schema *s)
{
    if (!s)
        return;
    described *d = (described *)s;
    free((void *)s->fields);
    free((void *)s->properties);
    scry_call_free(&d->answer->base);
    free(d);
}

const scry_milvus_field *scry_milvus_find_field(const scry_milvus_schema *s, const char *name)
{
    for (size_t i = 0; i < s->field_count; i++)
        if (strcmp(s->fields[i].name, name) == 0)
            return &s->fields[i];
    return NULL;
}

const char *scry_milvus_find_property(const scry_milvus_schema *s, const char *key)
{
    for (size_t i = 0; i < s->property_count; i++)
        if (strcmp(s->properties[i].key, key) == 0)
            return s->properties[i].value;
    return NULL;
}
