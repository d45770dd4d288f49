/* ingest_settle.c - what the store holds at the moment it is written.
 *
 * A result was made from what the store held some hundred files earlier; other results were put
 * since. So the writer asks again, and puts in the same breath.
 */
#include "engine/ingest.h"

int ingest_look_up(ingest *in, ingest_job *job, scry_error *err)
{
    return scry_store_file_state(in->store, job->root, job->relative, &job->state, err);
}

int ingest_settle(ingest *in, ingest_result *r, scry_error *err)
{
    int result = ingest_look_up(in, r->job, err);
    if (result < 0)
        return result;
    if (r->vector || !in->contents_left)
        return 1;
    return scry_store_has_content(in->store, r->file.content, NULL, err);
}
