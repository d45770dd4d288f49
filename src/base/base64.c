#include "base/base64.h"

void scry_base64_append(scry_buf *out, const void *bytes, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = bytes;
    for (size_t i = 0; i < n; i += 3) {
        unsigned b = i + 1 < n ? p[i + 1] : 0, c = i + 2 < n ? p[i + 2] : 0;
        char four[4] = { digits[p[i] >> 2], digits[(p[i] & 3u) << 4 | b >> 4],
                         i + 1 < n ? digits[(b & 15) << 2 | c >> 6] : '=', i + 2 < n ? digits[c & 63] : '=' };
        scry_buf_append(out, four, 4);
    }
}
