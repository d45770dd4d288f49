/* heif_turn.h - the orientation that a HEIC or AVIF file declares.
 *
 * libheif applies the orientation while decoding and (before 1.16) does not report it, so
 * undoing it (`--no-rotate`) requires reading the file's boxes. Only the two properties for
 * rotation and mirroring are read; libheif itself refuses or ignores damaged ones.
 */
#ifndef SCRY_DECODER_HEIF_TURN_H
#define SCRY_DECODER_HEIF_TURN_H

#include <stddef.h>
#include <stdint.h>

/* The rotations and mirrorings of the primary picture as one EXIF orientation, 1..8; 1 where
 * there are none. For any bytes. */
int scry_heif_orientation(const uint8_t *bytes, size_t n);

#endif
