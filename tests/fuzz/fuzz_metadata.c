/* Headers of pictures of every kind, taken for each kind, and texts of dates: whatever they hold, what is
 * read of them keeps its limits. */
#include "metadata/date_text.h"
#include "metadata/exif.h"
#include "metadata/headers.h"
#include "metadata/iptc.h"
#include "metadata/xmp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const scry_metadata *m)
{
    if (!scry_metadata_is_sound(m))
        abort();
}

/* Nothing compressed, but memory of its own. */
static size_t copy(scry_packing how, scry_bytes packed, uint8_t *out, size_t capacity)
{
    size_t n = packed.n < capacity ? packed.n : capacity;
    if (n)
        memcpy(out, packed.p, n);
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t memory[4096];
    static const scry_unpacker with = { copy, memory, sizeof memory };
    static void (*const plain[])(scry_bytes, scry_metadata *) = {
        scry_headers_read_jpeg, scry_headers_read_webp, scry_headers_read_gif, scry_headers_read_tiff, scry_headers_read_raw };
    scry_bytes s = { data, size };
    scry_metadata m;
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++) {
        plain[i](s, &m);
        check(&m);
    }
    scry_headers_read_png(s, &with, &m);
    check(&m);
    scry_headers_read_boxes(s, &with, &m);
    check(&m);
    m = (scry_metadata){ 0 };
    scry_xmp_read(s, SCRY_TAKEN_XMP, &m);
    scry_iptc_read(s, &m);
    scry_iptc_read(scry_photoshop_resource(s, SCRY_PHOTOSHOP_IPTC), &m);
    check(&m);
    char text[64];
    scry_date d;
    snprintf(text, sizeof text, "%.*s", (int)(size < sizeof text ? size : sizeof text - 1), (const char *)data);
    if (scry_date_parse(&d, text) && d.has_offset && abs(d.offset_min) >= 1440)
        abort();
    return 0;
}
