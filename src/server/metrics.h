/* metrics.h - counters and timings of the server, for Prometheus. */
#ifndef SCRY_SERVER_METRICS_H
#define SCRY_SERVER_METRICS_H

#include "server/request.h"

struct metrics *metrics_new(void);
void metrics_count(struct metrics *m, const request *r);
void metrics_count_list(struct metrics *m);   /* a sorted list was made */
void metrics_write(struct metrics *m, server *s, scry_buf *out);   /* reads the store: not on the loop */
void metrics_free(struct metrics *m);

#endif
