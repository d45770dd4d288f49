/* The client's code that runs on unchecked bytes and names, and the boxes of HEIC. */
#include "decoder/heif_turn.h"
#include "image/image.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t mask = 0;
    char *text = malloc(size + 1);
    memcpy(text, data, size);
    text[size] = '\0';
    if ((unsigned)scry_sniff_format(data, size) >= SCRY_FORMAT_COUNT)
        abort();
    int orientation = scry_heif_orientation(data, size);
    if (orientation < 1 || orientation > 8)
        abort();
    (void)scry_name_may_be_picture(text);
    if (scry_formats_parse(text, &mask, NULL) == 0 && (mask & ~scry_formats_all()))
        abort();
    free(text);
    return 0;
}
