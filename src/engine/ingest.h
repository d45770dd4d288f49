/* ingest.h - the state of an index run, shared by feeder, workers and writer.
 *
 *     feeder  --jobs-->  workers  --results-->  writer (the caller's thread)
 *     walk, stat,        read, hash,            put, progress
 *     compare            decode, embed
 *
 * One feeder, one worker for each processor, one writer. Both queues are bounded, so a fast
 * stage waits for a slow one, and memory use does not grow with the number of files. Each
 * worker owns a decoder process and a session with one thread and alternates between them: it
 * has pictures decoded (which takes processor time of its decoder), and after PICTURE_BATCH of
 * them it embeds them (which takes its own). So decoding and embedding share all processors
 * without explicit scheduling. The kernel reads ahead the files that wait in the queue.
 *
 * Every store call is made under `store_lock`; the queues have their own.
 */
#ifndef SCRY_ENGINE_INGEST_H
#define SCRY_ENGINE_INGEST_H

#include "engine/walk.h"
#include "image/image.h"
#include "scry/index.h"

#include <pthread.h>
#include <stdatomic.h>

enum { INGEST_JOBS_PER_WORKER = 64, INGEST_MAX_RESULTS = 1024 };

/* A root with files of this run. The feeder may add a root that contains this one while jobs for
 * its files are queued: they follow `merged_into`. */
typedef struct ingest_root {
    struct ingest_root *next;
    uint8_t id[SCRY_ID_BYTES];
    char *path;
    const struct ingest_root *merged_into;   /* the newer root that contains it; NULL: none */
} ingest_root;

/* A file that may need work. */
typedef struct ingest_job {
    struct ingest_job *next;
    char *path;
    const ingest_root *root;    /* when it was found; NULL: its path cannot be used */
    int64_t size, mtime_ns, ctime_ns;
    scry_file_state state;
    char *key;                  /* NULL: keep the key and the labels that the store has */
    char **labels;
    size_t label_count;
} ingest_job;

typedef enum {
    INGEST_PUT,       /* to the store, with a vector or by a known content */
    INGEST_BAD,       /* to be recorded as unreadable */
    INGEST_SKIPPED,   /* skipped in this run only */
    INGEST_PASSED_OVER,   /* a folder, recorded like a bad file, not counted */
    INGEST_DEFERRED   /* another worker is embedding the same bytes: processed again in the next round */
} ingest_outcome;

typedef struct ingest_result {
    struct ingest_result *next;
    ingest_job *job;            /* owned */
    ingest_outcome outcome;
    scry_file file;             /* its strings are in `metadata`, `old` and the job */
    scry_metadata *metadata;    /* owned; what the decoder read in the headers, NULL when it was not asked */
    bool new_headers;           /* replace the stored ones: see scry_put */
    scry_metadata *beside;      /* owned; what the file's name and sidecars say: `notes` points there */
    scry_file_notes notes;
    char *companion;            /* owned */
    float *vector;              /* [dim], owned; NULL: the store has the content */
    scry_results *old;          /* owned; the file's previous row, when its key and labels are kept */
    char reason[256];
} ingest_result;

typedef struct ingest_queue {
    void *head, *tail;          /* lists through a first member `next` */
    size_t count, limit;
} ingest_queue;

typedef struct ingest {
    scry_store *store;
    scry_store *from;           /* the files of this store instead of the options' paths; NULL: the paths */
    const scry_model *model;    /* NULL: pictures that must be embedded are skipped */
    const scry_index_options *options;
    size_t dim;

    pthread_mutex_t store_lock;
    ingest_root *roots;         /* under store_lock */
    bool contents_changed;         /* used by the writer alone: a file changed its content, so that known contents may be gone */
    pthread_mutex_t lock;       /* everything below */
    pthread_cond_t job_added, job_taken, result_added, result_taken;
    ingest_queue jobs, results;
    bool feeding;               /* the feeder still runs */
    int workers_running;
    uint8_t (*in_flight)[SCRY_HASH_BYTES];   /* contents that are hashed and not yet committed */
    size_t in_flight_count, in_flight_capacity;
    scry_index_progress progress;
    atomic_bool fed;            /* all files were found: no use in counting them ahead any more */
    bool stop;                  /* fatal error or cancelled */
    scry_error fatal;
} ingest;

/* scry_index_run with in->from, whose roots in->store has. */
int ingest_run(scry_store *store, scry_store *from, const scry_model *model, const scry_index_options *options,
               scry_index_progress *total, scry_error *err) SCRY_NODISCARD;

bool ingest_stopped(ingest *in);                            /* an error, or cancelled by the caller */
void ingest_fail(ingest *in, const scry_error *err);        /* stops the run; the first error is reported */

/* Put a job, false when the run was stopped (the job is freed then). */
bool ingest_push_job(ingest *in, ingest_job *job);

/* The next job; NULL when there will be none (*done) or none came within a second. */
ingest_job *ingest_pop_job(ingest *in, bool *done);
void ingest_push_result(ingest *in, ingest_result *r);
void ingest_job_free(ingest_job *job);
void ingest_result_free(ingest_result *r);

/* Mark a content as being processed; false when another worker has it. The writer unmarks it after the commit. */
bool ingest_mark(ingest *in, const uint8_t hash[SCRY_HASH_BYTES]);
void ingest_unmark(ingest *in, const uint8_t hash[SCRY_HASH_BYTES]);

/* ingest_feed.c, with store_lock held: let the root that contains the folder, which is added where there is none, be one of this
 * run. `out`: NULL, or its entry. */
int ingest_enter_root(ingest *in, const char *folder, const ingest_root **out, scry_error *err) SCRY_NODISCARD;

/* Thread bodies. */
void ingest_feed(ingest *in);     /* ingest_feed.c: all paths of the options, or files of in->from */
void ingest_expect(ingest *in);   /* ingest_feed.c: count what the feeder will find, for progress.expected */
void ingest_work(ingest *in);     /* ingest_work.c: jobs until there are none */

/* ingest_revalidate.c, with store_lock held. locate: set the job's current root and relative path in `file`, which borrows the
 * path. look_up: that, and the state that the store has of the file in the job. */
void ingest_locate(const ingest_job *job, scry_file *file);
int ingest_look_up(ingest *in, ingest_job *job, scry_file *file, scry_error *err) SCRY_NODISCARD;

/* Just before a result is put: fill in the stored key and labels where the job has none. 1 when the result can be
 * put; 0 when it has no vector and its content has been removed from the store: the file must be decoded. */
int ingest_revalidate(ingest *in, ingest_result *r, scry_error *err) SCRY_NODISCARD;

/* ingest_prune.c: remove, or count in the progress, the files below the given folders that no longer exist. */
int ingest_prune(ingest *in, scry_error *err);
int ingest_count_missing(ingest *in, scry_error *err);

#endif
