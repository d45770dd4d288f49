/* cache.h - a cache of small files on disk; past its limit the least recently used are removed.
 *
 * Each kind ("thumbs", "queries") is a folder below $XDG_CACHE_HOME/scry. A lost
 * or damaged entry is made again. Safe for any thread and any process.
 */
#ifndef SCRY_SERVER_CACHE_H
#define SCRY_SERVER_CACHE_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Append the entry to `out`; false when there is none, or it is not as it was stored. `key` must be a plain file name. */
bool cache_get(const char *kind, const char *key, scry_buf *out);

/* Append the newest entry whose key begins and ends so. `prefix` has two characters or more. */
bool cache_get_newest(const char *kind, const char *prefix, const char *suffix, scry_buf *out);

/* Store the bytes; a failure is ignored. From time to time the kind is trimmed to its limit. */
void cache_put(const char *kind, const char *key, const void *bytes, size_t n);

/* Pictures uploaded to search with are cached by their id, so that an address with "@p:ID" still works after a
 * reload or a restart. The path is owned by the caller; NULL when the picture is no longer cached, or not as it was sent. */
char *upload_path(const uint8_t id[16]);
void upload_keep(const void *bytes, size_t n, uint8_t id[16]);

#endif
