/* model_internal.h - what model.c (opening) and session.c (running) share, and the hook
 * through which tests read hidden states. */
#ifndef SCRY_MODEL_INTERNAL_H
#define SCRY_MODEL_INTERNAL_H

#include "base/sha256.h"
#include "model/checkpoint.h"
#include "model/identity.h"
#include "model/text_map.h"
#include "tokenizer/tokenizer.h"
#include "model/names.h"
#include "model/tower.h"

#include <pthread.h>
#include <stdatomic.h>

struct scry_model {
    scry_model_info info;
    bool raw;                /* vectors are not normalised */
    scry_checkpoint pictures, paired; /* `paired` is empty but in a pair: pair.h */
    const scry_checkpoint *texts;     /* one of them */
    scry_tokenizer *tokenizer;
    scry_text_map *map;               /* of text vectors; NULL: none */
    pthread_mutex_t names_lock;       /* guards the next three */
    scry_names *names;                /* NULL: none were taught, or vectors are raw */
    int64_t names_state[5];           /* of their file: device, inode, size, times; zeros: there is none */
    char names_digest[2 * SCRY_SHA256_BYTES + 1];   /* "": no names */
    scry_names *first_names;          /* that info has */
    const scry_kernels *kernels;
    scry_mode mode;
    scry_scratch_need need;           /* of both towers */
    pthread_mutex_t lock;             /* building and packing a tower */
    _Atomic(scry_image_tower *) image;   /* NULL until first needed */
    _Atomic(scry_text_tower *) text;
    atomic_uint text_runs;            /* passes through the text tower so far */
    char identity[SCRY_IDENTITY_CHARS + 1], text_identity[SCRY_IDENTITY_CHARS + 1];   /* the second for info */
    char nameless_identity[SCRY_IDENTITY_CHARS + 1];   /* of texts, without taught names */
    char *name, *dir, *family, *text_summary, *image_summary, *preprocessing;   /* owned, for info */
};

/* The tower, built by the first caller; `team` helps to pack it. */
int scry_model_image_tower(const scry_model *m, scry_team *team, const scry_image_tower **out,
                           scry_error *err) SCRY_NODISCARD;

/* The same; `tokens` is the size of the pass that it is for: see text_worth_packing. */
int scry_model_text_tower(const scry_model *m, scry_team *team, size_t tokens,
                          const scry_text_tower **out, scry_error *err) SCRY_NODISCARD;

/* Into how many pieces the tokenizer cuts the word (from some on no more are counted): frequent words are one, and so is what was
 * taught; misspelled words are many. */
int scry_model_pieces(const scry_model *m, const char *word, size_t n);

/* Report the hidden states of this session's computations to `tracer`, until changed again. */
void scry_session_set_tracer(scry_session *s, scry_tracer tracer);

/* The ids of a text as the text tower reads them to `ids` [context], without those that do not affect the result; returns
 * their number, at least 1. `pool` is the token that is read. */
int scry_model_encode(const scry_model *m, const char *text, int32_t *ids, size_t *pool, scry_error *err) SCRY_NODISCARD;

/* Token ids instead of texts: `starts` is [n + 1]. Traced, every text has all of its rows, in the order given. For training and
 * for tests against the references. */
int scry_session_embed_ids(scry_session *s, const int32_t *ids, const size_t *starts, size_t n,
                           float *out, scry_error *err) SCRY_NODISCARD;

#endif
