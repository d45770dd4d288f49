#include "engine/walk.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "engine/path_forms.h"
#include "image/image.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The folders from the start to the current one, to detect cycles of links. */
typedef struct trail {
    const struct trail *up;
    dev_t dev;
    ino_t ino;
    scry_folder_names names;
} trail;

typedef struct {
    const scry_index_options *options;
    scry_walk_fn *fn;
    void *arg;
    size_t root_length;   /* of the given path: patterns are matched against what follows it */
} walk;

enum { MAX_DEPTH = 512 };

/* The same, of a path that is there. */
static char *absolute(const char *path)
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

char *scry_absolute(const char *path)
{
    char *full = absolute(path);
    int why = errno;
    char *other = full ? NULL : scry_path_in_other_form(path);
    if (other)
        full = absolute(other);
    free(other);
    errno = why;
    return full;
}

/* The nearest folder above `path` that exists, canonical and owned, or NULL; *rest is the rest of `path`. */
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

/* The name that `folder` has for `name`, perhaps in another Unicode form; owned, NULL: none. */
static char *name_in(const char *folder, const char *name)
{
    DIR *d = opendir(folder[0] ? folder : "/");
    char *found = NULL;
    for (struct dirent *e; d && !found && (e = readdir(d));)
        if (scry_same_name(e->d_name, name))
            found = scry_strdup(e->d_name);
    if (d)
        closedir(d);
    return found;
}

enum { MAX_LINKS = 40 };   /* as the kernel has it */

/* Where the link `path` leads, absolute, followed by `rest`; owned. NULL: it is no link. */
static char *behind_link(const char *path, const char *rest)
{
    char target[PATH_MAX];
    ssize_t n = readlink(path, target, sizeof target - 1);
    if (n <= 0)
        return NULL;
    target[n] = '\0';
    size_t folder = target[0] == '/' ? 0 : (size_t)(strrchr(path, '/') - path) + 1;
    return scry_asprintf("%.*s%s%s%s", (int)folder, path, target, *rest ? "/" : "", rest);
}

/* The stored path of one that does not exist: names are added to the nearest folder that does. Links that lead nowhere any more
 * are followed, the last name only with `follow_last`: *link is set to what is to be looked for in place of such a path. With
 * NULL none is followed. */
static char *add_names(const char *path, bool follow_last, char **link)
{
    const char *rest;
    char *folder = nearest_folder(path, &rest);
    scry_buf full = SCRY_BUF_INIT(1 << 20);
    scry_buf_puts(&full, folder && strcmp(folder, "/") != 0 ? folder : "");
    for (size_t n; *rest && !(link && *link); rest += n + (rest[n] == '/')) {
        n = strcspn(rest, "/");
        if (n == 0 || (n == 1 && rest[0] == '.'))
            continue;
        char *name = scry_strndup(rest, n), *found = name_in(scry_buf_str(&full), name);
        const char *after = rest + n + strspn(rest + n, "/");
        scry_buf_putc(&full, '/');
        scry_buf_puts(&full, found ? found : name);
        if (link && (*after || follow_last))
            *link = behind_link(scry_buf_str(&full), after);
        free(found);
        free(name);
    }
    free(folder);
    return scry_buf_take(&full);
}

static char *stored_path(const char *path, bool follow_last)
{
    char *given = scry_expand_home(path), *found = NULL;
    for (int links = 0; !found; links++) {
        char *link = NULL;
        found = follow_last ? realpath(given, NULL) : scry_absolute(given);
        if (!found)
            found = add_names(given, follow_last, links < MAX_LINKS ? &link : NULL);
        if (link) {
            free(found);
            found = NULL;
            free(given);
            given = link;
        }
    }
    free(given);
    return found;
}

char *scry_stored_path(const char *path)
{
    return stored_path(path, false);
}

char *scry_stored_folder(const char *path)
{
    return stored_path(path, true);
}

static bool matches_any(const char *const *patterns, size_t n, const char *name, const char *relative)
{
    for (size_t i = 0; i < n; i++)
        if (fnmatch(patterns[i], name, FNM_CASEFOLD) == 0 ||
            fnmatch(patterns[i], relative, FNM_CASEFOLD) == 0)
            return true;
    return false;
}

/* Whether a folder of this name holds copies of pictures or deleted ones; `path` ends with the name. */
static bool is_excluded(const char *path, const char *name)
{
    /* Synology, QNAP, Windows, macOS's file server, the desktops and ext4; previews of Lightroom and thumbnails of Android; then
     * what Apple Photos has beside the originals, and iPhoto and Aperture, migrated or not. A pattern with a slash is one of the
     * name with its folder's. */
    static const char *const patterns[] = {
        "@eaDir", "#recycle", "#snapshot", "@Recycle", "@Recently-Snapshot", ".@__thumb", "@__thumb", "@tmp",
        "$RECYCLE.BIN", "RECYCLER", "System Volume Information", "Network Trash Folder",
        ".Trash", ".Trashes", ".Trash-*", "lost+found", "*.lrdata", ".thumbnails",
        "*.photoslibrary/resources", "*.photoslibrary/database", "*.photoslibrary/private", "*.photoslibrary/scopes",
        "*.photoslibrary/internal", "*.photoslibrary/Thumbnails", "*.photoslibrary/Previews",
        "*.*photolibrary/Thumbnails", "*.*photolibrary/Previews", "*.*aplibrary/Thumbnails", "*.*aplibrary/Previews",
    };
    const char *pair = name - 1;
    while (pair > path && pair[-1] != '/')
        pair--;
    for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
        if (fnmatch(patterns[i], strchr(patterns[i], '/') ? pair : name, FNM_CASEFOLD) == 0)
            return true;
    return false;
}

