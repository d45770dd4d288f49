/* sink.h - takes the rows of a picture, and orients, crops and resamples them.
 *
 * A reader declares the size, asks by how much it may shrink, and puts rows; the sink makes the
 * views or the thumbnail from them. Terms:
 *
 *     full       the picture as its header declares it
 *     delivered  the rows that the reader puts: full, or full / shrink rounded up
 *     upright    delivered with the EXIF orientation applied
 *     part       the pixels of upright that the requested region touches, else all of it
 *     box        the region within the part, in fractions of a pixel: the last delivered
 *                column stands for less than `shrink` of the full ones
 */
#ifndef SCRY_DECODER_SINK_H
#define SCRY_DECODER_SINK_H

#include "image/wire.h"
#include "resize/resize.h"

struct scry_job;

typedef struct scry_sink {
    const struct scry_job *job;       /* borrowed: request, output memory, reply */
    int orientation;                  /* to apply: 1..8 */
    int full_w, full_h;
    int w, h;                         /* delivered */
    int up_w, up_h;                   /* upright */
    scry_region part;
    double box_x, box_y, box_w, box_h;
    int shrink;
    int reduce;                       /* 1, or blocks of reduce x reduce full pixels become one delivered */
    uint32_t *sums;                   /* reduce > 1: [w, 3] of the `summed` rows of the current blocks */
    int summed;
    uint8_t *reduced;                 /* one row of their means */
    scry_resizer *resizers[SCRY_MAX_VIEWS];
    int count;
    uint8_t *turned;                  /* orientations 5..8: upright, rows `turned_stride` apart */
    size_t turned_stride;
    uint8_t *line;                    /* one mirrored row */
    uint8_t *thumb;                   /* encoded pictures: [thumb_h, thumb_w, 3]; NULL where that goes to the output itself */
    int thumb_w, thumb_h;
} scry_sink;

/* For a picture of full_w x full_h pixels, whose orientation the reply has already. Every size
 * is checked against the limits of the request before anything is decoded. */
int scry_sink_init(scry_sink *s, const struct scry_job *job, int full_w, int full_h, scry_error *err) SCRY_NODISCARD;

/* 1, 2, 4 or 8: the most by which the reader may divide the size. */
int scry_sink_shrink(const scry_sink *s);

/* Whether a smaller copy of the picture, w x h as stored, serves as well: it has its shape and twice the size that is
 * wanted of all of it. */
bool scry_sink_may_be_copy(const scry_sink *s, int w, int h);

/* The rows will be `w` x `h`: full, or full / `shrink` rounded up. */
int scry_sink_begin(scry_sink *s, int w, int h, int shrink, scry_error *err) SCRY_NODISCARD;

/* Which delivered rows and columns matter; others need not hold the picture. */
scry_span scry_sink_rows(const scry_sink *s);
scry_span scry_sink_columns(const scry_sink *s);

/* Rows y .. y + n - 1, [w, 3] each, followed by SCRY_ROW_SLACK readable bytes. */
void scry_sink_put(scry_sink *s, int y, int n, const uint8_t *rows, size_t stride);

/* Pixels, or an encoded picture, to the output memory; fills the size in the reply. */
int scry_sink_finish(scry_sink *s, scry_error *err) SCRY_NODISCARD;
void scry_sink_dispose(scry_sink *s);

#endif
