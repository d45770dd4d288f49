/* tok_clip.h - CLIP's tokenizer once loaded; tok_clip_load.c fills it in, tok_clip.c uses it. */
#ifndef SCRY_MODEL_TOK_CLIP_H
#define SCRY_MODEL_TOK_CLIP_H

#include "model/tok_bpe.h"
#include "model/tok_internal.h"

enum { SCRY_CLIP_SPECIAL_RUNES = 16 };

/* A special token as the expression for words knows it. */
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

/* Find start and end, the added tokens, and what stands for unknown bytes: in `dir`'s
 * tokenizer_config.json and special_tokens_map.json, as transformers does, else in `f`, else
 * CLIP's own. `dir` is NULL for scry's own vocabulary, `f` without tokenizer.json; `path`
 * names the vocabulary in messages. tok_clip_special.c. */
int scry_clip_specials(scry_tokenizer *t, scry_clip_bpe *m, const scry_pieces *pieces, const char *dir,
                       const scry_tokfile *f, const char *path, scry_error *err) SCRY_NODISCARD;

/* The `encode` of the shell: t->model is a scry_clip_bpe. */
int scry_tok_clip_encode(const scry_tokenizer *t, const char *text, size_t n, scry_ids *out,
                         scry_error *err) SCRY_NODISCARD;

#endif
