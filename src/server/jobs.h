/* jobs.h - index runs that the page or the API started, one at a time, watched by events. */
#ifndef SCRY_SERVER_JOBS_H
#define SCRY_SERVER_JOBS_H

#include "server/server.h"

struct job_list *jobs_new(void);
void jobs_cancel_all(struct job_list *l);
void jobs_end_events(struct job_list *l);   /* streams of events end, so that the loop can */
void jobs_free(struct job_list *l);      /* cancels and waits */

/* A request that changes the collection does so between these two. Others' short changes are waited
 * for; an index run may take hours, which no worker waits for: false, and a 409 was made. */
bool server_change_begin(request *r);
void server_change_end(request *r);

/* Open the collection for writing, for the time of one change: other processes may write too.
 * Close with server_writer_close, which makes the change visible to searches. */
int server_writer_open(server *s, scry_store **out, scry_error *err);
int server_writer_close(server *s, scry_store *writer, scry_error *err);

#endif
