/* heif_turn.h - how a HEIC or AVIF picture asks to be turned.
 *
 * libheif turns what it decodes and has no words for by how much (before 1.16), so that
 * undoing it (`--no-rotate`) takes a look at the file's boxes. Only the two properties that
 * turn are read; what is damaged here libheif refuses or ignores itself.
 */
#ifndef SCRY_DECODER_HEIF_TURN_H
#define SCRY_DECODER_HEIF_TURN_H

#include <stddef.h>
#include <stdint.h>

/* The rotations and mirrorings of the primary picture as one EXIF orientation, 1..8; 1 where
 * there are none. For any bytes. */
int scry_heif_orientation(const uint8_t *bytes, size_t n);

#endif
