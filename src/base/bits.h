/* bits.h - bitmaps as arrays of 64-bit words. */
#ifndef SCRY_BASE_BITS_H
#define SCRY_BASE_BITS_H

#include <stddef.h>
#include <stdint.h>

enum { SCRY_BITS_UNROLLED = 16 };   /* words whose bits are at most 128 for each of the eight bytes that count them */

/* The eight counts of the bytes of `word`, as bytes. */
static inline uint64_t scry_bits_of_bytes(uint64_t word)
{
    uint64_t pairs = word - (word >> 1 & 0x5555555555555555u);
    uint64_t nibbles = (pairs & 0x3333333333333333u) + (pairs >> 2 & 0x3333333333333333u);
    return (nibbles + (nibbles >> 4)) & 0x0f0f0f0f0f0f0f0fu;
}

/* How many bits of `n` words are set. The builtin is a call for every word where the baseline has no instruction
 * for it, as on x86-64; the inner loop is one that compilers vectorise. */
static inline size_t scry_bits_count(const uint64_t *words, size_t n)
{
    uint64_t sum = 0;
    size_t i = 0;
    for (; i + SCRY_BITS_UNROLLED <= n; i += SCRY_BITS_UNROLLED) {
        uint64_t bytes = 0;
        for (size_t k = 0; k < SCRY_BITS_UNROLLED; k++)
            bytes += scry_bits_of_bytes(words[i + k]);
        uint64_t pairs = (bytes & 0x00ff00ff00ff00ffu) + (bytes >> 8 & 0x00ff00ff00ff00ffu);
        sum += pairs * 0x0001000100010001u >> 48;
    }
    for (; i < n; i++)
        sum += scry_bits_of_bytes(words[i]) * 0x0101010101010101u >> 56;
    return (size_t)sum;
}

#endif
