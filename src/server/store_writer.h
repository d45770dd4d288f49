/* store_writer.h - changes to the collection, one at a time. */
#ifndef SCRY_SERVER_STORE_WRITER_H
#define SCRY_SERVER_STORE_WRITER_H

#include "scry/store.h"
#include "server/request.h"

#include <stdbool.h>

/* Who may write to the store now: nobody, a request for its short change, an index run. */
typedef enum { WRITER_FREE, WRITER_CHANGE, WRITER_RUN } writer_claim;

/* Become the one writer: waits while a request makes its change, and as WRITER_RUN while another index
 * run is the writer. false: WRITER_CHANGE was asked for during an index run. */
bool store_writer_claim(server *s, writer_claim claim);
void store_writer_release(server *s);

/* Whether an index run is the writer now. */
bool store_writer_is_run(server *s);

/* A request that changes the collection does so between these two. false: an index run is the writer,
 * which may take hours; a 409 was made. */
bool store_change_begin(request *r);
void store_change_end(request *r);

/* The response to a change that failed: 409 when it lost to another program's, else as respond_error. */
void store_change_failed(request *r, const scry_error *err);

/* What a change was of: lists of pictures stay right where only marks were set (sorted_lists.h). */
typedef enum { CHANGED_FILES, CHANGED_MARKS } writer_change;

/* Open the collection for writing, for the time of one change: other processes may write too.
 * Close with store_writer_close, which makes the change visible to searches. */
int store_writer_open(server *s, scry_store **out, scry_error *err);
int store_writer_close(server *s, scry_store *writer, writer_change what, scry_error *err);

#endif
