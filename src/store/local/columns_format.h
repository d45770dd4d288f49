/* columns_format.h - the header of a columns file; docs/store-format.md explains it. */
#ifndef SCRY_STORE_LOCAL_COLUMNS_FORMAT_H
#define SCRY_STORE_LOCAL_COLUMNS_FORMAT_H

#include "store/local/columns.h"

enum { SCRY_COLUMNS_FORMAT = 1 };

typedef struct scry_columns_header {
    char magic[8];
    uint32_t format, sections;
    uint8_t collection[SCRY_COLLECTION_BYTES];
    uint64_t generation, rows, roots, terms;
    struct {
        uint64_t offset, size;   /* bytes; offsets are multiples of 64 */
        uint32_t crc, zero;
    } section[SCRY_COLUMNS_SECTIONS];
    uint32_t zero, crc;          /* of the bytes before it */
} scry_columns_header;

#define SCRY_COLUMNS_MAGIC "scrycol"

#endif
