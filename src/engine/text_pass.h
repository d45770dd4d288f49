/* text_pass.h - reads the pictures of a store that nobody has read, some at a time.
 *
 *     p = scry_text_pass_new(&reader, &options);
 *     do {
 *         r = scry_text_pass_read(p, store, 64, &texts, &n, &err);        // store: open for reading is enough
 *         ... scry_store_put_texts(writer, texts, n, &err) ...
 *     } while (r == 0 && !scry_text_pass_done(p));
 *     scry_text_pass_free(p);
 *
 * Workers, each with a decoder process and a reader of its own, take the next picture until there is none: read the file,
 * compare its hash, decode, read the text. They are few, since a reader takes some hundred megabytes; more processors are shared
 * among them.
 */
#ifndef SCRY_ENGINE_TEXT_PASS_H
#define SCRY_ENGINE_TEXT_PASS_H

#include "scry/embed.h"
#include "scry/text.h"

/* What reads the text in pictures. */
typedef struct scry_text_reader {
    const char *identity;    /* names weights and rules: what another one has read is read again */
    int max_side;            /* pictures are given with sides of at most so many pixels */
    void *arg;
    int (*open)(void *arg, int threads, void **state, scry_error *err);   /* for one picture at a time, with so many threads */
    void (*close)(void *state);
    /* The lines, borrowed until the next call on that state. SCRY_EINVALID and SCRY_ELIMIT are reasons that are stored for the
     * picture; another error ends the run. */
    int (*read)(void *state, const scry_rgb *picture, const scry_text_line **lines, size_t *count, scry_error *err);
} scry_text_reader;

/* The reader whose weights are in `folder`, NULL: the one that is installed. SCRY_ENOTFOUND: there is none. */
int scry_text_reader_find(scry_text_reader *out, const char *folder, scry_error *err) SCRY_NODISCARD;
void scry_text_reader_dispose(scry_text_reader *r);   /* legal on a zeroed one */

typedef struct scry_text_pass scry_text_pass;

/* `reader` and `options` are borrowed. Nothing is opened before there is a picture to read. */
scry_text_pass *scry_text_pass_new(const scry_text_reader *reader, const scry_text_options *options);
void scry_text_pass_free(scry_text_pass *p);

/* Read up to `most` contents after those of the call before. *texts [*n], borrowed until the next call, are to be put, also after
 * an error. A run that is cancelled returns 0 with what was read until then. */
int scry_text_pass_read(scry_text_pass *p, scry_store *store, size_t most, const scry_picture_text **texts, size_t *n,
                        scry_error *err) SCRY_NODISCARD;

bool scry_text_pass_done(const scry_text_pass *p);    /* the last call found no more, or the run was cancelled */
void scry_text_pass_again(scry_text_pass *p);         /* from the first content on, with counts from 0 */

/* scry_text_run with this reader. */
int scry_text_pass_run(scry_store *store, const scry_text_reader *reader, const scry_text_options *options,
                       scry_text_progress *total, scry_error *err) SCRY_NODISCARD;

#endif
