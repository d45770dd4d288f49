/* store_watch.h - the store that requests use is the collection that is there now.
 *
 * A collection may be dropped or replaced while the server runs. A thread checks several times a second; when the collection
 * is another one it is opened and takes the old one's place. While that is impossible, requests get 503 with the reason.
 *
 * The thread also reads the names that were taught to the model (scry/teach.h) when they change.
 *
 * A collection that is there may be damaged so that no search can be answered. Requests get the error then, and the server is not
 * ready. The thread finds out without reading the files: it refreshes the store at every tick, which compares their sizes, and
 * makes a search of its own after a request has failed, and then about once a second until it succeeds.
 */
#ifndef SCRY_SERVER_STORE_WATCH_H
#define SCRY_SERVER_STORE_WATCH_H

#include "server/server.h"

/* Open the server's collection for reading; SCRY_EINVALID when it was built with another model. */
int store_open(const server *s, scry_store **out, scry_error *err) SCRY_NODISCARD;

struct store_watch *store_watch_new(server *s);

/* Look once, with a search if one has failed before, so that the first request already gets the truth; then start the thread. After
 * the warm-up, before there are requests. */
void store_watch_start(struct store_watch *w);

void store_watch_free(struct store_watch *w);    /* NULL is legal */

/* A request or a refresh failed: if the collection is gone, requests are refused from now on until it is opened again; if it may be
 * damaged, the next tick makes a search. Any thread. */
void store_watch_failed(struct store_watch *w, const scry_error *err);

/* Whether requests must be refused; `reason` (512 bytes, may be NULL) gets why. Any thread. */
bool store_watch_problem(struct store_watch *w, char *reason);

/* Whether searches fail: store_watch_problem, or the collection cannot be searched. The same otherwise. */
bool store_watch_unready(struct store_watch *w, char *reason);

/* Open the collection that is there now in place of the one that is gone or was replaced. */
void store_watch_reopen(struct store_watch *w);

#endif
