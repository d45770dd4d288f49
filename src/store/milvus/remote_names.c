/* remote_names.c - roots with names: the same pictures, mounted in other places on other machines.
 *
 * A collection has the root's id and name; rows have id and relative path. Where it is on this machine is a line NAME=PATH of a
 * file of this machine, for all collections: on a machine without that line the root is "NAME:", a path that no file has, so that
 * nothing there is taken for its pictures.
 */
#include "store/milvus/remote_internal.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/sha256.h"
#include "store/predicates.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { MOST_BYTES = 1 << 20, MOST_NAME = 64 };

/* ---- the file ---- */

static char *places_file(void)
{
    const char *given = getenv("SCRY_ROOTS");
    if (given && given[0])
        return scry_strdup(given);
    char *data = scry_data_dir(), *path = scry_path_join(data, "roots");
    free(data);
    return path;
}

static bool is_name(const char *text, size_t n)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    return n > 0 && n <= MOST_NAME && text[0] != '-' && strspn(text, letters) >= n;
}

static void places_add(scry_remote_places *p, const char *name, size_t n, const char *path)
{
    p->names = scry_realloc(p->names, (p->count + 1) * sizeof *p->names);
    p->paths = scry_realloc(p->paths, (p->count + 1) * sizeof *p->paths);
    p->names[p->count] = scry_strndup(name, n);
    p->paths[p->count++] = scry_strdup(path);
}

static int read_lines(scry_remote_places *out, char *text, const char *file, scry_error *err)
{
    int number = 0;
    for (char *line, *rest = text; (line = strsep(&rest, "\n"));) {
        size_t n = strcspn(line, "="), k = strlen(line);
        number++;
        if (k == 0 || line[0] == '#')
            continue;
        if (!is_name(line, n) || line[n + (n < k)] != '/')
            return scry_fail(err, SCRY_EINVALID, "line %d of %s is not NAME=/PATH: where a root with a name is on this machine",
                             number, file);
        while (k > n + 2 && line[k - 1] == '/')
            line[--k] = '\0';
        places_add(out, line, n, line + n + 1);
    }
    return 0;
}

int scry_remote_places_read(scry_remote_places *out, scry_error *err)
{
    char *file = places_file();
    scry_buf text = SCRY_BUF_INIT(MOST_BYTES);
    *out = (scry_remote_places){ 0 };
    int result = access(file, F_OK) < 0 ? 0 : scry_read_file(file, &text, err);
    if (result == 0 && text.size) {
        char *copy = scry_strdup(scry_buf_str(&text));
        result = read_lines(out, copy, file, err);
        free(copy);
    }
    scry_buf_dispose(&text);
    free(file);
    return result;
}

void scry_remote_places_dispose(scry_remote_places *p)
{
    for (size_t i = 0; i < p->count; i++) {
        free(p->names[i]);
        free(p->paths[i]);
    }
    free(p->names);
    free(p->paths);
    *p = (scry_remote_places){ 0 };
}

const char *scry_remote_place_of(const scry_remote_places *p, const char *name)
{
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->names[i], name) == 0)
            return p->paths[i];
    return NULL;
}

const char *scry_remote_name_at(const scry_remote_places *p, const char *path)
{
    for (size_t i = 0; i < p->count; i++)
        if (scry_path_within(p->paths[i], path))
            return p->names[i];
    return NULL;
}

/* The lines of the file but the one of `name`, with comments, and its new line. */
static int write_places(const char *file, const char *name, const char *path, scry_error *err)
{
    scry_buf old = SCRY_BUF_INIT(MOST_BYTES), now = SCRY_BUF_INIT(2 * MOST_BYTES);
    size_t n = strlen(name);
    int result = access(file, F_OK) < 0 ? 0 : scry_read_file(file, &old, err);
    char *copy = scry_strdup(scry_buf_str(&old));
    for (char *line, *rest = copy; result == 0 && (line = strsep(&rest, "\n"));)
        if (line[0] && !(strncmp(line, name, n) == 0 && line[n] == '='))
            scry_buf_printf(&now, "%s\n", line);
    scry_buf_printf(&now, "%s=%s\n", name, path);
    if (result == 0)
        result = scry_write_file(file, scry_buf_str(&now), now.size, err);
    free(copy);
    scry_buf_dispose(&old);
    scry_buf_dispose(&now);
    return result;
}

int scry_remote_place_set(const char *name, const char *path, scry_error *err)
{
    if (strchr(path, '\n'))
        return scry_fail(err, SCRY_EINVALID, "the folder of a root with a name must not have a line end in its path");
    char *file = places_file(), *lock = scry_asprintf("%s.lock", file), *data = scry_data_dir();
    int result = getenv("SCRY_ROOTS") ? 0 : scry_make_dirs(data, err);
    int fd = result < 0 ? -1 : open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (result == 0 && (fd < 0 || flock(fd, LOCK_EX) < 0))
        result = scry_fail_errno(err, SCRY_EIO, "%s cannot be locked", lock);
    if (result == 0)
        result = write_places(file, name, path, err);
    if (fd >= 0)
        close(fd);
    free(file);
    free(lock);
    free(data);
    return result;
}

/* ---- naming a root ---- */

