/* Index, load and flush: the server's background work. One call starts it, others ask for its state until it is
 * done. */
#include "milvus/call.h"

#include "base/log.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/* The work takes seconds at least: asking more often would only add load. */
enum { POLL_MS = 200 };

enum { LOAD_STATE_LOADED = 3, INDEX_STATE_FINISHED = 3, INDEX_STATE_FAILED = 4 };

/* One step of waiting: SCRY_EREMOTE after the timeout, SCRY_ECANCELLED on request. */
static int wait_step(const scry_milvus *m, const scry_milvus_wait *w, const char *stage, int percent, double started_ms,
                     scry_error *err)
{
    if (w && w->progress && w->progress(w->arg, stage, percent))
        return scry_fail(err, SCRY_ECANCELLED, "stopped while Milvus at %s was %s", m->where, stage);
    int timeout = w && w->timeout_ms ? w->timeout_ms : m->options.patience_ms;
    if (scry_now_ms() - started_ms > timeout)
        return scry_fail(err, SCRY_EREMOTE, "Milvus at %s is still %s after %d s (%d %%): the server goes on, try again "
                         "later", m->where, stage, timeout / 1000, percent);
    struct timespec t = { 0, POLL_MS * 1000000L };
    nanosleep(&t, NULL);
    return 0;
}

/* ---- index ---- */

int scry_milvus_create_index(scry_milvus *m, const char *name, const char *field, const char *type, const char *metric,
                             const char *params, scry_error *err)
{
    Pb__KeyValue pairs[] = { scry_call_pair("index_type", type), scry_call_pair("metric_type", metric),
                             scry_call_pair("params", params && params[0] ? params : "{}") };
    Pb__KeyValue *list[] = { &pairs[0], &pairs[1], &pairs[2] };
    Pb__CreateIndexRequest q = PB__CREATE_INDEX_REQUEST__INIT;
    q.db_name = scry_call_database(m);
    q.collection_name = (char *)name;
    q.field_name = (char *)field;
    q.extra_params = list;
    q.n_extra_params = 3;
    return scry_call_status(m, "CreateIndex", &q.base, err);
}

/* The description of the field's index, or NULL; *answer is the caller's on success. */
static int describe_index(scry_milvus *m, const char *name, const char *field, ProtobufCMessage **answer,
                          const Pb__IndexDescription **out, scry_error *err)
{
    Pb__DescribeIndexRequest q = PB__DESCRIBE_INDEX_REQUEST__INIT;
    q.db_name = scry_call_database(m);
    q.collection_name = (char *)name;
    q.field_name = (char *)field;
    *answer = NULL;
    *out = NULL;
    scry_error failed = SCRY_ERROR_INIT;
    int result = scry_call(m, "DescribeIndex", &q.base, &pb__describe_index_response__descriptor, answer, &failed);
    if (result < 0)
        return m->code == SCRY_MILVUS_NO_INDEX ? 0 : scry_fail(err, result, "%s", failed.message);
    const Pb__DescribeIndexResponse *r = (Pb__DescribeIndexResponse *)*answer;
    for (size_t i = 0; i < r->n_index_descriptions && !*out; i++)
        if (strcmp(r->index_descriptions[i]->field_name, field) == 0)
            *out = r->index_descriptions[i];
    return 0;
}

/* Servers list the parameters one by one, or as the JSON they were given, or both: kept as "NAME=VALUE,...". */
static void add_param(scry_milvus_index *out, const char *key, const char *value)
{
    char text[sizeof out->params];
    bool json = strcmp(key, "params") == 0;
    size_t n = 0;
    for (const char *c = value; *c && n + 1 < sizeof text; c++)
        if (!strchr("{}\" ", *c))
            text[n++] = json && *c == ':' ? '=' : *c;
    text[n] = '\0';
    size_t used = strlen(out->params);
    if (n)
        snprintf(out->params + used, sizeof out->params - used, "%s%s%s%s", used ? "," : "", json ? "" : key, json ? "" : "=",
                 text);
}

