/* remote_schema.c - the collection: created, or recognised and checked before any row is sent. */
#include "store/milvus/remote_internal.h"

#include "base/alloc.h"
#include "base/log.h"
#include "store/milvus/remote_external.h"
#include "store/milvus/remote_replace.h"
#include "store/words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the collections that are made, and of those without words, and without details, which are still used. */
static const char FORMAT[] = "3", FORMAT_WITHOUT_WORDS[] = "2", FORMAT_WITHOUT_DETAILS[] = "1";
/* The rules by which words were cut from names and texts in all rows, or "mixed". */
static const char WORDS_PROPERTY[] = "scry.words";

enum { TEXT = SCRY_MILVUS_MAX_VARCHAR };

const scry_milvus_field scry_remote_schema[SCRY_REMOTE_FIELDS] = {
    [SCRY_REMOTE_ID] = { .name = "id", .type = SCRY_MILVUS_VARCHAR, .primary = true, .max_length = 2 * SCRY_ID_BYTES },
    [SCRY_REMOTE_CONTENT] = { .name = "content", .type = SCRY_MILVUS_VARCHAR, .max_length = 2 * SCRY_HASH_BYTES },
    [SCRY_REMOTE_ROOT] = { .name = "root", .type = SCRY_MILVUS_VARCHAR, .max_length = 2 * SCRY_ID_BYTES },
    [SCRY_REMOTE_PATH] = { .name = "path", .type = SCRY_MILVUS_VARCHAR, .max_length = TEXT },
    [SCRY_REMOTE_SIZE] = { .name = "size", .type = SCRY_MILVUS_INT64 },
    [SCRY_REMOTE_MTIME] = { .name = "mtime_ns", .type = SCRY_MILVUS_INT64 },
    [SCRY_REMOTE_TIME] = { .name = "time", .type = SCRY_MILVUS_INT64 },
    [SCRY_REMOTE_HAS_TIME] = { .name = "has_time", .type = SCRY_MILVUS_BOOL },
    [SCRY_REMOTE_CAMERA] = { .name = "camera", .type = SCRY_MILVUS_VARCHAR, .max_length = TEXT },
    [SCRY_REMOTE_HAS_POSITION] = { .name = "has_position", .type = SCRY_MILVUS_BOOL },
    [SCRY_REMOTE_LATITUDE] = { .name = "latitude", .type = SCRY_MILVUS_DOUBLE },
    [SCRY_REMOTE_LONGITUDE] = { .name = "longitude", .type = SCRY_MILVUS_DOUBLE },
    [SCRY_REMOTE_FORMAT] = { .name = "format", .type = SCRY_MILVUS_VARCHAR, .max_length = 64 },
    [SCRY_REMOTE_WIDTH] = { .name = "width", .type = SCRY_MILVUS_INT64 },
    [SCRY_REMOTE_HEIGHT] = { .name = "height", .type = SCRY_MILVUS_INT64 },
    [SCRY_REMOTE_KEY] = { .name = "key", .type = SCRY_MILVUS_VARCHAR, .max_length = TEXT },
    [SCRY_REMOTE_LABELS] = { .name = "labels", .type = SCRY_MILVUS_ARRAY, .max_length = TEXT, .max_capacity = 4096 },
    [SCRY_REMOTE_TAKEN_SOURCE] = { .name = "taken_source", .type = SCRY_MILVUS_INT64 },
    [SCRY_REMOTE_TAKEN_OFFSET] = { .name = "taken_offset", .type = SCRY_MILVUS_INT64 },
    [SCRY_REMOTE_RATING] = { .name = "rating", .type = SCRY_MILVUS_INT64 },
    [SCRY_REMOTE_DAMAGED] = { .name = "damaged", .type = SCRY_MILVUS_BOOL },
    [SCRY_REMOTE_LENS] = { .name = "lens", .type = SCRY_MILVUS_VARCHAR, .max_length = TEXT },
    [SCRY_REMOTE_TITLE] = { .name = "title", .type = SCRY_MILVUS_VARCHAR, .max_length = TEXT },
    [SCRY_REMOTE_DESCRIPTION] = { .name = "description", .type = SCRY_MILVUS_VARCHAR, .max_length = TEXT },
    [SCRY_REMOTE_KEYWORDS] = { .name = "keywords", .type = SCRY_MILVUS_VARCHAR, .max_length = TEXT },
    [SCRY_REMOTE_KEYWORD_TERMS] = { .name = "keyword_terms", .type = SCRY_MILVUS_ARRAY, .max_length = TEXT, .max_capacity = 4096 },
    [SCRY_REMOTE_COMPANION] = { .name = "companion", .type = SCRY_MILVUS_VARCHAR, .max_length = TEXT },
    [SCRY_REMOTE_CTIME] = { .name = "ctime_ns", .type = SCRY_MILVUS_INT64 },
    [SCRY_REMOTE_WORDS] = { .name = "words", .type = SCRY_MILVUS_ARRAY, .max_length = 512, .max_capacity = 4096 },
    [SCRY_REMOTE_WORD_PARTS] = { .name = "word_parts", .type = SCRY_MILVUS_ARRAY, .max_length = 64, .max_capacity = 4096 },
    [SCRY_REMOTE_TEXT_READER] = { .name = "text_reader", .type = SCRY_MILVUS_VARCHAR, .max_length = 4096 },
    [SCRY_REMOTE_TEXT_REASON] = { .name = "text_reason", .type = SCRY_MILVUS_VARCHAR, .max_length = 4096 },
    [SCRY_REMOTE_TEXT_LINES] = { .name = "text_lines", .type = SCRY_MILVUS_VARCHAR, .max_length = TEXT },
    [SCRY_REMOTE_ALL_WORDS] = { .name = "all_words", .type = SCRY_MILVUS_VARCHAR, .max_length = TEXT },
    [SCRY_REMOTE_VECTOR] = { .name = "vector", .type = SCRY_MILVUS_FLOAT_VECTOR },
};

