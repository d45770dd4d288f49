/* unicode.h - the properties of code points in Unicode 15.0.
 *
 * Token ids depend on them, so they are the same on every system: tables of our own (unicode_data.h), no library's. utf8.h adds
 * what the tokenizers' references have from other versions. Thread-safe: no state.
 */
#ifndef SCRY_BASE_UNICODE_H
#define SCRY_BASE_UNICODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* General categories; CN, not assigned, includes what is no code point. */
typedef enum {
    UNICODE_CN, UNICODE_LU, UNICODE_LL, UNICODE_LT, UNICODE_LM, UNICODE_LO, UNICODE_MN, UNICODE_MC, UNICODE_ME, UNICODE_ND,
    UNICODE_NL, UNICODE_NO, UNICODE_PC, UNICODE_PD, UNICODE_PS, UNICODE_PE, UNICODE_PI, UNICODE_PF, UNICODE_PO, UNICODE_SM,
    UNICODE_SC, UNICODE_SK, UNICODE_SO, UNICODE_ZS, UNICODE_ZL, UNICODE_ZP, UNICODE_CC, UNICODE_CF, UNICODE_CS, UNICODE_CO,
    UNICODE_CATEGORIES
} unicode_category;

unicode_category scry_unicode_category(uint32_t rune);

int scry_unicode_combining_class(uint32_t rune);   /* 0 to 254 */
uint32_t scry_unicode_lower(uint32_t rune);        /* simple lower case, or `rune` itself */

/* The whole decomposition of `rune`, canonical or compatible, or `rune` itself. Returns how many were written. */
enum { UNICODE_LONGEST_DECOMPOSITION = 18 };       /* U+FDFA has the longest */
size_t scry_unicode_decompose(uint32_t rune, bool compatible, uint32_t out[UNICODE_LONGEST_DECOMPOSITION]);

/* The code point that the two compose to, or 0. */
uint32_t scry_unicode_compose(uint32_t first, uint32_t second);

/* Whether a grapheme cluster may end between `before` and `rune` (Annex 29). `state` is 0 at the beginning of the text and
 * passed on from pair to pair. */
bool scry_unicode_breaks(uint32_t before, uint32_t rune, int32_t *state);

#endif
