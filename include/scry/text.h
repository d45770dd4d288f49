/* text.h - read the text in the pictures of a store, so that searches by words find it.
 *
 *     scry_text_options o = SCRY_TEXT_OPTIONS_INIT;
 *     scry_text_progress total;
 *     scry_text_run(store, &o, &total, &err);        // after scry_index_run, which it never delays
 *
 * Each content is read once; what cannot be read is remembered with its reason. A run that is stopped goes on where it ended.
 */
#ifndef SCRY_TEXT_H
#define SCRY_TEXT_H

#include "scry/cancel.h"
#include "scry/error.h"
#include "scry/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct scry_text_progress {
    uint64_t pictures;    /* to be read: the different pictures that nobody has read when the run began */
    uint64_t read;        /* of them, those that were; */
    uint64_t with_text;   /* of these, those with text */
    uint64_t failed;      /* could not be read, which is remembered */
    uint64_t missing;     /* no file of them is there now as it was indexed: they stay unread */
    double elapsed_ms;
} scry_text_progress;

typedef struct scry_text_options {
    const char *reader;             /* folder of the reader's weights; NULL: models/words of the installation */
    bool retry;                     /* also what could not be read before */
    size_t decoder_memory_bytes;    /* limit of each decoder process; 0: as in scry_index_options */
    int time_limit_ms;              /* for decoding a picture; 0: default */
    int workers;                    /* 0: one for each processor */
    void (*progress)(void *arg, const scry_text_progress *p);   /* on the calling thread, after pictures; may be NULL */
    void *arg;
    const scry_cancel *cancel;      /* non-zero: store what was read, return SCRY_ECANCELLED; may be NULL */
} scry_text_options;

#define SCRY_TEXT_OPTIONS_INIT SCRY_ZERO_INIT

/* Whether there is a reader: 0, or SCRY_ENOTFOUND with what is missing. `folder` as in the options. */
int scry_text_reader_check(const char *folder, scry_error *err) SCRY_NODISCARD;

/* Read what was not read yet. `options` may be NULL; `total` (may be NULL) gets the counts in any case. SCRY_ENOTFOUND without a
 * reader, SCRY_EINVALID for a store that keeps no texts, or was opened for reading. */
int scry_text_run(scry_store *store, const scry_text_options *options, scry_text_progress *total, scry_error *err) SCRY_NODISCARD;

#ifdef __cplusplus
}
#endif

#endif
