/* embed_states.h - scry_embed_files with the hidden states of the pictures: what training begins with. */
#ifndef SCRY_ENGINE_EMBED_STATES_H
#define SCRY_ENGINE_EMBED_STATES_H

#include "scry/embed.h"

typedef struct embed_states {
    const char *name;    /* of the state: "image.9", "image.embeddings" (model/trace.h) */
    size_t rows;         /* that a picture has in it */
    /* The state [rows, width] of picture `item`, borrowed; called by several threads at once. */
    void (*fn)(void *arg, size_t item, const float *x, size_t width);
    void *arg;
    float *vectors;      /* [n, dim], as scry_embed_files fills them in */
    size_t failures;     /* out */
} embed_states;

int scry_embed_files_states(const scry_model *model, const char *const *paths, size_t n, const scry_embed_options *options,
                            embed_states *states, scry_error *err) SCRY_NODISCARD;

#endif
