/* watched_db.h - long statements of SQLite that report and stop as other long work does. */
#ifndef SCRY_STORE_LOCAL_WATCHED_DB_H
#define SCRY_STORE_LOCAL_WATCHED_DB_H

#include "base/long_work.h"
#include "store/db.h"

/* Until scry_work_unwatch the statements of `db` end with an error when it is to stop, however long one takes. */
void scry_work_watch(scry_long_work *w, scry_db *db);
void scry_work_unwatch(scry_db *db);

#endif
