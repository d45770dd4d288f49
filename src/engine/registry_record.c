/* registry_record.c - scry.json: the facts recorded when a model is added. */
#include "engine/registry_record.h"

#include "base/alloc.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { MAX_RECORD_BYTES = 1 << 20 };

static bool is_model_file(const char *name)
{
    static const char *const ends[] = { ".json", ".safetensors", ".txt", ".model", ".md" };
    size_t n = strlen(name);
    if (name[0] == '.' || strcmp(name, REGISTRY_RECORD) == 0)
        return false;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (n > strlen(ends[i]) && strcmp(name + n - strlen(ends[i]), ends[i]) == 0)
            return true;
    return strcmp(name, "LICENSE") == 0;
}

/* "1_Pooling": the folder of a module of sentence-transformers. */
static bool is_module(const char *name)
{
    size_t digits = strspn(name, "0123456789");
    return digits > 0 && name[digits] == '_';
}

/* The files in `dir`, whose names begin with `prefix`; those of its modules, too, where `deep`. */
static int each_file(const char *dir, const char *prefix, bool deep, registry_file_fn *each, void *arg, scry_error *err)
{
    DIR *d = opendir(dir);
    int r = 0;
    if (!d)
        return scry_fail_errno(err, errno, "cannot open the folder %s", dir);
    for (struct dirent *e; r == 0 && (e = readdir(d));) {
        struct stat st;
        bool module = deep && is_module(e->d_name);
        if ((!module && !is_model_file(e->d_name)) || fstatat(dirfd(d), e->d_name, &st, 0) < 0)
            continue;
        char *name = scry_asprintf("%s%s%s", prefix, e->d_name, module ? "/" : "");
        if (module && S_ISDIR(st.st_mode)) {
            char *within = scry_path_join(dir, e->d_name);
            r = each_file(within, name, false, each, arg, err);
            free(within);
        } else if (!module && S_ISREG(st.st_mode)) {
            r = each(arg, name, &st);
        }
        free(name);
    }
    closedir(d);
    return r;
}

int scry_registry_each_file(const char *dir, registry_file_fn *each, void *arg, scry_error *err)
{
    return each_file(dir, "", true, each, arg, err);
}

static int64_t mtime_ns(const struct stat *st)
{
    return scry_time_ns(st->st_mtim);
}

/* ---- writing ---- */

static void add_given(scry_json_writer *w, const char *key, const char *value)
{
    if (value && value[0])
        scry_json_add_str(w, key, value);
}

static int put_file(void *arg, const char *name, const struct stat *st)
{
    scry_json_writer *w = arg;
    scry_json_begin(w, '{');
    scry_json_add_str(w, "name", name);
    scry_json_add_int(w, "size", st->st_size);
    scry_json_add_int(w, "mtime_ns", mtime_ns(st));
    scry_json_end(w, '}');
    return 0;
}

static void put_source(scry_json_writer *w, const registry_source *s)
{
    scry_json_key(w, "source");
    scry_json_begin(w, '{');
    add_given(w, "hub", s->hub);
    add_given(w, "repository", s->repository);
    add_given(w, "commit", s->commit);
    scry_json_key(w, "files");
    scry_json_begin(w, '[');
    for (size_t i = 0; i < s->file_count; i++) {
        scry_json_begin(w, '{');
        add_given(w, "name", s->files[i].name);
        add_given(w, "sha256", s->files[i].sha256);
        add_given(w, "checked_by", s->files[i].checked_by);
        scry_json_end(w, '}');
    }
    scry_json_end(w, ']');
    scry_json_end(w, '}');
}

/* The files of one folder; of a pair those of both, by their whole paths unless they are in `folder`. */
static int put_files(scry_json_writer *w, const char *folder, const char *linked_dir, const scry_model_info *info,
                     scry_error *err)
{
    if (strcmp(info->pictures_dir, info->texts_dir) == 0)
        return scry_registry_each_file(linked_dir ? linked_dir : folder, put_file, w, err);
    const char *dirs[] = { info->pictures_dir, info->texts_dir };
    size_t inside = strlen(folder);
    int r = 0;
    for (size_t i = 0; i < 2 && r == 0; i++) {
        bool copied = strncmp(dirs[i], folder, inside) == 0 && dirs[i][inside] == '/';
        char *prefix = scry_asprintf("%s/", copied ? dirs[i] + inside + 1 : dirs[i]);
        r = each_file(dirs[i], prefix, true, put_file, w, err);
        free(prefix);
    }
    return r;
}

