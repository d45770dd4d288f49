/* remote_schema.c - the collection: made, recognised, checked before anything is sent. */
#include "store/remote_internal.h"

#include "base/alloc.h"
#include "base/log.h"
#include "store/remote_foreign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char FORMAT[] = "1";

/* ---- making the collection ---- */

static int create(scry_remote *s, scry_milvus *m, const scry_store_options *o, scry_error *err)
{
    enum { TEXT = SCRY_MILVUS_MAX_VARCHAR };
    const scry_milvus_field fields[] = {
        { .name = "id", .type = SCRY_MILVUS_VARCHAR, .primary = true, .max_length = 2 * SCRY_ID_BYTES },
        { .name = "content", .type = SCRY_MILVUS_VARCHAR, .max_length = 2 * SCRY_HASH_BYTES },
        { .name = "root", .type = SCRY_MILVUS_VARCHAR, .max_length = 2 * SCRY_ID_BYTES },
        { .name = "path", .type = SCRY_MILVUS_VARCHAR, .max_length = TEXT },
        { .name = "size", .type = SCRY_MILVUS_INT64 },
        { .name = "mtime_ns", .type = SCRY_MILVUS_INT64 },
        { .name = "time", .type = SCRY_MILVUS_INT64 },
        { .name = "has_time", .type = SCRY_MILVUS_BOOL },
        { .name = "camera", .type = SCRY_MILVUS_VARCHAR, .max_length = TEXT },
        { .name = "has_position", .type = SCRY_MILVUS_BOOL },
        { .name = "latitude", .type = SCRY_MILVUS_DOUBLE },
        { .name = "longitude", .type = SCRY_MILVUS_DOUBLE },
        { .name = "format", .type = SCRY_MILVUS_VARCHAR, .max_length = 64 },
        { .name = "width", .type = SCRY_MILVUS_INT64 },
        { .name = "height", .type = SCRY_MILVUS_INT64 },
        { .name = "key", .type = SCRY_MILVUS_VARCHAR, .max_length = TEXT },
        { .name = "labels", .type = SCRY_MILVUS_ARRAY, .max_length = TEXT, .max_capacity = 4096 },
        { .name = "vector", .type = SCRY_MILVUS_FLOAT_VECTOR, .dim = o->dim },
    };
    const scry_milvus_property properties[] = {
        { "scry.format", FORMAT }, { "scry.model_identity", o->model_identity },
        { "scry.model_name", o->model_name ? o->model_name : "" }, { "scry.precision", o->precision ? o->precision : "" },
        { "scry.partitions", o->milvus.partitions ? "root" : "" },
    };
    const scry_milvus_schema schema = { .description = "pictures indexed by scry", .fields = fields,
                                        .field_count = sizeof fields / sizeof *fields, .properties = properties,
                                        .property_count = sizeof properties / sizeof *properties };
    if (!o->model_identity || !o->model_identity[0] || o->dim < 1)
        return scry_fail(err, SCRY_EINVALID, "a new collection needs a model: give --model");
    return scry_milvus_create_collection(m, s->name, &schema, err);
}

static int compare_name(void *arg, const char *name)
{
    const char **wanted = arg;
    if (strcmp(name, *wanted) != 0)
        return 0;
    *wanted = NULL;
    return 1;
}

/* Some versions call an absent database an absent collection: the list tells. */
static int make_database(scry_remote *s, scry_milvus *m, scry_error *err)
{
    const char *wanted = s->options.database;
    if (!wanted[0])
        return 0;
    int result = scry_milvus_databases(m, compare_name, &wanted, err);
    return result < 0 || !wanted ? result : scry_milvus_create_database(m, wanted, err);
}

/* An absent database is made too when the collection may be. */
static int describe_or_create(scry_remote *s, scry_milvus *m, const scry_store_options *o, scry_milvus_schema **out,
                              scry_error *err)
{
    scry_error why = SCRY_ERROR_INIT;
    int result = scry_milvus_describe(m, s->name, out, &why);
    if (result == 0)
        return 0;
    int code = scry_milvus_code(m);
    if (code != SCRY_MILVUS_NO_COLLECTION && code != SCRY_MILVUS_NO_DATABASE)
        return scry_fail(err, result, "%s", why.message);
    if (o->mode != SCRY_STORE_CREATE)
        return scry_fail(err, SCRY_ENOTFOUND, "there is no collection %s at %s yet: index some pictures first", s->name,
                         s->where);
    result = make_database(s, m, err);
    if (result == 0)
        result = create(s, m, o, err);
    return result < 0 ? result : scry_milvus_describe(m, s->name, out, err);
}

