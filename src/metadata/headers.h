/* headers.h - where metadata stand in files of each kind.
 *
 *     JPEG       APP1 (each with EXIF, and XMP with its extended packet), APP13 (Photoshop's resources with IPTC)
 *     PNG        eXIf wherever it stands, "Raw profile type ..." (ImageMagick, exiv2), XMP, plain texts
 *     WebP       chunks EXIF and XMP
 *     GIF        an extension with XMP
 *     boxes      HEIC and AVIF: items; JPEG XL: Exif, xml and brob; CR3: CMT1 to CMT4; JPEG 2000 and CR3: uuid
 *     TIFF       itself, with XMP and IPTC as tags; most camera RAW too
 *     RAF, X3F   the JPEG within; MRW: the TIFF within
 *
 * EXIF counts most for time, place, camera, lens and orientation; XMP, then IPTC, for what people write.
 * All of it for any bytes; *m is set anew.
 */
#ifndef SCRY_METADATA_HEADERS_H
#define SCRY_METADATA_HEADERS_H

#include "metadata/metadata.h"

typedef enum { SCRY_PACKED_ZLIB, SCRY_PACKED_DEFLATE, SCRY_PACKED_BROTLI } scry_packing;   /* DEFLATE: without zlib's head */

/* How compressed blocks are read: the caller's libraries, and memory for one block, larger ones are cut. */
typedef struct scry_unpacker {
    /* The first bytes of what is packed, at most `capacity`; 0 when damaged. */
    size_t (*unpack)(scry_packing how, scry_bytes packed, uint8_t *out, size_t capacity);
    uint8_t *memory;
    size_t capacity;
} scry_unpacker;

void scry_headers_read_jpeg(scry_bytes file, scry_metadata *m);
void scry_headers_read_webp(scry_bytes file, scry_metadata *m);
void scry_headers_read_gif(scry_bytes file, scry_metadata *m);
void scry_headers_read_tiff(scry_bytes file, scry_metadata *m);
/* Camera RAW: any of the kinds above and below but PNG, WebP and GIF. */
void scry_headers_read_raw(scry_bytes file, scry_metadata *m);
/* `with` may be NULL: compressed blocks are passed over. */
void scry_headers_read_png(scry_bytes file, const scry_unpacker *with, scry_metadata *m);
void scry_headers_read_boxes(scry_bytes file, const scry_unpacker *with, scry_metadata *m);

#endif
