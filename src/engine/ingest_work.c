/* ingest_work.c - a worker: read, hash, decode, and embed in batches. */
#include "engine/ingest.h"

#include "base/alloc.h"
#include "base/sha256.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    ingest *in;
    scry_decoder *decoder;
    scry_session *session;
    scry_image_spec spec;
    size_t picture_bytes;
    uint8_t *pixels;                         /* [BATCH, views, size, size, 3] */
    float *vectors;                          /* [BATCH, dim] */
    ingest_result *batch[INGEST_BATCH];      /* the pictures in `pixels` */
    size_t count;
} worker;

/* `picture` tells what the content shows, its strings are copied; NULL: nothing is known of it. */
static ingest_result *result_new(ingest_job *job, ingest_outcome outcome, const scry_file *picture)
{
    ingest_result *r = scry_alloc(sizeof *r);
    r->job = job;
    r->outcome = outcome;
    scry_file *f = &r->file;
    if (picture) {
        *f = *picture;
        f->format = scry_format_name(scry_format_from_name(picture->format));
        snprintf(r->camera, sizeof r->camera, "%s", picture->camera ? picture->camera : "");
    }
    f->camera = r->camera;
    f->size = job->size;
    f->mtime_ns = job->mtime_ns;
    f->key = job->key ? job->key : "";
    f->labels = (const char *const *)job->labels;
    f->label_count = job->label_count;
    return r;
}

/* A file that gives no picture: remembered when its content is to blame, passed over when the
 * disk or the moment is. */
static void give_up(worker *w, ingest_job *job, const scry_error *why)
{
    bool remember = why->code == SCRY_EINVALID || why->code == SCRY_ELIMIT;
    ingest_result *r = result_new(job, remember ? INGEST_BAD : INGEST_SKIPPED, NULL);
    snprintf(r->reason, sizeof r->reason, "%.*s", (int)sizeof r->reason - 1, why->message);
    ingest_push_result(w->in, r);
}

/* 1 when the store knows the content: the result is on its way without a vector. */
static int reuse_content(worker *w, ingest_job *job, const uint8_t hash[SCRY_HASH_BYTES], scry_error *err)
{
    scry_file known;
    ingest_result *r = NULL;
    pthread_mutex_lock(&w->in->store_lock);
    int has = scry_store_has_content(w->in->store, hash, &known, err);
    if (has == 1) {
        memcpy(known.content, hash, SCRY_HASH_BYTES);
        r = result_new(job, INGEST_PUT, &known);   /* here: the strings are lent until the next call */
    }
    pthread_mutex_unlock(&w->in->store_lock);
    if (r)
        ingest_push_result(w->in, r);
    return has;
}

/* Embed what was collected and pass it on. */
static void flush(worker *w)
{
    ingest *in = w->in;
    if (w->count == 0)
        return;
    scry_error err = SCRY_ERROR_INIT;
    int r = scry_embed_pixels(w->session, w->pixels, w->count, w->vectors, &err);
    if (r < 0)
        ingest_fail(in, &err);
    for (size_t i = 0; i < w->count; i++) {
        ingest_result *result = w->batch[i];
        if (r < 0) {
            ingest_unmark(in, result->file.content);
            ingest_result_free(result);
            continue;
        }
        result->vector = scry_alloc(in->dim * sizeof(float));
        memcpy(result->vector, w->vectors + i * in->dim, in->dim * sizeof(float));
        ingest_push_result(in, result);
    }
    w->count = 0;
}

static void take_picture(worker *w, ingest_job *job, const uint8_t *hash, const scry_decode_result *d)
{
    scry_file picture = { .width = d->width, .height = d->height, .format = scry_format_name(d->format),
                          .has_time = d->has_time, .taken_at = d->taken_at, .has_position = d->has_position,
                          .latitude = d->latitude, .longitude = d->longitude, .camera = d->camera };
    memcpy(picture.content, hash, SCRY_HASH_BYTES);
    memcpy(w->pixels + w->count * w->picture_bytes, d->pixels, w->picture_bytes);
    w->batch[w->count++] = result_new(job, INGEST_PUT, &picture);
    if (w->count == INGEST_BATCH)
        flush(w);
}

static void process(worker *w, ingest_job *job)
{
    ingest *in = w->in;
    const uint8_t *bytes;
    size_t size;
    struct stat st;
    scry_error why = SCRY_ERROR_INIT;
    if (scry_decoder_load(w->decoder, AT_FDCWD, job->path, &bytes, &size, &st, &why) < 0) {
        give_up(w, job, &why);
        return;
    }
    job->size = st.st_size;
    job->mtime_ns = st.st_mtim.tv_sec * 1000000000LL + st.st_mtim.tv_nsec;
    uint8_t hash[SCRY_HASH_BYTES];
    scry_sha256_of(bytes, size, hash);
    if (!ingest_mark(in, hash)) {
        ingest_push_result(in, result_new(job, INGEST_DEFERRED, NULL));
        return;
    }
    /* Asked only now: whoever held the mark before us has committed. */
    int reused = reuse_content(w, job, hash, &why);
    if (reused) {
        ingest_unmark(in, hash);
        if (reused < 0) {
            ingest_fail(in, &why);
            ingest_job_free(job);
        }
        return;
    }
    scry_decode_request request = { .kind = SCRY_DECODE_VIEWS, .spec = w->spec,
                                    .keep_orientation = in->options->keep_orientation };
    scry_decode_result d;
    if (scry_decoder_run(w->decoder, &request, &d, &why) < 0) {
        ingest_unmark(in, hash);
        give_up(w, job, &why);
        return;
    }
    take_picture(w, job, hash, &d);
}

static int worker_init(worker *w, ingest *in, scry_error *err)
{
    const scry_index_options *o = in->options;
    scry_decoder_options d = SCRY_DECODER_OPTIONS_INIT;
    d.formats = o->formats;
    d.memory_bytes = o->decoder_memory_bytes;
    d.time_limit_ms = o->time_limit_ms;
    *w = (worker){ .in = in, .spec = scry_model_get_info(in->model)->image };
    w->picture_bytes = (size_t)w->spec.views * (size_t)w->spec.size * (size_t)w->spec.size * 3;
    w->pixels = scry_alloc(INGEST_BATCH * w->picture_bytes);
    w->vectors = scry_alloc(INGEST_BATCH * in->dim * sizeof *w->vectors);
    int r = scry_decoder_new(&w->decoder, &d, err);
    return r < 0 ? r : scry_session_new(&w->session, in->model, 1, err);
}

void ingest_work(ingest *in)
{
    worker w;
    scry_error err = SCRY_ERROR_INIT;
    if (worker_init(&w, in, &err) < 0)
        ingest_fail(in, &err);
    for (bool done = false; !done;) {
        ingest_job *job = ingest_pop_job(in, &done);
        if (job)
            process(&w, job);
        else
            flush(&w);   /* the end, or nothing came for a while: let what is there be kept */
    }
    scry_session_free(w.session);
    scry_decoder_free(w.decoder);
    free(w.vectors);
    free(w.pixels);
}
