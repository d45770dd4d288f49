/* search_answer.c - the results of a search as JSON. */
#include "server/search.h"

#include "base/log.h"
#include "engine/file_json.h"
#include "engine/nothing_found.h"
#include "server/away.h"
#include "server/queue.h"
#include "server/request.h"
#include "server/server.h"
#include "server/store_check.h"

#include <stdio.h>

enum { MAX_REASON_BYTES = 1 << 16 };

/* How many of the results are shown: with min_score=auto those above this query's threshold, and those found by words. */
static size_t count_shown(const search_job *j, const scry_results *results)
{
    size_t n = results->count;
    while (j->request.auto_min_score && n && !results->hits[n - 1].found_by && results->hits[n - 1].score < j->groups.maybe)
        n--;
    return n;
}

void search_answer(request *r, const search_job *j, scry_results *results)
{
    size_t shown = count_shown(j, results);
    scry_buf b = SCRY_BUF_INIT(64 << 20);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    scry_store_info info = { 0 };
    scry_store_describe(r->server->store, &info);
    scry_json_begin(&w, '{');
    scry_json_add_str(&w, "query", scry_buf_str(&j->request.shown));
    scry_json_key(&w, "parts");
    scry_json_put_parts(&w, j->request.query);
    scry_json_add_bool(&w, "text_cut", j->cut);
    scry_json_add_str(&w, "model", r->server->info->name);
    scry_json_add_str(&w, "collection", info.collection);
    store_put_damage(r->server, &w);
    scry_json_add_num(&w, "took_ms", scry_now_ms() - r->start_ms, 4);
    scry_json_put_groups(&w, &j->groups);
    scry_json_add_int(&w, "scanned", (int64_t)results->scanned);
    scry_json_put_undated(&w, results);
    scry_json_key(&w, "results");
    scry_error err = SCRY_ERROR_INIT;
    mark_away(r->server->away, results);
    int sorted = scry_json_put_hits(&w, &j->request, &j->groups, results, shown, &err);
    scry_json_key(&w, "cursor");
    if (results->has_more && shown == results->count) {
        char next[32];
        snprintf(next, sizeof next, "%zu", j->request.search.offset + shown);
        scry_json_put_str(&w, next);
    } else {
        scry_json_put_null(&w);
    }
    scry_json_end(&w, '}');
    respond_result(r, sorted, &err, &b);
}

/* On a worker, since the filters are tried one by one: which of them lets nothing pass, as one more member of the answer. */
static void explain_nothing(request *r, worker_tools *tools)
{
    scry_buf why = SCRY_BUF_INIT(MAX_REASON_BYTES), parts = SCRY_BUF_INIT(1 << 20);
    pthread_rwlock_rdlock(&r->server->store_lock);
    int result = scry_why_nothing(&why, &parts, r->server->store, &r->search->request, NULL);
    pthread_rwlock_unlock(&r->server->store_lock);
    if (result == 0 && why.size && r->out.size && r->out.data[r->out.size - 1] == '}') {
        scry_json_writer w = SCRY_JSON_WRITER_INIT(&r->out);
        r->out.data[r->out.size - 1] = ',';
        scry_buf_puts(&r->out, "\"nothing_found\":");
        scry_json_put_str(&w, scry_buf_str(&why));
        scry_buf_printf(&r->out, ",\"nothing_found_by\":%s}", scry_buf_str(&parts));
    }
    scry_buf_dispose(&why);
    scry_buf_dispose(&parts);
}

void search_finish(request *r, bool nothing_found)
{
    const scry_search *q = &r->search->request.search;
    if (r->status == 200 && nothing_found && q->offset == 0 && (q->filter || r->search->request.by == SCRY_BY_WORDS)) {
        r->later = explain_nothing;
        if (queue_push(r->server->work_queue, r))
            return;
        r->later = NULL;   /* too many wait: then without */
    }
    request_finish(r);
}
