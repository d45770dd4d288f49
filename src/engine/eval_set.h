/* eval_set.h - the inside of scry_eval_set, for eval.c. */
#ifndef SCRY_ENGINE_EVAL_SET_H
#define SCRY_ENGINE_EVAL_SET_H

#include "base/table.h"
#include "scry/eval.h"

struct scry_eval_set {
    bool labelled;
    scry_table files;        /* as the table names them */
    char **paths;            /* [files.count]: where they are */
    scry_table labels;       /* labelled: the distinct ones */
    uint32_t *label_of;      /* labelled: [files.count] */
    char **captions;         /* otherwise: [caption_count] */
    uint32_t *caption_of;    /* otherwise: [caption_count] the picture it belongs to */
    size_t caption_count, caption_capacity, label_capacity;
};

/* The vectors of the set's pictures from a collection: `rows` is [pictures, dim of the store], NaN for files that it does
 * not have, of which o->failed is told; *missing is their number. */
int eval_stored_vectors(scry_store *store, const scry_eval_set *set, const scry_embed_options *o, float *rows, size_t *missing,
                        scry_error *err) SCRY_NODISCARD;

#endif
