/* tokenizer_internal.h - what the tokenizers share: struct scry_tokenizer, the files, the ids.
 *
 * tokenizer.c opens a folder, determines the kind and calls one of
 *     clip_bpe.c      byte-pair encoding (bpe.c), rules of Hugging Face or open_clip
 *     sentence_bpe.c  SentencePiece's byte-pair encoding (bpe.c): Gemma, NLLB
 *     wordpiece.c     BERT
 *     unigram.c       SentencePiece's unigram as XLM-R uses it (charsmap.c)
 * which fill in struct scry_tokenizer. All of it is immutable once open.
 */
#ifndef SCRY_TOKENIZER_TOKENIZER_INTERNAL_H
#define SCRY_TOKENIZER_TOKENIZER_INTERNAL_H

#include "base/file.h"
#include "base/json.h"
#include "base/utf8.h"
#include "tokenizer/json_cursor.h"
#include "tokenizer/pieces.h"
#include "tokenizer/tokenizer.h"

typedef struct scry_tables scry_tables;   /* tables.h */
typedef struct scry_bpe scry_bpe;         /* bpe.h */

/* The output. Encoding stops when it is full: later text does not affect the ids before. */
typedef struct scry_ids {
    int32_t *at;
    size_t n, capacity;
    bool cut;          /* an id did not fit */
} scry_ids;

bool scry_ids_push(scry_ids *ids, int32_t id);   /* false when there was no room */

/* A token that is searched for in the text before it is tokenized. */
typedef struct scry_added_token {
    char *text;        /* owned */
    size_t n;
    int32_t id;
    bool lstrip, rstrip;   /* includes the white space before, after it */
    bool normalized;       /* searched for in the normalised text, not in the raw one */
} scry_added_token;

enum { SCRY_MAX_ADDED = 512 };

typedef struct scry_added {
    scry_added_token *at;   /* owned */
    size_t n;
    bool first_byte[256];   /* of the texts: used to skip characters that start none */
    bool any_normalized;
} scry_added;

/* Split text[0..n) at the added tokens of the raw or of the normalised kind: `part` is
 * called with the text between them, their ids go to `out`. At equal positions the longest
 * token is taken. Stops when `out` is full or `part` returns a negative code. */
typedef int scry_added_part(void *work, const char *text, size_t n);

int scry_added_walk(const scry_added *a, bool normalized, const char *text, size_t n, scry_ids *out,
                    scry_added_part *part, void *work) SCRY_NODISCARD;

/* Append text[0..n), valid UTF-8, cleaned, to `out`. */
typedef void scry_text_cleaner(const char *text, size_t n, scry_buf *out);

scry_text_cleaner scry_text_lower;       /* lower case, as Python's str.lower */
scry_text_cleaner scry_text_canonical;   /* and without ASCII punctuation, white space as single spaces */

/* open_clip's, each after ftfy. */
scry_text_cleaner scry_text_fixed_spaces;      /* white space as single spaces */
scry_text_cleaner scry_text_fixed_lower;       /* and lower case */
scry_text_cleaner scry_text_fixed_canonical;   /* and without ASCII punctuation, underscores as spaces */

struct scry_tokenizer {
    int (*encode)(const scry_tokenizer *t, const char *text, size_t n, scry_ids *out, scry_error *err);
    double (*log_probability)(const scry_tokenizer *t, const char *text, size_t n);   /* NULL: the kind has none */
    void (*release)(void *model);
    void *model;            /* owned, of the kind */
    scry_added added;
    int32_t start_id;       /* -1: the kind has none */
    bool has_languages;     /* a text starts with the code of its language, or else of start_id */
    bool guesses_language;
    int32_t end_id;
    int32_t pad_id;         /* -1: not known, not needed */
    int32_t unknown_id;     /* of characters without a piece; -1: the kind has pieces for every byte */
    const char *usual_padding;  /* the padding token where tokenizer_config.json names none; NULL: it must */
    bool pieces_are_scored; /* unigram */
    scry_text_cleaner *clean;   /* applied to a text first; NULL: nothing */
    size_t vocab_size;
    char *summary;          /* owned */
    scry_tables *tables;    /* owned: cached ones that `model` uses, or NULL */
    scry_json *settings;    /* owned, while it is opened: scry_tok_settings */
    const char *files[6];   /* NULL-terminated, string literals */
};

/* tokenizer_config.json of the folder, parsed once while a tokenizer is opened; *out is t's, NULL where there is none. */
int scry_tok_settings(scry_tokenizer *t, const char *dir, const scry_json **out, scry_error *err) SCRY_NODISCARD;

enum { SCRY_TOKFILE_PARTS = 5 };   /* added_tokens, normalizer, pre_tokenizer, post_processor, model */

/* What tells whether a file is still the same. */
typedef struct scry_tables_stamp {
    uint64_t size, seconds, nanoseconds, inode, device;
} scry_tables_stamp;

