/* remote_roots.c - roots: properties of the collection, "scry.root.HEX" = escaped path and, of those that have one,
 * "scry.root_name.HEX" = name. A root that is a part of another one now has an empty path, since 2.3 cannot delete properties, and
 * where it was is "scry.root_was.HEX" (remote_merge.c). */
#include "store/milvus/remote_internal.h"

#include "base/alloc.h"
#include "base/sha256.h"
#include "store/predicates.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char PREFIX[] = "scry.root.", NAME_PREFIX[] = "scry.root_name.", WAS_PREFIX[] = "scry.root_was.";

/* ---- the list ---- */

static void roots_free(scry_remote_roots *r)
{
    for (size_t i = 0; i < r->count; i++) {
        free(r->ids[i]);
        free(r->paths[i]);
        free(r->names[i]);
        free(r->recorded[i]);
    }
    free(r->ids);
    free(r->paths);
    free(r->names);
    free(r->recorded);
    free(r);
}

scry_remote_roots *scry_remote_roots_hold(scry_remote *s)
{
    pthread_mutex_lock(&s->lock);
    scry_remote_roots *r = s->roots;
    r->users++;
    pthread_mutex_unlock(&s->lock);
    return r;
}

void scry_remote_roots_release(scry_remote *s, scry_remote_roots *r)
{
    if (!r)
        return;
    pthread_mutex_lock(&s->lock);
    bool last = --r->users == 0;
    pthread_mutex_unlock(&s->lock);
    if (last)
        roots_free(r);
}

scry_remote_roots *scry_remote_roots_new(size_t room)
{
    scry_remote_roots *r = scry_alloc(sizeof *r);
    r->users = 1;
    r->ids = scry_alloc((room + 1) * sizeof *r->ids);
    r->paths = scry_alloc((room + 1) * sizeof *r->paths);
    r->names = scry_alloc((room + 1) * sizeof *r->names);
    r->recorded = scry_alloc((room + 1) * sizeof *r->recorded);
    return r;
}

void scry_remote_roots_replace(scry_remote *s, scry_remote_roots *now)
{
    pthread_mutex_lock(&s->lock);
    scry_remote_roots *old = s->roots;
    s->roots = now;
    pthread_mutex_unlock(&s->lock);
    scry_remote_roots_release(s, old);
}

static size_t find_id(const scry_remote_roots *r, const char *id)
{
    size_t i = 0;
    while (i < r->count && strcmp(r->ids[i], id) != 0)
        i++;
    return i;
}

bool scry_remote_roots_have(const scry_remote_roots *r, const char *id)
{
    return find_id(r, id) < r->count;
}

const char *scry_remote_roots_path(const scry_remote_roots *r, const char *id)
{
    size_t i = find_id(r, id);
    return i < r->count ? r->paths[i] : "?";
}

/* The root whose folder contains `path`; of several, which are about to be merged, the outermost. SIZE_MAX: none. */
static size_t find_around(const scry_remote_roots *r, const char *path)
{
    size_t found = SIZE_MAX;
    for (size_t i = 0; i < r->count; i++)
        if (scry_path_within(r->paths[i], path) && (found == SIZE_MAX || strlen(r->paths[i]) < strlen(r->paths[found])))
            found = i;
    return found;
}

bool scry_remote_has_root(scry_store *base, const uint8_t root[SCRY_ID_BYTES])
{
    scry_remote *s = (scry_remote *)base;
    char id[SCRY_REMOTE_HEX_ID];
    scry_hex(root, SCRY_ID_BYTES, id);
    scry_remote_roots *r = scry_remote_roots_hold(s);
    bool has = scry_remote_roots_have(r, id);
    scry_remote_roots_release(s, r);
    return has;
}

enum { KEY_BYTES = sizeof NAME_PREFIX + SCRY_REMOTE_HEX_ID };   /* the longest prefix */

static void make_key(char out[KEY_BYTES], const char *prefix, const char *id)
{
    snprintf(out, KEY_BYTES, "%s%s", prefix, id);
}

