/* score_threshold.h - the inside of scry_threshold (score.h): made from memory or read from a model's folder. */
#ifndef SCRY_ENGINE_SCORE_THRESHOLD_H
#define SCRY_ENGINE_SCORE_THRESHOLD_H

#include "base/buf.h"
#include "scry/score.h"

#include <stdint.h>

struct scry_threshold {
    size_t n, dim;
    float *rows;       /* [n, dim] */
    double margin;     /* of the threshold */
    double best;       /* of the lowest best score; NAN: no result is called a best one */
    double strange;    /* a word whose letters are less probable (natural logarithm, mean) and not in `words` is none */
    size_t subjects, rank;   /* 0: none are known */
    float *subject_rows;     /* [subjects, dim] texts that name them */
    double fits;       /* the lowest score of a best one less a picture's score for the subject at `rank` of its own ranking */
    uint8_t *words;    /* owned: Bloom filter of the real words of which that is true; NULL: words are not judged */
    size_t word_bytes;
};

/* All zero rows; without best ones and words. */
scry_threshold *threshold_new(size_t n, size_t dim, double margin);

/* scry_threshold_at and scry_threshold_best_at at the cost of one. */
void threshold_borders(const scry_threshold *t, const float *query, double *maybe, double *best);

/* From which score on a text that finds `picture` [dim] first has best results: what the subject at `rank` of the picture's own
 * ranking scores, with a margin. NAN where no subjects are known. */
double threshold_best_of(const scry_threshold *t, const float *picture);

/* `dir`/line.safetensors, whose rows have `dim` numbers; *out is NULL when there is no such file. */
int threshold_read(scry_threshold **out, const char *dir, size_t dim, scry_error *err) SCRY_NODISCARD;

/* The lines of models/background-texts.txt without the comments: *out is owned by the caller, `text` owns the lines. */
int scry_background_texts(char ***out, size_t *count, scry_buf *text, scry_error *err) SCRY_NODISCARD;

/* The bundled background texts through the model: [*m, dim], owned by the caller. Cached. `options` may be NULL. In score.c. */
int scry_score_text_vectors(float **out, size_t *m, const scry_model *model, const scry_long_options *options,
                            scry_error *err) SCRY_NODISCARD;

/* A sample of the vectors of a store that has `files` files, the same on every run: [*n, dim], owned by the caller, NULL
 * after a failure. SCRY_ENOTFOUND for a store of fewer than 20. */
int score_picture_vectors(float **out, size_t *n, scry_store *store, uint64_t files, size_t dim, scry_error *err) SCRY_NODISCARD;

#endif
