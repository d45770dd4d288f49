/* ingest_work.c - a worker: read, hash, decode, and embed in batches. */
#include "engine/ingest.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/sha256.h"
#include "engine/picture_batch.h"
#include "engine/sidecar.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    ingest *in;
    picture_batch batch;
    ingest_result *results[PICTURE_BATCH];   /* of the pictures in the batch */
} worker;

/* Fill in what is beside the headers; most files have nothing there. */
static void add_notes(ingest_result *r)
{
    scry_metadata *m = r->beside = scry_alloc(sizeof *m);
    scry_file_notes *n = &r->notes;
    scry_sidecar_read(r->job->path, r->job->mtime_ns, m);
    r->companion = scry_companion_name(r->job->path, NULL);
    *n = (scry_file_notes){ .has_position = m->has_position, .latitude = m->latitude, .longitude = m->longitude,
                            .has_rating = m->has_rating, .rating = m->rating, .title = m->title, .description = m->description,
                            .keywords = m->keywords, .companion = r->companion };
    if (m->taken_source != SCRY_TAKEN_FILE_TIME) {   /* the store has that itself */
        n->taken_source = m->taken_source;
        n->taken_at = m->taken_at;
        n->has_taken_offset = m->has_taken_offset;
        n->taken_offset_min = m->taken_offset_min;
    }
    if (n->taken_source != SCRY_TAKEN_UNKNOWN || n->has_position || n->has_rating || n->companion || m->title[0] ||
        m->description[0] || m->keywords[0])
        r->file.notes = n;
}

/* `picture`: the fields that its headers gave; NULL when they are not known. */
static ingest_result *result_new(ingest_job *job, ingest_outcome outcome, const scry_file *picture)
{
    ingest_result *r = scry_alloc(sizeof *r);
    r->job = job;
    r->outcome = outcome;
    scry_file *f = &r->file;
    if (picture)
        *f = *picture;
    f->size = job->size;
    f->mtime_ns = job->mtime_ns;
    f->key = job->key ? job->key : "";
    f->labels = (const char *const *)job->labels;
    f->label_count = job->label_count;
    if (outcome == INGEST_PUT)
        add_notes(r);
    return r;
}

/* A file that could not be decoded: recorded as bad when its content is the cause, skipped in this run only
 * when the cause is the disk or something temporary. */
static void reject(worker *w, ingest_job *job, const scry_error *why)
{
    bool record = why->code == SCRY_EINVALID || why->code == SCRY_ELIMIT;
    ingest_result *r = result_new(job, record ? INGEST_BAD : INGEST_SKIPPED, NULL);
    snprintf(r->reason, sizeof r->reason, "%.*s", (int)sizeof r->reason - 1, why->message);
    ingest_push_result(w->in, r);
}

/* Point `*field` to a copy of its text in `room`. */
static void keep_text(const char **field, char *room, size_t size)
{
    snprintf(room, size, "%s", *field ? *field : "");
    *field = room;
}

/* Point the texts that the headers gave to copies in `m`. */
static void keep_texts(scry_file *f, scry_metadata *m)
{
    f->format = scry_format_name(scry_format_from_name(f->format));
    keep_text(&f->camera, m->camera, sizeof m->camera);
    keep_text(&f->lens, m->lens, sizeof m->lens);
    keep_text(&f->title, m->title, sizeof m->title);
    keep_text(&f->description, m->description, sizeof m->description);
    keep_text(&f->keywords, m->keywords, sizeof m->keywords);
}

/* 1 when the store has the content: `out`, its strings in `texts`, gets the fields of the picture. */
static int find_content(worker *w, const uint8_t hash[SCRY_HASH_BYTES], scry_file *out, scry_metadata *texts, scry_error *err)
{
    pthread_mutex_lock(&w->in->store_lock);
    int has = scry_store_has_content(w->in->store, hash, out, err);
    if (has == 1)
        keep_texts(out, texts);   /* under the lock: its strings are valid until the next call to the store */
    pthread_mutex_unlock(&w->in->store_lock);
    return has;
}

/* A picture that the store has: a result without a vector. */
static ingest_result *known_result(ingest_job *job, const uint8_t hash[SCRY_HASH_BYTES], const scry_file *picture)
{
    ingest_result *r = result_new(job, INGEST_PUT, picture);
    r->metadata = scry_alloc(sizeof *r->metadata);
    keep_texts(&r->file, r->metadata);
    memcpy(r->file.content, hash, SCRY_HASH_BYTES);
    return r;
}

/* Embed the batch and pass its results on. */
static void embed_batch(worker *w)
{
    ingest *in = w->in;
    picture_batch *b = &w->batch;
    if (b->count == 0)
        return;
    scry_error err = SCRY_ERROR_INIT;
    int r = picture_batch_embed(b, &err);
    if (r < 0)
        ingest_fail(in, &err);
    for (size_t i = 0; i < b->count; i++) {
        ingest_result *result = w->results[i];
        if (r < 0) {
            ingest_unmark(in, result->file.content);
            ingest_result_free(result);
            continue;
        }
        result->vector = scry_alloc(in->dim * sizeof(float));
        memcpy(result->vector, b->vectors + i * in->dim, in->dim * sizeof(float));
        ingest_push_result(in, result);
    }
    b->count = 0;
}