static const char *find_of(const scry_milvus_schema *schema, const char *prefix, const char *id)
{
    char key[KEY_BYTES];
    make_key(key, prefix, id);
    return scry_milvus_find_property(schema, key);
}

static const char *find_name(const scry_milvus_schema *schema, const char *id)
{
    const char *name = find_of(schema, NAME_PREFIX, id);
    return name && name[0] ? name : NULL;
}

/* Where the roots with names are: the file is read only if there is one. */
static int place_roots(scry_remote_roots *r, scry_error *err)
{
    scry_remote_places places = { 0 };
    int result = 0;
    for (size_t i = 0; i < r->count && result == 0; i++) {
        if (!r->names[i]) {
            r->paths[i] = scry_strdup(r->recorded[i]);
            continue;
        }
        if (!places.count)
            result = scry_remote_places_read(&places, err);
        const char *place = scry_remote_place_of(&places, r->names[i]);
        r->paths[i] = place ? scry_strdup(place) : scry_asprintf("%s:", r->names[i]);
    }
    scry_remote_places_dispose(&places);
    return result;
}

int scry_remote_load_roots(scry_remote *s, const scry_milvus_schema *schema, scry_error *err)
{
    scry_remote_roots *r = scry_remote_roots_new(schema->property_count);
    for (size_t i = 0; i < schema->property_count; i++) {
        const scry_milvus_property *p = &schema->properties[i];
        uint8_t id[SCRY_ID_BYTES];
        if (strncmp(p->key, PREFIX, sizeof PREFIX - 1) != 0 || !p->value[0] ||
            scry_unhex(p->key + sizeof PREFIX - 1, id, sizeof id) < 0)
            continue;
        const char *hex = p->key + sizeof PREFIX - 1, *name = find_name(schema, hex);
        r->ids[r->count] = scry_strdup(hex);
        r->names[r->count] = name ? scry_strdup(name) : NULL;
        r->recorded[r->count] = scry_strdup(p->value);
        scry_milvus_unescape(r->recorded[r->count++]);
    }
    int result = place_roots(r, err);
    if (result < 0)
        roots_free(r);
    else
        scry_remote_roots_replace(s, r);
    return result;
}

int scry_remote_reload_roots(scry_remote *s, scry_milvus *m, scry_error *err)
{
    scry_milvus_schema *schema;
    int result = scry_milvus_describe(m, s->name, &schema, err);
    if (result < 0)
        return result;
    result = scry_remote_load_roots(s, schema, err);
    scry_milvus_schema_free(schema);
    return result;
}

const char *scry_remote_partition(const char *root, char out[SCRY_REMOTE_PARTITION])
{
    snprintf(out, SCRY_REMOTE_PARTITION, "root_%s", root);
    return out;
}

/* Milvus 2.3 writes a change of properties to its disk with the next change only (milvus#30144): a restart loses the last
 * one, unless it is made twice. A server that restarts between the two has lost the first: then again. */
static int set_of(scry_remote *s, scry_milvus *m, const char *prefix, const char *id, const char *value, scry_error *err)
{
    enum { MOST = 5 };
    char key[KEY_BYTES];
    make_key(key, prefix, id);
    for (int i = 0;; i++) {
        uint64_t connections = scry_milvus_counts(m).connections;
        int result = scry_milvus_set_property(m, s->name, key, value, err);
        if (result == 0)
            result = scry_milvus_set_property(m, s->name, key, value, err);
        if (result < 0 || i == MOST || scry_milvus_counts(m).connections == connections)
            return result;
    }
}

/* A name comes before its path, without which there is no root. */
int scry_remote_set_root(scry_remote *s, scry_milvus *m, const char *id, const char *path, const char *name, scry_error *err)
{
    scry_buf value = SCRY_BUF_INIT(1 << 16);
    scry_milvus_escape(&value, path);
    char partition[SCRY_REMOTE_PARTITION];
    int result = value.failed ? scry_fail(err, SCRY_ELIMIT, "the path %.100s... is too long for a root", path) : 0;
    if (result == 0 && s->partitions && path[0])
        result = scry_milvus_create_partition(m, s->name, scry_remote_partition(id, partition), err);
    if (result == 0 && name)
        result = set_of(s, m, NAME_PREFIX, id, name, err);
    if (result == 0)
        result = set_of(s, m, PREFIX, id, scry_buf_str(&value), err);
    scry_buf_dispose(&value);
    return result < 0 ? result : scry_remote_reload_roots(s, m, err);
}

