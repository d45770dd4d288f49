/* search_answer.c - the results of a search as JSON. */
#include "server/search.h"

#include "base/log.h"
#include "engine/file_json.h"
#include "engine/near_words.h"
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

/* One more member of the answer. */
static void add_member(request *r, const char *name, const char *json)
{
    if (r->out.size == 0 || r->out.data[r->out.size - 1] != '}')
        return;
    r->out.data[r->out.size - 1] = ',';
    scry_buf_printf(&r->out, "\"%s\":%s}", name, json);
}

/* On a worker, since the filters are tried one by one: which of them lets nothing pass. */
static void explain_nothing(request *r, worker_tools *tools)
{
    scry_buf why = SCRY_BUF_INIT(MAX_REASON_BYTES), parts = SCRY_BUF_INIT(1 << 20), text = SCRY_BUF_INIT(1 << 20);
    pthread_rwlock_rdlock(&r->server->store_lock);
    int result = scry_why_nothing(&why, &parts, r->server->store, &r->search->request, NULL);
    pthread_rwlock_unlock(&r->server->store_lock);
    if (result == 0 && why.size) {
        scry_json_writer w = SCRY_JSON_WRITER_INIT(&text);
        scry_json_put_str(&w, scry_buf_str(&why));
        add_member(r, "nothing_found", scry_buf_str(&text));
        add_member(r, "nothing_found_by", scry_buf_str(&parts));
    }
    scry_buf_dispose(&why);
    scry_buf_dispose(&parts);
    scry_buf_dispose(&text);
}

/* On a worker, since all words are read: which word is probably misspelled. */
static void add_meant(request *r, worker_tools *tools)
{
    const scry_search_request *q = &r->search->request;
    scry_meant meant;
    pthread_rwlock_rdlock(&r->server->store_lock);
    int result = scry_find_meant(&meant, r->server->store, r->server->model, q, NULL);
    pthread_rwlock_unlock(&r->server->store_lock);
    if (result < 0 || !meant.word[0])
        return;
    scry_buf object = SCRY_BUF_INIT(1 << 20);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&object);
    scry_json_put_meant(&w, &meant, q);
    add_member(r, "did_you_mean", scry_buf_str(&object));
    scry_buf_dispose(&object);
}

void search_finish(request *r, const scry_results *results)
{
    const scry_search_request *q = &r->search->request;
    if (r->status == 200 && results && results->count == 0 && q->search.offset == 0 && (q->search.filter || q->by == SCRY_BY_WORDS))
        r->later = explain_nothing;
    else if (r->status == 200 && results && scry_may_be_misspelled(r->server->store, r->server->model, q, results))
        r->later = add_meant;
    if (r->later && queue_push(r->server->work_queue, r))
        return;
    r->later = NULL;   /* too many wait: then without */
    request_finish(r);
}
