#include "decoder/rows.h"

#include "base/alloc.h"

#include <stdlib.h>

enum { STRIP_ROWS = 16 };

int scry_put_picture(scry_sink *sink, int w, int h, scry_row_fn *row, const void *picture,
                     scry_wire_reply *reply, scry_error *err)
{
    size_t stride = 3 * (size_t)w + SCRY_ROW_SLACK;
    int rc = scry_sink_begin(sink, w, h, 1, err);
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
    return scry_sink_finish(sink, reply, err);
}
