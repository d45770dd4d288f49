/* tune.h - training the last layer of a model's texts on the user's pictures; the plugin that `scry tune` loads.
 *
 * The towers and the pictures' side stay as they are. An adapter B is trained on the vectors that the texts' side
 * outputs, y = B t, one for each branch of its head (adapter.h), and multiplied into the head's last matrix at the end:
 * B (W x + b) = (B W) x + (B b). So the result is a checkpoint in the family's own layout. Of a model with a text map
 * (model/text_map.h) B is multiplied into the map, and the model's identity stays: its collections are those of the result, too.
 */
#ifndef SCRY_TUNE_H
#define SCRY_TUNE_H

#include "scry/cancel.h"
#include "scry/error.h"
#include "scry/eval.h"
#include "scry/model.h"

#define SCRY_TUNE_RECORD "scry_tune.json"

typedef struct scry_tune_options {
    const char *model_dir, *out;    /* the model, and a folder that is made */
    scry_eval_set_options set;      /* pictures with captions or labels */
    const char *label_template;     /* with {}; NULL: SCRY_LABEL_TEMPLATE */
    int epochs;
    double keep;                    /* share of the original weights; NAN: chosen on the held-out part */
    scry_embed_options embed;
    void (*progress)(void *arg, int epoch, int epochs, double loss, double recall, double seconds_left);
    void *arg;
} scry_tune_options;

typedef struct scry_tune_report {
    size_t pictures, texts, held_out;    /* pairs that were trained with: their pictures and texts; held-out pictures */
    double before, after;                /* recall on the held-out part: see scry_tune_run */
    double keep;                         /* share of the original weights in the result */
    int epochs;                          /* that were run */
    bool stopped;                        /* by the cancel flag */
    bool diverged;                       /* the loss became infinite or no number: the best state before that was taken */
    bool same_pictures;                  /* collections of the original are searched with the result as they are */
    bool saved;                          /* false: nothing was gained, and no folder was made */
} scry_tune_report;

/* Train and write. A tenth of the pictures, by the hash of their bytes, is held out. Recall is, of labels, the share of held-out
 * pictures whose own label is the nearest; of captions, that of held-out captions whose picture is among the first ten.
 * The folder appears complete or not at all. */
typedef int scry_tune_fn(const scry_tune_options *options, scry_tune_report *report, scry_error *err);
scry_tune_fn scry_tune_run;

#endif
