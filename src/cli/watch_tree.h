/* watch_tree.h - the folders below some roots, watched by inotify; which of them have changed.
 *
 *     watch_tree *t;
 *     watch_tree_new(&t, hidden, &err);
 *     watch_tree_add(t, "/home/u/Pictures");
 *     poll(watch_tree_fd(t)); watch_tree_read(t);
 *     if (watch_tree_due(t, 2.0)) ... watch_tree_take(t, &n) ...
 *
 * What changed is a set of folders: of a file that was written, moved, made or removed, the folder that it is in. It is due
 * once nothing has happened for a while, or a while after the first change where something always happens. When inotify's
 * queue overflows, when a root is removed, replaced or unmounted, or when no more watches are to be had, whole roots count as
 * changed, and the caller looks through them now and then in any case: inotify does not see what other machines write.
 *
 * Folders whose names begin with a dot are not watched unless `hidden`, links to folders are not followed, and a folder that
 * is a store of scry is passed over. One thread.
 */
#ifndef SCRY_CLI_WATCH_TREE_H
#define SCRY_CLI_WATCH_TREE_H

#include "scry/error.h"

#include <stdbool.h>
#include <stddef.h>

typedef struct watch_tree watch_tree;

int watch_tree_new(watch_tree **out, bool hidden, scry_error *err) SCRY_NODISCARD;
void watch_tree_free(watch_tree *t);

/* Add a root, an absolute path; it need not be there now. One that was added before stays as it is. */
void watch_tree_add(watch_tree *t, const char *root);

/* Readable when something has happened. */
int watch_tree_fd(const watch_tree *t);

/* Read what has happened. */
void watch_tree_read(watch_tree *t);

/* Whether roots are the folders that they were; those that are not are watched anew and count as changed, once they are there. */
void watch_tree_check_roots(watch_tree *t);

/* All roots count as changed. */
void watch_tree_mark_all(watch_tree *t);

/* Whether something has changed and nothing has happened since for `settle_s` seconds, or for 30 times as long anyway. */
bool watch_tree_due(const watch_tree *t, double settle_s);

/* The changed folders that exist, none of them below another, ended by NULL; the set is empty afterwards. Owned by the
 * caller, as each path. */
char **watch_tree_take(watch_tree *t);

#endif
