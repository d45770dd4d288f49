/* Boxes of HEIC and AVIF files: whatever they say, only bytes of the file are read and of the copy written. */
#include "decoder/heif_adapt.h"
#include "decoder/heif_turn.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool has_none(int format)
{
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    scry_heif_file file;
    int orientation = scry_heif_orientation(data, size);
    scry_heif_adapt(&file, data, size, true);
    if (orientation < 1 || orientation > 8 || file.size > size)
        abort();
    scry_heif_dispose(&file);
    (void)scry_heif_is_cut(data, size);
    scry_heif_parts needs;
    scry_heif_needs(&needs, data, size, has_none);
    if ((needs.coding == NULL) != (needs.package == NULL))
        abort();
    return 0;
}
