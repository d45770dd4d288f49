/* normalizer.h - the normaliser of a tokenizer.json, for unigram models: a list of steps. */
#ifndef SCRY_TOKENIZER_NORMALIZER_H
#define SCRY_TOKENIZER_NORMALIZER_H

#include "tokenizer/charsmap.h"
#include "tokenizer/tokenizer_internal.h"

enum { SCRY_MAX_NORMAL_STEPS = 16 };

typedef struct scry_normal_step {
    enum {
        SCRY_NORMAL_NFC, SCRY_NORMAL_NFD, SCRY_NORMAL_NFKC, SCRY_NORMAL_NFKD, SCRY_NORMAL_LOWERCASE,
        SCRY_NORMAL_CHARSMAP, SCRY_NORMAL_REPLACE_TEXT, SCRY_NORMAL_REPLACE_SPACES, SCRY_NORMAL_STRIP
    } kind;
    scry_runes from, to;     /* owned: what is replaced by what */
    size_t min_spaces;       /* REPLACE_SPACES: runs of so many or more */
    bool any_white_space;    /* of White_Space, not of U+0020 alone */
    bool left, right;        /* STRIP: white space at these ends */
} scry_normal_step;

typedef struct scry_normal {
    scry_normal_step steps[SCRY_MAX_NORMAL_STEPS];
    size_t n;
    bool strips_left;        /* only a whole text may be normalised, no later part of one */
    scry_charsmap charsmap;
} scry_normal;

/* An unknown step is refused by its name. NULL or null JSON: no steps. */
int scry_normal_open(scry_normal *m, const scry_json *normalizer, const char *path, scry_error *err)
    SCRY_NODISCARD;
void scry_normal_dispose(scry_normal *m);

void scry_normal_apply(const scry_normal *m, scry_runes *r);   /* in place; r->failed */

#endif
