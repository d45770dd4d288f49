#include "engine/skip_code.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* The first whose words are at the place decides. */
static const struct {
    const char *code;
    enum { STARTS, HAS } where;
    const char *words;
} table[] = {
    { "empty", STARTS, "empty" },
    { "not_picture", STARTS, "not a picture" },
    { "not_file", STARTS, "not a regular file" },
    { "not_file", STARTS, "it is not a file any more" },
    { "gone", STARTS, "it no longer exists" },
    { "broken_link", STARTS, "a symbolic link whose target does not exist" },
    { "path_too_long", STARTS, "its path is longer than" },
    { "too_deep", STARTS, "folders nested too deeply" },
    { "no_path", STARTS, "this row of the CSV has no path" },
    { "passed_over", STARTS, "passed over because of its name" },
    { "disk_away", STARTS, "none of its " },
    { "waits_for_rebuild", STARTS, "new or changed: it waits for" },
    { "format_off", STARTS, "a picture of the format " },
    { "changing", STARTS, "changed while it was read" },
    { "too_slow", STARTS, "took longer than" },
    { "decoder_failed", STARTS, "the decoder " },
    { "truncated", STARTS, "truncated " },
    { "damaged", STARTS, "damaged " },
    { "too_large", STARTS, "larger than " },
    { "too_large", HAS, " are more than the limit of " },
    { "too_large", HAS, " pixels is over " },
    { "too_large", HAS, "more memory than the limit" },
    { "too_large", HAS, " than the memory limit" },
    { "too_large", STARTS, "needs more than " },
    { "too_large", STARTS, "no memory for " },
    { "too_large", STARTS, "no memory to turn " },
    { "too_large", STARTS, "cannot allocate " },
    { "too_large", STARTS, "a JPEG of more than " },
    { "no_library", HAS, ", which is not installed" },
    { "no_library", HAS, " that needs lib" },
    { "unsupported", STARTS, "a GIF without a picture" },
    { "unsupported", STARTS, "a JPEG of two colour components" },
    { "unsupported", STARTS, "a camera RAW " },
    { "unsupported", STARTS, "a picture of " },
    { "unreadable", STARTS, "cannot be " },
};

static bool fits(size_t i, const char *reason)
{
    const char *at = strstr(reason, table[i].words);
    return at && (table[i].where == HAS || at == reason);
}

/* What the system says ends the reason, or is all of it. */
static bool says(const char *reason, int error)
{
    const char *words = strerror(error);
    size_t n = strlen(reason), w = strlen(words);
    return n >= w && strcmp(reason + n - w, words) == 0;
}

const char *scry_skip_code(const char *reason)
{
    if (says(reason, EACCES) || says(reason, EPERM))
        return "no_permission";
    if (says(reason, ENOENT) || says(reason, ENOTDIR))
        return "gone";
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (fits(i, reason))
            return table[i].code;
    return says(reason, EIO) || says(reason, ELOOP) ? "unreadable" : NULL;
}