/* ---- creating the collection ---- */

/* scry rounds vectors to half precision in any case: where the server has such vectors, they are stored as that. */
static bool wants_halves(const scry_milvus *m, const scry_milvus_choice *choice)
{
    return choice->half || (!choice->single && scry_milvus_has_halves(scry_milvus_version(m)));
}

/* Whether a collection can be made as it is wanted, and on this server. */
static int check_new(const scry_remote *s, const scry_milvus *m, const scry_store_options *o, scry_error *err)
{
    if (!o->model_identity || !o->model_identity[0] || o->dim < 1)
        return scry_fail(err, SCRY_EINVALID, "a new collection needs a model: give --model");
    if (o->milvus.partitions && o->milvus.partition_key)
        return scry_fail(err, SCRY_EINVALID, "--milvus-partitions and --milvus-partition-key both say where a root's rows are: give one");
    if (o->milvus.partition_key && strncmp(scry_milvus_version(m), "v2.3", 4) == 0)   /* pymilvus loses them there, too */
        return scry_fail(err, SCRY_EINVALID, "Milvus at %s (%s) stores rows that are replaced in wrong partitions, and does not find them "
                         "by their partition key: use --milvus-partitions, or Milvus 2.4 and later", s->where, scry_milvus_version(m));
    if (o->milvus.half && o->milvus.single)
        return scry_fail(err, SCRY_EINVALID, "--milvus-half and --milvus-single say the opposite: give one");
    if (o->milvus.half && !scry_milvus_has_halves(scry_milvus_version(m)))
        return scry_fail(err, SCRY_EINVALID, "Milvus at %s (%s) has no vectors of half precision, which came with 2.4: omit --milvus-half",
                         s->where, scry_milvus_version(m));
    return 0;
}

