/* cache.h - where a cache of something about a file or folder lies. */
#ifndef SCRY_BASE_CACHE_H
#define SCRY_BASE_CACHE_H

#include <stdbool.h>

/* scry_cache_dir()/KIND/HASH, the hash being of the real path of `of`; owned by the caller. NULL where there is no `of`
 * or, with `create`, the folder could not be made. */
char *scry_cache_path(const char *kind, const char *of, bool create);

#endif
