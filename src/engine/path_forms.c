#include "engine/path_forms.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_PATH_BYTES = 1 << 20 };

/* `path` in a normal form, owned. */
static char *in_form(const char *path, void (*normalise)(scry_runes *, scry_unicode))
{
    scry_runes runes = SCRY_RUNES_INIT(MAX_PATH_BYTES);
    scry_buf out = SCRY_BUF_INIT(4 * MAX_PATH_BYTES);
    scry_runes_decode(&runes, path, strlen(path));
    normalise(&runes, SCRY_UNICODE_PYTHON);
    scry_runes_encode(&runes, &out);
    scry_runes_dispose(&runes);
    return scry_buf_take(&out);
}

const scry_filter_node *scry_filter_below(scry_filter_pool *pool, scry_filter_kind kind, const char *path)
{
    const scry_filter_node *below = scry_filter_text(pool, kind, path);
    if (!scry_utf8_valid(path, strlen(path)))
        return below;
    char *composed = in_form(path, scry_runes_nfc), *decomposed = in_form(path, scry_runes_nfd);
    if (strcmp(composed, path) != 0)
        below = scry_filter_or(pool, below, scry_filter_text(pool, kind, composed));
    if (strcmp(decomposed, path) != 0)
        below = scry_filter_or(pool, below, scry_filter_text(pool, kind, decomposed));
    free(composed);
    free(decomposed);
    return below;
}

bool scry_same_name(const char *a, const char *b)
{
    if (!scry_utf8_valid(a, strlen(a)) || !scry_utf8_valid(b, strlen(b)))
        return strcmp(a, b) == 0;
    char *x = in_form(a, scry_runes_nfc), *y = in_form(b, scry_runes_nfc);
    bool same = strcmp(x, y) == 0;
    free(x);
    free(y);
    return same;
}
