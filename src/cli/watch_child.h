/* watch_child.h - `scry watch` as a child of another command: `scry serve --watch`.
 *
 * It is forked before the server has threads and waits; watch_child_start lets it become `scry watch` with the shared options
 * that were given. It ends with its parent, however that ends.
 */
#ifndef SCRY_CLI_WATCH_CHILD_H
#define SCRY_CLI_WATCH_CHILD_H

#include "cli/cli.h"

#include <sys/types.h>

typedef struct watch_child {
    pid_t pid;      /* 0: none */
    int start;      /* a pipe: a byte starts it, its end ends it */
} watch_child;

/* `words`: the child reads the words in pictures, too. */
int watch_child_fork(watch_child *w, const cli_common *c, bool words, scry_error *err) SCRY_NODISCARD;
void watch_child_start(watch_child *w);
void watch_child_stop(watch_child *w);   /* and wait for its end; legal without one */

#endif
