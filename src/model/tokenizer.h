/* tokenizer.h - text to the token ids a text tower expects.
 *
 * One interface, three kinds: CLIP's byte-pair encoding (Hugging Face's rules or
 * open_clip's), WordPiece (BERT), unigram (XLM-R, SentencePiece). Which one, and its
 * rules, is read from the checkpoint's own files. Immutable after opening: any number
 * of threads may encode at once.
 */
#ifndef SCRY_MODEL_TOKENIZER_H
#define SCRY_MODEL_TOKENIZER_H

#include "scry/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct scry_tokenizer scry_tokenizer;

typedef enum {
    SCRY_TOKENIZER_HF,         /* follow tokenizer.json, or vocab.json + merges.txt, as transformers does */
    SCRY_TOKENIZER_OPEN_CLIP   /* follow open_clip's SimpleTokenizer */
} scry_tokenizer_dialect;

/* Open from the checkpoint folder `dir`. SCRY_ENOTFOUND when it has no tokenizer files,
 * SCRY_EINVALID when they are damaged or of an unsupported kind (which is named). */
int scry_tokenizer_open(scry_tokenizer **out, const char *dir, scry_tokenizer_dialect dialect,
                        scry_error *err) SCRY_NODISCARD;
void scry_tokenizer_free(scry_tokenizer *t);

/* The ids of `text` (`n` bytes, any bytes) with start and end tokens, no padding. At most
 * `capacity` ids are written to `ids` (capacity >= 2): longer texts lose their end but keep
 * the end token, and *cut is set (cut may be NULL). Returns their number or SCRY_ENOMEM. */
int scry_tokenizer_encode(const scry_tokenizer *t, const char *text, size_t n, int32_t *ids,
                          size_t capacity, bool *cut, scry_error *err) SCRY_NODISCARD;

size_t scry_tokenizer_vocab_size(const scry_tokenizer *t);   /* highest id + 1 */
int32_t scry_tokenizer_end_id(const scry_tokenizer *t);      /* EOT, [SEP], </s> */
const char *scry_tokenizer_summary(const scry_tokenizer *t); /* "CLIP byte-pair encoding (Hugging Face rules), 49408 ids" */

/* The names of the files read, for the model's identity: NULL-terminated, borrowed. */
const char *const *scry_tokenizer_files(const scry_tokenizer *t);

#endif