void scry_remote_undo_root(scry_remote *s, scry_milvus *m, const char *id)
{
    scry_error err = SCRY_ERROR_INIT;
    if (scry_remote_set_root(s, m, id, "", NULL, &err) < 0)
        scry_remote_notice(s, "a root without pictures stays in %s: %s", s->where, err.message);
}

int scry_remote_restore_roots(scry_remote *s, scry_milvus *m, scry_error *err)
{
    scry_milvus_schema *schema;
    int result = scry_milvus_describe(m, s->name, &schema, err);
    if (result < 0)
        return result;
    scry_remote_roots *roots = scry_remote_roots_hold(s);
    for (size_t i = 0; i < roots->count && result == 0; i++)
        if (!find_of(schema, PREFIX, roots->ids[i]) || (roots->names[i] && !find_name(schema, roots->ids[i])))
            result = scry_remote_set_root(s, m, roots->ids[i], roots->recorded[i], roots->names[i], err);
    scry_remote_roots_release(s, roots);
    scry_milvus_schema_free(schema);
    return result;
}

int scry_remote_retire_root(scry_remote *s, scry_milvus *m, const char *id, const char *path, scry_error *err)
{
    scry_buf value = SCRY_BUF_INIT(1 << 16);
    scry_milvus_escape(&value, path);
    int result = set_of(s, m, WAS_PREFIX, id, scry_buf_str(&value), err);
    scry_buf_dispose(&value);
    return result < 0 ? result : scry_remote_set_root(s, m, id, "", NULL, err);
}

/* A root that is retired; others are not. */
static bool is_retired(const scry_milvus_schema *schema, const char *id)
{
    const char *path = find_of(schema, PREFIX, id), *was = find_of(schema, WAS_PREFIX, id);
    return path && !path[0] && was && was[0];
}

int scry_remote_settle_rows(scry_remote *s, scry_milvus *m, const char *id, scry_error *err)
{
    scry_milvus_schema *schema;
    int result = scry_milvus_describe(m, s->name, &schema, err);
    if (result < 0)
        return result;
    if (is_retired(schema, id)) {
        char *path = scry_strdup(find_of(schema, WAS_PREFIX, id));
        scry_milvus_unescape(path);
        result = scry_remote_load_roots(s, schema, err);
        scry_remote_roots *roots = scry_remote_roots_hold(s);
        size_t around = find_around(roots, path);
        if (result == 0 && around != SIZE_MAX)
            result = scry_remote_move_rows(s, &(scry_remote_move){ roots->ids[around], roots->paths[around], id, path }, err);
        scry_remote_roots_release(s, roots);
        free(path);
    }
    scry_milvus_schema_free(schema);
    return result;
}

static int count_files(scry_remote *s, scry_milvus *m, const char *id, scry_milvus_consistency consistency, uint64_t *out,
                       scry_error *err)
{
    char filter[64];
    int64_t count = 0;
    snprintf(filter, sizeof filter, "root == \"%s\"", id);
    int result = scry_remote_count(s, m, filter, consistency, &count, err);
    *out = (uint64_t)count;
    return result;
}

/* SHA-256 of the path, cut to 128 bits, as in every store; if a root that was moved away
 * still has that id, a counter is appended to the path. */
static void make_id(const scry_remote_roots *roots, const char *path, char out[SCRY_REMOTE_HEX_ID])
{
    for (unsigned n = 0;; n++) {
        uint8_t id[SCRY_ID_BYTES];
        char *text = n ? scry_asprintf("%s%c%u", path, 1, n) : scry_strdup(path);
        scry_id_of_text(text, id);
        free(text);
        scry_hex(id, SCRY_ID_BYTES, out);
        if (!scry_remote_roots_have(roots, out))
            return;
    }
}

