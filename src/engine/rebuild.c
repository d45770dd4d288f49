#include "scry/rebuild.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/pool.h"
#include "engine/id_list.h"
#include "engine/ingest.h"
#include "engine/watched_embed.h"
#include "scry/registry.h"
#include "store/side_by_side.h"
#include "store/store_kind.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>

/* How many pictures are timed for the estimate: a few for each processor, since their speeds do not add up. */
enum { SAMPLE_PER_CPU = 4, SAMPLE_MAX = 128 };
#define SAMPLE_PIXELS (50e6)   /* larger pictures take seconds */

/* ---- how long it takes ---- */

typedef struct {
    char *paths[SAMPLE_MAX];
    size_t count, wanted;
    uint8_t last[SCRY_HASH_BYTES];
} sample;

static int take_file(void *arg, const scry_file *file)
{
    sample *s = arg;
    if (memcmp(file->content, s->last, sizeof s->last) == 0 || (double)file->width * file->height > SAMPLE_PIXELS)
        return 0;
    memcpy(s->last, file->content, sizeof s->last);
    s->paths[s->count++] = scry_strdup(file->path);
    return s->count == s->wanted;
}

/* Seconds that one of the store's pictures takes when all processors embed; 0: none could be read, or it was stopped. */
static double measure(scry_store *store, const scry_model *model, const scry_long_options *watch)
{
    size_t cpus = (size_t)scry_cpu_count(), failed = 0;
    sample s = { .wanted = cpus < SAMPLE_MAX / SAMPLE_PER_CPU ? cpus * SAMPLE_PER_CPU : SAMPLE_MAX };
    const scry_embed_options o = scry_watched_embed(watch);
    int r = scry_store_each_file(store, NULL, NULL, take_file, &s, NULL);
    float *vectors = scry_alloc((s.count * (size_t)scry_model_get_info(model)->dim + 1) * sizeof *vectors);
    double began = scry_now_ms();
    if (r >= 0)
        r = scry_embed_files(model, (const char *const *)s.paths, s.count, &o, vectors, &failed, NULL);
    double ms = scry_now_ms() - began;
    for (size_t i = 0; i < s.count; i++)
        free(s.paths[i]);
    free(vectors);
    return r < 0 || failed == s.count ? 0 : ms / 1000 / (double)(s.count - failed);
}

/* ---- what it takes ---- */

static bool is_starter(const scry_model *model)
{
    char *dir;
    if (scry_model_resolve(SCRY_STARTER_MODEL, &dir, NULL) < 0)
        return false;
    bool same = strcmp(dir, scry_model_get_info(model)->dir) == 0;
    free(dir);
    return same;
}

int scry_rebuild_get_estimate(scry_store *store, const scry_model *model, scry_rebuild_estimate *out, scry_error *err)
{
    return scry_rebuild_estimate_run(store, model, NULL, out, err);
}

int scry_rebuild_estimate_run(scry_store *store, const scry_model *model, const scry_long_options *options,
                              scry_rebuild_estimate *out, scry_error *err)
{
    const scry_model_info *m = scry_model_get_info(model);
    scry_store_info s;
    struct statvfs disk;
    *out = (scry_rebuild_estimate){ 0 };
    int r = scry_store_check_replaceable(store, err);
    if (r == 0)
        r = scry_store_get_info(store, &s, err);
    if (r < 0)
        return r;
    /* Each content has a vector of binary16 and a code of a byte a number; the rest does not depend on the model. */
    int64_t bytes = (int64_t)s.bytes + (int64_t)s.contents * 3 * (m->dim - s.dim);
    bool here = statvfs(s.where, &disk) == 0;   /* not on a server */
    out->pictures = s.contents;
    out->bytes = here && bytes > 0 ? (uint64_t)bytes : 0;
    out->free_bytes = here ? (uint64_t)disk.f_bavail * disk.f_frsize : UINT64_MAX;
    out->current = strcmp(s.model_identity, m->identity) == 0 && scry_store_known_damage(store, NULL) == 0;
    double seconds = out->current ? 0 : measure(store, model, options);
    if (options && options->cancel && atomic_load(options->cancel))
        return scry_fail(err, SCRY_ECANCELLED, "stopped");
    if (seconds > 0)
        out->minutes = fmax(1, ceil((double)s.contents * seconds / 60));
    return 0;
}

bool scry_rebuild_is_due(scry_store *store, const scry_model *model)
{
    scry_store_info s = { 0 };
    scry_store_describe(store, &s);
    return strcmp(s.model_identity, scry_model_get_info(model)->identity) != 0 && is_starter(model) &&
           scry_model_was_starter(s.model_identity);
}

int scry_rebuild_check(scry_store *store, const scry_model *model, const char *name, scry_error *err)
{
    const scry_model_info *m = scry_model_get_info(model);
    scry_rebuild_estimate e;
    scry_store_info s = { 0 };
    if (!scry_rebuild_is_due(store, model))
        return scry_store_check_model(store, m->identity, name, m->dim, err);
    char time[64] = "";
    scry_error why = SCRY_ERROR_INIT;
    int r = scry_rebuild_get_estimate(store, model, &e, &why);
    scry_store_describe(store, &s);
    if (r < 0)
        return scry_fail(err, r, "the starter model came in a newer version: %s", why.message);
    if (e.minutes > 0)
        snprintf(time, sizeof time, " (about %.0f minute%s)", e.minutes, e.minutes > 1 ? "s" : "");
    return scry_fail(err, SCRY_EINVALID, "the starter model came in a newer version since the collection \"%s\" was "
                     "indexed: `scry index --rebuild` embeds its %llu pictures again%s",
                     s.collection, (unsigned long long)e.pictures, time);
}

