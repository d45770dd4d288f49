/* words.h - the words of a file's names and texts, and whether they hold the words that are looked for.
 *
 *     scry_buf words = SCRY_BUF_INIT(SCRY_WORDS_LIMIT);
 *     scry_words_of_file(&words, file, SCRY_FIELDS_ALL);               // "\nanna\nwedding\n2019\n"
 *     scry_words_of_query(&wanted, "Anna's weddings", SCRY_WORDS_WHOLE);   // "\nanna\nwedding\n"
 *     scry_words_hold(scry_buf_str(&words), scry_buf_str(&wanted), SCRY_WORDS_WHOLE)   // true
 *
 * A list of words is one text: each word follows a newline, and one ends the last; "" is no words. A word consists of letters or
 * of digits, never of both: "Paris2019" is two. It is in lower case, without accents (the marks U+0300 to U+036F and the voicing
 * marks of kana), compatibility forms as their plain ones (NFKD), ß, ø, ł, æ and the like as ss, o, l and ae, and without the
 * ending of an English plural or of a Russian noun or adjective; of a longer one the first 40 letters count. "AnnaWedding" in a
 * file is also "Anna" and "Wedding", "Wi-Fi" is also "WiFi", a word that is divided at the end of a line is also whole. In scripts
 * that put no spaces between words (Han, kana, Thai, Lao, Khmer, Burmese) each letter and each pair of neighbours is a word of a
 * file; of a query the pairs are, or its only letter. Everything else separates words: there is no syntax.
 *
 * Places (places.h) are words of a file, too: an @ and the number of each that the picture was taken in, in sixteen signs that no
 * other word has, beside the words of the English names of its cities. A query's words that are a name of places, in any of the
 * languages of the table, have these as alternatives, separated by spaces: "\nbeach\nitaly @!!!#/ @!!!+!\n". So a file's list does
 * not depend on how many languages the table has. Words that a hyphen joins have what they are in one piece: "\nwi wifi\nfi wifi\n".
 *
 * Pure functions; any thread.
 */
#ifndef SCRY_STORE_WORDS_H
#define SCRY_STORE_WORDS_H

#include "base/buf.h"
#include "base/utf8.h"
#include "scry/store.h"

/* Of the rules above and the table of places: a list of words that was stored under another version is not comparable. */
#define SCRY_WORDS_VERSION "6"

/* Bytes of a list: enough for every file and query. A query has at most this many words. Bytes of a word with an @ before it, and
 * a zero byte. */
enum { SCRY_WORDS_LIMIT = 1 << 20, SCRY_QUERY_WORDS = 32, SCRY_WORD_BYTES = 4 * 40 + 2 };

/* The words of these fields (scry_word_field bits) of a file, in that order; one may occur repeatedly. Past 32 KiB later texts are
 * left out. `out` is cleared first. */
void scry_words_of_file(scry_buf *out, const scry_file *f, unsigned fields);

/* The words of a text as those of a query. `out` is cleared first. */
void scry_words_of_text(scry_buf *out, const char *text, size_t size);

/* The words that a query or a filter asks for, each with its alternatives. SCRY_WORDS_NAMED leaves out those that say nothing
 * ("the", "photo of"). SCRY_WORDS_PLACE: one word, the places that the text names: "Paris", "Paris, Texas". "" where there are
 * none, or more than SCRY_QUERY_WORDS. `out` is cleared first. */
void scry_words_of_query(scry_buf *out, const char *text, scry_words_mode mode);

/* Whether the list `words` holds every word of `wanted`, which has at least one. */
bool scry_words_hold(const char *words, const char *wanted, scry_words_mode mode);

/* Whether the words of these fields of a file do. */
bool scry_words_in_file(const scry_file *f, unsigned fields, const char *wanted, scry_words_mode mode);

/* Whether the list `words` holds this word of a query, or one of its alternatives. */
bool scry_words_have(const char *words, const char *word, size_t size, scry_words_mode mode);

/* The line of `text` (lines are separated by '\n') that has most of the words that are wanted, the first of those: its bytes, a
 * part of `text`. NULL where none has any. */
const char *scry_words_line(const char *text, const char *wanted, size_t *size);

/* The next word of a list, which `*at` points into: its bytes, NULL at the end. *at moves on; start with the list. */
const char *scry_words_next(const char **at, size_t *size);

/* How many words a list has. */
size_t scry_words_count(const char *words);

/* The next alternative of a word of a query, which is `*size` bytes at `*at`: its bytes with a zero byte in `out`, false at the
 * end. Both move on. The first one is what was written. */
bool scry_words_alternative(const char **at, size_t *size, char out[SCRY_WORD_BYTES]);

/* The place that a word of a list stands for; SCRY_NO_PLACE: it is another word. */
uint32_t scry_word_place(const char *word, size_t size);

/* Whether `mode` looks for this word inside of longer ones: with SCRY_WORDS_PARTS, from three letters on. */
bool scry_word_is_part(const char *word, size_t size, scry_words_mode mode);

/* The text in the form in which words are cut from it: NFKD without accents, ß as ss and the like; appended to `out`. */
void scry_words_decompose(scry_runes *out, const char *text, size_t size);

/* That in lower case, in place of what `out` had: texts that differ in case and accents only are the same. */
void scry_words_fold(scry_runes *out, const char *text, size_t size);

#endif
