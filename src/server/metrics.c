/* metrics.c - counters for GET /metrics, in Prometheus' text format (version 0.0.4). */
#include "server/metrics.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/system.h"
#include "server/queue.h"
#include "server/server.h"
#include "server/store_check.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BUCKETS = 12 };
static const double bucket_s[BUCKETS] = { 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5, 30 };

struct metrics {
    pthread_mutex_t lock;
    uint64_t by_class[6];            /* responses with status 1xx ... 5xx */
    uint64_t searches, bucket[BUCKETS + 1], lists;
    double search_seconds;
};

struct metrics *metrics_new(void)
{
    struct metrics *m = scry_alloc(sizeof *m);
    pthread_mutex_init(&m->lock, NULL);
    return m;
}

void metrics_count(struct metrics *m, const request *r)
{
    double s = (scry_now_ms() - r->start_ms) / 1000;
    pthread_mutex_lock(&m->lock);
    if (r->status >= 100 && r->status < 600)
        m->by_class[r->status / 100]++;
    if (r->search && r->status == 200) {
        size_t i = 0;
        while (i < BUCKETS && s > bucket_s[i])
            i++;
        m->bucket[i]++;
        m->searches++;
        m->search_seconds += s;
    }
    pthread_mutex_unlock(&m->lock);
}

void metrics_count_list(struct metrics *m)
{
    pthread_mutex_lock(&m->lock);
    m->lists++;
    pthread_mutex_unlock(&m->lock);
}

void metrics_write(struct metrics *m, server *s, scry_buf *out)
{
    scry_store_info info = { 0 };
    pthread_rwlock_rdlock(&s->store_lock);
    bool known = scry_store_get_info(s->store, &info, NULL) == 0, damaged = store_damage(s, NULL);
    pthread_rwlock_unlock(&s->store_lock);
    pthread_mutex_lock(&m->lock);
    scry_buf_puts(out, "# HELP scry_http_responses_total Responses by class of status.\n# TYPE scry_http_responses_total counter\n");
    for (int c = 2; c <= 5; c++)
        scry_buf_printf(out, "scry_http_responses_total{class=\"%dxx\"} %llu\n", c, (unsigned long long)m->by_class[c]);
    scry_buf_puts(out, "# HELP scry_search_seconds Time of a search, from request to response.\n# TYPE scry_search_seconds histogram\n");
    uint64_t sum = 0;
    for (int i = 0; i < BUCKETS; i++) {
        sum += m->bucket[i];
        scry_buf_printf(out, "scry_search_seconds_bucket{le=\"%g\"} %llu\n", bucket_s[i], (unsigned long long)sum);
    }
    scry_buf_printf(out, "scry_search_seconds_bucket{le=\"+Inf\"} %llu\nscry_search_seconds_sum %g\nscry_search_seconds_count %llu\n",
                    (unsigned long long)m->searches, m->search_seconds, (unsigned long long)m->searches);
    scry_buf_printf(out, "# HELP scry_lists_made_total Sorted lists made; those kept from before are not counted.\n"
                    "# TYPE scry_lists_made_total counter\nscry_lists_made_total %llu\n", (unsigned long long)m->lists);
    pthread_mutex_unlock(&m->lock);
    scry_buf_printf(out, "# HELP scry_queue_length Requests waiting.\n# TYPE scry_queue_length gauge\n"
                    "scry_queue_length{queue=\"search\"} %zu\nscry_queue_length{queue=\"work\"} %zu\n",
                    queue_length(s->search_queue), queue_length(s->work_queue));
    if (known)
        scry_buf_printf(out, "# HELP scry_files Files in the collection.\n# TYPE scry_files gauge\nscry_files %llu\n"
                        "# HELP scry_contents Different pictures in the collection.\n# TYPE scry_contents gauge\nscry_contents %llu\n",
                        (unsigned long long)info.files, (unsigned long long)info.contents);
    scry_buf_printf(out, "# HELP scry_store_damaged Whether searches may be wrong: the status says why.\n# TYPE scry_store_damaged gauge\n"
                    "scry_store_damaged %d\n", damaged);
    scry_buf_printf(out, "# HELP process_resident_memory_bytes Resident memory.\n# TYPE process_resident_memory_bytes gauge\n"
                    "process_resident_memory_bytes %llu\n", (unsigned long long)scry_resident_bytes());
}

void metrics_free(struct metrics *m)
{
    if (!m)
        return;
    pthread_mutex_destroy(&m->lock);
    free(m);
}
