/* crc32c.h - CRC-32C (Castagnoli), the checksum of rows and headers. */
#ifndef SCRY_STORE_LOCAL_CRC32C_H
#define SCRY_STORE_LOCAL_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Start with 0; pass the result in again to continue with further bytes. */
uint32_t scry_crc32c(uint32_t crc, const void *bytes, size_t n);
uint32_t scry_crc32c_portable(uint32_t crc, const void *bytes, size_t n);   /* the reference */

#endif
