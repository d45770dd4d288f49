/* ingest_revalidate.c - check a result against the store just before it is put.
 *
 * A result was computed from the state of the store some hundred files earlier; other results have
 * been put since. So the writer reads the state again, and puts in the same transaction.
 */
#include "engine/ingest.h"

#include <string.h>

void ingest_locate(const ingest_job *job, scry_file *file)
{
    const ingest_root *root = job->root;
    while (root->merged_into)
        root = root->merged_into;
    size_t n = strlen(root->path);
    memcpy(file->root, root->id, sizeof file->root);
    file->relative = job->path + (n == 1 ? 1 : n + 1);
}

int ingest_look_up(ingest *in, ingest_job *job, scry_file *file, scry_error *err)
{
    ingest_locate(job, file);
    return scry_store_file_state(in->store, file->root, file->relative, &job->state, err);
}

/* Key and labels from an earlier CSV are kept when this path has none. */
static int keep_labels(ingest *in, ingest_result *r, scry_error *err)
{
    uint8_t id[SCRY_ID_BYTES];
    scry_error why = SCRY_ERROR_INIT;
    scry_file_id(r->file.root, r->file.relative, id);
    int result = scry_store_get(in->store, id, &r->old, &why);
    if (result == SCRY_ENOTFOUND || result == SCRY_EDAMAGED)
        return 0;   /* collections of other programs have no keys and labels; a damaged row is written anew without its own */
    if (result < 0)
        return scry_fail(err, why.code, "%s", why.message);
    const scry_file *old = &r->old->hits[0].file;
    r->file.key = old->key;
    r->file.labels = old->labels;
    r->file.label_count = old->label_count;
    return 0;
}

int ingest_revalidate(ingest *in, ingest_result *r, scry_error *err)
{
    const ingest_job *job = r->job;
    int result = ingest_look_up(in, r->job, &r->file, err);
    if (result == 0 && !job->key && job->state.known && !job->state.bad)
        result = keep_labels(in, r, err);
    if (result < 0)
        return result;
    if (r->vector || !in->contents_changed)
        return 1;
    return scry_store_has_content(in->store, r->file.content, NULL, err);
}
