/* crc32c.h - CRC-32C (Castagnoli): the checksum of a store's rows, headers and files, and of cached files. */
#ifndef SCRY_BASE_CRC32C_H
#define SCRY_BASE_CRC32C_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Start with 0; pass the result in again to continue with further bytes. */
uint32_t scry_crc32c(uint32_t crc, const void *bytes, size_t n);
uint32_t scry_crc32c_portable(uint32_t crc, const void *bytes, size_t n);   /* the reference */

/* Whether the processor has an instruction for it: about 20 GB a second; a hundredth of that without. */
bool scry_crc32c_is_fast(void);

#endif
