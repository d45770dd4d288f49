/* ingest.h - inside an index run: what feeder, workers and writer share.
 *
 *     feeder  --jobs-->  workers  --results-->  writer (the caller's thread)
 *     walk, stat,        read, hash,            put, progress
 *     compare            decode, embed
 *
 * One feeder, one worker a processor, one writer. Both queues are bounded, so a fast
 * stage waits for a slow one and memory stays what it is for a million files. Each worker
 * owns a decoder process and a session with one thread and takes turns with them: it reads
 * a picture (its decoder's processor time), and every BATCH pictures it embeds them (its own).
 * So decoding and embedding share all processors without a plan; the kernel reads ahead
 * for files that wait in the queue.
 *
 * Every store call is made under `store_lock`; the queues have their own.
 */
#ifndef SCRY_ENGINE_INGEST_H
#define SCRY_ENGINE_INGEST_H

#include "engine/walk.h"
#include "image/image.h"
#include "scry/index.h"

#include <pthread.h>

enum { INGEST_BATCH = 16, INGEST_JOBS_PER_WORKER = 64, INGEST_MAX_RESULTS = 1024 };

/* A root that files of this run lie in. The feeder may make a root around it while jobs of its
 * files are under way: they follow `taken_by`. */
typedef struct ingest_root {
    struct ingest_root *next;
    uint8_t id[SCRY_ID_BYTES];
    char *path;
    const struct ingest_root *taken_by;   /* the newer root around it; NULL: it stands */
} ingest_root;

/* A file that may need work. */
typedef struct ingest_job {
    struct ingest_job *next;
    char *path;
    const ingest_root *root;    /* when it was found; NULL: its path cannot be used */
    int64_t size, mtime_ns;
    scry_file_state state;
    char *key;                  /* NULL: keep what the store has */
    char **labels;
    size_t label_count;
} ingest_job;

typedef enum {
    INGEST_PUT,       /* to the store, with a vector or by a known content */
    INGEST_BAD,       /* to be remembered as unreadable */
    INGEST_SKIPPED,   /* passed over this time only */
    INGEST_DEFERRED   /* the same bytes are being embedded right now: look again afterwards */
} ingest_outcome;

typedef struct ingest_result {
    struct ingest_result *next;
    ingest_job *job;            /* owned */
    ingest_outcome outcome;
    scry_file file;             /* strings below or in the job */
    char camera[64];
    float *vector;              /* [dim], owned; NULL: the content is known */
    scry_results *old;          /* owned; the file's row before, where its key and labels stay */
    char reason[256];
} ingest_result;

typedef struct ingest_queue {
    void *head, *tail;          /* lists through a first member `next` */
    size_t count, limit;
} ingest_queue;

typedef struct ingest {
    scry_store *store;
    const scry_model *model;
    const scry_index_options *options;
    size_t dim;

    pthread_mutex_t store_lock;
    ingest_root *roots;         /* under store_lock */
    bool contents_left;         /* the writer's: a file lost its content, which may be gone with it */
    pthread_mutex_t lock;       /* everything below */
    pthread_cond_t job_added, job_taken, result_added, result_taken;
    ingest_queue jobs, results;
    bool feeding;               /* the feeder still runs */
    int workers_running;
    uint8_t (*in_flight)[SCRY_HASH_BYTES];   /* contents between hashing and commit */
    size_t in_flight_count, in_flight_capacity;
    scry_index_progress progress;
    bool stop;                  /* fatal error or cancelled */
    scry_error fatal;
} ingest;

bool ingest_stopped(ingest *in);                            /* also when the caller cancelled */
void ingest_fail(ingest *in, const scry_error *err);        /* the first one is kept */

/* Put a job, false when the run was stopped (the job is freed then). */
bool ingest_push_job(ingest *in, ingest_job *job);

/* The next job; NULL when there will be none (*done) or none came within a second. */
ingest_job *ingest_pop_job(ingest *in, bool *done);
void ingest_push_result(ingest *in, ingest_result *r);
void ingest_job_free(ingest_job *job);
void ingest_result_free(ingest_result *r);

/* true when `hash` was free and is now marked; the writer unmarks it after the commit. */
bool ingest_mark(ingest *in, const uint8_t hash[SCRY_HASH_BYTES]);
void ingest_unmark(ingest *in, const uint8_t hash[SCRY_HASH_BYTES]);

/* Thread bodies. */
void ingest_feed(ingest *in);     /* ingest_feed.c: all paths of the options */
void ingest_work(ingest *in);     /* ingest_work.c: jobs until there are none */

/* ingest_settle.c, with store_lock held.
 * look_up: where the job's file lies now, as root and relative path of `file`, which borrows the
 * path, and what the store knows of it. */
int ingest_look_up(ingest *in, ingest_job *job, scry_file *file, scry_error *err) SCRY_NODISCARD;

/* Just before a result is put: takes over the key and labels that the store has where the job
 * brings none. 1 when it can be, 0 when its content came without a vector and was
 * dropped since it was found: its file has to be decoded after all. */
int ingest_settle(ingest *in, ingest_result *r, scry_error *err) SCRY_NODISCARD;

/* ingest_prune.c: forget what is gone below the given folders. */
int ingest_prune(ingest *in, scry_error *err);

#endif
