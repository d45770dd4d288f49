/* ingest_prune.c - the files of the store that no longer exist: counted, or removed. */
#include "engine/ingest.h"

#include "base/alloc.h"
#include "engine/disk_away.h"
#include "engine/id_list.h"
#include "store/store_kind.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_AWAY = 64 };

/* A folder that may be the place of a disk that is not mounted, and how many files of the store were in it. */
typedef struct {
    char *folder;   /* owned */
    uint64_t files;
} away;

typedef struct {
    scry_id_list gone;
    uint64_t present, kept;    /* kept: not there either, but perhaps on a disk that is away */
    away away[MAX_AWAY];
    size_t away_count;
} census;

/* ---- disks that are away ---- */

/* Whether the file is on such a disk, which is noted; files of more than MAX_AWAY of them are kept without a word. */
static bool note_away(census *c, const char *path)
{
    char *folder = scry_disk_away(path);
    if (!folder)
        return false;
    size_t i = 0;
    while (i < c->away_count && strcmp(c->away[i].folder, folder) != 0)
        i++;
    if (i < c->away_count)
        c->away[i].files++;
    else if (i < MAX_AWAY)
        c->away[c->away_count++] = (away){ scry_strdup(folder), 1 };
    free(folder);
    return true;
}

static void tell_away(ingest *in, const census *c)
{
    char reason[256];
    for (size_t i = 0; i < c->away_count; i++) {
        snprintf(reason, sizeof reason, "none of its %llu indexed pictures is there, as where a disk is not mounted: they stay in the "
                 "index (if they were deleted: scry remove --in)", (unsigned long long)c->away[i].files);
        in->progress.skipped++;
        if (in->options->skipped)
            in->options->skipped(in->options->arg, c->away[i].folder, reason);
    }
}

static void dispose(census *c)
{
    for (size_t i = 0; i < c->away_count; i++)
        free(c->away[i].folder);
    scry_id_list_dispose(&c->gone);
}

/* ---- what is there ---- */

static int check_place(void *arg, const uint8_t *id, const char *path)
{
    census *c = arg;
    struct stat st;
    if (lstat(path, &st) == 0 || (errno != ENOENT && errno != ENOTDIR))
        c->present++;
    else if (note_away(c, path))
        c->kept++;
    else
        scry_id_list_add(&c->gone, id);
    return 0;
}

/* The folder that was given, owned by the caller; NULL where it is not one: it does not exist, perhaps because its disk is not
 * mounted. */
static char *given_folder(const char *given)
{
    struct stat st;
    char *path = scry_absolute(given);
    if (path && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return path;
    free(path);
    return NULL;
}

/* Look up every indexed file in the folder `given`, which *path (owned by the caller) gets; NULL where it is not a folder. */
static int take_census(ingest *in, const char *given, census *c, char **path, scry_error *err)
{
    *path = given_folder(given);
    if (!*path)
        return 0;
    scry_filter_pool *pool = scry_filter_pool_new();
    int r = scry_store_each_place(in->store, scry_filter_text(pool, SCRY_FILTER_IN, *path), check_place, c, err);
    scry_filter_pool_free(pool);
    return r;
}

/* A folder that has lost all of its pictures is not pruned: it may be the mount point of a disk that
 * is not mounted. */
static int prune_below(ingest *in, const char *given, scry_error *err)
{
    census c = { 0 };
    char *path;
    uint64_t removed = 0;
    int r = take_census(in, given, &c, &path, err);
    if (r == 0 && c.gone.count + c.kept && !c.present)
        r = scry_fail(err, SCRY_EINVALID, "none of the %llu indexed pictures in %s exists any more: is its disk mounted? "
                      "(if they were deleted: scry remove --in %s)", (unsigned long long)(c.gone.count + c.kept), path, path);
    if (r == 0)
        tell_away(in, &c);
    if (r == 0)
        r = scry_id_list_remove(&c.gone, in->store, &removed, err);
    in->progress.pruned += removed;
    dispose(&c);
    free(path);
    return r;
}

int ingest_prune(ingest *in, scry_error *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < in->options->path_count; i++)
        r = prune_below(in, in->options->paths[i], err);
    return r;
}

/* How many files the store has in the folders that were given, where it can say that without a walk; else in all. */
static int count_stored(ingest *in, uint64_t *out, scry_error *err)
{
    scry_filter_pool *pool = scry_filter_pool_new();
    int r = 0;
    *out = 0;
    for (size_t i = 0; r == 0 && i < in->options->path_count; i++) {
        uint64_t files = 0;
        char *path = given_folder(in->options->paths[i]);
        r = path ? scry_store_count_below(in->store, scry_filter_text(pool, SCRY_FILTER_IN, path), &files, err) : 0;
        *out += files;
        free(path);
    }
    scry_filter_pool_free(pool);
    if (r <= 0)
        return r;
    scry_store_info info;
    r = scry_store_get_info(in->store, &info, err);
    *out = info.files;
    return r;
}

int ingest_count_missing(ingest *in, scry_error *err)
{
    const scry_index_progress *p = &in->progress;
    uint64_t stored = 0;
    int r = count_stored(in, &stored, err);
    if (r < 0 || stored <= p->added + p->updated + p->unchanged)
        return r;   /* every file of the store was found: nothing to look up */
    for (size_t i = 0; r == 0 && i < in->options->path_count; i++) {
        census c = { 0 };
        char *path;
        r = take_census(in, in->options->paths[i], &c, &path, err);
        in->progress.missing += c.gone.count;
        dispose(&c);
        free(path);
    }
    return r;
}
