/* metadata.h - what the headers of a picture, or a file beside it, say of the picture.
 *
 * Readers of this folder take any bytes, need no memory of their own and never fail: what is damaged, out
 * of range or contradictory counts as absent. Both scry-decode and the library link them.
 */
#ifndef SCRY_METADATA_METADATA_H
#define SCRY_METADATA_METADATA_H

#include "scry/metadata.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All texts are valid UTF-8 without control characters and without space at either end, cut between
 * characters to fit; "" when absent. All zero: nothing is known. */
typedef struct scry_metadata {
    int orientation;                /* EXIF 1..8; 0 when absent */
    scry_taken_source taken_source; /* UNKNOWN: no time, and the fields of time are 0 */
    int64_t taken_at;               /* what a clock at the place showed, as seconds since 1970 as if that were UTC */
    bool has_taken_offset;
    int taken_offset_min;           /* minutes east of UTC at the place, -1440 < offset < 1440 */
    bool has_position;
    double latitude, longitude;     /* degrees, WGS 84 */
    bool has_rating;
    int rating;                     /* -1 (rejected) to 5 */
    char camera[64];                /* make and model: "Canon EOS 5D" */
    char lens[96];
    char title[256];
    char description[2048];
    char keywords[1024];            /* without duplicates, separated by '\n', the only control character; whole ones */
} scry_metadata;

/* The range of times: years 1 to 9999. */
enum { SCRY_TAKEN_DAYS_BEFORE_1970 = 719162, SCRY_TAKEN_DAYS_AFTER_1970 = 2932897 };

/* Bytes within a picture. */
typedef struct scry_bytes {
    const uint8_t *p;
    size_t n;
} scry_bytes;

/* Whether all fields keep what is said above. The reply of a decoder is checked with it. */
bool scry_metadata_is_sound(const scry_metadata *m);

#endif
