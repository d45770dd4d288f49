/* routes_folders.c - folders of this machine, while the path of one that is to be indexed is typed. Only where index runs may be
 * started: they read any folder, and name what is in it. */
#include "server/router.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/pictures_folder.h"
#include "base/utf8.h"
#include "server/request.h"
#include "server/server.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { MAX_JSON_BYTES = 1 << 20, MOST_FOLDERS = 100, MOST_ENTRIES = 100000 };

typedef struct {
    char *items[MOST_FOLDERS];   /* paths; owned; in order, the first of all */
    size_t count;
} folder_list;

/* Insert where it belongs; what does not fit is dropped. */
static void add_folder(folder_list *l, char *path)
{
    size_t at = l->count;
    while (at && strcmp(l->items[at - 1], path) > 0)
        at--;
    if (at == MOST_FOLDERS) {
        free(path);
        return;
    }
    if (l->count == MOST_FOLDERS)
        free(l->items[--l->count]);
    memmove(l->items + at + 1, l->items + at, (l->count - at) * sizeof *l->items);
    l->items[at] = path;
    l->count++;
}

static bool is_folder(const struct dirent *e, const char *path)
{
    struct stat st;
    return e->d_type == DT_DIR || ((e->d_type == DT_LNK || e->d_type == DT_UNKNOWN) && stat(path, &st) == 0 && S_ISDIR(st.st_mode));
}

/* The folders in `parent` whose names begin with `start`, whatever their case. Hidden ones only where it begins with a dot. A
 * folder that cannot be read has none. */
static void read_folders(folder_list *l, const char *parent, const char *start)
{
    DIR *d = opendir(parent);
    const struct dirent *e;
    for (size_t seen = 0; d && seen < MOST_ENTRIES && (e = readdir(d)); seen++) {
        bool offered = strncasecmp(e->d_name, start, strlen(start)) == 0 && (e->d_name[0] != '.' || start[0] == '.') &&
                       strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 && scry_utf8_valid(e->d_name, strlen(e->d_name));
        char *path = offered ? scry_path_join(parent, e->d_name) : NULL;
        if (offered && is_folder(e, path))
            add_folder(l, path);
        else
            free(path);
    }
    if (d)
        closedir(d);
}

/* GET /api/v1/folders */
static void folders_get(request *r, worker_tools *tools)
{
    const char *typed = request_arg(r, "path"), *home = getenv("HOME");
    if (!r->server->options.allow_index) {
        respond_problem(r, 403, "indexing is not enabled: start the server with --allow-index");
        return;
    }
    char *path = typed && typed[0] ? scry_expand_home(typed) : scry_asprintf("%s/", home ? home : ""), *slash = strrchr(path, '/');
    if (path[0] != '/') {
        respond_named_problem(r, 400, "not_absolute", "path takes the beginning of an absolute path");
        free(path);
        return;
    }
    char *parent = scry_strndup(path, slash == path ? 1 : (size_t)(slash - path));
    folder_list l = { .count = 0 };
    read_folders(&l, parent, slash + 1);
    scry_buf b = SCRY_BUF_INIT(MAX_JSON_BYTES);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    scry_json_begin(&w, '{');
    scry_json_key(&w, "folders");
    scry_json_begin(&w, '[');
    for (size_t i = 0; i < l.count; i++) {
        scry_json_put_str(&w, l.items[i]);
        free(l.items[i]);
    }
    scry_json_end(&w, ']');
    if (!typed || !typed[0]) {
        char *pictures = scry_pictures_folder();
        scry_json_add_str(&w, "pictures", pictures);
        free(pictures);
    }
    scry_json_end(&w, '}');
    free(parent);
    free(path);
    respond_result(r, 0, NULL, &b);
}

const route routes_folders[] = {
    { "GET", "/api/v1/folders", RUN_ON_WORKER, folders_get, 0, false, "path" },
    { 0 },
};
