/* place_groups.h - names that people write and the table of places (places.h) does not have: continents and other groups of
 * countries, islands and lakes as the cities on or at them, and other names of single places.
 *
 * Any thread.
 */
#ifndef SCRY_STORE_PLACE_GROUPS_H
#define SCRY_STORE_PLACE_GROUPS_H

#include "base/buf.h"

/* Append the places (uint32_t) of the group whose name, as a list of words (words.h), this is. */
void scry_place_group_add(scry_buf *out, const char *words);

/* The longest name of a group that `list`, a list of words, begins with, as such a list of `*size` bytes; NULL: none is longer than
 * `*size` was before. */
const char *scry_place_group_begins(const char *list, size_t *size);

/* Offer each name to `arg` by `offer`, for near ones. */
void scry_place_group_names(void (*offer)(void *arg, const char *name), void *arg);

#endif
