/* keyword.h - when two keywords are the same: in lower case and without accents, as words are compared (words.h), but whole.
 *
 *     char *form = scry_keyword_form("Ёлка", 8);           // "елка"
 *     scry_keyword_is("ЁЛКА", 8, form)                     // true
 *
 * Pure functions; any thread.
 */
#ifndef SCRY_STORE_KEYWORD_H
#define SCRY_STORE_KEYWORD_H

#include <stdbool.h>
#include <stddef.h>

/* `size` bytes of a keyword in the form in which keywords are compared; lines stay lines. Owned by the caller. */
char *scry_keyword_form(const char *text, size_t size);

/* Whether `size` bytes of a keyword have this form. */
bool scry_keyword_is(const char *text, size_t size, const char *form);

/* Whether `keyword` is one of `keywords`, which '\n' separates; NULL: none. */
bool scry_keyword_among(const char *keywords, const char *keyword);

#endif
