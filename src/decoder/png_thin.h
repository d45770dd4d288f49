/* png_thin.h - a PNG without texts and colour profile.
 *
 * Newer PNG libraries refuse a whole picture because of a text that unpacks to more than some limit, or of many texts. The pixels
 * do not need them (src/metadata reads the texts itself), so that of files with more than a few thousand bytes of these
 * chunks a copy without them is decoded.
 */
#ifndef SCRY_DECODER_PNG_THIN_H
#define SCRY_DECODER_PNG_THIN_H

#include <stddef.h>
#include <stdint.h>

/* For any bytes: the copy, owned by the caller, and its size; NULL where nothing is to be left out or memory is short. */
uint8_t *scry_png_thin(const uint8_t *bytes, size_t n, size_t *size);

#endif