scry_tables_stamp scry_tables_look(const char *path);

/* tokenizer.json, its small parts as JSON trees. */
typedef struct scry_tokfile {
    char *path;             /* owned */
    scry_tables *tables;    /* owned: its tables as they were cached, in which case it is not read itself */
    scry_map map;
    scry_tables_stamp stamp;   /* from before it was mapped */
    scry_slice part[SCRY_TOKFILE_PARTS];
    scry_buf small_model;   /* where the last part lies */
    scry_json *added_tokens, *normalizer, *pre_tokenizer, *post_processor;   /* owned; NULL if absent */
    scry_json *model;       /* its members but for vocab and merges */
    scry_pieces pieces;     /* the vocab, not yet indexed; moved to a model by scry_tokfile_take_pieces */
    bool scored;            /* it is a list of pieces and scores, not an object of ids */
    bool spiece;            /* it was a spiece.model */
    scry_slice merges;      /* as written; NULL if absent */
} scry_tokfile;

/* scry_map_open of a file with pieces or merges, which has a limit. */
int scry_tokfile_map(scry_map *out, const char *path, scry_error *err) SCRY_NODISCARD;

/* SCRY_ENOTFOUND when `dir` has no tokenizer.json. From the cache, where it is there and `use_cache`. */
int scry_tokfile_open(scry_tokfile *f, const char *dir, bool use_cache, scry_error *err) SCRY_NODISCARD;
void scry_tokfile_close(scry_tokfile *f);

/* The same of a spiece.model, for a tokenizer that cleans texts as SigLIP's does. SCRY_ENOTFOUND when `dir` has none. */
int scry_tokfile_open_spiece(scry_tokfile *f, scry_tokenizer *t, const char *dir, scry_error *err) SCRY_NODISCARD;

/* "BPE", "WordPiece" or "Unigram"; inferred from its members where the file does not name it. */
const char *scry_tokfile_type(const scry_tokfile *f);

/* Copy added_tokens into `t`. */
int scry_tokfile_added(const scry_tokfile *f, scry_tokenizer *t, scry_error *err) SCRY_NODISCARD;

/* The same, and start and end from the post-processor; for kinds that search for added
 * tokens in the raw text only; files with others are refused. */
int scry_tokfile_specials(const scry_tokfile *f, scry_tokenizer *t, scry_error *err) SCRY_NODISCARD;

/* Read a vocabulary at the cursor, {"piece": id, ...} or [["piece", score], ...] with the
 * place as id, without indexing it. */
int scry_tokfile_vocab(scry_pieces *pieces, scry_cursor *c, scry_error *err) SCRY_NODISCARD;

/* The file's pieces, moved to `to` and indexed; SCRY_EINVALID when it has none or when they
 * have scores and should not, or the other way round. */
int scry_tokfile_take_pieces(scry_tokfile *f, scry_pieces *to, bool scored, scry_error *err) SCRY_NODISCARD;

/* Keep the tables that were made of the file in the cache, where it is large enough to be worth it. `merges` and `reach`
 * may be NULL. */
void scry_tokfile_keep(const scry_tokfile *f, const scry_pieces *pieces, const scry_bpe *merges,
                       const uint16_t *reach);

int scry_added_put(scry_added *a, scry_added_token token, const char *path, scry_error *err)
    SCRY_NODISCARD;   /* takes token.text, also on failure */
void scry_added_dispose(scry_added *a);

/* End of the first part of text[0..n) that can be encoded by itself: long texts are split
 * before a space that follows another character, so that encoding stops soon after `out` is
 * full. */
size_t scry_tok_chunk(const char *text, size_t n);

/* Encoding a text in such parts. */
typedef struct scry_chunks {
    scry_ids *out;
    scry_error *err;
    bool whole;        /* never split: a rule of the kind spans spaces */
    void *work;        /* for both functions */
    void (*normalise)(void *work, const char *text, size_t n, scry_runes *out);
    int (*put)(void *work, const scry_runes *runes);
} scry_chunks;

int scry_tok_each_chunk(const scry_chunks *c, const char *text, size_t n) SCRY_NODISCARD;

/* The kinds. `f` is NULL when the folder has the older separate files. */
int scry_tok_clip_open(scry_tokenizer *t, const char *dir, scry_tokfile *f,
                       scry_tokenizer_dialect dialect, scry_error *err) SCRY_NODISCARD;
int scry_tok_wordpiece_open(scry_tokenizer *t, const char *dir, scry_tokfile *f,
                            scry_error *err) SCRY_NODISCARD;
int scry_tok_sentence_bpe_open(scry_tokenizer *t, scry_tokfile *f, scry_error *err) SCRY_NODISCARD;
int scry_tok_unigram_open(scry_tokenizer *t, scry_tokfile *f, scry_error *err) SCRY_NODISCARD;

#endif
