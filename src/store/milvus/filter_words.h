/* filter_words.h - a filter on words as an expression of Milvus, over the fields `words` and `word_parts` (remote_words.c).
 *
 * Pure functions; any thread.
 */
#ifndef SCRY_STORE_MILVUS_FILTER_WORDS_H
#define SCRY_STORE_MILVUS_FILTER_WORDS_H

#include "store/words.h"

/* Elements of either field. Among `words`: the rules of this scry, by which the others were made. Among `word_parts`, alone: there
 * were too many. Neither is a word. */
#define SCRY_MILVUS_WORDS_RULES "=" SCRY_WORDS_VERSION
#define SCRY_MILVUS_ANY_PART "*"
enum { SCRY_MILVUS_MOST_WORDS = 4096 };

/* Call `each` with every run of three letters of a word; non-zero stops, and is returned. None of a place's, or of fewer. */
int scry_milvus_word_parts(const char *word, int (*each)(void *arg, const char *part), void *arg);

/* Append: the rows that hold any of those words of `wanted` whose bits are set, the first one's the lowest. */
void scry_milvus_any_word(scry_buf *out, const char *wanted, uint32_t which);

/* The rows that hold every word of `wanted` (scry_filter_words), owned. *wider is set where it passes more: it finds parts of words
 * by their runs. With `mixed`, rows whose words were made by other rules pass, too. */
char *scry_milvus_words_expression(const char *wanted, scry_words_mode mode, bool mixed, bool *wider);

#endif