int scry_milvus_describe_index(scry_milvus *m, const char *name, const char *field, scry_milvus_index *out,
                               scry_error *err)
{
    ProtobufCMessage *answer;
    const Pb__IndexDescription *d;
    int result = describe_index(m, name, field, &answer, &d, err);
    if (result < 0)
        return result;
    memset(out, 0, sizeof *out);
    if (d) {
        out->indexed = d->indexed_rows;
        out->total = d->total_rows;
        snprintf(out->name, sizeof out->name, "%s", d->index_name);
        snprintf(out->type, sizeof out->type, "unknown");
        for (size_t i = 0; i < d->n_params; i++) {
            if (strcmp(d->params[i]->key, "index_type") == 0)
                snprintf(out->type, sizeof out->type, "%s", d->params[i]->value);
            else if (strcmp(d->params[i]->key, "metric_type") == 0)
                snprintf(out->metric, sizeof out->metric, "%s", d->params[i]->value);
            else
                add_param(out, d->params[i]->key, d->params[i]->value);
        }
    }
    scry_call_free(answer);
    return 0;
}

int scry_milvus_drop_index(scry_milvus *m, const char *name, const char *field, const char *index, scry_error *err)
{
    Pb__DropIndexRequest q = PB__DROP_INDEX_REQUEST__INIT;
    q.db_name = scry_call_database(m);
    q.collection_name = (char *)name;
    q.field_name = (char *)field;
    q.index_name = (char *)index;
    return scry_call_status(m, "DropIndex", &q.base, err);
}

int scry_milvus_wait_index(scry_milvus *m, const char *name, const char *field, const scry_milvus_wait *w,
                           scry_error *err)
{
    double started = scry_now_ms();
    for (;;) {
        ProtobufCMessage *answer;
        const Pb__IndexDescription *d;
        int result = describe_index(m, name, field, &answer, &d, err);
        if (result < 0)
            return result;
        if (!d)
            result = scry_fail(err, SCRY_ENOTFOUND, "the field %s of the collection %s has no index", field, name);
        else if (d->state == INDEX_STATE_FAILED)
            result = scry_fail(err, SCRY_EREMOTE, "Milvus at %s could not build the index of %s: %.200s", m->where, name,
                               d->index_state_fail_reason);
        else if (d->state == INDEX_STATE_FINISHED && d->pending_index_rows <= 0)
            result = 1;
        else
            result = wait_step(m, w, "building the index",
                               d->total_rows > 0 ? (int)(100 * d->indexed_rows / d->total_rows) : 0, started, err);
        scry_call_free(answer);
        if (result)
            return result < 0 ? result : 0;
    }
}

/* ---- load ---- */

static int is_loaded(scry_milvus *m, const char *name, bool *out, scry_error *err)
{
    Pb__GetLoadStateRequest q = PB__GET_LOAD_STATE_REQUEST__INIT;
    q.db_name = scry_call_database(m);
    q.collection_name = (char *)name;
    ProtobufCMessage *answer;
    int result = scry_call(m, "GetLoadState", &q.base, &pb__get_load_state_response__descriptor, &answer, err);
    if (result < 0)
        return result;
    *out = ((Pb__GetLoadStateResponse *)answer)->state == LOAD_STATE_LOADED;
    scry_call_free(answer);
    return 0;
}

static int loading_percent(scry_milvus *m, const char *name)
{
    Pb__GetLoadStateRequest q = PB__GET_LOAD_STATE_REQUEST__INIT;
    q.db_name = scry_call_database(m);
    q.collection_name = (char *)name;
    ProtobufCMessage *answer;
    if (scry_call(m, "GetLoadingProgress", &q.base, &pb__get_loading_progress_response__descriptor, &answer, NULL) < 0)
        return 0;
    int64_t percent = ((Pb__GetLoadingProgressResponse *)answer)->progress;
    scry_call_free(answer);
    return percent < 0 ? 0 : percent > 100 ? 100 : (int)percent;
}

