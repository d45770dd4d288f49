#include "base/base64.h"

#include "base/crypto.h"

#include <string.h>

enum { BYTES_AT_ONCE = 3 << 20, TEXT_AT_ONCE = 4 << 20 };   /* EVP counts in ints */

void scry_base64_append(scry_buf *out, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    for (size_t done = 0, count; done < n; done += count) {
        count = n - done < BYTES_AT_ONCE ? n - done : BYTES_AT_ONCE;
        unsigned char *to = scry_buf_extend(out, (count + 2) / 3 * 4);   /* and its final zero, which EVP writes */
        if (!to)
            return;
        scry_crypto()->EVP_EncodeBlock(to, p + done, (int)count);
    }
}

int scry_base64_decode(scry_buf *out, const char *text, size_t n)
{
    size_t padding = n && text[n - 1] == '=' ? 1 + (n > 1 && text[n - 2] == '=') : 0;
    if (n % 4 != 0 || memchr(text, '=', n - padding))
        return -1;
    for (size_t done = 0, count; done < n; done += count) {
        count = n - done < TEXT_AT_ONCE ? n - done : TEXT_AT_ONCE;
        unsigned char *to = scry_buf_extend(out, count / 4 * 3);
        /* EVP ignores white space at either end, which leaves fewer bytes: refused here. */
        if (!to || scry_crypto()->EVP_DecodeBlock(to, (const unsigned char *)text + done, (int)count) != (int)(count / 4 * 3))
            return -1;
    }
    out->size -= padding;
    return 0;
}
