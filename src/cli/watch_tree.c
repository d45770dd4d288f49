#include "cli/watch_tree.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "cli/cli.h"
#include "cli/suggest.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_CHANGED = 1000, MAX_WAITS = 30, READ_BYTES = 1 << 16 };

static const uint32_t events = IN_CLOSE_WRITE | IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF |
                               IN_MOVE_SELF | IN_ONLYDIR;

typedef struct {
    char *path;         /* owned */
    dev_t device;
    ino_t inode;        /* as it was when it was watched */
    bool there, checked;
} watched_root;

typedef struct {
    char **at;          /* owned, with each text */
    size_t count, capacity;
} path_list;

struct watch_tree {
    int fd;
    bool hidden, full;            /* full: no more watches */
    watched_root *roots;
    size_t root_count;
    char **folders;               /* [folder_count] of each watch; NULL: none */
    size_t folder_count;
    path_list changed;
    double first_ms, last_ms;     /* of the changes */
};

int watch_tree_new(watch_tree **out, bool hidden, scry_error *err)
{
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (fd < 0)
        return scry_fail_errno(err, errno, "cannot watch folders");
    *out = scry_alloc(sizeof **out);
    **out = (watch_tree){ .fd = fd, .hidden = hidden };
    return 0;
}

static void clear(path_list *l)
{
    for (size_t i = 0; i < l->count; i++)
        free(l->at[i]);
    l->count = 0;
}

void watch_tree_free(watch_tree *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->root_count; i++)
        free(t->roots[i].path);
    for (size_t i = 0; i < t->folder_count; i++)
        free(t->folders[i]);
    clear(&t->changed);
    free(t->changed.at);
    free(t->folders);
    free(t->roots);
    close(t->fd);
    free(t);
}

int watch_tree_fd(const watch_tree *t)
{
    return t->fd;
}

