#include "server/words_reading.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/periodic.h"
#include "engine/text_pass.h"
#include "server/store_watch.h"

#include <pthread.h>
#include <stdlib.h>

enum { AT_ONCE = 64, LOOK_MS = 2000, AGAIN_MS = 10000, OTHERS_MS = 600000 };

struct words_reading {
    server *server;
    scry_text_reader reader;
    scry_text_options options;
    scry_text_pass *pass;
    scry_periodic periodic;
    scry_cancel cancel;        /* the pass ends */
    unsigned own_changes;      /* of server.file_changes, those that were made here */
    bool failed;               /* the last attempt, which was logged */
    atomic_bool active;
};

static bool is_stopping(struct words_reading *w)
{
    return !scry_periodic_wait(&w->periodic, 0);
}

/* One attempt to store them, while no index run and no other process writes. */
static int put(struct words_reading *w, const scry_picture_text *texts, size_t n, scry_error *err)
{
    server *s = w->server;
    scry_store *writer;
    if (!store_writer_claim(s, WRITER_CHANGE))
        return scry_fail(err, SCRY_EBUSY, "an index run is in progress");
    int r = store_writer_open(s, &writer, err);
    if (r == 0) {
        r = scry_store_put_texts(writer, texts, n, err);
        int closed = store_writer_close(s, writer, CHANGED_FILES, r < 0 ? NULL : err);
        w->own_changes++;
        r = r < 0 ? r : closed;
    }
    store_writer_release(s);
    return r;
}

/* Another program that writes may take hours: what was read is kept until then, and given up when the server stops. */
static void put_patiently(struct words_reading *w, const scry_picture_text *texts, size_t n)
{
    scry_error err = SCRY_ERROR_INIT;
    while (n && put(w, texts, n, &err) < 0 && scry_periodic_wait(&w->periodic, AGAIN_MS))
        continue;
}

/* All that is unread, with a handle of its own, so that it keeps no request waiting. */
static int read_all(struct words_reading *w, scry_store *store, scry_error *err)
{
    int r = 0;
    scry_text_pass_again(w->pass);
    while (r == 0 && !scry_text_pass_done(w->pass) && !is_stopping(w)) {
        const scry_picture_text *texts;
        size_t n;
        if (store_writer_is_run(w->server)) {   /* pictures are found by look first */
            (void)scry_periodic_wait(&w->periodic, LOOK_MS);
            continue;
        }
        atomic_store(&w->active, true);
        r = scry_text_pass_read(w->pass, store, AT_ONCE, &texts, &n, err);
        put_patiently(w, texts, n);
    }
    atomic_store(&w->active, false);
    return r;
}

/* Differs when there may be more to read. Collections on Milvus do not say that they have changed: what this server did is known,
 * and others may have added pictures some minutes later. */
static uint64_t version(struct words_reading *w, scry_store *store)
{
    scry_store_info info = { 0 };
    if (server_has_folder(w->server)) {
        scry_store_describe(store, &info);
        return info.change;
    }
    return (uint64_t)(scry_now_ms() / OTHERS_MS) << 32 | (atomic_load(&w->server->file_changes) - w->own_changes);
}

/* Read when the collection may have changed since. */
static int watch(struct words_reading *w, scry_store *store, scry_error *err)
{
    uint64_t seen = UINT64_MAX;
    int r = 0;
    do {
        r = scry_store_refresh(store, err);
        uint64_t now = version(w, store);
        if (r == 0 && now != seen)
            r = read_all(w, store, err);
        w->failed &= r < 0;
        seen = now;
    } while (r == 0 && scry_periodic_wait(&w->periodic, LOOK_MS));
    return r;
}

static int64_t read_again(void *arg)
{
    struct words_reading *w = arg;
    scry_store *store;
    scry_error err = SCRY_ERROR_INIT;
    scry_lower_priority();
    int r = store_open(w->server, &store, &err);
    if (r == 0) {
        r = watch(w, store, &err);
        scry_store_close(store, NULL);
    }
    if (r < 0 && r != SCRY_ENOTFOUND && !w->failed && !is_stopping(w))   /* the watch reports a missing collection */
        scry_log(SCRY_LOG_WARN, "the words in pictures cannot be read: %s", err.message);
    w->failed = r < 0;
    return AGAIN_MS;
}

struct words_reading *words_reading_new(server *s)
{
    struct words_reading *w = scry_alloc(sizeof *w);
    w->server = s;
    w->options = (scry_text_options){ .workers = 1, .time_limit_ms = s->options.time_limit_s * 1000, .cancel = &w->cancel };
    if (!s->options.allow_index || s->options.no_words || scry_text_reader_find(&w->reader, NULL, NULL) < 0)
        return w;
    w->pass = scry_text_pass_new(&w->reader, &w->options);
    if (!scry_periodic_start(&w->periodic, read_again, w, 0))
        scry_log(SCRY_LOG_WARN, "no thread to read the words in pictures with: scry index --words only does so");
    return w;
}

void words_reading_free(struct words_reading *w)
{
    if (!w)
        return;
    atomic_store(&w->cancel, 1);
    scry_periodic_stop(&w->periodic);
    scry_text_pass_free(w->pass);
    scry_text_reader_dispose(&w->reader);
    free(w);
}

bool words_reading_active(struct words_reading *w)
{
    return w && atomic_load(&w->active);
}
