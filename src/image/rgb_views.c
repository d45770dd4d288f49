#include "image/rgb_views.h"

#include "base/alloc.h"
#include "resize/resize.h"

#include <stdlib.h>
#include <string.h>

static int check(const scry_rgb *p, ptrdiff_t *stride, scry_error *err)
{
    ptrdiff_t row = 3 * (ptrdiff_t)p->width;
    *stride = p->stride ? p->stride : row;
    if (!p->data || p->width < 1 || p->height < 1)
        return scry_fail(err, SCRY_EINVALID, "a picture of %d x %d pixels%s", p->width, p->height, p->data ? "" : " without data");
    if (p->width > SCRY_MAX_SOURCE_SIDE || p->height > SCRY_MAX_SOURCE_SIDE)
        return scry_fail(err, SCRY_ELIMIT, "a side of %d x %d pixels is over %d", p->width, p->height, SCRY_MAX_SOURCE_SIDE);
    if (p->height == 1)
        *stride = row;   /* there is no next row */
    if (*stride < row && *stride > -row)
        return scry_fail(err, SCRY_EINVALID, "rows of %d RGB pixels take %td bytes, and the stride is %td", p->width, row, *stride);
    if (p->height > 1 && (*stride > PTRDIFF_MAX / (p->height - 1) || *stride < -PTRDIFF_MAX / (p->height - 1)))
        return scry_fail(err, SCRY_EINVALID, "%d rows with a stride of %td bytes are more than memory has", p->height, *stride);
    return 0;
}

/* One view. Rows are copied to `line` first, since the resizer may read SCRY_ROW_SLACK bytes past each. */
static int make_view(uint8_t *out, const scry_rgb *p, ptrdiff_t stride, const scry_resize_window *window, uint8_t *line,
                     scry_error *err)
{
    scry_resizer *r;
    int rc = scry_resizer_new(&r, p->width, p->height, window, err);
    if (rc < 0)
        return rc;
    scry_span rows = scry_resizer_rows(r);
    for (int y = rows.first; y < rows.end; y++) {
        memcpy(line, p->data + y * stride, 3 * (size_t)p->width);
        scry_resizer_put(r, y, 1, line, 0);
    }
    scry_resizer_finish(r, out);
    scry_resizer_free(r);
    return 0;
}

int scry_rgb_views(uint8_t *out, const scry_rgb *picture, const scry_image_spec *spec, scry_error *err)
{
    ptrdiff_t stride;
    int rc = check(picture, &stride, err);
    if (rc < 0)
        return rc;
    uint8_t *line = scry_alloc(3 * (size_t)picture->width + SCRY_ROW_SLACK);
    for (int i = 0; rc == 0 && i < spec->views; i++) {
        scry_view_plan p = scry_plan_view(picture->width, picture->height, spec->size, spec->fit[i]);
        scry_resize_window window = { .width = p.width, .height = p.height, .x = p.x, .y = p.y, .w = p.w, .h = p.h,
                                      .filter = spec->filter };
        rc = make_view(out, picture, stride, &window, line, err);
        if (rc == 0)
            scry_view_complete(out, spec->size, spec->fit[i], &p);
        out += 3 * (size_t)spec->size * (size_t)spec->size;
    }
    free(line);
    return rc;
}
