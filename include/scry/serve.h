/* serve.h - the web page and the HTTP API over one store and one model. */
#ifndef SCRY_SERVE_H
#define SCRY_SERVE_H

#include "scry/cancel.h"
#include "scry/error.h"
#include "scry/model.h"
#include "scry/store.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct scry_serve_options {
    const char *listen;         /* "127.0.0.1:8080" (NULL), "[::1]:0", ":8080"; port 0: any free one, printed on stderr */
    const char *public_url;     /* "https://host/photos/": where a proxy shows it; NULL: at `listen` */
    const char *token_file;     /* NULL: no token; allowed on loopback or with no_auth only */
    bool no_auth;               /* allow other addresses than loopback without a token */
    const char *cert, *key;     /* PEM files: TLS */
    bool allow_index;           /* start index runs from the page */
    bool allow_upload;
    bool allow_remove;
    int workers;                /* 0: one for each processor */
    int max_connections;        /* 0: 256 */
    int max_queue;              /* 0: 128 requests waiting for searches, as many for workers */
    int time_limit_s;           /* of decoding a picture; 0: 30 */
    int client_timeout_s;       /* for headers; for a body and an answer a second per 64 kB more; 0: 30 */
    const char *const *hosts;   /* further names that the Host header may have */
    size_t host_count;
    scry_milvus_choice milvus;  /* for a store on Milvus */
    const char *language;       /* of scry_model_options */
    int check_interval_s;       /* between checks of the store's files; 0: a day; below 0: no checks */
    void (*ready)(void *arg, const char *url);   /* called once, when it listens, with its address; NULL: none */
    void *ready_arg;
    bool allow_marks;           /* with no_auth: favourites, saved searches and the like may be set; without, they always may */
    bool no_words;              /* with allow_index the words in pictures are read in the background: do not */
    /* Serve until it is non-zero, and leave the process's signals as they are; NULL: until SIGTERM or SIGINT, which are blocked
     * meanwhile in the calling thread (block them in all others, or one of those gets them). */
    const scry_cancel *cancel;
} scry_serve_options;

#define SCRY_SERVE_OPTIONS_INIT SCRY_ZERO_INIT

/* What `scry serve` runs, with the plugin scry-serve.so. Opens `store` (its collection; NULL: "default") and `model` (a name;
 * NULL: the starter) itself, serves until it is told to stop (`cancel`), answers what it was asked, returns 0; says its
 * address and its end on stderr. `options` may be NULL: the defaults. */
int scry_serve_run(const scry_serve_options *options, const char *store, const char *collection,
                   const char *model, scry_precision precision, scry_error *err) SCRY_NODISCARD;

#ifdef __cplusplus
}
#endif

#endif
