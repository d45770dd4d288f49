#include "base/required.h"

int scry_required(const void *value, const char *what, scry_error *err)
{
    return value ? 0 : scry_fail(err, SCRY_EINVALID, "%s is needed, and none was given (NULL)", what);
}

int scry_required_array(const void *values, size_t n, const char *what, scry_error *err)
{
    return n ? scry_required(values, what, err) : 0;
}

int scry_required_texts(const char *const *texts, size_t n, const char *what, scry_error *err)
{
    int r = scry_required_array(texts, n, what, err);
    for (size_t i = 0; i < n && r == 0; i++)
        if (!texts[i])
            r = scry_fail(err, SCRY_EINVALID, "%s is needed, and number %zu of %zu is none (NULL)", what, i, n);
    return r;
}
