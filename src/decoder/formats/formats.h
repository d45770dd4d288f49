/* formats.h - the readers that need libvips or LibRaw.
 *
 * They are a shared object of their own, scry-formats.so beside scry-decode: loading the
 * hundred libraries behind libvips takes 40 to 70 ms and 30 MB, which a worker that sees
 * nothing but JPEGs does without. A worker is started with it or without; the client asks
 * for one with it as soon as a picture needs it (scry_wire_needs_formats).
 */
#ifndef SCRY_DECODER_FORMATS_H
#define SCRY_DECODER_FORMATS_H

#include "decoder/reader.h"

typedef struct scry_formats {
    /* Before the process is confined: loads modules, touches what is opened lazily. */
    int (*start)(const char *program, scry_error *err);
    /* PNG, WebP, TIFF, HEIC, AVIF, JPEG XL, JPEG 2000 and SVG through libvips. */
    int (*read_vips)(const scry_job *job, scry_error *err);
    /* The preview in a camera RAW, through LibRaw. */
    int (*read_raw)(const scry_job *job, scry_error *err);
} scry_formats;

/* The shared object's only entry point. */
const scry_formats *scry_formats_table(void);

int scry_vips_start(const char *program, scry_error *err) SCRY_NODISCARD;
int scry_read_vips(const scry_job *job, scry_error *err) SCRY_NODISCARD;
int scry_read_raw(const scry_job *job, scry_error *err) SCRY_NODISCARD;

#endif
