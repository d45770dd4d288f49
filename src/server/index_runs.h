/* index_runs.h - index runs that the page or the API started, one at a time, and the streams of their events. */
#ifndef SCRY_SERVER_INDEX_RUNS_H
#define SCRY_SERVER_INDEX_RUNS_H

struct index_runs *index_runs_new(void);
void index_runs_cancel_all(struct index_runs *l);
void index_runs_end_events(struct index_runs *l);   /* the event streams end, so that the event loop can stop */
void index_runs_free(struct index_runs *l);         /* cancels the runs and waits for them */

#endif
