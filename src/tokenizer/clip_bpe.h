/* clip_bpe.h - CLIP's tokenizer; clip_bpe_load.c loads it, clip_bpe.c encodes. */
#ifndef SCRY_TOKENIZER_CLIP_BPE_H
#define SCRY_TOKENIZER_CLIP_BPE_H

#include "tokenizer/bpe.h"
#include "tokenizer/tokenizer_internal.h"

enum { SCRY_CLIP_SPECIAL_RUNES = 16 };

/* A special token as code points, which the expression for words matches. */
typedef struct scry_clip_special {
    uint32_t runes[SCRY_CLIP_SPECIAL_RUNES];
    size_t n;
    int32_t id;
} scry_clip_special;

typedef struct scry_clip_bpe {
    scry_bpe bpe;
    scry_tokenizer_dialect dialect;
    scry_clip_special special[2];   /* start, end */
} scry_clip_bpe;

/* A tokenizer while it is loaded. */
typedef struct scry_clip_loading {
    scry_tokenizer *t;
    scry_clip_bpe *m;
    scry_pieces pieces;
    const char *dir;           /* NULL: scry's own vocabulary */
    const scry_tokfile *f;     /* NULL: no tokenizer.json */
    const char *path;          /* of the vocabulary, for messages */
    scry_error *err;
} scry_clip_loading;

/* Find the start, end and unknown tokens and the added tokens: in the folder's
 * tokenizer_config.json and special_tokens_map.json, as transformers does, else in its
 * tokenizer.json, else CLIP's own. clip_bpe_special.c. */
int scry_clip_specials(scry_clip_loading *l) SCRY_NODISCARD;

/* scry_tokenizer.encode of this kind: t->model is a scry_clip_bpe. */
int scry_tok_clip_encode(const scry_tokenizer *t, const char *text, size_t n, scry_ids *out,
                         scry_error *err) SCRY_NODISCARD;

#endif
