/* exif.h - what scry keeps of a picture's EXIF: orientation, time, place, camera.
 *
 * Three directories of at most 512 entries are read, each once, and ten tags of them:
 * wrong types, counts, ranges and denominators count as absent. Not through libexif, which
 * takes everything apart: a hostile block of 64 KB kept it busy for 9 seconds.
 */
#ifndef SCRY_DECODER_EXIF_H
#define SCRY_DECODER_EXIF_H

#include "image/image.h"

/* `bytes` begin with "Exif\0\0" or with the TIFF header itself (a TIFF file, most camera
 * RAW). Fills orientation, time, position and camera of *r; leaves alone what is absent.
 * Never fails. */
void scry_exif_read(const uint8_t *bytes, size_t n, scry_decode_result *r);

#endif
