/* raw_previews.h - the JPEGs that a camera wrote into its RAW file.
 *
 *     TIFF (CR2, NEF, ARW, DNG, PEF, RW2 ...)   directories, those below and those behind them
 *     CR3                                       THMB, PRVW, and the track that begins with a JPEG
 *     RAF                                       one
 *
 * LibRaw before 0.21 gives only the largest, and none of a camera that it does not know.
 */
#ifndef SCRY_DECODER_RAW_PREVIEWS_H
#define SCRY_DECODER_RAW_PREVIEWS_H

#include "metadata/metadata.h"

typedef struct scry_preview {
    scry_bytes jpeg;    /* within the file */
    int w, h;           /* as stored, not turned */
} scry_preview;

enum { SCRY_MAX_PREVIEWS = 16 };

/* Returns how many there are, the smallest first. For any bytes. */
size_t scry_raw_previews(scry_bytes file, scry_preview out[SCRY_MAX_PREVIEWS]);

#endif
