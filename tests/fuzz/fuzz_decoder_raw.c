/* Camera RAW: the previews that are found lie within the file, however its directories and boxes refer to each other. */
#include "decoder/raw_previews.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    scry_preview p[SCRY_MAX_PREVIEWS];
    size_t n = scry_raw_previews((scry_bytes){ data, size }, p);
    for (size_t i = 0; i < n; i++) {
        if (p[i].jpeg.p < data || p[i].jpeg.p + p[i].jpeg.n > data + size || p[i].w < 1 || p[i].h < 1)
            abort();
        if (i > 0 && (uint64_t)p[i].w * (uint64_t)p[i].h < (uint64_t)p[i - 1].w * (uint64_t)p[i - 1].h)
            abort();
    }
    return 0;
}
