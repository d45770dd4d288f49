/* jpeg_write.h - thumbnails and viewer pictures. */
#ifndef SCRY_DECODER_JPEG_WRITE_H
#define SCRY_DECODER_JPEG_WRITE_H

#include "resize/resize.h"

enum { SCRY_JPEG_MAX_SIDE = 65500, SCRY_JPEG_DEFAULT_QUALITY = 82 };

/* A baseline JPEG (4:2:0) of `p` to out[0 .. capacity); SCRY_ELIMIT when it is larger. */
int scry_jpeg_write(const scry_pixels *p, int quality, uint8_t *out, size_t capacity,
                    size_t *bytes, scry_error *err) SCRY_NODISCARD;

#endif
