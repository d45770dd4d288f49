/* replace.c - a collection that is made beside another one and takes its place.
 *
 * Both are locked from the beginning to the end. Their folders are exchanged by one rename, so that a crash leaves the old
 * collection or the new one; the folder that is left over is removed then, or by the next replacement.
 */
#include "store/local/local.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/rename.h"
#include "store/local/store_folder.h"
#include "store/local/transaction.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *scry_replacement_folder(const char *where, const char *name)
{
    return scry_asprintf("%s/collections/.%s.rebuild", where, name);
}

static char *aside(const char *where, const char *name)
{
    return scry_asprintf("%s/collections/.%s.aside", where, name);
}

void scry_replacement_recover(const char *where, const char *name)
{
    char *folder = scry_asprintf("%s/collections/%s", where, name), *old = aside(where, name);
    if (access(folder, F_OK) < 0 && errno == ENOENT)
        (void)!rename(old, folder);
    free(old);
    free(folder);
}

static int drop(const char *folder, scry_error *err)
{
    return access(folder, F_OK) == 0 ? scry_local_remove_folder(folder, err) : 0;
}

int scry_local_drop_replacement(scry_store *base, scry_error *err)
{
    const scry_local *s = (const scry_local *)base;
    char *folder = scry_replacement_folder(s->where, s->name);
    int result = drop(folder, err);
    free(folder);
    return result;
}

int scry_local_begin_replacement(scry_store **out, scry_store *base, const scry_store_options *model, bool anew,
                                 scry_error *err)
{
    const scry_local *s = (const scry_local *)base;
    scry_store_options o = *model;
    scry_error why = SCRY_ERROR_INIT;
    char *folder = scry_replacement_folder(s->where, s->name);
    o.mode = SCRY_STORE_CREATE;
    int result = anew ? drop(folder, &why) : 0;
    if (result == 0)
        result = scry_local_open_folder(out, s->where, s->name, folder, &o, &why);
    if (result == SCRY_EINVALID || result == SCRY_EDAMAGED) {   /* of another model, or of no use */
        result = drop(folder, &why);
        if (result == 0)
            result = scry_local_open_folder(out, s->where, s->name, folder, &o, &why);
    }
    free(folder);
    return result < 0 ? scry_fail(err, why.code, "%s", why.message) : 0;
}

/* Exchange two folders; in two steps on file systems that cannot in one (NFS). */
static int exchange(const char *a, const char *b, const char *between)
{
    if (scry_rename_exchange(a, b) == 0)
        return 0;
    if ((errno != EINVAL && errno != ENOSYS) || rename(a, between) < 0)
        return -1;
    if (rename(b, a) < 0) {
        int problem = errno;
        (void)!rename(between, a);
        errno = problem;
        return -1;
    }
    return rename(between, b);
}

static int sync_collections(const char *where)
{
    char *path = scry_asprintf("%s/collections", where);
    int result = scry_sync_folder(path);
    free(path);
    return result;
}

/* Close both; the first failure, which may be `result`, is returned. */
static int close_both(scry_store *old, scry_store *fresh, int result, scry_error *err)
{
    int closed = scry_store_close(fresh, result == 0 ? err : NULL);
    result = result ? result : closed;
    closed = scry_store_close(old, result == 0 ? err : NULL);
    return result ? result : closed;
}

int scry_local_replace(scry_store *base, scry_store *replacement, scry_error *err)
{
    scry_local *s = (scry_local *)base, *fresh = (scry_local *)replacement;
    char *where = scry_strdup(s->where), *name = scry_strdup(s->name), *between = aside(where, name);
    char *old_folder = scry_strdup(s->folder), *new_folder = scry_strdup(fresh->folder);
    int locks[] = { s->lock_fd, fresh->lock_fd };   /* held while both are closed and exchanged */
    s->lock_fd = fresh->lock_fd = -1;
    int result = scry_local_begin(s, err);
    if (result == 0)   /* what was copied is still what it holds */
        result = scry_local_end(s, SCRY_ECANCELLED, NULL) == SCRY_ECANCELLED ? 0 : SCRY_EIO;
    result = close_both(base, replacement, result, err);
    if (result == 0 && (exchange(old_folder, new_folder, between) < 0 || sync_collections(where) < 0))
        result = scry_fail_errno(err, errno, "cannot replace the collection %s of %s", name, where);
    if (result == 0)
        result = drop(new_folder, err);   /* the old collection is there now */
    for (int i = 0; i < 2; i++)
        scry_folder_unlock(locks[i]);
    char *owned[] = { where, name, between, old_folder, new_folder };
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    return result;
}
