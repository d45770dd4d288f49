/* rgb_views.h - pixels in memory to the views of a model, without a decoder. */
#ifndef SCRY_IMAGE_RGB_VIEWS_H
#define SCRY_IMAGE_RGB_VIEWS_H

#include "scry/embed.h"

/* `out` is [views, size, size, 3]: bit for bit what scry-decode makes of a picture with these pixels that it reads in full.
 * SCRY_EINVALID and SCRY_ELIMIT for sizes and strides out of range, SCRY_ENOMEM. Any thread. */
int scry_rgb_views(uint8_t *out, const scry_rgb *picture, const scry_image_spec *spec, scry_error *err) SCRY_NODISCARD;

#endif
