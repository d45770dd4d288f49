/* cut.h - whether a file ends before what it says of its own length: a copy that was stopped, rather than damage.
 *
 * Asked of files that cannot be read, since what their libraries say of it differs, and few say so. Not for JPEG, GIF, BMP and
 * PNM, whose readers are scry's own and know; of HEIC and AVIF scry_heif_is_cut() knows what the picture needs.
 */
#ifndef SCRY_DECODER_CUT_H
#define SCRY_DECODER_CUT_H

#include "image/image.h"
#include "metadata/metadata.h"

/* For any bytes. False for formats that do not say how long they are, and where that is damaged itself. */
bool scry_is_cut(scry_format format, scry_bytes file);

#endif
