/* xmp_encoding.h - XMP in the encodings that it may have besides UTF-8. For src/metadata only. */
#ifndef SCRY_METADATA_XMP_ENCODING_H
#define SCRY_METADATA_XMP_ENCODING_H

#include "base/buf.h"
#include "metadata/metadata.h"

/* Whether the packet is in UTF-16 or UTF-32, of either byte order, as its first bytes show; then it is appended to *out
 * as UTF-8. In part where *out is too small or has no memory. */
bool scry_xmp_convert(scry_bytes xmp, scry_buf *out);

#endif
