#include "base/cache.h"

#include "base/file.h"
#include "base/sha256.h"

#include <stdlib.h>
#include <string.h>

char *scry_cache_path(const char *kind, const char *of, bool create)
{
    char *real = realpath(of, NULL);
    if (!real)
        return NULL;
    uint8_t digest[SCRY_SHA256_BYTES];
    char hex[33];
    scry_sha256_of(real, strlen(real), digest);
    scry_hex(digest, 16, hex);
    free(real);
    char *cache = scry_cache_dir(), *folder = scry_path_join(cache, kind);
    char *path = NULL;
    if (!create || scry_make_dirs(folder, NULL) == 0)
        path = scry_path_join(folder, hex);
    free(folder);
    free(cache);
    return path;
}
