/* downloads.h - the thread that reads the files of ZIP downloads. */
#ifndef SCRY_SERVER_DOWNLOADS_H
#define SCRY_SERVER_DOWNLOADS_H

#include "server/server.h"

int downloads_start(server *s, scry_error *err);

/* Ends the downloads in progress; before the daemon is stopped, which waits for suspended connections. */
void downloads_stop(server *s);

#endif
