#include "scry/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int scry_fail(scry_error *err, int code, const char *fmt, ...)
{
    if (!err)
        return code;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(err->message, sizeof err->message, fmt, ap);
    va_end(ap);
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
    err->code = code;
    return code;
}
