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
#include <stdint.h>

/* Append the entry to `out`; false when there is none. `key` must be a plain file name. */
bool cache_get(const char *kind, const char *key, scry_buf *out);

/* Keep the bytes, as well as the disk allows. Every so often the kind is trimmed to its limit. */
void cache_put(const char *kind, const char *key, const void *bytes, size_t n);

/* Where an entry lies, or NULL when there is none; owned by the caller. */
char *cache_path(const char *kind, const char *key);

/* Pictures uploaded for searching are kept here under their id, so that an address with "@p:ID"
 * in it still works after a reload or a restart. NULL when the picture is not here any more. */
char *upload_path(const uint8_t id[16]);
void upload_keep(const void *bytes, size_t n, uint8_t id[16]);

#endif
