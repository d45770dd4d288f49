/* ingest_settle.c - what the store holds at the moment it is written.
 *
 * A result was made from what the store held some hundred files earlier; other results were put
 * since. So the writer asks again, and puts in the same breath.
 */
#include "engine/ingest.h"

#include <string.h>

int ingest_look_up(ingest *in, ingest_job *job, scry_file *file, scry_error *err)
{
    const ingest_root *root = job->root;
    while (root->taken_by)
        root = root->taken_by;
    size_t n = strlen(root->path);
    memcpy(file->root, root->id, sizeof file->root);
    file->relative = job->path + (n == 1 ? 1 : n + 1);
    return scry_store_file_state(in->store, file->root, file->relative, &job->state, err);
}

/* Key and labels from an earlier CSV stay when this path brings none. */
static int keep_names(ingest *in, ingest_result *r, scry_error *err)
{
    uint8_t id[SCRY_ID_BYTES];
    scry_error why = SCRY_ERROR_INIT;
    scry_file_id(r->file.root, r->file.relative, id);
    int result = scry_store_get(in->store, id, &r->old, &why);
    if (result == SCRY_ENOTFOUND)
        return 0;   /* the collection of another program keeps no names */
    if (result < 0)
        return scry_fail(err, why.code, "%s", why.message);
    const scry_file *old = &r->old->hits[0].file;
    r->file.key = old->key;
    r->file.labels = old->labels;
    r->file.label_count = old->label_count;
    return 0;
}

int ingest_settle(ingest *in, ingest_result *r, scry_error *err)
{
    const ingest_job *job = r->job;
    int result = ingest_look_up(in, r->job, &r->file, err);
    if (result == 0 && !job->key && job->state.known && !job->state.bad)
        result = keep_names(in, r, err);
    if (result < 0)
        return result;
    if (r->vector || !in->contents_left)
        return 1;
    return scry_store_has_content(in->store, r->file.content, NULL, err);
}