static bool is_below(const char *path, const char *folder)
{
    size_t n = strlen(folder);
    return strncmp(path, folder, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

/* ---- what has changed ---- */

static void push(path_list *l, char *path)
{
    if (l->count == l->capacity) {
        l->capacity = l->capacity ? 2 * l->capacity : 64;
        l->at = scry_realloc(l->at, l->capacity * sizeof *l->at);
    }
    l->at[l->count++] = path;
}

/* `path` and all below it; what is below it need not be named. */
static void mark(watch_tree *t, const char *path)
{
    path_list *l = &t->changed;
    t->last_ms = scry_now_ms();
    if (l->count == 0)
        t->first_ms = t->last_ms;
    for (size_t i = 0; i < l->count; i++)
        if (is_below(path, l->at[i]))
            return;
    size_t kept = 0;
    for (size_t i = 0; i < l->count; i++) {
        if (is_below(l->at[i], path))
            free(l->at[i]);
        else
            l->at[kept++] = l->at[i];
    }
    l->count = kept;
    if (l->count < MAX_CHANGED) {
        push(l, scry_strdup(path));
        return;
    }
    clear(l);
    for (size_t i = 0; i < t->root_count; i++)
        push(l, scry_strdup(t->roots[i].path));
}

void watch_tree_mark_all(watch_tree *t)
{
    for (size_t i = 0; i < t->root_count; i++)
        mark(t, t->roots[i].path);
}

bool watch_tree_due(const watch_tree *t, double settle_s)
{
    double now = scry_now_ms(), settle_ms = settle_s * 1000;
    return t->changed.count && (now - t->last_ms >= settle_ms || now - t->first_ms >= MAX_WAITS * settle_ms);
}

/* The nearest folder that is there, at `path` or above it, within a root: shortens the text. */
static bool find_existing(const watch_tree *t, char *path)
{
    struct stat st;
    while (stat(path, &st) < 0 && strrchr(path, '/') > path)   /* removed since: its parent has changed, too */
        *strrchr(path, '/') = '\0';
    for (size_t i = 0; i < t->root_count; i++)
        if (is_below(path, t->roots[i].path))
            return true;
    return false;
}

static bool is_covered(const path_list *l, size_t i)
{
    for (size_t k = 0; k < l->count; k++)
        if (k != i && l->at[k][0] && is_below(l->at[i], l->at[k]) && (k < i || strcmp(l->at[i], l->at[k]) != 0))
            return true;
    return false;
}

char **watch_tree_take(watch_tree *t)
{
    path_list *l = &t->changed;
    char **out = scry_alloc((l->count + 1) * sizeof *out);
    size_t n = 0;
    for (size_t i = 0; i < l->count; i++)
        if (!find_existing(t, l->at[i]))
            l->at[i][0] = '\0';
    for (size_t i = 0; i < l->count; i++)
        if (l->at[i][0] && !is_covered(l, i))
            out[n++] = scry_strdup(l->at[i]);
    clear(l);
    return out;
}

/* ---- watches ---- */

static bool is_store(const char *folder)
{
    char *mark_file = scry_path_join(folder, "scry-store");
    bool is = access(mark_file, F_OK) == 0;
    free(mark_file);
    return is;
}

/* Watch one folder; false where there is nothing to watch below it. */
static bool watch_folder(watch_tree *t, const char *path)
{
    if (is_store(path))
        return false;
    int wd = inotify_add_watch(t->fd, path, events);
    if (wd < 0) {
        if (errno == ENOSPC && !t->full)
            cli_warn("this user can watch no more folders (fs.inotify.max_user_watches): what is below %s and others is looked "
                     "through now and then only", path);
        t->full |= errno == ENOSPC;
        return false;
    }
    if ((size_t)wd >= t->folder_count) {
        size_t count = 2 * (size_t)wd + 64;
        t->folders = scry_realloc(t->folders, count * sizeof *t->folders);
        memset(t->folders + t->folder_count, 0, (count - t->folder_count) * sizeof *t->folders);
        t->folder_count = count;
    }
    free(t->folders[wd]);
    t->folders[wd] = scry_strdup(path);
    return true;
}

static bool is_folder(const char *path, const struct dirent *e)
{
    struct stat st;
    return e->d_type == DT_DIR || (e->d_type == DT_UNKNOWN && lstat(path, &st) == 0 && S_ISDIR(st.st_mode));
}

/* Watch a folder and those below it; a list instead of recursion, however deep they are. */
static void watch_below(watch_tree *t, const char *path)
{
    path_list todo = { NULL, 0, 0 };
    push(&todo, scry_strdup(path));
    while (todo.count) {
        char *folder = todo.at[--todo.count];
        DIR *dir = watch_folder(t, folder) ? opendir(folder) : NULL;
        const struct dirent *e;
        while (dir && (e = readdir(dir))) {
            if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || (e->d_name[0] == '.' && !t->hidden))
                continue;
            char *below = scry_path_join(folder, e->d_name);
            if (is_folder(below, e))
                push(&todo, below);
            else
                free(below);
        }
        if (dir)
            closedir(dir);
        free(folder);
    }
    free(todo.at);
}

static void unwatch_below(watch_tree *t, const char *path)
{
    for (size_t wd = 0; wd < t->folder_count; wd++)
        if (t->folders[wd] && is_below(t->folders[wd], path)) {
            inotify_rm_watch(t->fd, (int)wd);
            free(t->folders[wd]);
            t->folders[wd] = NULL;
        }
}

void watch_tree_add(watch_tree *t, const char *root)
{
    for (size_t i = 0; i < t->root_count; i++)
        if (strcmp(t->roots[i].path, root) == 0)
            return;
    t->roots = scry_realloc(t->roots, (t->root_count + 1) * sizeof *t->roots);
    t->roots[t->root_count++] = (watched_root){ .path = scry_strdup(root) };
}

/* `first`: it was not there from the beginning, since its disk is not, or since it is misspelled. */
static void say_gone(const char *path, bool first)
{
    char *near = first ? cli_near_path(path) : NULL;
    cli_warn("%s is not there: waiting for it%s%s%s", path, near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    free(near);
}

void watch_tree_check_roots(watch_tree *t)
{
    for (size_t i = 0; i < t->root_count; i++) {
        watched_root *r = &t->roots[i];
        struct stat st;
        bool there = stat(r->path, &st) == 0 && S_ISDIR(st.st_mode), first = !r->checked;
        r->checked = true;
        if (!there && (first || r->there))
            say_gone(r->path, first);
        if (there == r->there && (!there || (st.st_dev == r->device && st.st_ino == r->inode)))
            continue;
        if (r->there)
            unwatch_below(t, r->path);
        r->there = there;
        if (there) {
            r->device = st.st_dev;
            r->inode = st.st_ino;
            watch_below(t, r->path);
            mark(t, r->path);
        }
    }
}

/* ---- events ---- */

/* Whether the folder is a store or in one, which was watched before it was one: no longer. */
static bool leave_store(watch_tree *t, const char *folder)
{
    char *path = scry_strdup(folder), *slash = path;
    bool store = is_store(path);
    while (!store && (slash = strrchr(path, '/')) && slash > path) {
        *slash = '\0';
        store = is_store(path);
    }
    if (store)
        unwatch_below(t, path);
    free(path);
    return store;
}

static void take_event(watch_tree *t, const struct inotify_event *e)
{
    if (e->mask & IN_Q_OVERFLOW) {
        for (size_t i = 0; i < t->root_count; i++) {   /* folders may have come and gone, too */
            unwatch_below(t, t->roots[i].path);
            t->roots[i].there = false;
        }
        watch_tree_check_roots(t);
        return;
    }
    if (e->wd < 0 || (size_t)e->wd >= t->folder_count || !t->folders[e->wd])
        return;
    if (e->mask & (IN_IGNORED | IN_UNMOUNT)) {
        free(t->folders[e->wd]);
        t->folders[e->wd] = NULL;
        return;
    }
    const char *folder = t->folders[e->wd];
    if (e->len == 0 || (e->name[0] == '.' && !t->hidden) || leave_store(t, folder))
        return;
    char *path = scry_path_join(folder, e->name);
    mark(t, folder);
    if (e->mask & IN_ISDIR && e->mask & (IN_MOVED_FROM | IN_DELETE))
        unwatch_below(t, path);
    if (e->mask & IN_ISDIR && e->mask & (IN_MOVED_TO | IN_CREATE))
        watch_below(t, path);
    free(path);
}

void watch_tree_read(watch_tree *t)
{
    _Alignas(struct inotify_event) char bytes[READ_BYTES];
    ssize_t n;
    while ((n = read(t->fd, bytes, sizeof bytes)) > 0)
        for (ssize_t at = 0; at < n;) {
            const struct inotify_event *e = (const struct inotify_event *)(const void *)(bytes + at);
            take_event(t, e);
            at += (ssize_t)sizeof *e + e->len;
        }
}
