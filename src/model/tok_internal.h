/* tok_internal.h - what the tokenizers share: the common shell, the files, the ids.
 *
 * tokenizer.c opens a folder, finds out the kind and hands over to one of
 *     tok_clip.c       byte-pair encoding (tok_bpe.c), rules of Hugging Face or open_clip
 *     tok_wordpiece.c  BERT
 *     tok_unigram.c    SentencePiece as XLM-R uses it (tok_charsmap.c)
 * which fill in the shell below. All of it is immutable once open.
 */
#ifndef SCRY_MODEL_TOK_INTERNAL_H
#define SCRY_MODEL_TOK_INTERNAL_H

#include "base/file.h"
#include "base/json.h"
#include "base/utf8.h"
#include "model/tok_json.h"
#include "model/tok_pieces.h"
#include "model/tokenizer.h"

/* Where ids go. A full one ends the work: nothing behind it can change what is in it. */
typedef struct scry_ids {
    int32_t *at;
    size_t n, capacity;
    bool cut;          /* an id had no room */
} scry_ids;

bool scry_ids_push(scry_ids *ids, int32_t id);   /* false when there was no room */

/* A token that is found in the text before anything else is done to it. */
typedef struct scry_added_token {
    char *text;        /* owned */
    size_t n;
    int32_t id;
    bool lstrip, rstrip;   /* swallows the white space before, behind */
    bool normalized;       /* looked for in the normalised text, not in the raw one */
} scry_added_token;

enum { SCRY_MAX_ADDED = 512 };

typedef struct scry_added {
    scry_added_token *at;   /* owned */
    size_t n;
    bool first_byte[256];   /* of the texts: what cannot start one is passed quickly */
    bool any_normalized;
} scry_added;

/* Cut text[0..n) at the added tokens of the raw or of the normalised kind: `part` gets
 * what lies between them, the ids of the tokens go to `out`. Of tokens at one place the
 * longest counts. Stops when `out` is full or `part` returns a negative code. */
typedef int scry_added_part(void *work, const char *text, size_t n);

int scry_added_walk(const scry_added *a, bool normalized, const char *text, size_t n, scry_ids *out,
                    scry_added_part *part, void *work) SCRY_NODISCARD;

struct scry_tokenizer {
    int (*encode)(const scry_tokenizer *t, const char *text, size_t n, scry_ids *out, scry_error *err);
    void (*release)(void *model);
    void *model;            /* owned, of the kind */
    scry_added added;
    int32_t start_id;       /* -1: the kind has none */
    int32_t end_id;
    size_t vocab_size;
    char *summary;          /* owned */
    const char *files[6];   /* NULL-terminated, string literals */
};

/* tokenizer.json, mapped, its small parts as JSON trees. */
typedef struct scry_tokfile {
    char *path;             /* owned */
    scry_map map;
    scry_json *added_tokens, *normalizer, *pre_tokenizer, *post_processor;   /* owned; NULL if absent */
    scry_json *model;       /* its members but for vocab and merges */
    scry_pieces pieces;     /* the vocab, not yet indexed; a model takes it over */
    bool scored;            /* it is a list of pieces and scores, not an object of ids */
    scry_slice merges;      /* as written; NULL if absent */
} scry_tokfile;

/* SCRY_ENOTFOUND when `dir` has no tokenizer.json. */
int scry_tokfile_open(scry_tokfile *f, const char *dir, scry_error *err) SCRY_NODISCARD;
void scry_tokfile_close(scry_tokfile *f);

/* "BPE", "WordPiece" or "Unigram"; guessed from its members where the file does not say. */
const char *scry_tokfile_type(const scry_tokfile *f);

/* Take over added_tokens into `t`, and start and end from the post-processor. */
int scry_tokfile_added(const scry_tokfile *f, scry_tokenizer *t, scry_error *err) SCRY_NODISCARD;
int scry_tokfile_ends(const scry_tokfile *f, scry_tokenizer *t, scry_error *err) SCRY_NODISCARD;

/* Read a vocabulary at the cursor, {"piece": id, ...} or [["piece", score], ...] with the
 * place as id, without indexing it. */
int scry_tokfile_vocab(scry_pieces *pieces, scry_cursor *c, scry_error *err) SCRY_NODISCARD;

/* The file's pieces, moved to `to` and indexed; SCRY_EINVALID when it has none or when they
 * have scores and should not, or the other way round. */
int scry_tokfile_take_pieces(scry_tokfile *f, scry_pieces *to, bool scored, scry_error *err) SCRY_NODISCARD;

int scry_added_put(scry_added *a, scry_added_token token, const char *path, scry_error *err)
    SCRY_NODISCARD;   /* takes token.text, also on failure */
void scry_added_dispose(scry_added *a);

/* End of the part of text[0..n) that may be worked on by itself: long texts are cut
 * before a space that follows something else, so that work ends with the capacity. No
 * rule of ours looks across such a space. */
size_t scry_tok_chunk(const char *text, size_t n);

/* The kinds. `f` is NULL when the folder has the older separate files. */
int scry_tok_clip_open(scry_tokenizer *t, const char *dir, scry_tokfile *f,
                       scry_tokenizer_dialect dialect, scry_error *err) SCRY_NODISCARD;
int scry_tok_wordpiece_open(scry_tokenizer *t, const char *dir, scry_tokfile *f,
                            scry_error *err) SCRY_NODISCARD;
int scry_tok_unigram_open(scry_tokenizer *t, scry_tokfile *f, scry_error *err) SCRY_NODISCARD;

#endif
