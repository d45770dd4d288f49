#include "scry/registry.h"

#include "base/alloc.h"
#include "base/file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int is_folder(const char *path)
{
    struct stat st;
    return path && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* DIR/models/NAME as an owned path when it is a folder, else NULL. */
static char *below(const char *dir, const char *name)
{
    char *path = scry_asprintf("%s/models/%s", dir, name);
    if (!is_folder(path)) {
        free(path);
        path = NULL;
    }
    return path;
}

int scry_model_resolve(const char *name, char **dir, scry_error *err)
{
    if (!name || !name[0])
        name = SCRY_STARTER_MODEL;
    if (strchr(name, '/')) {
        if (!is_folder(name))
            return scry_fail(err, SCRY_ENOTFOUND, "there is no model folder %s", name);
        *dir = scry_strdup(name);
        return 0;
    }
    char *data = scry_data_dir();
    *dir = below(data, name);
    free(data);
    if (!*dir) {
        char *bundled = scry_asprintf("models/%s", name);
        *dir = scry_program_file(bundled);
        free(bundled);
    }
    if (!*dir && is_folder(name))
        *dir = scry_strdup(name);
    if (!*dir)
        return scry_fail(err, SCRY_ENOTFOUND, "there is no model \"%s\": see `scry model list`, or give a folder", name);
    return 0;
}
