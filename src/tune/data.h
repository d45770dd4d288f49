/* data.h - what is trained with: pictures and texts that belong together, a part of them held out, and how well those are found. */
#ifndef SCRY_TUNE_DATA_H
#define SCRY_TUNE_DATA_H

#include "engine/eval_set.h"
#include "model/checkpoint.h"
#include "tune/tune.h"

/* A text and a picture that belong together. */
typedef struct tune_pair {
    uint32_t text, picture;
} tune_pair;

typedef struct tune_data {
    const scry_tune_options *o;
    scry_tune_report *report;
    scry_eval_set *set;
    scry_model *model;                /* of pictures */
    scry_model *raw;                  /* of texts: without taught names, which are not the model's */
    scry_checkpoint checkpoint;
    size_t dim;
    size_t picture_count, text_count;
    bool *held;                       /* [pictures] held out */
    float *pictures;                  /* [pictures, dim] of the original, unit; NaN: could not be read */
    const char *const *texts;         /* [texts] */
    uint32_t *text_number;            /* [texts] equal for equal texts */
    tune_pair *train, *dev;
    size_t train_count, dev_count;
    char **label_texts;               /* labelled: [labels] */
} tune_data;

/* Open the model, read the table. What was opened is closed after a failure, too. */
int tune_data_open(tune_data *d, const scry_tune_options *o, scry_tune_report *report, scry_error *err) SCRY_NODISCARD;
void tune_data_close(tune_data *d);

/* Report the `failures` of embedding the pictures; SCRY_EINVALID when all of them failed. */
int tune_data_check_pictures(const tune_data *d, size_t failures, scry_error *err) SCRY_NODISCARD;

/* Which pictures are held out, and the pairs, once `pictures` is filled in. */
int tune_data_pair(tune_data *d, scry_error *err) SCRY_NODISCARD;

/* Recall on the held-out pairs with the unit vectors of all texts, and of pictures (those that are held out are read). */
double tune_data_recall(const tune_data *d, const float *texts, const float *pictures);

#endif
