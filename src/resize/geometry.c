/* geometry.c - the size that a picture is resampled to, and the position of the view in it. */
#include "resize/resize.h"

#include <assert.h>

/* Where a crop of `size` starts on a side of `side` pixels. */
static int crop_offset(int side, int size, scry_fit fit)
{
    int spare = side - size;
    int half = spare / 2;
    /* torchvision: int(round(spare / 2.0)), and Python rounds a half to even. */
    if (fit == SCRY_FIT_CROP_EVEN && spare % 2 == 1)
        half += half % 2;
    return half;
}

scry_view_plan scry_plan_view(int w, int h, int size, scry_fit fit)
{
    assert(w >= 1 && h >= 1 && size >= 1);
    scry_view_plan p = { size, size, 0, 0, size };
    if (fit == SCRY_FIT_SQUASH)
        return p;
    /* The references compute int(size * long / short) in double; the quotient of such
     * small integers cannot round up to the next integer, so this is the same. */
    if (w < h)
        p.height = (int)((int64_t)size * h / w);
    else
        p.width = (int)((int64_t)size * w / h);
    p.x = crop_offset(p.width, size, fit);
    p.y = crop_offset(p.height, size, fit);
    return p;
}