/* A root that other machines have indexed: one of some files that it has must be below `path`. */
static int check_place(scry_remote *s, scry_milvus *m, const char *id, const char *name, const char *path, scry_error *err)
{
    enum { LOOKED_AT = 50 };
    static const char *const names[] = { "path" };
    char filter[64];
    scry_milvus_rows *rows;
    snprintf(filter, sizeof filter, "root == \"%s\"", id);
    scry_milvus_query q = { filter, names, 1, LOOKED_AT, SCRY_MILVUS_STRONG };
    int result = scry_remote_query(s, m, &q, &rows, err);
    if (result < 0)
        return result;
    const scry_milvus_column *paths = scry_milvus_find_column(rows, "path", SCRY_MILVUS_VARCHAR);
    bool found = !rows->rows || !paths;
    for (size_t i = 0; i < rows->rows && !found; i++) {
        char *relative = scry_strdup(paths->strings[i]);
        scry_milvus_unescape(relative);
        char *file = scry_store_join(path, relative);
        found = access(file, F_OK) == 0;
        free(file);
        free(relative);
    }
    scry_milvus_rows_free(rows);
    return found ? 0 : scry_fail(err, SCRY_EINVALID, "%s has none of the pictures that the root %s has in %s: give the folder that "
                                 "is that root on this machine (if its pictures were all replaced: scry root move %s %s)", path, name,
                                 s->where, name, path);
}

typedef struct naming {
    scry_remote *s;
    scry_milvus *m;
    const scry_remote_roots *roots;
    const char *name, *path;
    char id[SCRY_REMOTE_HEX_ID];
    bool exists;             /* the collection has a root of this name */
} naming;

static void find_named(naming *n)
{
    const scry_remote_roots *roots = n->roots;
    for (size_t i = 0; i < roots->count && !n->exists; i++)
        if (roots->names[i] && strcmp(roots->names[i], n->name) == 0) {
            memcpy(n->id, roots->ids[i], sizeof n->id);
            n->exists = true;
        }
}

/* What another root at, around or below `place` means: one at the same path that has no name may get this one. */
static int check_other(naming *n, size_t i, const char *place, scry_error *err)
{
    const char *path = n->roots->paths[i], *name = n->roots->names[i];
    if (scry_path_within(path, place) && (name || n->exists || strcmp(path, place) != 0))
        return scry_fail(err, SCRY_EINVALID, "%s is in the root %s of %s already%s%s", place, path, n->s->where,
                         name ? ", which has the name " : ": give a name to that one", name ? name : "");
    if (name && scry_path_within(place, path))
        return scry_fail(err, SCRY_EINVALID, "%s contains %s, which is the root %s", place, path, name);
    if (strcmp(path, place) == 0)
        memcpy(n->id, n->roots->ids[i], sizeof n->id);
    return 0;
}

static int check_others(naming *n, const char *place, scry_error *err)
{
    int result = 0;
    for (size_t i = 0; i < n->roots->count && result == 0; i++)
        if (strcmp(n->roots->ids[i], n->id) != 0)
            result = check_other(n, i, place, err);
    return result;
}

/* The root that has the name, or gets it. */
static int choose_root(naming *n, const char *place, scry_error *err)
{
    find_named(n);
    int result = check_others(n, place, err);
    if (!n->id[0]) {
        uint8_t id[SCRY_ID_BYTES];
        scry_id_of_text(n->name, id);   /* no path: those begin with a slash */
        scry_hex(id, SCRY_ID_BYTES, n->id);
    }
    return result;
}

/* Another program may have made a root around or below it at the same moment: then neither has a name. */
static int make_named(naming *n, const char *place, scry_error *err)
{
    scry_remote *s = n->s;
    bool is_new = !scry_remote_roots_have(n->roots, n->id);
    int result = scry_remote_set_root(s, n->m, n->id, place, n->name, err);
    if (result < 0)
        return result;
    scry_remote_roots *now = scry_remote_roots_hold(s);
    n->roots = now;
    n->exists = true;
    result = check_others(n, place, err);
    scry_remote_roots_release(s, now);
    if (result < 0 && is_new)
        scry_remote_undo_root(s, n->m, n->id);
    return result;
}

static int name_root(naming *n, scry_root *out, scry_error *err)
{
    scry_remote_places places;
    int result = scry_remote_places_read(&places, err);
    const char *known = scry_remote_place_of(&places, n->name), *place = known ? known : n->path;
    if (result == 0 && known && !scry_path_within(known, n->path))
        result = scry_fail(err, SCRY_EINVALID, "the root %s is %s on this machine, and %s is not in it: if it was moved, scry root move "
                           "%s NEW", n->name, known, n->path, n->name);
    if (result == 0)
        result = choose_root(n, place, err);
    if (result == 0 && n->exists && !known)
        result = check_place(n->s, n->m, n->id, n->name, place, err);
    if (result == 0 && !known)
        result = scry_remote_place_set(n->name, place, err);
    if (result == 0)
        result = n->exists ? scry_remote_reload_roots(n->s, n->m, err) : make_named(n, place, err);
    if (result == 0)
        result = scry_remote_finish_root(n->s, n->m, n->id, place, out, err);
    if (result == 0)
        out->name = n->name;
    scry_remote_places_dispose(&places);
    return result;
}

int scry_remote_name_root(scry_store *base, const char *name, const char *path, scry_root *out, scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    naming n = { .s = s, .name = name, .path = path };
    if (!is_name(name, strlen(name)))
        return scry_fail(err, SCRY_EINVALID, "\"%s\" cannot be the name of a root: letters, digits, \".\", \"_\" and \"-\", %d at most", name,
                         MOST_NAME);
    int result = scry_remote_check_writable(s, err);
    if (result < 0 || (result = scry_remote_take(s, &n.m, err)) < 0)
        return result;
    result = scry_remote_reload_roots(s, n.m, err);   /* another machine may just have made it */
    scry_remote_roots *roots = scry_remote_roots_hold(s);
    n.roots = roots;
    if (result == 0)
        result = name_root(&n, out, err);
    scry_remote_roots_release(s, roots);
    scry_remote_give(s, n.m);
    return result;
}
