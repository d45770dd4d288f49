/* map_guard.h - mapped files whose pages become unreadable: cut short by another program, or on a failing disk.
 *
 * Reading such a page raises SIGBUS, which ends the process. With the handler installed, a guarded mapping reads as
 * zeros from that page on and is marked lost. The reader goes on to its end, on any thread, without jumps; then it asks,
 * and discards what it computed:
 *
 *     scry_map_guard *g = scry_map_guard_new(map, size);
 *     total = sum(map, size);
 *     if (scry_map_guard_lost(g))
 *         return scry_fail(err, SCRY_EDAMAGED, "%s was cut short", path);
 *
 * The library installs no handlers by itself: programs call scry_map_guard_install() when they start. Without it a lost
 * page ends the process, as without this file.
 */
#ifndef SCRY_BASE_MAP_GUARD_H
#define SCRY_BASE_MAP_GUARD_H

#include <stdbool.h>
#include <stddef.h>

typedef struct scry_map_guard scry_map_guard;

/* Handle SIGBUS of guarded mappings; any other ends the process as before. */
void scry_map_guard_install(void);

/* Guard a mapping made by mmap. NULL when 256 mappings are guarded already; this one then is not. Thread-safe. */
scry_map_guard *scry_map_guard_new(const void *map, size_t size);

/* Whether a page could not be read; false for NULL. */
bool scry_map_guard_lost(const scry_map_guard *guard);

void scry_map_guard_free(scry_map_guard *guard);   /* before munmap; NULL is legal */

#endif