/* With or without the two fields by which the server ranks rows by their words. */
static int create_as(scry_remote *s, scry_milvus *m, const scry_store_options *o, bool ranks, scry_error *err)
{
    scry_milvus_field fields[SCRY_REMOTE_FIELDS + 1];
    memcpy(fields, scry_remote_schema, sizeof scry_remote_schema);
    fields[SCRY_REMOTE_ALL_WORDS].analyzer = scry_milvus_blank_analyzer(scry_milvus_version(m));
    fields[SCRY_REMOTE_FIELDS] = (scry_milvus_field){ .name = SCRY_REMOTE_RANKS, .type = SCRY_MILVUS_SPARSE_VECTOR, .made = true };
    fields[SCRY_REMOTE_VECTOR].dim = o->dim;
    fields[SCRY_REMOTE_VECTOR].half = wants_halves(m, &o->milvus);
    fields[SCRY_REMOTE_ROOT].partition_key = o->milvus.partition_key;
    const scry_milvus_property properties[] = {
        { "scry.format", FORMAT }, { "scry.model_identity", o->model_identity },
        { "scry.model_name", o->model_name ? o->model_name : "" }, { "scry.precision", o->precision ? o->precision : "" },
        { "scry.partitions", o->milvus.partitions ? "root" : "" }, { WORDS_PROPERTY, SCRY_WORDS_VERSION }, { "mmap.enabled", "true" },
    };
    const size_t count = sizeof properties / sizeof *properties - (o->milvus.mmap ? 0 : 1);
    scry_milvus_schema schema = { .description = "pictures indexed by scry", .fields = fields,
                                  .field_count = sizeof fields / sizeof *fields, .properties = properties,
                                  .property_count = count, .shards = o->milvus.shards,
                                  .bm25 = { fields[SCRY_REMOTE_ALL_WORDS].name, SCRY_REMOTE_RANKS } };
    if (!ranks) {
        memmove(&fields[SCRY_REMOTE_ALL_WORDS], &fields[SCRY_REMOTE_ALL_WORDS + 1],
                (SCRY_REMOTE_FIELDS - SCRY_REMOTE_ALL_WORDS) * sizeof *fields);
        schema.field_count -= 2;
        schema.bm25.input = NULL;
    }
    return o->milvus.alias ? scry_remote_create_with_alias(s, m, &schema, err)
                           : scry_milvus_create_collection(m, s->name, &schema, err);
}

/* A server that has functions by its version, and refuses this one, gets a collection without: its words are compared here. */
static int create(scry_remote *s, scry_milvus *m, const scry_store_options *o, scry_error *err)
{
    scry_error why = SCRY_ERROR_INIT;
    bool ranks = scry_milvus_has_ranks(scry_milvus_version(m));
    int result = check_new(s, m, o, err);
    if (result < 0 || !ranks)
        return result < 0 ? result : create_as(s, m, o, false, err);
    result = create_as(s, m, o, true, &why);
    if (result == 0 || !scry_milvus_was_refused(m))
        return result < 0 ? scry_fail(err, result, "%s", why.message) : 0;
    result = create_as(s, m, o, false, err);
    if (result == 0)
        scry_remote_notice(s, "Milvus at %s refuses to rank by words (BM25), so that scry compares them: %.300s", s->where, why.message);
    return result;
}

static int compare_name(void *arg, const char *name)
{
    const char **wanted = arg;
    if (strcmp(name, *wanted) != 0)
        return 0;
    *wanted = NULL;
    return 1;
}

/* Whether the address names a database that is not there. 2.3 reports that as an absent collection, milvus-lite as an invalid
 * argument, so the list of databases decides; a user who may not see it is told the server's own words. */
static bool lacks_database(const scry_remote *s, scry_milvus *m)
{
    const char *wanted = s->options.database;
    return wanted[0] && scry_milvus_databases(m, compare_name, &wanted, NULL) == 0 && wanted;
}

static int make(scry_remote *s, scry_milvus *m, const scry_store_options *o, bool database, scry_error *err)
{
    int result = database ? scry_milvus_create_database(m, s->options.database, err) : 0;
    return result < 0 ? result : create(s, m, o, err);
}

