/* store_folder.h - a store's folder: its marker, its names, the writer's lock. */
#ifndef SCRY_STORE_LOCAL_STORE_FOLDER_H
#define SCRY_STORE_LOCAL_STORE_FOLDER_H

#include "store/local/local.h"

/* SCRY_EINVALID unless `name` can name a collection: a folder's name on every system, and no path. */
int scry_folder_check_name(const char *name, scry_error *err) SCRY_NODISCARD;

/* Check the marker that identifies a store and its format; with `create` make folder
 * and marker where there is nothing. */
int scry_folder_check_marker(const char *where, bool create, scry_error *err) SCRY_NODISCARD;

/* SCRY_EDAMAGED when the database or a file of SQLite's beside it is there and no regular file: SQLite would wait for a FIFO. */
int scry_folder_check_database(const char *db_path, scry_error *err) SCRY_NODISCARD;

/* Take the lock of the collection's one writer, into s->lock_fd. SCRY_EBUSY naming the process that holds it. */
int scry_folder_lock(scry_local *s, scry_error *err) SCRY_NODISCARD;

/* Release the lock of such a descriptor and close it; nothing for -1. */
void scry_folder_unlock(int fd);

/* Whether the folder is on another machine, judged by its file system's type. */
bool scry_folder_is_network(const char *folder);

/* Remove files that a crash left: of other generations, or half-written. */
void scry_folder_remove_orphans(const scry_local *s);

/* Disk space of its files. */
uint64_t scry_folder_bytes(const char *folder);

#endif
