/* ingest_prune.c - forget files that are gone from the folders that were indexed. */
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

/* A folder all of whose pictures are gone is not pruned, whatever the other paths hold: it may be
 * the place of a disk that is not mounted. */
static int prune_below(ingest *in, const char *given, scry_error *err)
{
    struct stat st;
    char *path = scry_absolute(given);
    if (!path || stat(path, &st) < 0 || !S_ISDIR(st.st_mode)) {
        free(path);
        return 0;   /* not there at all: perhaps a disk that is not mounted */
    }
    census c = { 0 };
    scry_filter_pool *pool = scry_filter_pool_new();
    const scry_filter_node *below = scry_filter_text(pool, SCRY_FILTER_IN, path);
    int r = scry_store_each_file(in->store, below, NULL, check_file, &c, err);
    if (r == 0 && c.gone.count && !c.present)
        r = scry_fail(err, SCRY_EINVALID, "%s holds no picture any more, all %zu that were indexed are gone: is its disk "
                      "mounted? (if they are really gone: scry remove --in %s)", path, c.gone.count, path);
    uint64_t removed = 0;
    if (r == 0)
        r = scry_id_list_remove(&c.gone, in->store, &removed, err);
    in->progress.pruned += removed;
    scry_id_list_dispose(&c.gone);
    scry_filter_pool_free(pool);
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
