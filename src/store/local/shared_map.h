/* shared_map.h - mappings that views share. */
#ifndef SCRY_STORE_LOCAL_SHARED_MAP_H
#define SCRY_STORE_LOCAL_SHARED_MAP_H

#include "base/map_guard.h"
#include "scry/error.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A read-only mapping of a file that grows: longer than the file, so that rows appended
 * later are reached without mapping again. References are counted under the store's view_lock. */
typedef struct scry_shared_map {
    int refs;
    int fd;                    /* of the file, to see its size */
    uint8_t *data;
    size_t size;
    ino_t inode;
    scry_map_guard *guard;
} scry_shared_map;

/* `old` (may be NULL) when it is of the same file and has `need` bytes, with one more reference; else a
 * new mapping of `fd`. `where` is for messages. */
int scry_shared_map_acquire(scry_shared_map **out, scry_shared_map *old, int fd, size_t need, const char *where,
                            scry_error *err) SCRY_NODISCARD;
void scry_shared_map_release(scry_shared_map *m);   /* NULL is legal */

/* Whether everything read from the first `need` bytes up to now was in the file: it still has them, and no page
 * was unreadable. */
bool scry_shared_map_whole(const scry_shared_map *m, size_t need);

#endif