/* Opened to CREATE, an absent database is created too. */
static int describe_or_create(scry_remote *s, scry_milvus *m, const scry_store_options *o, scry_milvus_schema **out,
                              scry_error *err)
{
    scry_error why = SCRY_ERROR_INIT;
    int result = scry_milvus_describe(m, s->shown, out, &why);
    if (result == 0)
        return 0;
    int code = scry_milvus_code(m);
    bool no_database = code > 0 && lacks_database(s, m), finished;
    if (!no_database && code != SCRY_MILVUS_NO_COLLECTION)
        return scry_fail(err, result, "%s", why.message);
    if (no_database && o->mode != SCRY_STORE_CREATE)
        return scry_fail(err, SCRY_ENOTFOUND, "there is no database %s at %s yet: scry index makes it, and the collection %s in it",
                         s->options.database, s->where, s->name);
    result = no_database ? 0 : scry_remote_finish_replacement(m, s->name, &finished, err);
    if (result < 0 || (!no_database && finished))
        return result < 0 ? result : scry_milvus_describe(m, s->shown, out, err);
    if (o->mode != SCRY_STORE_CREATE)
        return scry_fail(err, SCRY_ENOTFOUND, "there is no collection %s at %s yet: index some pictures first", s->shown,
                         s->where);
    result = make(s, m, o, no_database, err);
    if (result == 0)
        scry_remote_state_begin(s);
    return result < 0 ? result : scry_milvus_describe(m, s->shown, out, err);
}

/* ---- opening it ---- */

static char *property(const scry_milvus_schema *schema, const char *key)
{
    const char *value = scry_milvus_find_property(schema, key);
    return scry_strdup(value ? value : "");
}

static int check_model(const scry_remote *s, const scry_store_options *o, scry_error *err)
{
    if (!o->model_identity || !o->model_identity[0] || strcmp(o->model_identity, s->identity) == 0)
        return 0;
    return scry_store_other_model(s->shown, s->model_name, s->identity, o, err);
}

/* Each field must have the type that rows are sent with: another one can crash a server permanently. */
static int check_fields(const scry_remote *s, const scry_milvus_schema *schema, scry_error *err)
{
    for (int i = 0; i < SCRY_REMOTE_FIELDS; i++) {
        const scry_milvus_field *want = &scry_remote_schema[i], *f = scry_milvus_find_field(schema, want->name);
        if (!scry_remote_has_field(s, i))
            continue;
        if (!f || f->type != want->type || f->primary != want->primary || f->auto_id)
            return scry_fail(err, SCRY_EINVALID, "the collection %s at %s has the properties of scry, but its field %s is not as "
                             "scry creates it: use another --collection", s->shown, s->where, want->name);
    }
    return 0;
}

/* What a collection that is created would have, and one that is there cannot get. */
static int check_kind(const scry_remote *s, const scry_store_options *o, scry_error *err)
{
    if (o->milvus.partitions && !s->partitions)
        return scry_fail(err, SCRY_EINVALID, "the collection %s at %s was made without partitions: scry store copy it into "
                         "another one with --milvus-partitions", s->shown, s->where);
    if (o->milvus.partition_key && !s->partition_key)
        return scry_fail(err, SCRY_EINVALID, "the collection %s at %s was made without a partition key: scry store copy it into "
                         "another one with --milvus-partition-key", s->shown, s->where);
    if (o->milvus.alias && strcmp(s->shown, s->name) == 0)
        return scry_fail(err, SCRY_EINVALID, "%s at %s is a collection, not an alias: scry store copy it to another name with "
                         "--milvus-alias", s->shown, s->where);
    if (o->milvus.half && !s->half)
        return scry_fail(err, SCRY_EINVALID, "the collection %s at %s was made with vectors of single precision: scry store copy it "
                         "into another one with --milvus-half", s->shown, s->where);
    if (o->milvus.single && s->half)
        return scry_fail(err, SCRY_EINVALID, "the collection %s at %s was made with vectors of half precision: scry store copy it "
                         "into another one with --milvus-single", s->shown, s->where);
    return 0;
}

bool scry_remote_words_are_mixed(const scry_milvus_schema *schema)
{
    const char *rules = scry_milvus_find_property(schema, WORDS_PROPERTY);
    return !rules || strcmp(rules, SCRY_WORDS_VERSION) != 0;
}

