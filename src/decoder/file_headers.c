#include "decoder/file_headers.h"

void scry_read_file_headers(scry_format format, scry_bytes file, const scry_unpacker *with, scry_metadata *m)
{
    *m = (scry_metadata){ 0 };
    switch (format) {
    case SCRY_FORMAT_JPEG: scry_headers_read_jpeg(file, m); break;
    case SCRY_FORMAT_PNG:  scry_headers_read_png(file, with, m); break;
    case SCRY_FORMAT_WEBP: scry_headers_read_webp(file, m); break;
    case SCRY_FORMAT_GIF:  scry_headers_read_gif(file, m); break;
    case SCRY_FORMAT_TIFF: scry_headers_read_tiff(file, m); break;
    case SCRY_FORMAT_RAW:  scry_headers_read_raw(file, m); break;
    case SCRY_FORMAT_HEIC:
    case SCRY_FORMAT_AVIF:
    case SCRY_FORMAT_JXL:
    case SCRY_FORMAT_JP2:  scry_headers_read_boxes(file, with, m); break;
    default: break;
    }
}
