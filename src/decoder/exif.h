/* exif.h - what scry keeps of a picture's EXIF: orientation, time, place, camera.
 *
 * libexif takes the block apart; the values are then read with a distrust that fits
 * files from anywhere: wrong types, counts, ranges and denominators count as absent.
 */
#ifndef SCRY_DECODER_EXIF_H
#define SCRY_DECODER_EXIF_H

#include "image/image.h"

/* `bytes` begin with "Exif\0\0" or with the TIFF header itself. Fills orientation, time,
 * position and camera of *r; leaves alone what is absent. Never fails. */
void scry_exif_read(const uint8_t *bytes, size_t n, scry_decode_result *r);

#endif
