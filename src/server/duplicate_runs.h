/* duplicate_runs.h - groups of duplicates, computed in the background and kept for the next requests.
 *
 * Grouping 100,000 pictures takes minutes: a request starts it and is answered with how far it is; the client asks again. One
 * computation runs at a time, with a low priority and a store handle of its own; the last few results are kept until files change.
 */
#ifndef SCRY_SERVER_DUPLICATE_RUNS_H
#define SCRY_SERVER_DUPLICATE_RUNS_H

#include "server/server.h"

struct duplicate_runs *duplicate_runs_new(server *s);

/* Stops the computation; no request may use it any more. NULL is legal. */
void duplicate_runs_free(struct duplicate_runs *d);

#endif