int registry_write_record(const char *folder, const char *name, const char *linked_dir, const scry_model_info *info,
                          const registry_source *source, scry_error *err)
{
    scry_buf b = SCRY_BUF_INIT(MAX_RECORD_BYTES);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    char now[32];
    time_t t = time(NULL);
    struct tm tm;
    strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&t, &tm));
    scry_json_begin(&w, '{');
    add_given(&w, "name", name);
    add_given(&w, "dir", linked_dir);
    add_given(&w, "identity", info->identity);
    add_given(&w, "family", info->family);
    add_given(&w, "licence", info->licence ? info->licence : source ? source->licence : NULL);
    add_given(&w, "added_at", now);
    scry_json_add_int(&w, "dim", info->dim);
    if (source)
        put_source(&w, source);
    scry_json_key(&w, "files");
    scry_json_begin(&w, '[');
    int r = put_files(&w, folder, linked_dir, info, err);
    scry_json_end(&w, ']');
    scry_json_end(&w, '}');
    scry_buf_putc(&b, '\n');
    char *path = scry_path_join(folder, REGISTRY_RECORD);
    if (r == 0 && b.failed)
        r = scry_fail(err, SCRY_ELIMIT, "the record of %s is too long: too many files", name);
    if (r == 0)
        r = scry_write_file(path, b.data, b.size, err);
    free(path);
    scry_buf_dispose(&b);
    return r;
}

/* ---- reading ---- */

static int sum_sizes(void *arg, const char *name, const struct stat *st)
{
    *(uint64_t *)arg += (uint64_t)st->st_size;
    return 0;
}

/* Compare sizes and times with the record; the problem names a file that differs. */
static void compare_files(registry_loaded *l, const scry_json *files)
{
    for (size_t i = 0; i < scry_json_size(files); i++) {
        const scry_json *f = scry_json_at(files, i);
        const char *name = scry_json_str(scry_json_get(f, "name"), "");
        int64_t size = scry_json_int(scry_json_get(f, "size"), 0);
        struct stat st;
        char *path = name[0] == '/' ? scry_strdup(name) : scry_path_join(l->dir, name);
        bool same = stat(path, &st) == 0 && st.st_size == size &&
                    mtime_ns(&st) == scry_json_int(scry_json_get(f, "mtime_ns"), -1);
        free(path);
        l->record.bytes += (uint64_t)size;
        if (!same && !l->problem[0])
            snprintf(l->problem, sizeof l->problem, "%.80s has changed since it was added", name);
    }
}

static void take_record(registry_loaded *l)
{
    const scry_json *j = l->json, *source = scry_json_get(j, "source");
    scry_model_record *r = &l->record;
    const char *dir = scry_json_str(scry_json_get(j, "dir"), NULL);
    if (dir) {
        free(l->dir);
        l->dir = scry_strdup(dir);
        r->linked = true;
    }
    r->identity = scry_json_str(scry_json_get(j, "identity"), "");
    r->family = scry_json_str(scry_json_get(j, "family"), "");
    r->licence = scry_json_str(scry_json_get(j, "licence"), "");
    r->added_at = scry_json_str(scry_json_get(j, "added_at"), "");
    r->dim = (int)scry_json_int(scry_json_get(j, "dim"), 0);
    if (source) {
        l->source = scry_asprintf("%s@%.12s", scry_json_str(scry_json_get(source, "repository"), ""),
                                  scry_json_str(scry_json_get(source, "commit"), ""));
        r->source = l->source;
    }
}

void registry_load(registry_loaded *l, const char *name, const char *folder, bool bundled)
{
    scry_error err = SCRY_ERROR_INIT;
    struct stat st;
    char *path = scry_path_join(folder, REGISTRY_RECORD);
    *l = (registry_loaded){ .name = scry_strdup(name), .dir = scry_strdup(folder) };
    l->record = (scry_model_record){ .bundled = bundled, .identity = "", .family = "", .licence = "", .source = "",
                                     .added_at = "" };
    int r = scry_json_read(&l->json, path, MAX_RECORD_BYTES, &err);
    if (r == 0)
        take_record(l);
    else if (r != SCRY_ENOTFOUND)
        snprintf(l->problem, sizeof l->problem, "%.255s", err.message);
    if (stat(l->dir, &st) < 0 || !S_ISDIR(st.st_mode))
        snprintf(l->problem, sizeof l->problem, "its folder %.160s no longer exists", l->dir);
    else if (r == 0)
        compare_files(l, scry_json_get(l->json, "files"));
    else
        (void)!scry_registry_each_file(l->dir, sum_sizes, &l->record.bytes, NULL);
    l->record.name = l->name;
    l->record.dir = l->dir;
    l->record.problem = l->problem;
    free(path);
}

void registry_unload(registry_loaded *l)
{
    scry_json_free(l->json);
    free(l->name);
    free(l->dir);
    free(l->source);
}
