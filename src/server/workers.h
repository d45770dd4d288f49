/* workers.h - the threads for slow requests: decoding pictures, embedding uploads, making thumbnails. */
#ifndef SCRY_SERVER_WORKERS_H
#define SCRY_SERVER_WORKERS_H

#include "server/request.h"

int workers_start(server *s, scry_error *err);
void workers_stop(server *s);

#endif