/* ---- operations ---- */

void scry_remote_lend_root(scry_remote *s, scry_root *out, const char *id, const char *path)
{
    char *copy = scry_strdup(path);
    free(s->lent_root);
    out->path = s->lent_root = copy;
    out->name = NULL;
    if (scry_unhex(id, out->id, SCRY_ID_BYTES) < 0)
        memset(out->id, 0, SCRY_ID_BYTES);   /* cannot happen: ids of the list were checked when it was read */
}

int scry_remote_finish_root(scry_remote *s, scry_milvus *m, const char *id, const char *path, scry_root *out, scry_error *err)
{
    int result = scry_remote_merge_roots(s, m, id, path, err);
    if (result == 0)
        result = count_files(s, m, id, scry_remote_freshness(s), &out->files, err);
    scry_remote_lend_root(s, out, id, path);
    return result;
}

/* A root with a name is shared with other machines, which do not know of one around it. */
static int check_no_name_below(const scry_remote_roots *roots, const char *path, scry_error *err)
{
    for (size_t i = 0; i < roots->count; i++)
        if (roots->names[i] && scry_path_within(path, roots->paths[i]))
            return scry_fail(err, SCRY_EINVALID, "%s contains %s, the root %s of several machines: index the folders beside it one by "
                             "one", path, roots->paths[i], roots->names[i]);
    return 0;
}

/* Another program may just have made a root around, below, or at the same place, since nothing locks a collection: of two that
 * begin at once at least the later one sees the other's root here. */
static int make_unnamed_root(scry_remote *s, scry_milvus *m, const scry_remote_roots *before, const char *path, scry_root *out,
                             scry_error *err)
{
    char id[SCRY_REMOTE_HEX_ID];
    make_id(before, path, id);
    int result = scry_remote_set_root(s, m, id, path, NULL, err);
    if (result < 0)
        return result;
    scry_remote_roots *now = scry_remote_roots_hold(s);
    size_t around = find_around(now, path);
    result = check_no_name_below(now, path, err);
    if (result < 0)
        scry_remote_undo_root(s, m, id);
    else if (around != SIZE_MAX)
        result = scry_remote_finish_root(s, m, now->ids[around], now->paths[around], out, err);
    else
        result = scry_remote_finish_root(s, m, id, path, out, err);
    scry_remote_roots_release(s, now);
    return result;
}

/* Make the root of a folder that is in none: the one that this machine has a name for, else one without. */
static int make_root(scry_remote *s, scry_milvus *m, const scry_remote_roots *roots, const char *path, scry_root *out,
                     scry_error *err)
{
    scry_remote_places places;
    int result = scry_remote_places_read(&places, err);
    const char *name = result == 0 ? scry_remote_name_at(&places, path) : NULL;
    if (name)
        result = scry_remote_name_root(&s->base, name, path, out, err);
    else if (result == 0 && (result = check_no_name_below(roots, path, err)) == 0)
        result = make_unnamed_root(s, m, roots, path, out, err);
    scry_remote_places_dispose(&places);
    return result;
}

int scry_remote_add_root(scry_store *base, const char *path, scry_root *out, scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    scry_milvus *m;
    int result = scry_remote_check_writable(s, err);
    if (result < 0 || (result = scry_remote_take(s, &m, err)) < 0)
        return result;
    result = scry_remote_restore_roots(s, m, err);
    if (result == 0)
        result = scry_remote_reload_roots(s, m, err);   /* another program may have changed them */
    scry_remote_roots *roots = scry_remote_roots_hold(s);
    size_t around = find_around(roots, path);
    if (result == 0)
        result = around != SIZE_MAX ? scry_remote_finish_root(s, m, roots->ids[around], roots->paths[around], out, err)
                                    : make_root(s, m, roots, path, out, err);
    scry_remote_roots_release(s, roots);
    scry_remote_give(s, m);
    return result;
}

