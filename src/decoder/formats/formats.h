/* formats.h - the readers that need libvips or LibRaw.
 *
 * They are a plugin, scry-formats.so beside scry-decode: loading libvips and the hundred
 * libraries that it depends on takes 40 to 70 ms and 30 MB, which JPEGs do not need. The client
 * starts workers with it once a picture needs it (scry_wire_needs_formats).
 */
#ifndef SCRY_DECODER_FORMATS_H
#define SCRY_DECODER_FORMATS_H

#include "decoder/reader.h"
#include "metadata/headers.h"

typedef struct scry_formats {
    /* Before the process is confined: loads modules and whatever libraries open on first use. */
    int (*start)(const char *program, scry_error *err);
    /* PNG, WebP, TIFF, HEIC, AVIF, JPEG XL, JPEG 2000 and SVG through libvips. */
    int (*read_vips)(const scry_job *job, scry_error *err);
    /* Camera RAW through LibRaw: the preview, else the developed picture. */
    int (*read_raw)(const scry_job *job, scry_error *err);
} scry_formats;

/* The shared object's only entry point. */
const scry_formats *scry_formats_table(void);

/* zlib and Brotli, with memory for one block. */
const scry_unpacker *scry_unpacker_get(void);

int scry_vips_start(const char *program, scry_error *err) SCRY_NODISCARD;
void scry_raw_start(void);
int scry_read_vips(const scry_job *job, scry_error *err) SCRY_NODISCARD;
int scry_read_raw(const scry_job *job, scry_error *err) SCRY_NODISCARD;

#endif
