/* remote_replace.c - a collection that is made beside another one, NAME__rebuild, and takes its place.
 *
 * The server renames one collection at a time, so the replacement is two renames: NAME to NAME__aside, then the new one to
 * NAME. Between them, for milliseconds, there is no collection NAME; whoever opens it then, or after a crash there, finishes
 * the replacement, which is complete by then. What is left aside is dropped.
 */
#include "store/milvus/remote_replace.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

static const char REBUILD[] = "__rebuild", ASIDE[] = "__aside";

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

/* Drop NAME__rebuild or NAME__aside of the open store. */
static int drop_beside(scry_remote *s, const char *suffix, scry_error *err)
{
    char *name = scry_asprintf("%s%s", s->name, suffix);
    scry_milvus *m = NULL;
    int result = scry_remote_take(s, &m, err);
    if (result == 0)
        result = drop_if_there(m, name, err);
    scry_remote_give(s, m);
    free(name);
    return result;
}

int scry_remote_drop_replacement(scry_store *base, scry_error *err)
{
    return drop_beside((scry_remote *)base, REBUILD, err);
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

/* Open NAME__rebuild with the index of `s` and its way of partitions. */
static int open_fresh(scry_store **out, scry_remote *s, const scry_store_options *model, const char *name, scry_error *err)
{
    scry_store_options o = *model;
    char *type = scry_strdup(s->index_type);
    for (char *c = type; *c; c++)
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c | 32 : *c);
    char *spec = scry_asprintf("%s%s%s", type, s->index_params[0] ? ":" : "", s->index_params);
    o.mode = SCRY_STORE_CREATE;
    o.collection = name;
    o.milvus = (scry_milvus_choice){ .index = spec, .partitions = s->partitions, .half = s->half, .replicas = s->options.replicas,
                                     .notice = s->notice,
                                     .waiting = s->wait.progress, .waiting_arg = s->wait.arg };
    int result = scry_milvus_driver.open(out, s->where, &o, err);
    free(spec);
    free(type);
    return result;
}

int scry_remote_begin_replacement(scry_store **out, scry_store *base, const scry_store_options *model, bool anew, scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    char *name = scry_asprintf("%s%s", s->name, REBUILD);
    scry_error why = SCRY_ERROR_INIT;
    int result = scry_remote_check_writable(s, err);
    if (result == 0)
        result = drop_beside(s, ASIDE, err);
    if (result == 0 && anew)
        result = drop_beside(s, REBUILD, err);
    if (result == 0) {
        result = open_fresh(out, s, model, name, &why);
        if (result == SCRY_EINVALID) {   /* of another model, or of no use */
            result = drop_beside(s, REBUILD, &why);
            if (result == 0)
                result = open_fresh(out, s, model, name, &why);
        }
        if (result < 0)
            result = scry_fail(err, why.code, "%s", why.message);
    }
    free(name);
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
    char *name = scry_strdup(s->name), *fresh_name = scry_strdup(fresh->name);
    scry_milvus *m = NULL;
    int result = scry_remote_sync(replacement, err);
    if (result == 0)
        result = scry_remote_side_move_all(fresh, s, err);
    if (result == 0)
        result = scry_remote_take(s, &m, err);
    int closed = scry_remote_close(replacement, result == 0 ? err : NULL);
    result = result < 0 ? result : closed;
    closed = scry_remote_close(base, result == 0 ? err : NULL);
    result = result < 0 ? result : closed;
    if (result == 0)
        result = exchange(m, name, fresh_name, err);
    scry_milvus_free(m);
    free(name);
    free(fresh_name);
    return result;
}
