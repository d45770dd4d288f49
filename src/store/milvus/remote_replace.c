/* remote_replace.c - a collection that is made beside another one, NAME__rebuild, and takes its place.
 *
 * The server renames one collection at a time, so the replacement is two renames: NAME to NAME__aside, then the new one to
 * NAME. Between them, for milliseconds, there is no collection NAME; whoever opens it then, or after a crash there, finishes
 * the replacement, which is complete by then. What is left aside is dropped.
 *
 * Where NAME is an alias, it leads to NAME__a or NAME__b (or to a collection that another program named), the replacement is
 * the other one, and setting the alias is all: there always is a NAME. What it led to is dropped a moment later, when searches
 * that had begun have ended.
 */
#include "store/milvus/remote_replace.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char REBUILD[] = "__rebuild", ASIDE[] = "__aside", SLOTS[2][4] = { "__a", "__b" };

static bool has_suffix(const char *name, const char *suffix)
{
    size_t n = strlen(name), k = strlen(suffix);
    return n > k && strcmp(name + n - k, suffix) == 0;
}

bool scry_remote_is_replacement(const char *name)
{
    return has_suffix(name, REBUILD) || has_suffix(name, ASIDE);
}

static int drop_if_there(scry_milvus *m, const char *name, scry_error *err)
{
    bool has = false;
    int result = scry_milvus_has_collection(m, name, &has, err);
    return result == 0 && has ? scry_milvus_drop(m, name, err) : result;
}

static bool is_alias(const scry_remote *s)
{
    return strcmp(s->shown, s->name) != 0;
}

/* Name of the collection that is to replace the open one; owned. */
static char *fresh_name(const scry_remote *s)
{
    if (!is_alias(s))
        return scry_asprintf("%s%s", s->name, REBUILD);
    size_t n = strlen(s->shown);
    bool first = strncmp(s->name, s->shown, n) == 0 && strcmp(s->name + n, SLOTS[0]) == 0;
    return scry_asprintf("%s%s", s->shown, SLOTS[first]);
}

/* Drop a collection beside the open one. */
static int drop_beside(scry_remote *s, const char *name, scry_error *err)
{
    scry_milvus *m = NULL;
    int result = scry_remote_take(s, &m, err);
    if (result == 0)
        result = drop_if_there(m, name, err);
    scry_remote_give(s, m);
    return result;
}

int scry_remote_drop_replacement(scry_store *base, scry_error *err)
{
    char *name = fresh_name((scry_remote *)base);
    int result = drop_beside((scry_remote *)base, name, err);
    free(name);
    return result;
}

char *scry_remote_listed_name(scry_milvus *m, const char *name)
{
    bool slot = has_suffix(name, SLOTS[0]) || has_suffix(name, SLOTS[1]);
    char *base = scry_strndup(name, strlen(name) - (slot ? sizeof SLOTS[0] - 1 : 0)), *listed = NULL;
    scry_milvus_schema *schema;
    if (!slot || scry_milvus_describe(m, base, &schema, NULL) < 0) {
        free(base);
        return scry_strdup(name);
    }
    size_t n = strlen(base);
    if (strcmp(schema->name, name) == 0)
        listed = scry_strdup(base);
    else if (strncmp(schema->name, base, n) != 0 || !(has_suffix(schema->name, SLOTS[0]) || has_suffix(schema->name, SLOTS[1])))
        listed = scry_strdup(name);
    scry_milvus_schema_free(schema);
    free(base);
    return listed;
}

/* One that is there already was made by a command that ended before it could set the alias, or is being made by another one. */
int scry_remote_create_with_alias(scry_remote *s, scry_milvus *m, const scry_milvus_schema *schema, scry_error *err)
{
    char *name = scry_asprintf("%s%s", s->shown, SLOTS[0]);
    scry_error why = SCRY_ERROR_INIT;
    scry_milvus_schema *there;
    bool has = false;
    int result = scry_milvus_has_collection(m, name, &has, err);
    if (result == 0 && !has)
        result = scry_milvus_create_collection(m, name, schema, err);
    if (result == 0 && (result = scry_milvus_create_alias(m, s->shown, name, &why)) < 0) {
        result = scry_milvus_describe(m, s->shown, &there, NULL);
        if (result == 0)
            scry_milvus_schema_free(there);
        else
            result = scry_fail(err, why.code, "%s", why.message);
    }
    free(name);
    return result;
}

int scry_remote_drop(scry_milvus *m, const char *name, const char *where, scry_error *err)
{
    scry_milvus_schema *schema;
    scry_error why = SCRY_ERROR_INIT;
    int result = scry_milvus_describe(m, name, &schema, &why);
    if (result < 0 && scry_milvus_code(m) == SCRY_MILVUS_NO_COLLECTION)
        return scry_fail(err, SCRY_ENOTFOUND, "there is no collection %s at %s", name, where);
    if (result < 0)
        return scry_fail(err, result, "%s", why.message);
    if (strcmp(schema->name, name) != 0)
        result = scry_milvus_drop_alias(m, name, err);
    if (result == 0)
        result = scry_milvus_drop(m, schema->name, err);
    scry_milvus_schema_free(schema);
    return result;
}

