/* header_parts.h - the metadata blocks of a file while it is read, and how they are combined. For
 * src/metadata only. */
#ifndef SCRY_METADATA_HEADER_PARTS_H
#define SCRY_METADATA_HEADER_PARTS_H

#include "metadata/headers.h"

typedef struct scry_header_parts {
    scry_metadata exif, xmp, iptc, text;
} scry_header_parts;

void scry_parts_add_exif(scry_header_parts *parts, scry_bytes exif);   /* and the XMP and IPTC in its tags */
void scry_parts_add_xmp(scry_header_parts *parts, scry_bytes xmp);
void scry_parts_add_photoshop(scry_header_parts *parts, scry_bytes resources);
void scry_parts_add_jpeg(scry_header_parts *parts, scry_bytes jpeg);
void scry_parts_join(const scry_header_parts *parts, scry_metadata *m);

/* `n` bytes at `at`; empty when the file ends before. */
static inline scry_bytes scry_bytes_part(scry_bytes s, uint64_t at, uint64_t n)
{
    return at <= s.n && n <= s.n - at ? (scry_bytes){ s.p + at, (size_t)n } : (scry_bytes){ s.p, 0 };
}

#endif
