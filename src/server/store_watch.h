/* store_watch.h - the store that requests use is the collection that is there now.
 *
 * A collection may be dropped or replaced while the server runs. A thread checks several times a second; when the collection
 * is another one it is opened and takes the old one's place. While that is impossible, requests get 503 with the reason.
 */
#ifndef SCRY_SERVER_STORE_WATCH_H
#define SCRY_SERVER_STORE_WATCH_H

#include "server/server.h"

/* Open the server's collection for reading; SCRY_EINVALID when it was built with another model. */
int store_open(const server *s, scry_store **out, scry_error *err) SCRY_NODISCARD;

struct store_watch *store_watch_new(server *s);
void store_watch_free(struct store_watch *w);    /* NULL is legal */

/* A refresh failed: if the collection is gone, requests are refused from now on until it is opened again. */
void store_watch_failed(struct store_watch *w, const scry_error *err);

/* Whether requests must be refused; `reason` (512 bytes, may be NULL) gets why. Any thread. */
bool store_watch_problem(struct store_watch *w, char *reason);

/* Open the collection that is there now in place of the one that is gone or was replaced. */
void store_watch_reopen(struct store_watch *w);

#endif
