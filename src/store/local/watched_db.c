#include "store/local/watched_db.h"

enum { OPERATIONS = 10000 };   /* of SQLite's machine between two looks: some milliseconds */

static int look(void *arg)
{
    scry_long_work *w = arg;
    return scry_work_reach(w, w->done, NULL) < 0;
}

void scry_work_watch(scry_long_work *w, scry_db *db)
{
    sqlite3_progress_handler(db->handle, OPERATIONS, look, w);
}

void scry_work_unwatch(scry_db *db)
{
    sqlite3_progress_handler(db->handle, 0, NULL, NULL);
}
