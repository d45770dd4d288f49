/* tune.h - training a model on the user's pictures; the plugin that `scry tune` loads.
 *
 * Depth 0, heads: the towers and the pictures' side stay as they are. An adapter B is trained on the vectors that the texts' side
 * outputs, y = B t, one for each branch of its head (adapter.h), and multiplied into the head's last matrix at the end:
 * B (W x + b) = (B W) x + (B b). So the result is a checkpoint in the family's own layout. Of a model with a text map
 * (model/text_map.h) B is multiplied into the map, and the model's identity stays: its collections are those of the result, too.
 *
 * Depth N: the last N blocks of the transformers and what follows them are trained by backpropagation (part.h, deep.h); what
 * comes before the blocks (tables of tokens, patches, positions) stays, also with all of them. Such a model's pictures have to be
 * embedded again.
 */
#ifndef SCRY_TUNE_H
#define SCRY_TUNE_H

#include "scry/cancel.h"
#include "scry/error.h"
#include "scry/eval.h"
#include "scry/model.h"

#define SCRY_TUNE_RECORD "scry_tune.json"

enum { SCRY_TUNE_FULL = 512 };      /* as many blocks as any tower has */

typedef enum { SCRY_TUNE_BOTH, SCRY_TUNE_PICTURES, SCRY_TUNE_TEXTS } scry_tune_side;

typedef struct scry_tune_options {
    const char *model_dir, *out;    /* the model, and a folder that is made */
    scry_eval_set_options set;      /* pictures with captions or labels */
    const char *label_template;     /* with {}; NULL: SCRY_LABEL_TEMPLATE */
    int depth;                      /* blocks of each tower that are trained; 0: heads; SCRY_TUNE_FULL: all */
    scry_tune_side side;            /* of which towers; not looked at with heads */
    double rate;                    /* highest rate of learning; NAN: 1e-3 for heads, 2e-5 for blocks */
    int epochs;
    double keep;                    /* share of the original weights; NAN: chosen on the held-out part */
    scry_embed_options embed;
    void (*progress)(void *arg, int epoch, int epochs, double loss, double recall, double seconds_left);
    void *arg;
} scry_tune_options;

typedef struct scry_tune_report {
    size_t pictures, texts, held_out;    /* pictures that could be read, texts, and the pairs of both that were held out */
    size_t skipped;                      /* pictures that could not be read */
    double before, after;                /* recall on the held-out part: see scry_tune_run */
    double keep;                         /* share of the original weights in the result */
    int epochs;                          /* that were run */
    bool stopped;                        /* by the cancel flag */
    bool diverged;                       /* the loss became infinite or no number: the best state before that was taken */
    bool same_pictures;                  /* collections of the original are searched with the result as they are */
    int resumed;                         /* epochs that an earlier, interrupted run had done; 0: none */
    bool state_lost;                     /* what a later run would go on from could not be written */
    bool pictures_changed;               /* the tower of pictures was trained */
    bool saved;                          /* false: nothing was gained, and no folder was made */
    bool state_left;                     /* after a failure: OUT.state is there, from which the same run goes on */
} scry_tune_report;

/* Train and write. A fifth of the pictures, by the hash of their bytes, is held out. Recall is, of labels, the share of held-out
 * pictures whose own label is the nearest; of captions, that of held-out captions whose picture is among the first ten.
 * The folder appears complete or not at all. A run that is stopped, or that cannot write the folder, leaves OUT.state, from which
 * the same run goes on; the folder that it wrote, if any, is replaced then. */
typedef int scry_tune_fn(const scry_tune_options *options, scry_tune_report *report, scry_error *err);
scry_tune_fn scry_tune_run;

#endif
