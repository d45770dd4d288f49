/* buf.h - a growing byte buffer with a mandatory cap.
 *
 *     scry_buf b = SCRY_BUF_INIT(1 << 20);
 *     scry_buf_printf(&b, "%d pictures", n);
 *     puts(scry_buf_str(&b));
 *     scry_buf_dispose(&b);
 *
 * Passing the cap, or running out of memory, marks the buffer `failed`; later
 * appends do nothing, so that one check at the end is enough. `data` is always
 * followed by a zero byte once something was appended. Not thread-safe.
 */
#ifndef SCRY_BASE_BUF_H
#define SCRY_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

typedef struct scry_buf {
    char *data;      /* owned; NULL while empty */
    size_t size;     /* bytes in use, the final zero not counted */
    size_t capacity;
    size_t limit;    /* at most this many bytes */
    bool failed;
} scry_buf;

#define SCRY_BUF_INIT(limit_bytes) { NULL, 0, 0, (limit_bytes), false }

void scry_buf_append(scry_buf *b, const void *bytes, size_t n);
void scry_buf_puts(scry_buf *b, const char *s);
void scry_buf_putc(scry_buf *b, char c);
void scry_buf_printf(scry_buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Room for `n` more bytes, whose content the caller writes; NULL when failed. */
void *scry_buf_extend(scry_buf *b, size_t n);

const char *scry_buf_str(const scry_buf *b);   /* borrowed; "" while empty */
char *scry_buf_take(scry_buf *b);              /* owned by the caller; b is empty again */
void scry_buf_clear(scry_buf *b);              /* keeps the memory */
void scry_buf_dispose(scry_buf *b);

#endif
