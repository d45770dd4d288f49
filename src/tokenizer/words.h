/* words.h - the pre-tokenizers WhitespaceSplit and Metaspace of a tokenizer.json: a normalised text to words.
 *
 *     "a  white dog" -> "▁a", "▁white", "▁dog"
 */
#ifndef SCRY_TOKENIZER_WORDS_H
#define SCRY_TOKENIZER_WORDS_H

#include "tokenizer/tokenizer_internal.h"

enum { SCRY_MAX_MARK_BYTES = 4 };

typedef struct scry_word_rules {
    bool splits_white_space;  /* separates words */
    bool marks_words;         /* each word gets a mark in front, unless it has one */
    bool splits_marks;        /* text is also split before each mark */
    bool has_mark;            /* spaces become marks */
    char mark[SCRY_MAX_MARK_BYTES];
    size_t mark_n;
} scry_word_rules;

/* Others than these two, in this order, are refused by their name. */
int scry_word_rules_read(scry_word_rules *m, const scry_json *pre_tokenizer, const char *path, scry_error *err) SCRY_NODISCARD;

/* What is done with the words. */
typedef struct scry_word_walk {
    const scry_word_rules *rules;
    const scry_ids *out;      /* the walk ends when it is full */
    scry_buf *word;           /* memory for a word */
    int (*each)(void *work, const char *s, size_t n);   /* with every word, as UTF-8; a negative code ends the walk */
    void *work;
    scry_error *err;
} scry_word_walk;

/* SCRY_ENOMEM, or what `each` returned. */
int scry_words_each(const scry_word_walk *w, const scry_runes *r) SCRY_NODISCARD;

#endif
