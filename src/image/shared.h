/* shared.h - memory that client and worker share.
 *
 * An anonymous file (memfd) that only ever grows: it is sealed against shrinking, so that
 * accessing a mapping never raises SIGBUS, whatever the other process does.
 */
#ifndef SCRY_IMAGE_SHARED_H
#define SCRY_IMAGE_SHARED_H

#include "scry/error.h"

#include <stddef.h>
#include <stdint.h>

typedef struct scry_shared {
    int fd;
    uint8_t *data;     /* mapped; NULL while empty */
    size_t capacity;   /* bytes of the file that are mapped */
} scry_shared;

#define SCRY_SHARED_INIT { -1, NULL, 0 }

int scry_shared_init(scry_shared *s, const char *name, scry_error *err) SCRY_NODISCARD;
/* At least `bytes` long; `data` may move. SCRY_ENOMEM. */
int scry_shared_reserve(scry_shared *s, size_t bytes, scry_error *err) SCRY_NODISCARD;
/* Give the pages past `bytes` back to the system; they read as zeros afterwards. */
void scry_shared_trim(scry_shared *s, size_t bytes);
void scry_shared_dispose(scry_shared *s);

#endif