/* A result with what the decoder said of the picture. */
static ingest_result *decoded_result(ingest_job *job, const uint8_t *hash, const scry_decode_result *d)
{
    ingest_result *r = result_new(job, INGEST_PUT, NULL);
    scry_metadata *m = r->metadata = scry_alloc(sizeof *m);
    scry_file *f = &r->file;
    *m = d->metadata;
    memcpy(f->content, hash, SCRY_HASH_BYTES);
    f->width = d->width;
    f->height = d->height;
    f->format = scry_format_name(d->format);
    f->damaged = d->damaged;
    f->has_time = m->taken_source != SCRY_TAKEN_UNKNOWN;
    f->taken_source = m->taken_source;
    f->taken_at = m->taken_at;
    f->has_taken_offset = m->has_taken_offset;
    f->taken_offset_min = m->taken_offset_min;
    f->has_position = m->has_position;
    f->latitude = m->latitude;
    f->longitude = m->longitude;
    f->has_rating = m->has_rating;
    f->rating = m->rating;
    f->camera = m->camera;
    f->lens = m->lens;
    f->title = m->title;
    f->description = m->description;
    f->keywords = m->keywords;
    return r;
}

static void add_picture(worker *w, ingest_result *r, const scry_decode_result *d)
{
    w->results[picture_batch_add(&w->batch, d)] = r;
    if (w->batch.count == PICTURE_BATCH)
        embed_batch(w);
}

/* Without a model: the picture cannot be embedded now. */
static void postpone(ingest *in, ingest_job *job, const uint8_t *hash)
{
    ingest_unmark(in, hash);
    ingest_result *r = result_new(job, INGEST_SKIPPED, NULL);
    snprintf(r->reason, sizeof r->reason, "new or changed: it waits for `scry index --rebuild`");
    ingest_push_result(in, r);
}

static void process(worker *w, ingest_job *job)
{
    ingest *in = w->in;
    const uint8_t *bytes;
    size_t size;
    struct stat st;
    scry_error why = SCRY_ERROR_INIT;
    if (scry_decoder_load(w->batch.decoder, job->path, &bytes, &size, &st, &why) < 0) {
        reject(w, job, &why);
        return;
    }
    job->size = st.st_size;
    job->mtime_ns = scry_time_ns(st.st_mtim);
    job->ctime_ns = scry_sidecar_stamp(job->path, scry_time_ns(st.st_ctim), NULL);   /* before they are read */
    uint8_t hash[SCRY_HASH_BYTES];
    scry_sha256_of(bytes, size, hash);
    if (!ingest_mark(in, hash)) {
        ingest_push_result(in, result_new(job, INGEST_DEFERRED, NULL));
        return;
    }
    /* Asked only now: the worker that had the mark before has committed. */
    scry_file picture = { 0 };
    scry_metadata texts;
    int known = find_content(w, hash, &picture, &texts, &why);
    if (known < 0 || (known && !(in->options->rebuild_metadata && in->model))) {
        ingest_unmark(in, hash);
        if (known > 0) {
            ingest_push_result(in, known_result(job, hash, &picture));
        } else {
            ingest_fail(in, &why);
            ingest_job_free(job);
        }
        return;
    }
    if (!in->model) {
        postpone(in, job, hash);
        return;
    }
    scry_decode_result d;
    int decoded = scry_decoder_run(w->batch.decoder, &w->batch.request, &d, &why);
    if (decoded < 0) {
        ingest_unmark(in, hash);
        if (decoded == SCRY_EIO) {   /* no decoder starts: not the picture's fault */
            ingest_fail(in, &why);
            ingest_job_free(job);
        } else {
            reject(w, job, &why);
        }
        return;
    }
    ingest_result *r = decoded_result(job, hash, &d);
    if (!known) {
        add_picture(w, r, &d);
        return;
    }
    r->new_headers = true;
    ingest_unmark(in, hash);
    ingest_push_result(in, r);
}

void ingest_work(ingest *in)
{
    worker w = { .in = in };
    scry_decoder_options d = SCRY_DECODER_OPTIONS_INIT;
    scry_error err = SCRY_ERROR_INIT;
    d.formats = in->options->formats;
    d.memory_bytes = in->options->decoder_memory_bytes;
    d.time_limit_ms = in->options->time_limit_ms;
    if (picture_batch_init(&w.batch, in->model, &d, &err) < 0)
        ingest_fail(in, &err);
    w.batch.request.keep_orientation = in->options->keep_orientation;
    for (bool done = false; !done;) {
        ingest_job *job = ingest_pop_job(in, &done);
        if (job)
            process(&w, job);
        else
            embed_batch(&w);   /* the end, or no job for a second: commit what there is */
    }
    picture_batch_dispose(&w.batch);
}
