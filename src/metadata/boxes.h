/* boxes.h - walks the boxes of an ISO base media file (ISO/IEC 14496-12): HEIC, AVIF, JPEG XL, JPEG 2000, CR3.
 *
 * A span is the part of a file that is still to be read. Every function takes any bytes: past the end of a span
 * numbers are 0 and boxes end.
 */
#ifndef SCRY_METADATA_BOXES_H
#define SCRY_METADATA_BOXES_H

#include "metadata/metadata.h"

/* Removes a big-endian number from the front; 0 and an empty span where there are too few bytes. */
uint64_t scry_box_take(scry_bytes *s, size_t bytes);

/* The same of at most four bytes. */
static inline uint32_t scry_box_take32(scry_bytes *s, size_t bytes)
{
    return (uint32_t)scry_box_take(s, bytes);
}

/* Removes the next box from the front of *s; false at the end and where the bytes are not a box. */
bool scry_box_next(scry_bytes *s, char type[4], scry_bytes *content);

/* The first box of that type among those of `s`; where there is none *content stays as it is. */
bool scry_box_find(scry_bytes s, const char *wanted, scry_bytes *content);

/* The version of a full box, removed from its front with the flags, which may be NULL. */
uint32_t scry_box_take_version(scry_bytes *s, uint32_t *flags);

/* The boxes within the file's `meta`, and the number of its primary item. */
bool scry_box_find_meta(scry_bytes file, scry_bytes *meta, uint32_t *primary);

#endif