/* 1 when the root is there already. */
static int check_put(const scry_remote *s, const scry_remote_roots *roots, const char *id, const scry_root *root, scry_error *err)
{
    if (scry_remote_roots_have(roots, id))
        return 1;
    int result = 0;
    for (size_t i = 0; i < roots->count && result == 0; i++) {
        result = scry_store_check_overlap(s->where, roots->paths[i], root->path, err);
        if (result == 0 && root->name && roots->names[i] && strcmp(roots->names[i], root->name) == 0)
            result = scry_fail(err, SCRY_EINVALID, "%s has another root of the name %s", s->where, root->name);
    }
    return result;
}

int scry_remote_put_root(scry_store *base, const scry_root *root, scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    scry_milvus *m;
    char id[SCRY_REMOTE_HEX_ID];
    int result = scry_remote_check_writable(s, err);
    if (result < 0 || (result = scry_remote_take(s, &m, err)) < 0)
        return result;
    scry_hex(root->id, SCRY_ID_BYTES, id);
    scry_remote_roots *roots = scry_remote_roots_hold(s);
    result = check_put(s, roots, id, root, err);
    scry_remote_roots_release(s, roots);
    if (result == 0)
        result = scry_remote_set_root(s, m, id, root->path, root->name, err);
    scry_remote_give(s, m);
    return result < 0 ? result : 0;
}

/* Whether root i is called that: its name, or where it is. */
static bool is_called(const scry_remote_roots *roots, size_t i, const char *text)
{
    return strcmp(roots->paths[i], text) == 0 || (roots->names[i] && strcmp(roots->names[i], text) == 0);
}

/* One with a name moves on this machine only. */
int scry_remote_move_root(scry_store *base, const char *old_path, const char *new_path, scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    scry_milvus *m;
    int result = scry_remote_take(s, &m, err);
    if (result < 0)
        return result;
    scry_remote_roots *roots = scry_remote_roots_hold(s);
    size_t at = SIZE_MAX;
    for (size_t i = 0; i < roots->count && result == 0; i++) {
        if (is_called(roots, i, old_path))
            at = i;
        else
            result = scry_store_check_overlap(s->where, roots->paths[i], new_path, err);
    }
    if (result == 0 && at == SIZE_MAX)
        result = scry_fail(err, SCRY_ENOTFOUND, "%s is not a root of %s: scry root list shows them", old_path, s->where);
    if (result == 0 && roots->names[at]) {
        result = scry_remote_place_set(roots->names[at], new_path, err);
        if (result == 0)
            result = scry_remote_reload_roots(s, m, err);
    } else if (result == 0 && (result = scry_remote_check_writable(s, err)) == 0) {
        result = scry_remote_set_root(s, m, roots->ids[at], new_path, NULL, err);
    }
    scry_remote_roots_release(s, roots);
    scry_remote_give(s, m);
    return result;
}

static int compare_ids(const void *a, const void *b)
{
    return memcmp(((const scry_root *)a)->id, ((const scry_root *)b)->id, SCRY_ID_BYTES);
}

int scry_remote_each_root(scry_store *base, int (*each)(void *, const scry_root *), void *arg, scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    scry_milvus *m;
    int result = scry_remote_take(s, &m, err);
    if (result < 0)
        return result;
    scry_remote_roots *roots = scry_remote_roots_hold(s);
    scry_root *list = scry_alloc((roots->count + 1) * sizeof *list);
    for (size_t i = 0; i < roots->count && result == 0; i++) {
        list[i].path = roots->paths[i];
        list[i].name = roots->names[i];
        if (scry_unhex(roots->ids[i], list[i].id, SCRY_ID_BYTES) == 0)
            result = count_files(s, m, roots->ids[i], SCRY_MILVUS_STRONG, &list[i].files, err);
    }
    scry_remote_give(s, m);
    if (roots->count)
        qsort(list, roots->count, sizeof *list, compare_ids);
    bool stop = false;
    for (size_t i = 0; i < roots->count && result == 0 && !stop; i++)
        stop = each(arg, &list[i]) != 0;
    free(list);
    scry_remote_roots_release(s, roots);
    return result;
}
