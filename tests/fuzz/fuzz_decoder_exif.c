/* EXIF blocks: whatever they hold, the facts keep their limits. */
#include "decoder/exif.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    scry_decode_result r = { .orientation = 1 };
    scry_exif_read(data, size, &r);
    if (r.orientation < 1 || r.orientation > 8 || !memchr(r.camera, '\0', sizeof r.camera))
        abort();
    if (r.has_position && !(fabs(r.latitude) <= 90 && fabs(r.longitude) <= 180))
        abort();
    for (const char *c = r.camera; *c; c++)
        if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
            abort();
    return 0;
}
