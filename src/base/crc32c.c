/* crc32c.c - by the instructions of x86-64 and ARM processors that have them, else four bits at a time.
 *
 * An instruction takes a word each cycle, but its result comes three cycles later. So long inputs are cut into lanes that
 * are summed side by side:
 *
 *     | lane A, 8192 bytes | lane B | lane C | lane A | ...
 *
 * A remainder is a polynomial modulo P: that of A followed by B is A's times x^(8 x 8192), plus B's own (begun with 0).
 * Sums of blocks of codes take 0.04 ms a megabyte where one lane takes 0.1.
 */
#include "base/crc32c.h"

#include <string.h>
#ifdef __aarch64__
#include <sys/auxv.h>
#endif

enum { LANE = 8192 };
static const uint32_t polynomial = 0x82f63b78;   /* P, the highest power in the lowest bit, as everywhere here */

/* The remainder of each half byte. */
static const uint32_t nibble[16] = {
    0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
    0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9, 0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

static uint32_t portable(uint32_t crc, const uint8_t *p, size_t n)
{
    for (; n; n--, p++) {
        crc ^= *p;
        crc = crc >> 4 ^ nibble[crc & 15];
        crc = crc >> 4 ^ nibble[crc & 15];
    }
    return crc;
}

#if defined __x86_64__
#define INSTRUCTION __attribute__((target("sse4.2")))
#define ADD_WORD(crc, word) ((uint32_t)__builtin_ia32_crc32di(crc, word))
#define ADD_BYTE(crc, byte) __builtin_ia32_crc32qi(crc, byte)

bool scry_crc32c_is_fast(void)
{
    return __builtin_cpu_supports("sse4.2");
}
#elif defined __aarch64__
#define INSTRUCTION __attribute__((target("+crc")))
#define ADD_WORD(crc, word) __builtin_aarch64_crc32cx(crc, word)
#define ADD_BYTE(crc, byte) __builtin_aarch64_crc32cb(crc, byte)

bool scry_crc32c_is_fast(void)
{
    enum { HAS_CRC32 = 1 << 7 };   /* HWCAP_CRC32 */
    return getauxval(AT_HWCAP) & HAS_CRC32;
}
#else
bool scry_crc32c_is_fast(void)
{
    return false;
}
#endif

#ifdef INSTRUCTION
static uint32_t multiply(uint32_t a, uint32_t b)
{
    uint32_t product = 0;
    for (; b; b <<= 1) {
        product ^= b >> 31 ? a : 0;
        a = a >> 1 ^ (a & 1 ? polynomial : 0);   /* times x */
    }
    return product;
}

INSTRUCTION static uint32_t add_lanes(uint32_t crc, const uint8_t *p)
{
    static const uint32_t one_lane = 0x28461564, two_lanes = 0xbf455269;   /* x^65536 and x^131072 modulo P */
    uint32_t b = 0, c = 0;
    for (size_t i = 0; i < LANE; i += 8) {
        uint64_t word[3];
        memcpy(&word[0], p + i, 8);
        memcpy(&word[1], p + LANE + i, 8);
        memcpy(&word[2], p + 2 * LANE + i, 8);
        crc = ADD_WORD(crc, word[0]);
        b = ADD_WORD(b, word[1]);
        c = ADD_WORD(c, word[2]);
    }
    return multiply(crc, two_lanes) ^ multiply(b, one_lane) ^ c;
}

INSTRUCTION static uint32_t fast(uint32_t crc, const uint8_t *p, size_t n)
{
    for (; n >= 3 * LANE; n -= 3 * LANE, p += 3 * LANE)
        crc = add_lanes(crc, p);
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t word;
        memcpy(&word, p, 8);
        crc = ADD_WORD(crc, word);
    }
    for (; n; n--, p++)
        crc = ADD_BYTE(crc, *p);
    return crc;
}
#endif

uint32_t scry_crc32c_portable(uint32_t crc, const void *bytes, size_t n)
{
    return ~portable(~crc, bytes, n);
}

uint32_t scry_crc32c(uint32_t crc, const void *bytes, size_t n)
{
#ifdef INSTRUCTION
    if (scry_crc32c_is_fast())
        return ~fast(~crc, bytes, n);
#endif
    return scry_crc32c_portable(crc, bytes, n);
}
