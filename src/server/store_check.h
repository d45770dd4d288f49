/* store_check.h - the store's files are compared with their checksums while the server runs.
 *
 * A thread of low priority reads them slowly after the start and from time to time after it. What it finds goes to the log, to
 * the status, and, for damage that can make searches wrong, to the answers of searches and to every other process
 * (scry_store_known_damage). Damaged caches are made again in memory: the store is opened anew for that.
 */
#ifndef SCRY_SERVER_STORE_CHECK_H
#define SCRY_SERVER_STORE_CHECK_H

#include "base/json.h"
#include "server/server.h"

/* Start the thread. Without one, or for a store on Milvus, nothing is checked, and the status says so. */
struct store_check *store_check_new(server *s);
void store_check_free(struct store_check *c);   /* ends a check at once; NULL is legal */

/* Whether searches may be wrong: what the last check of any process found, and this server's where it could not be written
 * down. `err` gets what to tell whoever searches. With store_lock held. */
bool store_damage(server *s, scry_error *err);

/* The same as the member "damage" of an answer: its message, or null. */
void store_put_damage(server *s, scry_json_writer *w);

/* Write the object of "check" in the status. Any thread. */
void store_check_put(struct store_check *c, scry_json_writer *w);

#endif