/* Which fields the collection has, and whose words. */
static int read_format(scry_remote *s, const scry_milvus_schema *schema, scry_error *err)
{
    const char *format = scry_milvus_find_property(schema, "scry.format");
    s->has_words = strcmp(format, FORMAT) == 0;
    s->has_details = s->has_words || strcmp(format, FORMAT_WITHOUT_WORDS) == 0;
    s->words_mixed = scry_remote_words_are_mixed(schema);
    const scry_milvus_field *ranks = scry_milvus_find_field(schema, SCRY_REMOTE_RANKS);
    s->ranks = s->has_words && ranks && ranks->type == SCRY_MILVUS_SPARSE_VECTOR && ranks->made;
    if (s->has_details || strcmp(format, FORMAT_WITHOUT_DETAILS) == 0)
        return 0;
    return scry_fail(err, SCRY_EINVALID, "the collection %s at %s has scry's format %s, this scry reads %s to %s", s->name, s->where,
                     format, FORMAT_WITHOUT_DETAILS, FORMAT);
}

static int open_native(scry_remote *s, const scry_milvus_schema *schema, const scry_store_options *o, scry_error *err)
{
    int result = read_format(s, schema, err);
    if (result < 0)
        return result;
    s->identity = property(schema, "scry.model_identity");
    s->model_name = property(schema, "scry.model_name");
    s->precision = property(schema, "scry.precision");
    s->vector_field = scry_strdup("vector");
    s->base.kind = s->has_words ? &scry_remote_kind : &scry_remote_textless_kind;
    scry_remote_fields fields = scry_remote_row_fields(s, false);
    s->fields = fields.names;
    s->field_count = fields.count;
    s->read_row = scry_remote_row_read;
    const char *partitions = scry_milvus_find_property(schema, "scry.partitions");
    s->partitions = partitions && strcmp(partitions, "root") == 0;
    const char *mapped = scry_milvus_find_property(schema, "mmap.enabled");
    s->mmap = mapped && strcmp(mapped, "true") == 0;
    s->partition_key = scry_milvus_find_field(schema, "root") && scry_milvus_find_field(schema, "root")->partition_key;
    s->shards = schema->shards;
    s->half = scry_milvus_find_field(schema, "vector") && scry_milvus_find_field(schema, "vector")->half;
    result = check_fields(s, schema, err);
    if (result == 0 && o->mode == SCRY_STORE_CREATE)
        result = check_kind(s, o, err);
    if (result == 0)
        result = check_model(s, o, err);
    if (result == 0) {
        s->base.dim = (int)scry_milvus_find_field(schema, "vector")->dim;
        if (o->dim && o->dim != s->base.dim)
            result = scry_fail(err, SCRY_EINVALID, "the collection %s at %s holds vectors of %d numbers, the model makes %d",
                               s->shown, s->where, s->base.dim, o->dim);
    }
    return result < 0 ? result : scry_remote_load_roots(s, schema, err);
}

/* Before this process writes words by its own rules into rows beside those of another scry, which is not to take all for its own.
 * Twice: 2.3 forgets the last change when it restarts. */
static int note_rules(const scry_remote *s, scry_milvus *m, const scry_milvus_schema *schema, scry_error *err)
{
    static const char mixed[] = "mixed";
    const char *rules = scry_milvus_find_property(schema, WORDS_PROPERTY);
    if (s->mode == SCRY_STORE_READ || !s->has_words || !s->words_mixed || (rules && strcmp(rules, mixed) == 0))
        return 0;
    int result = scry_milvus_set_property(m, s->name, WORDS_PROPERTY, mixed, err);
    return result < 0 ? result : scry_milvus_set_property(m, s->name, WORDS_PROPERTY, mixed, err);
}

int scry_remote_prepare(scry_remote *s, scry_milvus *m, const scry_store_options *o, scry_error *err)
{
    scry_milvus_schema *schema;
    int result = scry_remote_parse_search(s, o->milvus.search ? o->milvus.search : "", err);
    if (result == 0)
        result = describe_or_create(s, m, o, &schema, err);
    if (result < 0)
        return result;
    free(s->name);
    s->name = scry_strdup(schema->name);
    bool native = scry_milvus_find_property(schema, "scry.format");
    result = native ? open_native(s, schema, o, err) : scry_remote_external_open(s, m, schema, o, err);
    if (result == 0 && native)
        result = note_rules(s, m, schema, err);
    scry_milvus_schema_free(schema);
    if (result == 0)
        result = scry_remote_index_and_load(s, m, o, native, err);
    return result < 0 || native ? result : scry_remote_check_units(s, m, err);
}
