/* rows.h - for readers that hold a whole picture: put it into the sink in strips. */
#ifndef SCRY_DECODER_ROWS_H
#define SCRY_DECODER_ROWS_H

#include "decoder/reader.h"

/* Writes row y of the picture, [w, 3], to `out`. */
typedef void scry_row_fn(const void *picture, int y, uint8_t *out);

/* All rows of a picture whose size was given to scry_sink_init(). */
int scry_put_picture(scry_sink *sink, scry_row_fn *row, const void *picture, scry_error *err) SCRY_NODISCARD;

/* The same of a picture of which `shrink` x `shrink` pixels were made one: full / shrink, rounded up. */
int scry_put_shrunk(scry_sink *sink, int shrink, scry_row_fn *row, const void *picture, scry_error *err) SCRY_NODISCARD;

#endif
