/* ingest_prune.c - the files of the store that no longer exist: counted, or removed. */
#include "engine/ingest.h"

#include "base/alloc.h"
#include "engine/id_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    scry_id_list gone;
    uint64_t present;
} census;

static int check_file(void *arg, const scry_file *file)
{
    census *c = arg;
    struct stat st;
    if (lstat(file->path, &st) < 0 && (errno == ENOENT || errno == ENOTDIR))
        scry_id_list_add(&c->gone, file->id);
    else
        c->present++;
    return 0;
}

/* Look up every indexed file in the folder `given`, which *path (owned by the caller) gets; NULL where it is not a folder:
 * it does not exist, perhaps because its disk is not mounted. */
static int take_census(ingest *in, const char *given, census *c, char **path, scry_error *err)
{
    struct stat st;
    *path = scry_absolute(given);
    if (!*path || stat(*path, &st) < 0 || !S_ISDIR(st.st_mode)) {
        free(*path);
        *path = NULL;
        return 0;
    }
    scry_filter_pool *pool = scry_filter_pool_new();
    int r = scry_store_each_file(in->store, scry_filter_text(pool, SCRY_FILTER_IN, *path), NULL, check_file, c, err);
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
    if (r == 0 && c.gone.count && !c.present)
        r = scry_fail(err, SCRY_EINVALID, "none of the %zu indexed pictures in %s exists any more: is its disk mounted? "
                      "(if they were deleted: scry remove --in %s)", c.gone.count, path, path);
    if (r == 0)
        r = scry_id_list_remove(&c.gone, in->store, &removed, err);
    in->progress.pruned += removed;
    scry_id_list_dispose(&c.gone);
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

int ingest_count_missing(ingest *in, scry_error *err)
{
    const scry_index_progress *p = &in->progress;
    scry_store_info info;
    int r = scry_store_get_info(in->store, &info, err);
    if (r < 0 || info.files <= p->added + p->updated + p->unchanged)
        return r;   /* every file of the store was found: nothing to look up */
    for (size_t i = 0; r == 0 && i < in->options->path_count; i++) {
        census c = { 0 };
        char *path;
        r = take_census(in, in->options->paths[i], &c, &path, err);
        in->progress.missing += c.gone.count;
        scry_id_list_dispose(&c.gone);
        free(path);
    }
    return r;
}
