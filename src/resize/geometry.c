/* geometry.c - the size that a picture is resampled to, and the position of the view in it. */
#include "resize/resize.h"

#include "base/view_shape.h"

#include <assert.h>
#include <math.h>
#include <string.h>

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

/* A side of `side` pixels times `scale`, in patches. */
static int patches_of(int side, double scale)
{
    int n = (int)ceil(side * scale / SCRY_VIEW_PATCH);
    return n > 1 ? n : 1;
}

/* transformers' image_processing_pil_siglip2: the largest scale at which the patches are few enough, by bisection, with its
 * numbers: what it makes of pictures of a few pixels and of very long ones depends on them. */
static scry_view_plan plan_patches(int w, int h, int size)
{
    const double precision = 1e-5, largest = 100;
    double most = (double)scry_view_max_patches((size_t)size), low = precision / 10, high = largest;
    while (high - low >= precision) {
        double scale = (low + high) / 2;
        if ((double)patches_of(w, scale) * patches_of(h, scale) <= most)
            low = scale;
        else
            high = scale;
    }
    int width = patches_of(w, low) * SCRY_VIEW_PATCH, height = patches_of(h, low) * SCRY_VIEW_PATCH;
    return (scry_view_plan){ width, height, 0, 0, width, height };
}

void scry_view_complete(uint8_t *view, int size, scry_fit fit, const scry_view_plan *plan)
{
    size_t pixels = 3 * (size_t)plan->w * (size_t)plan->h, all = 3 * (size_t)size * (size_t)size;
    if (fit != SCRY_FIT_PATCHES)
        return;
    memset(view + pixels, 0, all - pixels);
    scry_view_shape shape = { (size_t)plan->h / SCRY_VIEW_PATCH, (size_t)plan->w / SCRY_VIEW_PATCH };
    scry_view_put_shape(view, (size_t)size, shape);
}

scry_view_plan scry_plan_view(int w, int h, int size, scry_fit fit)
{
    assert(w >= 1 && h >= 1 && size >= 1);
    scry_view_plan p = { size, size, 0, 0, size, size };
    if (fit == SCRY_FIT_SQUASH)
        return p;
    if (fit == SCRY_FIT_PATCHES)
        return plan_patches(w, h, size);
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
