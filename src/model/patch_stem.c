#include "model/patch_stem.h"

#include "model/fold.h"

enum { BLOCKS = 16, QUARTERS = 4, BLOCK_PIXELS = 3 * 4 * 4 };

void scry_patch_stem_bind(scry_patch_stem *s, scry_binder *b, size_t width, const char *name)
{
    size_t narrow = width / 4;
    scry_fold f = scry_fold_begin(b, narrow, 3, 4);
    scry_fold_conv(b, &f, 4, "%s.0", name);
    scry_bind_made_linear(b, &s->block, narrow, BLOCK_PIXELS, f.weights, f.bias);
    f = scry_fold_begin(b, narrow, narrow, 2);
    scry_fold_conv(b, &f, 2, "%s.1", name);
    scry_bind_made_linear(b, &s->quarter, narrow, 4 * narrow, scry_fold_by_places(b, &f), f.bias);
    f = scry_fold_begin(b, width, narrow, 2);
    scry_fold_plain(b, &f, "%s.2.conv", name);
    scry_bind_made_linear(b, &s->patch, width, 4 * narrow, scry_fold_by_places(b, &f), f.bias);
}

size_t scry_patch_stem_floats(size_t width)
{
    return (BLOCKS + QUARTERS) * (width / 4);
}

void scry_patch_stem_run(scry_nn *t, const scry_patch_stem *s, size_t n, const float *pixels, float *memory, float *out)
{
    size_t narrow = s->block.n;
    float *blocks = memory, *quarters = blocks + n * BLOCKS * narrow;
    scry_linear_run(t, &s->block, &(scry_product){ n * BLOCKS, pixels, BLOCK_PIXELS, blocks, narrow, SCRY_ACT_GELU, false });
    scry_linear_run(t, &s->quarter, &(scry_product){ n * QUARTERS, blocks, 4 * narrow, quarters, narrow, SCRY_ACT_GELU, false });
    scry_linear_run(t, &s->patch, &(scry_product){ n, quarters, 4 * narrow, out, s->patch.n, SCRY_ACT_NONE, false });
}
