/* pairs.h - a RAW and the picture that the camera wrote beside it are one shot.
 *
 *     DCIM/IMG_1.CR2  DCIM/IMG_1.JPG      a pair: the JPEG leads, the RAW is hidden behind it
 *     PXL_1.RAW-02.ORIGINAL.dng  PXL_1.RAW-01.COVER.jpg    Google's camera; also PXL_1.dng with PXL_1.MP.jpg
 *
 * Same folder, same name up to the last dot; extensions in lower case, upper case or with a capital. By name alone: edited copies
 * ("IMG_1-Edit.jpg") are pictures of their own, and nothing is asked of the pictures. A search returns the JPEG only, as long as the
 * store has it and it passes the search's filter; with all_copies both. Pure functions; any thread.
 */
#ifndef SCRY_STORE_PAIRS_H
#define SCRY_STORE_PAIRS_H

#include "scry/store.h"

typedef enum { SCRY_PAIR_NONE, SCRY_PAIR_RAW, SCRY_PAIR_LEAD } scry_pair_part;

/* What a file of this name, `size` bytes, can be in a pair. *stem gets the bytes that both names begin with, up to and including
 * the dot. */
scry_pair_part scry_pair_part_of(const char *name, size_t size, size_t *stem);

/* Whether the store's file can be the RAW of a pair: by its name and by what its content is. */
bool scry_is_raw(const scry_file *f);

/* The names that the other part of the pair may have, each called back until one returns true, which is returned. */
bool scry_pair_names(const char *name, bool (*each)(void *arg, const char *other), void *arg);

#endif
