/* columns.h - what filters read: a row for each file, in order of root and relative path.
 *
 * A cache file of the files numbered up to head.columns_last, as they were then. Table
 * gone lists those of them that have changed since; files with higher numbers come from the
 * database. Texts (camera, format, key, label, keyword in lower case), widths and ratings (decimal) are terms with lists of rows; a
 * file written before there was a filter on widths has no terms of them. "0" lists the rows whose time is that of their file; the
 * first row has "1" otherwise, so that a file that is older than these terms is told by having none. So are the words of names and texts
 * (store/words.h): the first row has a newline and their version, too.
 */
#ifndef SCRY_STORE_LOCAL_COLUMNS_H
#define SCRY_STORE_LOCAL_COLUMNS_H

#include "base/file.h"
#include "base/map_guard.h"
#include "store/local/local.h"

enum { SCRY_TERM_CAMERA = 'c', SCRY_TERM_FORMAT = 'f', SCRY_TERM_KEY = 'k', SCRY_TERM_LABEL = 'l', SCRY_TERM_WIDTH = 'w',
       SCRY_TERM_RATING = 'r', SCRY_TERM_KEYWORD = 's', SCRY_TERM_DATED = 'd', SCRY_TERM_WORD = 't' };

/* The sections of a file. */
enum scry_columns_section {
    SCRY_COLUMNS_SLOTS, SCRY_COLUMNS_TIMES, SCRY_COLUMNS_LATITUDES, SCRY_COLUMNS_LONGITUDES,
    SCRY_COLUMNS_NAME_AT, SCRY_COLUMNS_NAMES, SCRY_COLUMNS_ROOTS, SCRY_COLUMNS_TERM_AT,
    SCRY_COLUMNS_TERMS, SCRY_COLUMNS_LIST_AT, SCRY_COLUMNS_LISTS, SCRY_COLUMNS_SECTIONS
};

/* Sets of them, by what is asked of the columns: whether there is a term, the rows with a term, one row's name. */
enum {
    SCRY_COLUMNS_FOR_TERMS = 1 << SCRY_COLUMNS_TERM_AT | 1 << SCRY_COLUMNS_TERMS | 1 << SCRY_COLUMNS_LIST_AT,
    SCRY_COLUMNS_FOR_LISTS = SCRY_COLUMNS_FOR_TERMS | 1 << SCRY_COLUMNS_LISTS,
    SCRY_COLUMNS_FOR_NAMES = 1 << SCRY_COLUMNS_NAME_AT | 1 << SCRY_COLUMNS_NAMES | 1 << SCRY_COLUMNS_ROOTS,
    SCRY_COLUMNS_FOR_TIMES = 1 << SCRY_COLUMNS_TIMES,
    SCRY_COLUMNS_FOR_PLACES = 1 << SCRY_COLUMNS_LATITUDES | 1 << SCRY_COLUMNS_LONGITUDES,
    SCRY_COLUMNS_FOR_ROWS = 1 << SCRY_COLUMNS_SLOTS | 1 << SCRY_COLUMNS_ROOTS
};

typedef struct scry_column_root {
    int64_t number;
    uint64_t first, end;       /* its rows */
} scry_column_root;

typedef struct scry_columns {
    int refs;                  /* under the store's view_lock */
    int64_t file;              /* N of columns-N.cache */
    scry_map map;
    int fd;                    /* of the file, to see its size; not used where they were parsed in memory */
    scry_map_guard *guard;
    unsigned intact;           /* sections that scry_columns_trust found as they were written; under the store's view_lock */
    uint64_t rows, root_count, term_count, names_size, terms_size, list_size;
    const uint32_t *slots;
    const int64_t *times;
    const double *latitudes, *longitudes;   /* NaN where there is none */
    const uint64_t *name_at;   /* [rows + 1] into names */
    const char *names;
    const scry_column_root *roots;
    const uint64_t *term_at;   /* [term_count + 1] into terms; sorted by bytes */
    const char *terms;         /* kind, then the text */
    const uint64_t *list_at;   /* [term_count + 1] into lists */
    const uint32_t *lists;     /* rows, ascending */
} scry_columns;

char *scry_columns_path(const scry_local *s, int64_t file);

/* Map and check columns file `file`; NULL when it is absent, damaged or not this collection's. */
scry_columns *scry_columns_open(const scry_local *s, int64_t file, int64_t generation);
void scry_columns_release(scry_columns *c);   /* drop a reference; NULL is legal */

/* Whether everything read from the file up to now was there: it has not been cut short, and no page was unreadable. */
bool scry_columns_whole(const scry_columns *c);

/* Parse a columns file in memory. Every section is checked to be inside `size`. */
bool scry_columns_parse(scry_columns *c, const uint8_t *data, size_t size);

/* Compare the sections with their checksums; false when one is damaged. */
bool scry_columns_intact(const scry_columns *c);

/* The same for some sections, those that were found intact before left out: reads 20 GB a second. Processors on which it would
 * take a hundred times as long compare nothing. */
bool scry_columns_trust(scry_columns *c, unsigned sections);

/* Row `i`'s name, and term `i`: their bytes and sizes, empty where their offsets are out of bounds. */
const char *scry_columns_name(const scry_columns *c, uint64_t i, size_t *size);
const char *scry_columns_term(const scry_columns *c, uint64_t i, size_t *size);

/* Rows of term `i`. */
const uint32_t *scry_columns_list(const scry_columns *c, uint64_t i, size_t *count);

/* Rows of the term of this kind and text; none where there is no such term. */
const uint32_t *scry_columns_list_of(const scry_columns *c, char kind, const char *text, size_t *count);

/* The first term not below kind and text; term_count: none. */
uint64_t scry_columns_find_term(const scry_columns *c, char kind, const char *text);

/* Whether it has words, by today's rules. */
bool scry_columns_has_words(const scry_columns *c);

/* The rows of root `number`: false when it has none, or a range that is out of bounds. */
bool scry_columns_root(const scry_columns *c, int64_t number, uint64_t *first, uint64_t *end);

/* The first row of [first, end) whose name is not below the `size` bytes of `name`; then whether row `i` has
 * exactly that name. */
uint64_t scry_columns_find(const scry_columns *c, uint64_t first, uint64_t end, const char *name, size_t size);
bool scry_columns_has_name(const scry_columns *c, uint64_t i, const char *name, size_t size);

/* The writer's part: write a new file when the cache lacks more than `max_missing` changes. After a
 * failure the old one stays in use. */
void scry_columns_update(scry_local *s, int64_t max_missing);

/* The same for the writer's last call: also where the file was written by a scry that stored no words. */
void scry_columns_complete(scry_local *s, int64_t max_missing);

#endif
