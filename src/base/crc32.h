/* crc32.h - CRC-32 as ZIP archives have it (IEEE 802.3, reflected). Checksums of scry's own are crc32c.h. */
#ifndef SCRY_BASE_CRC32_H
#define SCRY_BASE_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* Start with 0; pass the result in again to continue with further bytes. Any thread. */
uint32_t scry_crc32(uint32_t crc, const void *bytes, size_t n);

#endif
