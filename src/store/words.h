/* words.h - the words of a file's names and texts, and whether they hold the words that are looked for.
 *
 *     scry_buf words = SCRY_BUF_INIT(SCRY_WORDS_LIMIT);
 *     scry_words_of_file(&words, file, SCRY_FIELDS_ALL);               // "\nanna\nwedding\n2019\n"
 *     scry_words_of_query(&wanted, "Anna's weddings", SCRY_WORDS_WHOLE);   // "\nanna\nwedding\n"
 *     scry_words_hold(scry_buf_str(&words), scry_buf_str(&wanted), SCRY_WORDS_WHOLE)   // true
 *
 * A list of words is one text: each word follows a newline, and one ends the last; "" is no words. A word consists of letters or
 * of digits, never of both: "Paris2019" is two. It is in lower case, without accents (the marks U+0300 to U+036F and the voicing
 * marks of kana), compatibility forms as their plain ones (NFKD), and without the ending of an English plural or of a Russian
 * noun or adjective; of a longer one the first 40 letters count. "AnnaWedding" in a file is also "Anna" and "Wedding". In scripts
 * that put no spaces between words (Han, kana, Thai, Lao, Khmer, Burmese) each letter and each pair of neighbours is a word of a
 * file; of a query the pairs are, or its only letter. Everything else separates words: there is no syntax. The words of places
 * (places.h) are in a file's list twice: as they are, and behind an @, which is how SCRY_WORDS_PLACE asks for them.
 *
 * Pure functions; any thread.
 */
#ifndef SCRY_STORE_WORDS_H
#define SCRY_STORE_WORDS_H

#include "base/buf.h"
#include "scry/store.h"

/* Of the rules above: a list of words that was stored under another version is not comparable. */
#define SCRY_WORDS_VERSION "2"

/* Bytes of a list: enough for every file and query. A query has at most this many words. */
enum { SCRY_WORDS_LIMIT = 1 << 20, SCRY_QUERY_WORDS = 32 };

/* The words of these fields (scry_word_field bits) of a file, in that order; one may occur repeatedly. Past 32 KiB later texts are
 * left out. `out` is cleared first. */
void scry_words_of_file(scry_buf *out, const scry_file *f, unsigned fields);

/* The words that a query or a filter asks for. SCRY_WORDS_NAMED leaves out those that say nothing ("the", "photo of"). "" where
 * there are none, or more than SCRY_QUERY_WORDS. `out` is cleared first. */
void scry_words_of_query(scry_buf *out, const char *text, scry_words_mode mode);

/* Whether the list `words` holds every word of `wanted`, which has at least one. */
bool scry_words_hold(const char *words, const char *wanted, scry_words_mode mode);

/* The line of `text` (lines are separated by '\n') that has most of the words that are wanted, the first of those: its bytes, a
 * part of `text`. NULL where none has any. */
const char *scry_words_line(const char *text, const char *wanted, size_t *size);

/* The next word of a list, which `*at` points into: its bytes, NULL at the end. *at moves on; start with the list. */
const char *scry_words_next(const char **at, size_t *size);

/* Whether `mode` looks for this word inside of longer ones: with SCRY_WORDS_PARTS, from three letters on. */
bool scry_word_is_part(const char *word, size_t size, scry_words_mode mode);

#endif
