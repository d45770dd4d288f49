#include "store/local/store_folder.h"

#include "base/alloc.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

static const char marker_text[] = "scry-store 1\n";

int scry_folder_check_name(const char *name, scry_error *err)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    size_t n = strlen(name);
    if (n == 0 || n > 64 || name[0] == '.' || name[0] == '-' || strspn(name, allowed) != n)
        return scry_fail(err, SCRY_EINVALID, "\"%.80s\" cannot name a collection: up to 64 letters, digits, "
                         "_ - and ., starting with a letter, a digit or _", name);
    return 0;
}

/* A half-written marker does not count: its writer was stopped there. */
static bool is_empty_folder(const char *path)
{
    DIR *d = opendir(path);
    bool empty = d != NULL;
    for (struct dirent *e; d && (e = readdir(d));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
            strncmp(e->d_name, "scry-store.part-", strlen("scry-store.part-")) != 0)
            empty = false;
    if (d)
        closedir(d);
    return empty;
}

int scry_folder_check_marker(const char *where, bool create, scry_error *err)
{
    char *path = scry_path_join(where, "scry-store");
    scry_buf text = SCRY_BUF_INIT(256);
    struct stat st;
    int result;
    if (stat(path, &st) < 0 && errno == ENOENT) {
        bool missing = stat(where, &st) < 0, nothing = missing || is_empty_folder(where);
        if (missing && where[0] == '~') {
            result = scry_fail(err, SCRY_EINVALID, "%s begins with the home folder of a user whom this machine does not know: write "
                               "./%s for a folder that is called so", where, where);
        } else if (create && nothing) {
            if ((result = scry_make_dirs(where, err)) == 0)
                result = scry_write_file(path, marker_text, sizeof marker_text - 1, err);
        } else if (nothing) {
            result = scry_fail(err, SCRY_ENOTFOUND, "there is no store at %s yet: `scry index PATH` makes one",
                               where);
        } else {
            result = scry_fail(err, SCRY_EINVALID, "%s is a folder but not a scry store, which is a folder for the index alone, without "
                               "pictures: name another", where);
        }
    } else if ((result = scry_read_file(path, &text, err)) == 0 &&
               strcmp(scry_buf_str(&text), marker_text) != 0) {
        result = scry_fail(err, SCRY_EINVALID, "%s is of another version (\"%.*s\", this scry reads \"%.*s\"): "
                           "use the scry that wrote it, or index again into another store", where,
                           (int)strcspn(scry_buf_str(&text), "\n"), scry_buf_str(&text),
                           (int)sizeof marker_text - 2, marker_text);
    }
    scry_buf_dispose(&text);
    free(path);
    return result;
}

int scry_folder_check_database(const char *db_path, scry_error *err)
{
    static const char *const ends[] = { "", "-wal", "-shm", "-journal" };
    int result = 0;
    for (size_t i = 0; i < sizeof ends / sizeof *ends && result == 0; i++) {
        struct stat st;
        char *path = scry_asprintf("%s%s", db_path, ends[i]);
        if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
            result = scry_fail(err, SCRY_EDAMAGED, "%s is not a regular file: restore it from a backup, or remove the collection's "
                               "folder and index again", path);
        free(path);
    }
    return result;
}

/* The kernel drops the lock with its process, so that the file itself may stay. */
int scry_folder_lock(scry_local *s, scry_error *err)
{
    char *path = scry_path_join(s->folder, "lock");
    char text[32] = "";
    int result = 0;
    s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock_fd < 0) {
        result = scry_fail_errno(err, errno, "cannot write to the store: cannot open %s", path);
    } else if (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0) {
        ssize_t n = pread(s->lock_fd, text, sizeof text - 1, 0);
        text[n > 0 ? strcspn(text, "\n") : 0] = '\0';
        result = scry_fail(err, SCRY_EBUSY, "process %s is writing to the collection %s of %s: wait until it "
                           "has ended, or stop it", text[0] ? text : "(unknown)", s->name, s->where);
    } else {
        int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());
        if (ftruncate(s->lock_fd, 0) < 0 || pwrite(s->lock_fd, text, (size_t)n, 0) != n)
            result = scry_fail_errno(err, errno, "cannot write %s", path);
    }
    free(path);
    return result;
}

/* Closing alone would leave the lock held while a process that another thread has just made, for a decoder, still has the
 * descriptor: until it becomes that program. */
void scry_folder_unlock(int fd)
{
    if (fd < 0)
        return;
    (void)!flock(fd, LOCK_UN);
    close(fd);
}

bool scry_folder_is_network(const char *folder)
{
    static const unsigned long types[] = { 0x6969, 0x517b, 0xff534d42, 0xfe534d42, 0x73757245, 0x5346414f,
                                           0x00c36400, 0x01021997, 0x0bd00bd0, 0x19830326 };
    struct statfs fs;   /* NFS, SMB, CIFS, SMB2, Coda, AFS, Ceph, 9P, Lustre, FhGFS */
    if (statfs(folder, &fs) < 0)
        return false;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (((unsigned long)fs.f_type & 0xffffffff) == types[i])
            return true;
    return false;
}

void scry_folder_remove_orphans(const scry_local *s)
{
    DIR *d = opendir(s->folder);
    for (struct dirent *e; d && (e = readdir(d));) {
        long long n;
        char tail[8] = "";
        const char *name = e->d_name;
        bool orphan = strstr(name, ".part-") != NULL;
        if (sscanf(name, "vectors-%lld.%7s", &n, tail) == 2 && strcmp(tail, "seg") == 0)
            orphan = n != s->head.generation;
        else if (sscanf(name, "codes-%lld.%7s", &n, tail) == 2 && strcmp(tail, "cache") == 0)
            orphan = n != s->head.generation;
        else if (sscanf(name, "columns-%lld.%7s", &n, tail) == 2 && strcmp(tail, "cache") == 0)
            orphan = n != s->head.columns_file;
        if (orphan)
            unlinkat(dirfd(d), name, 0);
    }
    if (d)
        closedir(d);
}

uint64_t scry_folder_bytes(const char *folder)
{
    uint64_t sum = 0;
    DIR *d = opendir(folder);
    struct stat st;
    for (struct dirent *e; d && (e = readdir(d));)
        if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
            sum += (uint64_t)st.st_blocks * 512;
    if (d)
        closedir(d);
    return sum;
}
