/* registry_record.c - scry.json: what was learnt of a model when it was added. */
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

bool registry_is_model_file(const char *name)
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

int registry_each_file(const char *dir, int (*each)(void *arg, const char *name, const struct stat *st), void *arg,
                       scry_error *err)
{
    DIR *d = opendir(dir);
    int r = 0;
    if (!d)
        return scry_fail_errno(err, errno, "cannot open the folder %s", dir);
    for (struct dirent *e; r == 0 && (e = readdir(d));) {
        struct stat st;
        if (registry_is_model_file(e->d_name) && fstatat(dirfd(d), e->d_name, &st, 0) == 0 && S_ISREG(st.st_mode))
            r = each(arg, e->d_name, &st);
    }
    closedir(d);
    return r;
}

static int64_t mtime_ns(const struct stat *st)
{
    return st->st_mtim.tv_sec * 1000000000LL + st->st_mtim.tv_nsec;
}

/* ---- writing ---- */

static void key_str(scry_json_writer *w, const char *key, const char *value)
{
    if (!value || !value[0])
        return;
    scry_json_key(w, key);
    scry_json_put_str(w, value);
}

static int put_file(void *arg, const char *name, const struct stat *st)
{
    scry_json_writer *w = arg;
    scry_json_begin(w, '{');
    key_str(w, "name", name);
    scry_json_key(w, "size");
    scry_json_put_int(w, st->st_size);
    scry_json_key(w, "mtime_ns");
    scry_json_put_int(w, mtime_ns(st));
    scry_json_end(w, '}');
    return 0;
}

static void put_source(scry_json_writer *w, const registry_source *s)
{
    scry_json_key(w, "source");
    scry_json_begin(w, '{');
    key_str(w, "hub", s->hub);
    key_str(w, "repository", s->repository);
    key_str(w, "commit", s->commit);
    scry_json_key(w, "files");
    scry_json_begin(w, '[');
    for (size_t i = 0; i < s->file_count; i++) {
        scry_json_begin(w, '{');
        key_str(w, "name", s->files[i].name);
        key_str(w, "sha256", s->files[i].sha256);
        key_str(w, "checked_by", s->files[i].checked_by);
        scry_json_end(w, '}');
    }
    scry_json_end(w, ']');
    scry_json_end(w, '}');
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
    key_str(&w, "name", name);
    key_str(&w, "dir", linked_dir);
    key_str(&w, "identity", info->identity);
    key_str(&w, "family", info->family);
    key_str(&w, "licence", info->licence ? info->licence : source ? source->licence : NULL);
    key_str(&w, "added_at", now);
    scry_json_key(&w, "dim");
    scry_json_put_int(&w, info->dim);
    if (source)
        put_source(&w, source);
    scry_json_key(&w, "files");
    scry_json_begin(&w, '[');
    int r = registry_each_file(linked_dir ? linked_dir : folder, put_file, &w, err);
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

/* Sizes and times as they were, or which file is not. */
static void compare_files(registry_loaded *l, const scry_json *files)
{
    for (size_t i = 0; i < scry_json_size(files); i++) {
        const scry_json *f = scry_json_at(files, i);
        const char *name = scry_json_str(scry_json_get(f, "name"), "");
        int64_t size = scry_json_int(scry_json_get(f, "size"), 0);
        struct stat st;
        char *path = scry_path_join(l->dir, name);
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
        snprintf(l->problem, sizeof l->problem, "its folder %.160s is gone", l->dir);
    else if (r == 0)
        compare_files(l, scry_json_get(l->json, "files"));
    else
        (void)!registry_each_file(l->dir, sum_sizes, &l->record.bytes, NULL);
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
