/* text_lines.h - lines of text that were read in a picture, as the few bytes in which they are stored.
 *
 *     scry_buf b = SCRY_BUF_INIT(SCRY_TEXT_PACKED);
 *     scry_text_pack(&b, lines, n);                       // a page of text: less than 1 kB
 *     scry_picture_text *t = scry_text_unpack(b.data, b.size);    // NULL: not what scry_text_pack made
 *
 * docs/store-format.md has the bytes. Pure functions; any thread.
 */
#ifndef SCRY_STORE_TEXT_LINES_H
#define SCRY_STORE_TEXT_LINES_H

#include "base/buf.h"
#include "scry/store.h"

/* The most bytes that it takes, which no reader fills. Corners are stored in parts of UNITS. */
enum { SCRY_TEXT_PACKED = 1 << 19, SCRY_TEXT_UNITS = 2000 };

/* At most SCRY_TEXT_LINES and SCRY_TEXT_BYTES of them; none are no bytes. Corners and confidences out of range are set to its end,
 * bad bytes of a text to U+FFFD, control characters to spaces; lines without text are left out. `out` is cleared first, and
 * failed where there is no memory. */
void scry_text_pack(scry_buf *out, const scry_text_line *lines, size_t n);

/* The lines, and the strings `reader` and `reason`, in one block of memory, which scry_picture_text_free frees; NULL for bytes that
 * are damaged. */
scry_picture_text *scry_text_unpack(const void *bytes, size_t n, const char *reader, const char *reason);

/* Their texts alone, separated by '\n'. `out` is cleared first; false for bytes that are damaged. */
bool scry_text_unpack_words(scry_buf *out, const void *bytes, size_t n);

#endif
