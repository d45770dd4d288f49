/* patch_stem.h - the patches of MobileCLIP-B: three convolutions that do not overlap, of 4x4, 2x2 and 2x2 places.
 *
 * A patch of 16x16 pixels has four quarters, and each of these four blocks of 4x4. With the pixels in the order of
 * quarters and blocks each convolution is a product of rows that lie one after the other:
 *
 *     pixels [n * 16, 48] -> GELU [n * 16, C], read as [n * 4, 4 C] -> GELU [n * 4, C], read as [n, 4 C] -> [n, W]
 *
 * timm's ConvStem as vit_base_mci_224 has it, C = W / 4; its batch norms are folded when it is built (fold.h).
 */
#ifndef SCRY_MODEL_PATCH_STEM_H
#define SCRY_MODEL_PATCH_STEM_H

#include "model/binder.h"

enum { SCRY_STEM_PATCH = 16, SCRY_STEM_PIXELS = 3 * SCRY_STEM_PATCH * SCRY_STEM_PATCH };

typedef struct scry_patch_stem {
    scry_linear block, quarter, patch;   /* [C, 48], [C, 4 C], [W, 4 C] */
} scry_patch_stem;

/* NAME.0.conv, NAME.0.bn, NAME.1.conv, NAME.1.bn, NAME.2.conv. */
void scry_patch_stem_bind(scry_patch_stem *s, scry_binder *b, size_t width, const char *name);

/* Where the number of channel c, row y and column x of a patch is among its pixels. */
static inline size_t scry_patch_stem_place(size_t c, size_t y, size_t x)
{
    size_t quarter = y / 8 * 2 + x / 8, block = y / 4 % 2 * 2 + x / 4 % 2;
    return (quarter * 4 + block) * 48 + c * 16 + y % 4 * 4 + x % 4;
}

/* Floats of scratch for each patch. */
size_t scry_patch_stem_floats(size_t width);

/* The pixels [n, 768] of n patches to out [n, W]. Ends with a barrier of the team. */
void scry_patch_stem_run(scry_nn *t, const scry_patch_stem *s, size_t n, const float *pixels, float *memory, float *out);

#endif
