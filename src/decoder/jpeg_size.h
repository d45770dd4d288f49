/* jpeg_size.h - the size that a JPEG declares, without a decoder. */
#ifndef SCRY_DECODER_JPEG_SIZE_H
#define SCRY_DECODER_JPEG_SIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* False when the bytes are no JPEG that libjpeg decodes (the lossless kind in camera RAW is none). For any bytes. */
bool scry_jpeg_size(const uint8_t *bytes, size_t n, int *w, int *h);

#endif
