#include "decoder/rows.h"

#include "base/alloc.h"

#include <stdlib.h>

enum { STRIP_ROWS = 16 };

int scry_put_shrunk(scry_sink *sink, int shrink, scry_row_fn *row, const void *picture, scry_error *err)
{
    int w = (sink->full_w + shrink - 1) / shrink, h = (sink->full_h + shrink - 1) / shrink;
    size_t stride = 3 * (size_t)w + SCRY_ROW_SLACK;
    int rc = scry_sink_begin(sink, w, h, shrink, err);
    if (rc < 0)
        return rc;
    uint8_t *strip = scry_try_alloc(STRIP_ROWS, stride);
    if (!strip)
        return scry_fail(err, SCRY_ENOMEM, "no memory for rows of %d pixels", w);
    for (int y = 0; y < h; y += STRIP_ROWS) {
        int n = h - y < STRIP_ROWS ? h - y : STRIP_ROWS;
        for (int i = 0; i < n; i++)
            row(picture, y + i, strip + (size_t)i * stride);
        scry_sink_put(sink, y, n, strip, stride);
    }
    free(strip);
    return scry_sink_finish(sink, err);
}

int scry_put_picture(scry_sink *sink, scry_row_fn *row, const void *picture, scry_error *err)
{
    return scry_put_shrunk(sink, 1, row, picture, err);
}
