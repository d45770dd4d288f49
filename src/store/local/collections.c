/* collections.c - the collections of a store: listing and dropping them. */
#include "store/local/local.h"

#include "base/alloc.h"
#include "base/file.h"
#include "store/local/store_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A folder is a collection when it has a database. */
static bool is_collection(const char *folder, const char *name)
{
    char *path = scry_asprintf("%s/%s/index.db", folder, name);
    bool found = name[0] != '.' && access(path, F_OK) == 0;
    free(path);
    return found;
}

int scry_local_collections(const char *where, int (*each)(void *arg, const char *name), void *arg,
                           scry_error *err)
{
    char *folder = scry_path_join(where, "collections");
    char **names = NULL;
    size_t count = 0;
    DIR *d = opendir(folder);
    int result = 0;
    if (!d)
        result = scry_fail(err, SCRY_ENOTFOUND, "there is no store at %s yet: `scry index PATH` makes one",
                           where);
    for (struct dirent *e; d && (e = readdir(d));)
        if (is_collection(folder, e->d_name)) {
            names = scry_realloc(names, (count + 1) * sizeof *names);
            names[count++] = scry_strdup(e->d_name);
        }
    if (count)
        qsort(names, count, sizeof *names, compare_names);
    bool stop = false;
    for (size_t i = 0; i < count; i++) {
        stop = stop || each(arg, names[i]) != 0;
        free(names[i]);
    }
    free(names);
    if (d)
        closedir(d);
    free(folder);
    return result;
}

/* The files of one collection, then its folder. */
int scry_local_remove_folder(const char *folder, scry_error *err)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = 0;
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (!d)
        return scry_fail_errno(err, errno, "cannot open %s", folder);
    /* The database first: without it the folder is not a collection any more. */
    if (unlinkat(fd, "index.db", 0) < 0 && errno != ENOENT)
        result = scry_fail_errno(err, errno, "cannot remove %s/index.db", folder);
    for (struct dirent *e; result == 0 && (e = readdir(d));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
            unlinkat(fd, e->d_name, 0) < 0 && errno != ENOENT)
            result = scry_fail_errno(err, errno, "cannot remove %s/%s", folder, e->d_name);
    closedir(d);
    if (result == 0 && rmdir(folder) < 0)
        result = scry_fail_errno(err, errno, "cannot remove %s", folder);
    return result;
}

/* With the database's own lock, which holds where the file `lock` does not. A damaged database has no lock to take,
 * and no writer. */
static int remove_locked(const char *folder, scry_error *err)
{
    scry_db db = { 0 };
    char *path = scry_path_join(folder, "index.db");
    int result = scry_folder_check_database(path, NULL);   /* what is no database has no lock to take, either */
    if (result == 0)
        result = scry_db_open(&db, &scry_local_statements, path, SQLITE_OPEN_READWRITE, "", NULL);
    if (result == 0 && scry_db_run(&db, SCRY_SQL_BEGIN_WRITE, NULL, "") < 0 &&
        (sqlite3_errcode(db.handle) & 0xff) == SQLITE_BUSY)
        result = scry_fail(err, SCRY_EBUSY, "another program is writing to %s: wait until it has ended, or stop it", folder);
    else
        result = scry_local_remove_folder(folder, err);
    scry_db_close(&db, NULL);
    free(path);
    return result;
}

int scry_local_drop(const char *where, const char *name, scry_error *err)
{
    char *folder = scry_asprintf("%s/collections", where);
    int result = 0, lock = -1;
    if (strchr(name, '/') || !is_collection(folder, name)) {
        result = scry_fail(err, SCRY_ENOTFOUND, "there is no collection %s in %s", name, where);
    } else {
        char *full = scry_path_join(folder, name), *path = scry_path_join(full, "lock");
        lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (lock < 0)
            result = scry_fail_errno(err, errno, "cannot open %s", path);
        else if (flock(lock, LOCK_EX | LOCK_NB) < 0)
            result = scry_fail(err, SCRY_EBUSY, "another process is writing to the collection %s of %s: wait "
                               "until it has ended, or stop it", name, where);
        else
            result = remove_locked(full, err);
        char *unfinished = scry_replacement_folder(where, name);
        if (result == 0 && access(unfinished, F_OK) == 0)
            result = scry_local_remove_folder(unfinished, err);
        free(unfinished);
        free(path);
        free(full);
    }
    scry_folder_unlock(lock);
    free(folder);
    return result;
}
