/* tokenizer.h - text to the token ids a text tower expects.
 *
 * One interface, four kinds: CLIP's byte-pair encoding (Hugging Face's rules or open_clip's),
 * WordPiece (BERT), unigram (XLM-R) and byte-pair encoding (Gemma, NLLB) of SentencePiece. Which one,
 * and its rules, is read from the checkpoint's own files. Immutable after opening and scry_tokenizer_set_language: any number
 * of threads may encode at once.
 */
#ifndef SCRY_TOKENIZER_TOKENIZER_H
#define SCRY_TOKENIZER_TOKENIZER_H

#include "scry/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct scry_tokenizer scry_tokenizer;

typedef enum {
    SCRY_TOKENIZER_HF,         /* follow tokenizer.json, or vocab.json + merges.txt, as transformers does */
    SCRY_TOKENIZER_OPEN_CLIP,  /* follow open_clip's SimpleTokenizer, which pads with 0 */
    /* Follow open_clip's HFTokenizer: texts are cleaned as ftfy does, then as its option `clean`
     * says, and the folder's tokenizer.json reads them. */
    SCRY_TOKENIZER_OPEN_CLIP_SPACES,     /* white space as single spaces */
    SCRY_TOKENIZER_OPEN_CLIP_LOWER,      /* and lower case */
    SCRY_TOKENIZER_OPEN_CLIP_CANONICAL,  /* and without ASCII punctuation; tokenizer_config.json must
                                            name the padding token */
    SCRY_TOKENIZER_SIGLIP      /* follow transformers' SigLIP processors: lower case, for unigram pieces
                                  without punctuation and extra spaces; tokenizer_config.json must
                                  name the padding token */
} scry_tokenizer_dialect;

/* Open from the checkpoint folder `dir`. SCRY_ENOTFOUND when it has no tokenizer files,
 * SCRY_EINVALID when they are damaged or of an unsupported kind (which is named). */
int scry_tokenizer_open(scry_tokenizer **out, const char *dir, scry_tokenizer_dialect dialect,
                        scry_error *err) SCRY_NODISCARD;
void scry_tokenizer_free(scry_tokenizer *t);

/* Find the padding token, for a text tower whose texts are padded: that which `dir`/tokenizer_config.json names, for WordPiece
 * else [PAD]; nothing to do where the dialect has it. SCRY_EINVALID when it is not named or has no id. Before other threads
 * use the tokenizer. */
int scry_tokenizer_read_padding(scry_tokenizer *t, const char *dir, scry_error *err) SCRY_NODISCARD;

/* Write id 0 wherever the end token would be, in the text too (CLIPA: open_clip's strip_sep_token). Before other threads use the
 * tokenizer. */
void scry_tokenizer_strip_end(scry_tokenizer *t);

/* The ids of `text` (`n` bytes, any bytes) with start and end tokens, no padding. At most
 * `capacity` ids are written to `ids` (capacity >= 2): longer texts are truncated before the
 * end token, and *cut is set (cut may be NULL). Returns their number or SCRY_ENOMEM. */
int scry_tokenizer_encode(const scry_tokenizer *t, const char *text, size_t n, int32_t *ids,
                          size_t capacity, bool *cut, scry_error *err) SCRY_NODISCARD;

/* Whether a text starts with the code of its language (NLLB). It is that which transformers takes where none is told: the
 * folder's src_lang, or English. */
bool scry_tokenizer_has_languages(const scry_tokenizer *t);

/* Change that: to one of the codes, such as "deu_Latn", the first three letters of one, or "auto", each text's own as
 * language.h guesses it. SCRY_EINVALID for a code that it does not have. Before other threads use the tokenizer. */
int scry_tokenizer_set_language(scry_tokenizer *t, const char *code, scry_error *err) SCRY_NODISCARD;

/* Natural logarithm of the probability of the pieces that `text` (`n` bytes of UTF-8, a word) is cut into; NAN
 * when the tokenizer's pieces have none (all but unigram), or without memory. */
double scry_tokenizer_log_probability(const scry_tokenizer *t, const char *text, size_t n);

/* Whether there is a piece for every character of `text` (`n` bytes of UTF-8, a short word): false when some are read as the
 * one unknown id, which says nothing of them. */
bool scry_tokenizer_reads(const scry_tokenizer *t, const char *text, size_t n);

size_t scry_tokenizer_vocab_size(const scry_tokenizer *t);   /* highest id + 1 */
int32_t scry_tokenizer_end_id(const scry_tokenizer *t);      /* EOT, [SEP], </s> */
int32_t scry_tokenizer_pad_id(const scry_tokenizer *t);      /* -1: not known, see scry_tokenizer_read_padding */
const char *scry_tokenizer_summary(const scry_tokenizer *t); /* "CLIP byte-pair encoding (Hugging Face rules), 49408 ids" */

/* The names of the files read, for the model's identity: NULL-terminated, borrowed. */
const char *const *scry_tokenizer_files(const scry_tokenizer *t);

#endif
