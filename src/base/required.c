#include "base/required.h"

int scry_required(const void *value, const char *what, scry_error *err)
{
    return value ? 0 : scry_fail(err, SCRY_EINVALID, "%s is needed, and none was given (NULL)", what);
}

int scry_required_texts(const char *const *texts, size_t n, const char *what, scry_error *err)
{
    int r = n ? scry_required(texts, what, err) : 0;
    for (size_t i = 0; i < n && r == 0; i++)
        if (!texts[i])
            r = scry_fail(err, SCRY_EINVALID, "%s is needed, and number %zu of %zu is none (NULL)", what, i, n);
    return r;
}
