/* path_forms.h - a path in the Unicode forms in which a file system may have it.
 *
 * Linux compares names by their bytes: "München" typed on a keyboard is composed (NFC), copied from a Mac it is
 * decomposed (NFD).
 */
#ifndef SCRY_ENGINE_PATH_FORMS_H
#define SCRY_ENGINE_PATH_FORMS_H

#include "scry/filter.h"

#include <stdbool.h>

/* The files at or below `path` as it is given, or with all of its names composed, or decomposed. */
const scry_filter_node *scry_filter_below(scry_filter_pool *pool, scry_filter_kind kind, const char *path);

/* Whether two names are the same text in some form. */
bool scry_same_name(const char *a, const char *b);

/* `path` as it is there, with names composed or decomposed where they are not as given, in at most three look-ups a name; owned.
 * NULL: nothing is, or not in one of these forms. */
char *scry_path_in_other_form(const char *path);

/* A path that the user wrote, its ~ expanded; where nothing of that name is there, scry_path_in_other_form of it, if that is.
 * Owned. */
char *scry_given_path(const char *path);

#endif
