/* filter_milvus.h - a filter as a boolean expression of Milvus.
 *
 * Milvus cannot express every filter: great-circle distance has no counterpart. The expression
 * then passes more rows than the filter (a box around the circle), never fewer, and the
 * caller checks them with scry_filter_match. Pure functions; any thread.
 */
#ifndef SCRY_STORE_MILVUS_FILTER_MILVUS_H
#define SCRY_STORE_MILVUS_FILTER_MILVUS_H

#include "base/buf.h"
#include "scry/filter.h"

#include <stddef.h>

/* Whether rows have the words of their names and texts. */
typedef enum {
    SCRY_MILVUS_NO_WORDS,
    SCRY_MILVUS_WORDS_MIXED,   /* those of some may have been made by other rules */
    SCRY_MILVUS_ALL_WORDS
} scry_milvus_words;

/* What of the collection the expression depends on. */
typedef struct scry_milvus_roots {
    const char *const *ids;       /* hex */
    const char *const *paths;
    size_t count;
    const char *const *cameras;   /* every camera that occurs but ""; NULL: not known, CAMERA is refined */
    size_t camera_count;
    bool has_details;             /* the collection has the fields rating and keyword_terms */
    const char *const *favourites;   /* the contents that are, hex */
    size_t favourite_count;
    scry_milvus_words words;
} scry_milvus_roots;

typedef enum {
    SCRY_MILVUS_EXACT,    /* the expression is the filter */
    SCRY_MILVUS_WIDER,    /* it passes more rows: check them */
    SCRY_MILVUS_NOTHING   /* no row passes: no request needed */
} scry_milvus_cover;

/* Append the expression to `out`; nothing when every row passes. SCRY_ELIMIT past out->limit. */
int scry_filter_to_milvus(const scry_filter_node *f, const scry_milvus_roots *roots, scry_buf *out,
                          scry_milvus_cover *cover, scry_error *err) SCRY_NODISCARD;

/* may[i]: files of root i can pass; false only where none does. */
void scry_filter_may_pass(const scry_filter_node *f, const scry_milvus_roots *roots, bool *may);

/* ---- text in Milvus ----
 *
 * A VARCHAR is UTF-8, a path is any bytes; and an expression has quotes. Text is kept escaped:
 * each byte that is not part of valid UTF-8, each control character, quote and backslash
 * becomes U+001A and two hexadecimal digits. What is escaped needs no quoting in an
 * expression, and prefixes stay prefixes, so that a folder is a range of strings. */

void scry_milvus_escape(scry_buf *out, const char *text);
/* The reverse, in place; text that scry did not write stays as it is. */
void scry_milvus_unescape(char *text);

#endif
