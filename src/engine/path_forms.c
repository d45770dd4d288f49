#include "engine/path_forms.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/utf8.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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

static bool is_there(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

/* Adds the name to *path (owned), in a form that is there; false: none is. */
static bool add_name(char **path, const char *name)
{
    char *forms[] = { scry_strdup(name), in_form(name, scry_runes_nfc), in_form(name, scry_runes_nfd) };
    bool found = false;
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        char *with = scry_asprintf("%s%s", *path, forms[i]);
        if (!found && is_there(with)) {
            found = true;
            free(*path);
            *path = with;
        } else {
            free(with);
        }
        free(forms[i]);
    }
    return found;
}

static bool is_ascii(const char *s)
{
    while (*s && (unsigned char)*s < 0x80)
        s++;
    return !*s;
}

char *scry_path_in_other_form(const char *path)
{
    if (is_ascii(path) || strlen(path) >= PATH_MAX || !scry_utf8_valid(path, strlen(path)))
        return NULL;
    char *found = scry_strdup("");
    bool good = true;
    for (size_t n; good && *path; path += n) {
        size_t slashes = strspn(path, "/");
        char *below = scry_asprintf("%s%.*s", found, (int)slashes, path);
        free(found);
        found = below;
        path += slashes;
        n = strcspn(path, "/");
        char *name = scry_strndup(path, n);
        good = n == 0 || add_name(&found, name);
        free(name);
    }
    if (!good)
        free(found);
    return good ? found : NULL;
}

char *scry_given_path(const char *path)
{
    char *given = scry_expand_home(path), *other = is_there(given) ? NULL : scry_path_in_other_form(given);
    if (!other)
        return given;
    free(given);
    return other;
}
