#include "engine/disk_away.h"

#include "base/alloc.h"
#include "store/results.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool is_empty(const char *folder)
{
    DIR *d = opendir(folder);
    bool empty = d != NULL;
    for (const struct dirent *e; empty && (e = readdir(d));)
        empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
    if (d)
        closedir(d);
    return empty;
}

/* Whether folders in this one appear and disappear with disks: /mnt, /media, /run/media, and a user's below the last two. */
static bool holds_mounts(const char *folder)
{
    static const char *const places[] = { "/media", "/run/media" };
    if (strcmp(folder, "/mnt") == 0)
        return true;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        size_t n = strlen(places[i]);
        if (strncmp(folder, places[i], n) == 0 && (!folder[n] || (folder[n] == '/' && !strchr(folder + n + 1, '/'))))
            return true;
    }
    return false;
}

char *scry_disk_away(const char *path)
{
    char *folder = scry_strdup(path), *missing = NULL;
    char *slash = strrchr(folder, '/');
    while (slash && slash > folder) {
        *slash = '\0';
        if (is_folder(folder))
            break;
        free(missing);
        missing = scry_strdup(folder);
        slash = strrchr(folder, '/');
    }
    bool empty = slash && slash > folder && is_empty(folder);
    if (empty || !missing || !holds_mounts(folder)) {
        free(missing);
        missing = NULL;
    }
    if (empty)
        return folder;
    free(folder);
    return missing;
}

bool scry_folder_is_away(const char *folder)
{
    struct stat st;
    if (stat(folder, &st) < 0)
        return errno != EACCES;
    return !S_ISDIR(st.st_mode) || is_empty(folder);
}

bool scry_root_is_away(const scry_file *f)
{
    size_t n = strlen(f->path), m = strlen(f->relative);
    char *root = scry_strndup(f->path, n > m + 1 ? n - m - 1 : 1);
    bool away = scry_folder_is_away(root);
    free(root);
    return away;
}

void scry_mark_away(scry_results *found, bool (*is_away)(void *arg, const char *path), void *arg)
{
    for (size_t i = 0; i < found->count; i++)
        if (is_away(arg, found->hits[i].file.path))
            scry_results_set_away(found, i);
}
