/* eval.h - retrieval quality of a model, measured on pictures with captions or labels.
 *
 *     scry_eval_set_options where = { .table = "captions.tsv" };
 *     scry_eval_set_read(&set, &where, &err);
 *     scry_eval_run(model, set, &options, &report, &err);
 *     for (size_t i = 0; i < report.count; i++)
 *         printf("%s %.3f\n", report.figures[i].title, report.figures[i].value);
 *
 * The whole pipeline is measured: decoder processes, towers, exact ranking. docs/eval.md has
 * the formula of every figure.
 */
#ifndef SCRY_EVAL_H
#define SCRY_EVAL_H

#include "scry/embed.h"
#include "scry/error.h"
#include "scry/model.h"
#include "scry/store.h"

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct scry_eval_set scry_eval_set;

/* A table with a header line, comma- or tab-separated. Where no column is given, the first
 * of the usual names that the table has is used. */
typedef struct scry_eval_set_options {
    const char *table;           /* file */
    bool labels;                 /* the texts are class names, not captions */
    const char *pictures;        /* folder of the pictures; NULL: the table's, or img/ or images/ in it */
    const char *file_column;     /* file, path, filename, image */
    const char *text_column;     /* caption, text, caption_en, ...; label, class, category, text */
    const char *where;           /* "COLUMN=VALUE": only such rows; NULL: all */
    size_t limit;                /* a sample of so many pictures, the same on every run; 0: all */
} scry_eval_set_options;

/* Captions: every row is one question, its picture the right answer; a row with an empty text only
 * adds its picture. Labels: one class for each picture. */
int scry_eval_set_read(scry_eval_set **out, const scry_eval_set_options *options,
                       scry_error *err) SCRY_NODISCARD;
void scry_eval_set_free(scry_eval_set *set);
size_t scry_eval_set_pictures(const scry_eval_set *set);
size_t scry_eval_set_texts(const scry_eval_set *set);   /* captions, or distinct labels */

typedef struct scry_eval_options {
    bool euclidean;                /* rank by distance (for vectors that are not normalised) */
    int project;                   /* random projection to this many dimensions; 0: none */
    bool picture_to_text;          /* captions: also rank the captions for each picture */
    const char *const *templates;  /* of labels, with {}; none: SCRY_LABEL_TEMPLATE */
    size_t template_count;
    /* Take the pictures' vectors from this collection, of the same model, instead of embedding the pictures; those that it
     * does not have are skipped. NULL: embed them. */
    scry_store *store;
    scry_embed_options embed;      /* its `cancel` stops the ranking, too */
    /* How many of all questions are ranked, after the embedding: called by any worker, one call at a time, with embed.arg; may be
     * NULL. */
    void (*ranked)(void *arg, size_t done, size_t total);
} scry_eval_options;

#define SCRY_LABEL_TEMPLATE "a photo of a {}"
#define SCRY_EVAL_OPTIONS_INIT SCRY_ZERO_INIT

typedef enum { SCRY_FIGURE_RATE, SCRY_FIGURE_RANK, SCRY_FIGURE_SCORE, SCRY_FIGURE_SPEED } scry_figure_kind;

typedef struct scry_eval_figure {
    const char *key;         /* "recall_at_1": for JSON and TSV */
    const char *title;       /* "R@1": for tables */
    scry_figure_kind kind;   /* RATE: a share of 1 */
    double value, low, high; /* 95 % interval; NAN when there is none */
} scry_eval_figure;

enum { SCRY_MAX_FIGURES = 24 };

typedef struct scry_eval_report {
    size_t pictures, texts;  /* that were evaluated */
    size_t skipped;          /* pictures that could not be read, left out with their texts */
    int dim;                 /* after a projection */
    size_t count;
    scry_eval_figure figures[SCRY_MAX_FIGURES];
} scry_eval_report;

int scry_eval_run(const scry_model *model, const scry_eval_set *set, const scry_eval_options *options,
                  scry_eval_report *out, scry_error *err) SCRY_NODISCARD;

/* ---- zero-shot classes ---- */

/* The vectors of labels, each inserted into each template at "{}" (a template without one is SCRY_EINVALID);
 * `out` [n, dim] is the unit mean over the templates. */
int scry_embed_labels(const scry_model *model, const char *const *labels, size_t n,
                      const char *const *templates, size_t template_count,
                      const scry_embed_options *options, float *out, scry_error *err) SCRY_NODISCARD;

/* Probabilities of the labels for one picture, as the model was trained: a softmax, or where it has a logit_bias
 * sigmoids, which do not add up to 1. `picture` is [dim], `labels` [n, dim], `out` [n]. */
void scry_label_probabilities(double *out, const scry_model_info *model, const float *picture, const float *labels,
                              size_t n);

/* The softmax alone: softmax(scale * cosine). `out` is [n]. */
void scry_classify(double *out, const float *picture, const float *labels, size_t n, size_t dim,
                   double logit_scale);

#ifdef __cplusplus
}
#endif
#endif
