/* pool.h - a team of threads.
 *
 * The threads wait between runs; a run calls one function on all of them, each with its
 * index: enough for a scan or a single query's matrix products. Long pipelines
 * (engine/ingest.c) start their own workers through scry_pool_run too.
 */
#ifndef SCRY_BASE_POOL_H
#define SCRY_BASE_POOL_H

typedef struct scry_pool scry_pool;

typedef void scry_pool_fn(void *arg, int index, int count);

/* Processors this process may run on (affinity and cgroup quota considered),
 * capped by SCRY_THREADS where that is set; at least 1. */
int scry_cpu_count(void);

/* Workers that decode and embed: as many as were asked for, at most 256; scry_cpu_count() for 0 and less. */
int scry_worker_count(int asked);

/* A team of `threads` (0 = scry_cpu_count(), at most 1,024), the caller being one of them. After a
 * fork the child starts its own when it runs the first work. */
scry_pool *scry_pool_new(int threads);
int scry_pool_threads(const scry_pool *p);

/* Run fn(arg, i, n) for every i below n at once and wait for all. NULL runs it on
 * the caller alone. Not to be nested, and by one caller at a time. */
void scry_pool_run(scry_pool *p, scry_pool_fn *fn, void *arg);
void scry_pool_free(scry_pool *p);

#endif