int scry_remote_finish_replacement(scry_milvus *m, const char *name, bool *finished, scry_error *err)
{
    char *fresh = scry_asprintf("%s%s", name, REBUILD), *aside = scry_asprintf("%s%s", name, ASIDE);
    bool has_fresh = false, has_aside = false;
    *finished = false;
    int result = scry_milvus_has_collection(m, aside, &has_aside, err);
    if (result == 0 && has_aside)
        result = scry_milvus_has_collection(m, fresh, &has_fresh, err);
    if (result == 0 && has_aside) {
        result = scry_milvus_rename(m, has_fresh ? fresh : aside, name, err);
        *finished = result == 0;
    }
    free(fresh);
    free(aside);
    return result;
}

/* Open the replacement, NAME, with the index of `s` and its way of partitions. */
static int open_fresh(scry_store **out, scry_remote *s, const scry_store_options *model, const char *name, scry_error *err)
{
    scry_store_options o = *model;
    char *type = scry_strdup(s->index_type);
    for (char *c = type; *c; c++)
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c | 32 : *c);
    char *spec = scry_asprintf("%s%s%s", type, s->index_params[0] ? ":" : "", s->index_params);
    o.mode = SCRY_STORE_CREATE;
    o.collection = name;
    o.milvus = (scry_milvus_choice){ .index = spec, .partitions = s->partitions, .half = s->half, .single = !s->half,
                                     .replicas = s->options.replicas,
                                     .partition_key = s->partition_key, .mmap = s->mmap, .shards = s->shards,
                                     .resource_group = s->resource_group, .notice = s->notice,
                                     .waiting = s->wait.progress, .waiting_arg = s->wait.arg };
    int result = scry_milvus_driver.open(out, s->where, &o, err);
    free(spec);
    free(type);
    return result;
}

int scry_remote_begin_replacement(scry_store **out, scry_store *base, const scry_store_options *model, bool anew, scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    char *name = fresh_name(s), *aside = scry_asprintf("%s%s", s->name, ASIDE);
    scry_error why = SCRY_ERROR_INIT;
    int result = scry_remote_check_writable(s, err);
    if (result == 0 && !is_alias(s))
        result = drop_beside(s, aside, err);
    if (result == 0 && anew)
        result = drop_beside(s, name, err);
    if (result == 0) {
        result = open_fresh(out, s, model, name, &why);
        if (result == SCRY_EINVALID) {   /* of another model, or of no use */
            result = drop_beside(s, name, &why);
            if (result == 0)
                result = open_fresh(out, s, model, name, &why);
        }
        if (result < 0)
            result = scry_fail(err, why.code, "%s", why.message);
        else
            ((scry_remote *)*out)->is_replacement = true;
    }
    free(name);
    free(aside);
    return result;
}

/* Whether what the alias leads to is to stay, since it has another one: 2.3 drops it with all of them. */
static int has_other_alias(scry_remote *s, scry_milvus *m, bool *other, scry_error *err)
{
    scry_milvus_schema *schema;
    int result = scry_milvus_describe(m, s->name, &schema, err);
    if (result < 0)
        return result;
    for (size_t i = 0; i < schema->alias_count; i++)
        if (strcmp(schema->aliases[i], s->shown) != 0) {
            scry_remote_notice(s, "the collection %s stays: it has the alias %s, too", s->name, schema->aliases[i]);
            *other = true;
        }
    scry_milvus_schema_free(schema);
    return 0;
}

/* Let the alias lead to `fresh`, and drop what it led to. */
static int switch_alias(scry_milvus *m, const char *alias, const char *old, const char *fresh, scry_error *err)
{
    enum { LAST_SEARCHES_S = 2 };
    int result = scry_milvus_set_alias(m, alias, fresh, err);
    if (result == 0 && old) {
        sleep(LAST_SEARCHES_S);
        result = scry_milvus_drop(m, old, err);
    }
    return result;
}

/* Give `fresh` the name; where that fails, what had it gets it back. */
static int exchange(scry_milvus *m, const char *name, const char *fresh, scry_error *err)
{
    char *aside = scry_asprintf("%s%s", name, ASIDE);
    int result = drop_if_there(m, aside, err);
    if (result == 0)
        result = scry_milvus_rename(m, name, aside, err);
    if (result == 0 && (result = scry_milvus_rename(m, fresh, name, err)) < 0)
        (void)!scry_milvus_rename(m, aside, name, NULL);
    if (result == 0)
        result = scry_milvus_drop(m, aside, err);
    free(aside);
    return result;
}

int scry_remote_replace(scry_store *base, scry_store *replacement, scry_error *err)
{
    scry_remote *s = (scry_remote *)base, *fresh = (scry_remote *)replacement;
    char *name = scry_strdup(s->name), *other = scry_strdup(fresh->name), *alias = is_alias(s) ? scry_strdup(s->shown) : NULL;
    scry_milvus *m = NULL;
    int result = scry_remote_sync(replacement, err);
    if (result == 0)
        result = scry_remote_side_move_all(fresh, s, err);
    if (result == 0)
        result = scry_remote_take(s, &m, err);
    bool stays = false;
    if (result == 0 && alias)
        result = has_other_alias(s, m, &stays, err);
    int closed = scry_remote_close(replacement, result == 0 ? err : NULL);
    result = result < 0 ? result : closed;
    if (result == 0)
        result = scry_remote_catch_up(s, m, err);   /* closing the store must not ask for what is gone then */
    if (result == 0)
        result = alias ? switch_alias(m, alias, stays ? NULL : name, other, err) : exchange(m, name, other, err);
    scry_remote_give(s, m);
    s->seen_write = s->last_write;
    closed = scry_remote_close(base, result == 0 ? err : NULL);
    result = result < 0 ? result : closed;
    free(name);
    free(other);
    free(alias);
    return result;
}
