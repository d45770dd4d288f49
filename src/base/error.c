#include "scry/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Messages quote names and texts from anywhere: a control character in one would break the
 * line, or be interpreted by the terminal. */
static void keep_one_line(char *message)
{
    for (; *message; message++)
        if ((unsigned char)*message < ' ' || *message == 0x7F)
            *message = '?';
}

int scry_fail(scry_error *err, int code, const char *fmt, ...)
{
    if (!err)
        return code;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(err->message, sizeof err->message, fmt, ap);
    va_end(ap);
    keep_one_line(err->message);
    err->code = code;
    return code;
}

int scry_fail_errno(scry_error *err, int errnum, const char *fmt, ...)
{
    int code = errnum == ENOENT ? SCRY_ENOTFOUND : errnum == ENOMEM ? SCRY_ENOMEM : SCRY_EIO;
    if (!err)
        return code;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(err->message, sizeof err->message, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n < sizeof err->message)
        snprintf(err->message + n, sizeof err->message - (size_t)n, ": %s", strerror(errnum));
    keep_one_line(err->message);
    err->code = code;
    return code;
}
