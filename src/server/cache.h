/* cache.h - small files kept on disk under a key, the oldest thrown away past a limit.
 *
 * Each kind ("thumbs", "queries") is a folder below $XDG_CACHE_HOME/scry. Losing an entry
 * costs a little work, never an answer. Any thread, any process.
 */
#ifndef SCRY_SERVER_CACHE_H
#define SCRY_SERVER_CACHE_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>

/* Append the entry to `out`; false when there is none. `key` must be a plain file name. */
bool cache_get(const char *kind, const char *key, scry_buf *out);

/* Keep the bytes, as well as the disk allows. Every so often the kind is trimmed to its limit. */
void cache_put(const char *kind, const char *key, const void *bytes, size_t n);

#endif
