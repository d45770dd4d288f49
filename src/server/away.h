/* away.h - which pictures are on disks that are not there.
 *
 * Such pictures stay in the collection, and are shown by their cached thumbnails. A request must not wait for a disk to say which
 * they are: a thread looks at the roots every few seconds. Folders below a root whose disk is away are known once a file in them
 * could not be opened. Any thread.
 */
#ifndef SCRY_SERVER_AWAY_H
#define SCRY_SERVER_AWAY_H

#include "server/server.h"

struct away_watch *away_watch_new(server *s);
void away_watch_free(struct away_watch *w);    /* NULL is legal */

/* Whether the file is in a folder that is away, as far as is known. `watch` is a struct away_watch. */
bool is_away(void *watch, const char *path);

/* Set `away` of the files that are. */
void mark_away(struct away_watch *w, scry_results *found);

/* The file could not be opened: look whether its disk is away. On a worker, since that reads folders. */
bool note_if_away(struct away_watch *w, const scry_file *f);

#endif
