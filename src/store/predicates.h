/* predicates.h - the predicates that the reference of filters and its compilers share. */
#ifndef SCRY_STORE_PREDICATES_H
#define SCRY_STORE_PREDICATES_H

#include "scry/store.h"

/* Bring the notes of a file, if it has any, into its fields: a time and a place where the headers have none; a rating and texts
 * before theirs. */
void scry_file_merge_notes(scry_file *f);

/* The time it was taken, else mtime in whole seconds, rounded down. */
int64_t scry_file_time(const scry_file *f);

/* Great circle on a sphere of 6371.0088 km; degrees in. */
double scry_distance_km(double lat1, double lon1, double lat2, double lon2);

/* Whether a box (scry_filter_box) has this position in it; NaN is in none. The meridian of 180 degrees is the one of -180. */
bool scry_box_has(const scry_filter_node *box, double latitude, double longitude);

/* Whether `path` is `folder` or is below it; both absolute, `folder` may be "/". */
bool scry_path_within(const char *folder, const char *path);

/* SCRY_EINVALID when a node is of no known kind or lacks an operand. NULL is legal. */
int scry_filter_check(const scry_filter_node *f, scry_error *err) SCRY_NODISCARD;

/* As scry_filter_match, with the file's words, if they are known already: the list of scry_words_of_file, or NULL. */
bool scry_filter_match_words(const scry_filter_node *f, const scry_file *file, const char *words);

/* Whether a kind of filter is one of its parts. */
bool scry_filter_asks(const scry_filter_node *f, scry_filter_kind kind);
bool scry_filter_asks_words(const scry_filter_node *f);

/* A copy with A to Z in lower case, owned by the caller. */
char *scry_ascii_lower(const char *text);

/* Whether `part` occurs in `text`, ASCII case ignored. */
bool scry_text_contains(const char *text, const char *part);

#endif
