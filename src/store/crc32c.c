/* crc32c.c - the checksum of rows and headers: CRC-32C, eight bytes a step. */
#include "store/local_internal.h"

#include <string.h>

enum { POLYNOMIAL = (int)0x82f63b78 };   /* Castagnoli's, bits reversed */

typedef struct {
    uint32_t entry[8][256];
} crc_tables;

/* table[k][b]: the remainder of byte b followed by k zero bytes. */
static void make_tables(crc_tables *t)
{
    for (uint32_t b = 0; b < 256; b++) {
        uint32_t r = b;
        for (int bit = 0; bit < 8; bit++)
            r = r >> 1 ^ (r & 1 ? (uint32_t)POLYNOMIAL : 0);
        t->entry[0][b] = r;
    }
    for (uint32_t b = 0; b < 256; b++)
        for (int k = 1; k < 8; k++)
            t->entry[k][b] = t->entry[k - 1][b] >> 8 ^ t->entry[0][t->entry[k - 1][b] & 255];
}

static crc_tables tables;
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

static void init_tables(void)
{
    make_tables(&tables);
}

static uint32_t portable(uint32_t crc, const uint8_t *p, size_t n)
{
    pthread_once(&tables_once, init_tables);
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        word ^= crc;
        crc = 0;
        for (int k = 0; k < 8; k++)
            crc ^= tables.entry[7 - k][word >> (8 * k) & 255];
    }
    for (; n; n--, p++)
        crc = crc >> 8 ^ tables.entry[0][(crc ^ *p) & 255];
    return crc;
}

#ifdef __x86_64__
__attribute__((target("sse4.2"))) static uint32_t sse42(uint32_t crc, const uint8_t *p, size_t n)
{
    uint64_t c = crc;
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        c = __builtin_ia32_crc32di(c, word);
    }
    for (; n; n--, p++)
        c = __builtin_ia32_crc32qi((uint32_t)c, *p);
    return (uint32_t)c;
}
#endif

uint32_t scry_crc32c(uint32_t crc, const void *bytes, size_t n)
{
    crc = ~crc;
#ifdef __x86_64__
    if (__builtin_cpu_supports("sse4.2"))
        return ~sse42(crc, bytes, n);
#endif
    return ~portable(crc, bytes, n);
}
