/* eval_set.h - inside of scry_eval_set, for the evaluation. */
#ifndef SCRY_ENGINE_EVAL_SET_H
#define SCRY_ENGINE_EVAL_SET_H

#include "engine/names.h"
#include "scry/eval.h"

struct scry_eval_set {
    bool labelled;
    scry_names files;        /* as the table names them */
    char **paths;            /* [files.count]: where they are */
    scry_names labels;       /* labelled: the distinct ones */
    uint32_t *label_of;      /* labelled: [files.count] */
    char **captions;         /* otherwise: [caption_count] */
    uint32_t *caption_of;    /* otherwise: [caption_count] the picture it belongs to */
    size_t caption_count, caption_capacity, label_capacity;
};

#endif