static int report(const walk *w, const char *path, const struct stat *st, const char *problem, bool listed)
{
    scry_walk_item item = { .path = path, .st = st, .problem = problem, .listed = listed };
    return w->fn(w->arg, &item);
}

/* What cannot be looked at, by errno. */
static int report_error(const walk *w, const char *path, bool listed)
{
    return report(w, path, NULL, errno == ENAMETOOLONG ? "its path is longer than 4,095 bytes" : strerror(errno), listed);
}

static int walk_folder(const walk *w, const char *path, const trail *up, int depth);

static int visit_folder(const walk *w, const char *path, const char *name, const struct stat *st, const trail *up,
                        int depth)
{
    bool excluded = is_excluded(path, name), enter = !excluded || w->options->no_default_excludes;
    scry_walk_item item = { .kind = enter ? SCRY_WALK_ENTERED : SCRY_WALK_PASSED_OVER, .path = path, .st = st };
    int r = excluded ? w->fn(w->arg, &item) : 0;
    return r == 0 && enter ? walk_folder(w, path, up, depth) : r;
}

/* A name that is no folder, links followed. */
static int visit_file(const walk *w, const char *path, const char *relative, const struct stat *st, const trail *up)
{
    const scry_index_options *o = w->options;
    const char *name = strrchr(path, '/') + 1;
    scry_walk_item item = { .path = path, .st = st, .beside = &up->names };
    if (!scry_name_may_be_picture(name)
        || (o->include_count && !matches_any(o->include, o->include_count, name, relative)))
        return 0;
    item.problem = S_ISREG(st->st_mode) ? NULL : "not a regular file";
    return w->fn(w->arg, &item);
}

/* One name in a folder. `path` is its absolute path; `type` what the folder says of it (DT_...). */
static int visit(const walk *w, const char *path, unsigned char type, const trail *up, int depth)
{
    const scry_index_options *o = w->options;
    const char *relative = path + w->root_length, *name = strrchr(path, '/') + 1;
    relative += *relative == '/';
    if (matches_any(o->exclude, o->exclude_count, name, relative))
        return 0;
    struct stat st;
    bool ok = lstat(path, &st) == 0, link = ok && S_ISLNK(st.st_mode), may_be_picture = scry_name_may_be_picture(name);
    if (!ok)
        return may_be_picture || type == DT_DIR || type == DT_UNKNOWN ? report_error(w, path, false) : 0;
    if (link && stat(path, &st) < 0)
        return may_be_picture ? report(w, path, NULL, "a symbolic link whose target does not exist", false) : 0;
    if (S_ISDIR(st.st_mode))
        return link && !o->follow ? 0 : visit_folder(w, path, name, &st, up, depth + 1);
    return visit_file(w, path, relative, &st, up);
}

static int wanted(const struct dirent *e)
{
    return strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
}

static bool in_cycle(const trail *up, const struct stat *st)
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
        return report_error(w, path, false);
    if (in_cycle(up, &st))
        return 0;   /* a link to a folder on the way here: its files are reported anyway */
    int n = scandir(path, &names, wanted, alphasort);
    if (n < 0)
        return report_error(w, path, false);
    bool nomedia = false, sidecars = false;
    for (int i = 0; i < n; i++) {
        nomedia |= strcmp(names[i]->d_name, ".nomedia") == 0;
        sidecars = sidecars || scry_may_be_sidecar(names[i]->d_name);
    }
    trail here = { up, st.st_dev, st.st_ino, { (const struct dirent *const *)names, (size_t)n, sidecars } };
    int r = 0;
    for (int i = 0; i < n; i++) {
        if (r == 0 && !nomedia && (names[i]->d_name[0] != '.' || w->options->hidden)) {
            char *child = scry_path_join(path, names[i]->d_name);
            r = visit(w, child, names[i]->d_type, &here, depth);
            free(child);
        }
    }
    for (int i = 0; i < n; i++)
        free(names[i]);
    free(names);
    return r;
}

int scry_walk(const char *path, const scry_index_options *options, scry_walk_fn *fn, void *arg)
{
    walk w = { options, fn, arg, strcmp(path, "/") == 0 ? 0 : strlen(path) };
    struct stat st;
    if (stat(path, &st) < 0)
        return report_error(&w, path, true);
    if (S_ISDIR(st.st_mode))
        return walk_folder(&w, path, NULL, 0);
    return report(&w, path, &st, S_ISREG(st.st_mode) ? NULL : "not a regular file", true);
}
