/* file_headers.h - the metadata of a file of any format. */
#ifndef SCRY_DECODER_FILE_HEADERS_H
#define SCRY_DECODER_FILE_HEADERS_H

#include "image/image.h"
#include "metadata/headers.h"

/* `with` may be NULL: compressed blocks are passed over. For any bytes. */
void scry_read_file_headers(scry_format format, scry_bytes file, const scry_unpacker *with, scry_metadata *m);

#endif