int scry_milvus_load(scry_milvus *m, const char *name, const scry_milvus_wait *w, scry_error *err)
{
    Pb__LoadCollectionRequest q = PB__LOAD_COLLECTION_REQUEST__INIT;
    bool loaded = false;
    double started = scry_now_ms();
    int result = is_loaded(m, name, &loaded, err);
    if (result < 0 || loaded)
        return result;
    q.db_name = scry_call_database(m);
    q.collection_name = (char *)name;
    q.replica_number = m->options.replicas > 0 ? m->options.replicas : 1;
    q.resource_groups = (char **)&m->options.resource_group;
    q.n_resource_groups = m->options.resource_group ? 1 : 0;
    result = scry_call_status(m, "LoadCollection", &q.base, err);
    while (result == 0) {
        result = is_loaded(m, name, &loaded, err);
        if (result == 0 && loaded)
            return 0;
        if (result == 0)
            result = wait_step(m, w, "loading the collection", loading_percent(m, name), started, err);
    }
    return result;
}

int scry_milvus_release(scry_milvus *m, const char *name, scry_error *err)
{
    Pb__CollectionRequest q = PB__COLLECTION_REQUEST__INIT;
    q.db_name = scry_call_database(m);
    q.collection_name = (char *)name;
    return scry_call_status(m, "ReleaseCollection", &q.base, err);
}

/* ---- flush ---- */

/* Poll until the segments that the flush of this collection sealed are stored. */
static int wait_flushed(scry_milvus *m, const char *name, const Pb__FlushResponse *r, const scry_milvus_wait *w,
                        scry_error *err)
{
    Pb__GetFlushStateRequest q = PB__GET_FLUSH_STATE_REQUEST__INIT;
    q.db_name = scry_call_database(m);
    q.collection_name = (char *)name;
    for (size_t i = 0; i < r->n_coll_segids; i++)
        if (strcmp(r->coll_segids[i]->key, name) == 0 && r->coll_segids[i]->value) {
            q.segmentids = r->coll_segids[i]->value->data;
            q.n_segmentids = r->coll_segids[i]->value->n_data;
        }
    for (size_t i = 0; i < r->n_coll_flush_ts; i++)
        if (strcmp(r->coll_flush_ts[i]->key, name) == 0)
            q.flush_ts = r->coll_flush_ts[i]->value;
    /* milvus-lite has flushed before it answers, and names no segments. */
    double started = scry_now_ms();
    for (int result = 0; q.n_segmentids || q.flush_ts;) {
        ProtobufCMessage *answer;
        result = scry_call(m, "GetFlushState", &q.base, &pb__get_flush_state_response__descriptor, &answer, err);
        if (result < 0)
            return result;
        bool flushed = ((Pb__GetFlushStateResponse *)answer)->flushed;
        scry_call_free(answer);
        if (flushed)
            return 0;
        result = wait_step(m, w, "flushing the collection", 0, started, err);
        if (result < 0)
            return result;
    }
    return 0;
}

/* Start a flush. A restarted server accepts rows before the components that seal them are ready, and until then
 * refuses with the code of any unexpected error: retried for as long as a restart takes. */
static int start_flush(scry_milvus *m, const Pb__FlushRequest *q, const scry_milvus_wait *w, ProtobufCMessage **answer,
                       scry_error *err)
{
    enum { RESTART_MS = 60000 };
    double started = scry_now_ms();
    for (;;) {
        scry_error refusal = SCRY_ERROR_INIT;
        int result = scry_call(m, "Flush", &q->base, &pb__flush_response__descriptor, answer, &refusal);
        if (result == 0)
            return 0;
        if (scry_milvus_code(m) != SCRY_MILVUS_UNEXPECTED || scry_now_ms() - started > RESTART_MS)
            return scry_fail(err, refusal.code, "%s", refusal.message);
        result = wait_step(m, w, "flushing the collection", 0, started, err);
        if (result < 0)
            return result;
    }
}

int scry_milvus_flush(scry_milvus *m, const char *name, const scry_milvus_wait *w, scry_error *err)
{
    char *names[] = { (char *)name };
    Pb__FlushRequest q = PB__FLUSH_REQUEST__INIT;
    q.db_name = scry_call_database(m);
    q.collection_names = names;
    q.n_collection_names = 1;
    ProtobufCMessage *answer;
    int result = start_flush(m, &q, w, &answer, err);
    if (result < 0)
        return result;
    result = wait_flushed(m, name, (Pb__FlushResponse *)answer, w, err);
    scry_call_free(answer);
    return result;
}