/* ---- recognising it ---- */

static char *property(const scry_milvus_schema *schema, const char *key)
{
    const char *value = scry_milvus_find_property(schema, key);
    return scry_strdup(value ? value : "");
}

static int check_model(const scry_remote *s, const scry_store_options *o, scry_error *err)
{
    if (!o->model_identity || !o->model_identity[0] || strcmp(o->model_identity, s->identity) == 0)
        return 0;
    return scry_store_other_model(s->name, s->model_name, s->identity, o, err);
}

/* Every field with the type that rows are sent with: a wrong one can crash a server for good. */
static int check_fields(const scry_remote *s, const scry_milvus_schema *schema, scry_error *err)
{
    static const struct { const char *name; int type; } want[] = {
        { "id", SCRY_MILVUS_VARCHAR }, { "content", SCRY_MILVUS_VARCHAR }, { "root", SCRY_MILVUS_VARCHAR },
        { "path", SCRY_MILVUS_VARCHAR }, { "size", SCRY_MILVUS_INT64 }, { "mtime_ns", SCRY_MILVUS_INT64 },
        { "time", SCRY_MILVUS_INT64 }, { "has_time", SCRY_MILVUS_BOOL }, { "camera", SCRY_MILVUS_VARCHAR },
        { "has_position", SCRY_MILVUS_BOOL }, { "latitude", SCRY_MILVUS_DOUBLE }, { "longitude", SCRY_MILVUS_DOUBLE },
        { "format", SCRY_MILVUS_VARCHAR }, { "width", SCRY_MILVUS_INT64 }, { "height", SCRY_MILVUS_INT64 },
        { "key", SCRY_MILVUS_VARCHAR }, { "labels", SCRY_MILVUS_ARRAY }, { "vector", SCRY_MILVUS_FLOAT_VECTOR },
    };
    for (size_t i = 0; i < sizeof want / sizeof *want; i++) {
        const scry_milvus_field *f = scry_milvus_find_field(schema, want[i].name);
        if (!f || f->type != want[i].type || f->primary != (i == 0) || f->auto_id)
            return scry_fail(err, SCRY_EINVALID, "the collection %s at %s says that scry made it, but its field %s is not as "
                             "scry makes it: use another --collection", s->name, s->where, want[i].name);
    }
    return 0;
}

static int take_native(scry_remote *s, const scry_milvus_schema *schema, const scry_store_options *o, scry_error *err)
{
    const char *format = scry_milvus_find_property(schema, "scry.format");
    if (strcmp(format, FORMAT) != 0)
        return scry_fail(err, SCRY_EINVALID, "the collection %s at %s has scry's format %s, this scry reads %s", s->name,
                         s->where, format, FORMAT);
    s->identity = property(schema, "scry.model_identity");
    s->model_name = property(schema, "scry.model_name");
    s->precision = property(schema, "scry.precision");
    s->vector_field = scry_strdup("vector");
    const char *partitions = scry_milvus_find_property(schema, "scry.partitions");
    s->partitions = partitions && strcmp(partitions, "root") == 0;
    int result = check_fields(s, schema, err);
    if (result == 0 && o->milvus.partitions && !s->partitions && o->mode == SCRY_STORE_CREATE)
        result = scry_fail(err, SCRY_EINVALID, "the collection %s at %s was made without partitions: scry store copy it into "
                           "another one with --milvus-partitions", s->name, s->where);
    if (result == 0)
        result = check_model(s, o, err);
    if (result == 0) {
        s->base.dim = (int)scry_milvus_find_field(schema, "vector")->dim;
        if (o->dim && o->dim != s->base.dim)
            result = scry_fail(err, SCRY_EINVALID, "the collection %s at %s holds vectors of %d numbers, the model makes %d",
                               s->name, s->where, s->base.dim, o->dim);
    }
    return result < 0 ? result : scry_remote_load_roots(s, schema, err);
}

int scry_remote_prepare(scry_remote *s, scry_milvus *m, const scry_store_options *o, scry_error *err)
{
    scry_milvus_schema *schema;
    int result = scry_remote_parse_search(s, o->milvus.search ? o->milvus.search : "", err);
    if (result == 0)
        result = describe_or_create(s, m, o, &schema, err);
    if (result < 0)
        return result;
    result = scry_milvus_find_property(schema, "scry.format") ? take_native(s, schema, o, err)
                                                              : scry_remote_foreign_take(s, schema, o, err);
    scry_milvus_schema_free(schema);
    return result < 0 ? result : scry_remote_index_and_load(s, m, o, err);
}
