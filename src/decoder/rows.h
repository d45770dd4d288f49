/* rows.h - for readers that hold a whole picture: put it into the sink in strips. */
#ifndef SCRY_DECODER_ROWS_H
#define SCRY_DECODER_ROWS_H

#include "decoder/reader.h"

/* Writes row y of the picture, [w, 3], to `out`. */
typedef void scry_row_fn(const void *picture, int y, uint8_t *out);

/* All of a picture of w x h pixels whose header was checked by scry_sink_init(). */
int scry_put_picture(scry_sink *sink, int w, int h, scry_row_fn *row, const void *picture,
                     scry_wire_reply *reply, scry_error *err) SCRY_NODISCARD;

#endif