/* ---- the run ---- */

typedef struct {
    scry_store *old, *fresh;
    scry_root *roots;      /* of the one that is not being listed; the paths are owned */
    size_t root_count;
    size_t unmatched;
    const char *lost;      /* a root that has lost all of its files */
    scry_id_list removed;  /* files that `old` no longer has */
    scry_error *err;
    int result;
} rebuild;

static int list_root(void *arg, const scry_root *root)
{
    rebuild *b = arg;
    b->roots = scry_realloc(b->roots, (b->root_count + 1) * sizeof *b->roots);
    b->roots[b->root_count] = *root;
    b->roots[b->root_count++].path = scry_strdup(root->path);
    return 0;
}

static const scry_root *find_root(const rebuild *b, const scry_root *like)
{
    for (size_t i = 0; i < b->root_count; i++)
        if (memcmp(b->roots[i].id, like->id, sizeof like->id) == 0)
            return &b->roots[i];
    return NULL;
}

static int match_root(void *arg, const scry_root *root)
{
    rebuild *b = arg;
    const scry_root *there = find_root(b, root);
    b->unmatched += !there || strcmp(there->path, root->path) != 0;
    return 0;
}

static int check_lost(void *arg, const scry_root *root)
{
    rebuild *b = arg;
    const scry_root *was = find_root(b, root);
    if (was && was->files && !root->files)
        b->lost = was->path;
    return 0;
}

static int find_removed(void *arg, const scry_file *file)
{
    rebuild *b = arg;
    scry_results *found = NULL;
    scry_error why = SCRY_ERROR_INIT;
    int r = scry_store_get(b->old, file->id, &found, &why);
    scry_results_free(found);
    if (r == SCRY_ENOTFOUND)
        scry_id_list_add(&b->removed, file->id);
    else if (r < 0 && r != SCRY_EDAMAGED)
        b->result = scry_fail(b->err, why.code, "%s", why.message);
    return b->result != 0;
}

/* Open the replacement. One of an earlier run is begun anew when roots were moved, merged or removed since. */
static int begin(rebuild *b, const scry_store_options *as, scry_error *err)
{
    int r = scry_store_roots(b->old, list_root, b, err);
    if (r == 0)
        r = scry_store_begin_replacement(&b->fresh, b->old, as, false, err);
    if (r == 0)
        r = scry_store_roots(b->fresh, match_root, b, err);
    if (r == 0 && b->unmatched) {
        r = scry_store_close(b->fresh, err);
        b->fresh = NULL;
        if (r == 0)
            r = scry_store_begin_replacement(&b->fresh, b->old, as, true, err);
    }
    return r < 0 ? r : scry_copy_frame(b->old, b->fresh, err);
}

/* Whether the replacement is complete; files removed from the old collection between two runs are removed from it. */
static int complete(rebuild *b, scry_error *err)
{
    uint64_t removed;
    b->err = err;
    int r = scry_store_each_stored(b->fresh, NULL, find_removed, b, err);
    r = r < 0 ? r : b->result;
    if (r == 0)
        r = scry_id_list_remove(&b->removed, b->fresh, &removed, err);
    if (r == 0)
        r = scry_store_roots(b->fresh, check_lost, b, err);
    if (r == 0 && b->lost)
        r = scry_fail(err, SCRY_EINVALID, "none of the pictures in %s can be read now: is its disk mounted? The collection stays "
                      "as it was, and the same command continues (if they were deleted: scry remove --in %s)", b->lost, b->lost);
    return r < 0 ? r : scry_copy_marks(b->old, b->fresh, true, err);
}

int scry_rebuild_run(scry_store *store, const scry_model *model, const scry_store_options *as,
                     const scry_index_options *options, scry_index_progress *total, scry_error *err)
{
    static const scry_index_options defaults = SCRY_INDEX_OPTIONS_INIT;
    const scry_model_info *m = scry_model_get_info(model);
    scry_store_options same = SCRY_STORE_OPTIONS_INIT;
    same.model_identity = m->identity;
    same.model_name = m->name;
    same.precision = scry_precision_name(m->precision);
    same.dim = m->dim;
    rebuild b = { .old = store };
    scry_index_options o = options ? *options : defaults;
    o.formats = scry_formats_all();   /* each file was accepted when it was indexed */
    o.prune = o.retry = o.recheck = o.rebuild_metadata = false;
    int r = begin(&b, as ? as : &same, err);
    if (r == 0)
        r = ingest_run(b.fresh, b.old, model, &o, total, err);
    if (r == 0)
        r = complete(&b, err);
    if (r == 0)
        r = scry_copy_texts(b.old, b.fresh, NULL, err);   /* pixels say the same to every model */
    if (r == 0) {
        r = scry_store_replace(b.old, b.fresh, err);
    } else {
        (void)!scry_store_close(b.fresh, NULL);
        (void)!scry_store_close(b.old, NULL);
    }
    for (size_t i = 0; i < b.root_count; i++)
        free((char *)b.roots[i].path);
    free(b.roots);
    scry_id_list_dispose(&b.removed);
    return r;
}
