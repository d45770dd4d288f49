/* registry_unfinished.c - downloads that `scry model pull` has not completed: MODELS/.pull-NAME, with the
 * repository in its file .source, and the lock MODELS/.pull-NAME.lock. */
#include "engine/registry_record.h"

#include "base/alloc.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static const char prefix[] = ".pull-";

char *registry_unfinished_folder(const char *models, const char *name)
{
    return scry_asprintf("%s/%s%s", models, prefix, name);
}

int registry_lock(const char *folder, int *fd, scry_error *err)
{
    char *path = scry_asprintf("%s.lock", folder);
    int r = 0;
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*fd < 0)
        r = scry_fail_errno(err, errno, "cannot open %s", path);
    else if (flock(*fd, LOCK_EX | LOCK_NB) < 0)
        r = scry_fail(err, SCRY_EINVALID, "another scry is fetching into %s: wait for it", folder);
    free(path);
    return r;
}

uint64_t registry_fetched_bytes(const char *folder)
{
    DIR *d = opendir(folder);
    uint64_t bytes = 0;
    struct stat st;
    for (struct dirent *e; d && (e = readdir(d));)
        if (e->d_name[0] != '.' && fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
            bytes += (uint64_t)st.st_size;
    if (d)
        closedir(d);
    return bytes;
}

static int is_unfinished(const struct dirent *e)
{
    return strncmp(e->d_name, prefix, strlen(prefix)) == 0 && scry_model_name_valid(e->d_name + strlen(prefix));
}

/* Tell `each` of the download in `folder`, when it is one. */
static int tell(const char *name, const char *folder, int (*each)(void *arg, const scry_model_record *record), void *arg)
{
    char *note = scry_path_join(folder, ".source");
    scry_buf source = SCRY_BUF_INIT(1024);
    int r = 0;
    if (scry_read_file(note, &source, NULL) == 0) {   /* a lock has none */
        const char *text = scry_buf_str(&source);
        size_t n = strcspn(text, "\n");
        char *what = scry_strndup(text, n - (n > 0 && text[n - 1] == '@'));
        char *problem = scry_asprintf("unfinished: `scry model pull %s --name %s` continues, `scry model rm %s` deletes it", what,
                                      name, name);
        scry_model_record record = {
            .name = name, .dir = folder, .unfinished = true, .identity = "", .family = "", .licence = "", .source = what,
            .added_at = "", .bytes = registry_fetched_bytes(folder), .problem = problem
        };
        r = each(arg, &record);
        free(problem);
        free(what);
    }
    scry_buf_dispose(&source);
    free(note);
    return r;
}

int registry_each_unfinished(const char *models, int (*each)(void *arg, const scry_model_record *record), void *arg)
{
    struct dirent **list;
    int n = scandir(models, &list, is_unfinished, alphasort), r = 0;
    for (int i = 0; i < n; i++) {
        char *folder = scry_path_join(models, list[i]->d_name);
        if (r == 0)
            r = tell(list[i]->d_name + strlen(prefix), folder, each, arg);
        free(folder);
        free(list[i]);
    }
    if (n >= 0)
        free(list);
    return r;
}

int registry_remove_unfinished(const char *models, const char *name, scry_error *err)
{
    char *folder = registry_unfinished_folder(models, name), *lock = scry_asprintf("%s.lock", folder);
    int fd = -1, r = access(folder, F_OK) < 0 ? SCRY_ENOTFOUND : registry_lock(folder, &fd, err);
    if (r == 0)
        r = scry_registry_delete_tree(folder, err);
    if (r == 0)
        unlink(lock);
    if (fd >= 0)
        close(fd);
    free(lock);
    free(folder);
    return r;
}
