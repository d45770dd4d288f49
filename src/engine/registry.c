/* registry.c - finding and listing models by name. */
#include "engine/registry_record.h"

#include "base/alloc.h"
#include "base/file.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

static bool is_folder(const char *path)
{
    struct stat st;
    return path && stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool scry_model_name_valid(const char *name)
{
    size_t n = name ? strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-") : 0;
    return n > 0 && n <= 64 && name[n] == '\0' && name[0] != '.' && name[0] != '-';
}

/* MODELS/NAME of the user as an owned path when it is a folder, else NULL. */
static char *users_folder(const char *name)
{
    char *data = scry_data_dir(), *path = scry_asprintf("%s/models/%s", data, name);
    free(data);
    if (is_folder(path))
        return path;
    free(path);
    return NULL;
}

/* The same of the installation; a folder without a configuration is not a model (one has the tokenizer's
 * files). */
static char *bundled_folder(const char *name)
{
    char *relative = scry_asprintf("models/%s/config.json", name), *file = scry_program_file(relative);
    free(relative);
    if (file)
        *strrchr(file, '/') = '\0';
    return file;
}

/* The folder that stands for a name: the user's, the bundled one, or one in the current folder. */
static char *folder_of(const char *name, bool *bundled)
{
    *bundled = false;
    if (strchr(name, '/'))
        return is_folder(name) ? scry_strdup(name) : NULL;
    char *folder = scry_model_name_valid(name) ? users_folder(name) : NULL;
    if (!folder && scry_model_name_valid(name)) {
        folder = bundled_folder(name);
        *bundled = folder != NULL;
    }
    if (!folder && is_folder(name))
        folder = scry_strdup(name);
    return folder;
}

static int not_found(const char *name, scry_error *err)
{
    if (strchr(name, '/'))
        return scry_fail(err, SCRY_ENOTFOUND, "there is no model folder %s", name);
    if (strcmp(name, SCRY_STARTER_MODEL) == 0)
        return scry_fail(err, SCRY_ENOTFOUND, "the starter model is not installed (share/scry/models/starter; Debian's package is "
                         "scry-models-starter): install it, set SCRY_DATA_DIR to where scry is installed, or take another model: "
                         "`scry model list --catalogue`, `scry model pull NAME`, --model NAME");
    return scry_fail(err, SCRY_ENOTFOUND, "there is no model \"%s\": see `scry model list`, or give a folder", name);
}

int scry_model_find(const char *name, int (*each)(void *arg, const scry_model_record *record), void *arg,
                    scry_error *err)
{
    registry_loaded l;
    bool bundled;
    if (!name || !name[0])
        name = SCRY_STARTER_MODEL;
    char *folder = folder_of(name, &bundled);
    if (!folder)
        return not_found(name, err);
    registry_load(&l, name, folder, bundled);
    int r = each(arg, &l.record);
    registry_unload(&l);
    free(folder);
    return r;
}

typedef struct {
    char *dir;
    scry_error *err;
} resolved;

static int take_dir(void *arg, const scry_model_record *record)
{
    resolved *r = arg;
    struct stat st;
    if (record->linked && stat(record->dir, &st) < 0)
        return scry_fail(r->err, SCRY_ENOTFOUND, "model %s was added from %s, which no longer exists: restore it, or "
                         "`scry model rm %s` and add it again", record->name, record->dir, record->name);
    r->dir = scry_strdup(record->dir);
    return 0;
}

int scry_model_resolve(const char *name, char **dir, scry_error *err)
{
    resolved found = { NULL, err };
    int r = scry_model_find(name, take_dir, &found, err);
    if (r == 0)
        *dir = found.dir;
    return r;
}

bool scry_model_was_starter(const char *identity)
{
    char *path = scry_program_file("models/" SCRY_STARTER_MODEL "/FORMER.tsv");
    scry_buf text = SCRY_BUF_INIT(1 << 20);
    bool found = false;
    size_t n = identity ? strlen(identity) : 0;
    if (path && n && scry_read_file(path, &text, NULL) == 0)
        for (const char *line = scry_buf_str(&text); line && !found; line = strchr(line, '\n')) {
            line += *line == '\n';
            found = strncmp(line, identity, n) == 0 && line[n] == '\t';
        }
    scry_buf_dispose(&text);
    free(path);
    return found;
}

/* ---- listing ---- */

static int not_hidden(const struct dirent *e)
{
    return scry_model_name_valid(e->d_name);
}

/* The models in one MODELS folder; names in `except` (may be NULL) are skipped. */
static int each_in(const char *models, bool bundled, const char *except,
                   int (*each)(void *arg, const scry_model_record *record), void *arg)
{
    struct dirent **list;
    int n = scandir(models, &list, not_hidden, alphasort), r = 0;
    for (int i = 0; i < n; i++) {
        const char *name = list[i]->d_name;
        char *folder = scry_path_join(models, name), *config = scry_path_join(folder, "config.json");
        char *shadow = except ? scry_path_join(except, name) : NULL;
        struct stat st;
        bool wanted = is_folder(folder) && !(bundled && stat(config, &st) < 0) && !(shadow && is_folder(shadow));
        if (r == 0 && wanted) {
            registry_loaded l;
            registry_load(&l, name, folder, bundled);
            r = each(arg, &l.record);
            registry_unload(&l);
        }
        free(shadow);
        free(config);
        free(folder);
        free(list[i]);
    }
    if (n >= 0)
        free(list);
    return r;
}

int scry_models_each(int (*each)(void *arg, const scry_model_record *record), void *arg, scry_error *err)
{
    char *data = scry_data_dir(), *users = scry_path_join(data, "models"), *bundled = scry_program_file("models");
    int r = bundled ? each_in(bundled, true, users, each, arg) : 0;
    if (r == 0)
        r = each_in(users, false, NULL, each, arg);
    if (r == 0)
        r = registry_each_unfinished(users, each, arg);
    free(bundled);
    free(users);
    free(data);
    return r;
}
