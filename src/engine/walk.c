#include "engine/walk.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "image/image.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The folders between the start and here, to see a circle of links. */
typedef struct trail {
    const struct trail *up;
    dev_t dev;
    ino_t ino;
} trail;

typedef struct {
    const scry_index_options *options;
    scry_walk_fn *fn;
    void *arg;
    size_t root_length;   /* of the path given, so that patterns see what follows it */
} walk;

enum { MAX_DEPTH = 512 };

char *scry_absolute(const char *path)
{
    struct stat st;
    if (lstat(path, &st) < 0)
        return NULL;
    if (!S_ISLNK(st.st_mode) || (stat(path, &st) == 0 && S_ISDIR(st.st_mode)))
        return realpath(path, NULL);
    const char *slash = strrchr(path, '/');
    char *folder = slash == path ? scry_strdup("/") : slash ? scry_strndup(path, (size_t)(slash - path)) : scry_strdup(".");
    char *real = realpath(folder, NULL);
    char *full = real ? scry_path_join(real, slash ? slash + 1 : path) : NULL;
    free(real);
    free(folder);
    return full;
}

/* The nearest folder above `path` that is there, canonical and owned, or NULL; *rest is what follows in `path`. */
static char *nearest_folder(const char *path, const char **rest)
{
    char *folder = NULL;
    size_t end = strlen(path);
    while (!folder && end) {
        while (end && path[end - 1] == '/')
            end--;
        while (end && path[end - 1] != '/')
            end--;
        char *head = end ? scry_strndup(path, end) : scry_strdup(".");
        folder = realpath(head, NULL);
        free(head);
    }
    *rest = path + end;
    return folder;
}

char *scry_stored_path(const char *path)
{
    const char *rest;
    char *folder = scry_absolute(path);
    if (folder)
        return folder;
    folder = nearest_folder(path, &rest);
    scry_buf full = SCRY_BUF_INIT(1 << 20);
    scry_buf_puts(&full, folder && strcmp(folder, "/") != 0 ? folder : "");
    for (size_t n; *rest; rest += n + (rest[n] == '/')) {
        n = strcspn(rest, "/");
        if (n == 0 || (n == 1 && rest[0] == '.'))
            continue;
        scry_buf_putc(&full, '/');
        scry_buf_append(&full, rest, n);
    }
    free(folder);
    return scry_buf_take(&full);
}

static bool matches_any(const char *const *patterns, size_t n, const char *name, const char *relative)
{
    for (size_t i = 0; i < n; i++)
        if (fnmatch(patterns[i], name, FNM_CASEFOLD) == 0 ||
            fnmatch(patterns[i], relative, FNM_CASEFOLD) == 0)
            return true;
    return false;
}

static int report(const walk *w, const char *path, const struct stat *st, const char *problem, bool listed)
{
    scry_walk_item item = { .path = path, .st = st, .problem = problem, .listed = listed };
    return w->fn(w->arg, &item);
}

static int walk_folder(const walk *w, const char *path, const trail *up, int depth);

/* One name in a folder. `path` is its absolute path. */
static int visit(const walk *w, const char *path, const char *name, const trail *up, int depth)
{
    const scry_index_options *o = w->options;
    const char *relative = path + w->root_length;
    relative += *relative == '/';
    if (matches_any(o->exclude, o->exclude_count, name, relative))
        return 0;
    struct stat st;
    bool ok = lstat(path, &st) == 0, link = ok && S_ISLNK(st.st_mode);
    if (link && stat(path, &st) < 0)
        return scry_name_may_be_picture(name) ? report(w, path, NULL, "a symbolic link that leads nowhere", false) : 0;
    if (ok && S_ISDIR(st.st_mode))
        return link && !o->follow ? 0 : walk_folder(w, path, up, depth + 1);
    if (!scry_name_may_be_picture(name) ||
        (o->include_count && !matches_any(o->include, o->include_count, name, relative)))
        return 0;
    if (!ok)
        return report(w, path, NULL, strerror(errno), false);
    return report(w, path, &st, S_ISREG(st.st_mode) ? NULL : "not a regular file", false);
}

static int wanted(const struct dirent *e)
{
    return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

static bool in_circle(const trail *up, const struct stat *st)
{
    for (; up; up = up->up)
        if (up->dev == st->st_dev && up->ino == st->st_ino)
            return true;
    return false;
}

static int walk_folder(const walk *w, const char *path, const trail *up, int depth)
{
    struct stat st;
    struct dirent **names;
    if (depth > MAX_DEPTH)
        return report(w, path, NULL, "folders nested too deeply", false);
    if (stat(path, &st) < 0)
        return report(w, path, NULL, strerror(errno), false);
    if (in_circle(up, &st))
        return 0;   /* a link back to a folder we are in: everything below was or will be seen */
    int n = scandir(path, &names, wanted, alphasort);
    if (n < 0)
        return report(w, path, NULL, strerror(errno), false);
    bool nomedia = false;
    for (int i = 0; i < n; i++)
        nomedia |= strcmp(names[i]->d_name, ".nomedia") == 0;
    trail here = { up, st.st_dev, st.st_ino };
    int r = 0;
    for (int i = 0; i < n; i++) {
        if (r == 0 && !nomedia && (names[i]->d_name[0] != '.' || w->options->hidden)) {
            char *child = scry_path_join(path, names[i]->d_name);
            r = visit(w, child, names[i]->d_name, &here, depth);
            free(child);
        }
        free(names[i]);
    }
    free(names);
    return r;
}

int scry_walk(const char *path, const scry_index_options *options, scry_walk_fn *fn, void *arg)
{
    walk w = { options, fn, arg, strcmp(path, "/") == 0 ? 0 : strlen(path) };
    struct stat st;
    if (stat(path, &st) < 0)
        return report(&w, path, NULL, strerror(errno), true);
    if (S_ISDIR(st.st_mode))
        return walk_folder(&w, path, NULL, 0);
    return report(&w, path, &st, S_ISREG(st.st_mode) ? NULL : "not a regular file", true);
}
