/* ready.h - the lists of routes_ready.c, kept between requests. */
#ifndef SCRY_SERVER_READY_H
#define SCRY_SERVER_READY_H

#include "server/server.h"

struct ready_lists *ready_lists_new(void);
void ready_lists_free(struct ready_lists *l);   /* NULL is legal; no request may use it any more */

#endif
