#include "engine/hub_settings.h"

#include "base/alloc.h"
#include "base/file.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { MAX_TOKEN_BYTES = 4096 };

/* NULL for an empty one, too. */
static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value && value[0] ? value : NULL;
}

static bool is_on(const char *name)
{
    static const char *const yes[] = { "1", "ON", "YES", "TRUE" };
    const char *value = variable(name);
    for (size_t i = 0; value && i < sizeof yes / sizeof *yes; i++)
        if (strcasecmp(value, yes[i]) == 0)
            return true;
    return false;
}

bool hub_is_offline(void)
{
    return is_on("HF_HUB_OFFLINE") || is_on("TRANSFORMERS_OFFLINE");
}

int hub_url(char **out, scry_error *err)
{
    const char *name = variable("SCRY_HUB_URL") ? "SCRY_HUB_URL" : "HF_ENDPOINT", *value = variable(name);
    if (!value)
        value = "https://huggingface.co";
    if (strncmp(value, "https://", 8) != 0 && strncmp(value, "http://", 7) != 0)
        return scry_fail(err, SCRY_EINVALID, "%s is \"%s\": it must begin with https:// or http://", name, value);
    size_t n = strlen(value);
    const char *host = strstr(value, "//") + 2;
    if (!*host || *host == '/' || strpbrk(host, " \t\r\n?#"))
        return scry_fail(err, SCRY_EINVALID, "%s is \"%s\": it must be https://HOST, perhaps with a port and a path", name, value);
    while (value[n - 1] == '/')
        n--;
    *out = scry_strndup(value, n);
    return 0;
}

/* $HF_HOME/REST, or $NAME where that is set. */
static char *below_home(const char *name, const char *rest)
{
    const char *set = variable(name), *home = variable("HF_HOME"), *cache = variable("XDG_CACHE_HOME");
    char *folder = set ? NULL : home ? scry_expand_home(home)
                 : cache ? scry_asprintf("%s/huggingface", cache) : scry_expand_home("~/.cache/huggingface");
    char *path = set ? scry_expand_home(set) : scry_path_join(folder, rest);
    free(folder);
    return path;
}

char *hub_cache(void)
{
    return below_home(variable("HF_HUB_CACHE") ? "HF_HUB_CACHE" : "HUGGINGFACE_HUB_CACHE", "hub");
}

/* Whether `hub` is reached encrypted, or is this machine. */
static bool is_private(const char *hub)
{
    static const char *const ours[] = { "http://localhost", "http://127.0.0.1", "http://[::1]" };
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        size_t n = strlen(ours[i]);
        if (strncmp(hub, ours[i], n) == 0 && strchr(":/", hub[n]) && !strchr(hub, '@'))   /* or its end; what is before @ is no host */
            return true;
    }
    return strncmp(hub, "https://", 8) == 0;
}

char *hub_token(const char *hub)
{
    if (is_on("HF_HUB_DISABLE_IMPLICIT_TOKEN") || !is_private(hub))
        return NULL;
    const char *value = variable("HF_TOKEN") ? variable("HF_TOKEN") : variable("HUGGING_FACE_HUB_TOKEN");
    scry_buf text = SCRY_BUF_INIT(MAX_TOKEN_BYTES);
    if (value) {
        scry_buf_puts(&text, value);
    } else {
        char *path = below_home("HF_TOKEN_PATH", "token");
        (void)!scry_read_file(path, &text, NULL);   /* without one there is no token */
        free(path);
    }
    const char *from = scry_buf_str(&text);
    from += strspn(from, " \t\r\n");
    size_t n = strcspn(from, " \t\r\n");
    bool printable = n > 0;
    for (size_t i = 0; i < n; i++)
        printable &= from[i] > ' ' && from[i] < 0x7F;
    char *token = printable ? scry_strndup(from, n) : NULL;
    scry_buf_dispose(&text);
    return token;
}
