/* registry_add.c - adding models to the user's folder and removing them. */
#include "engine/registry_record.h"

#include "base/alloc.h"
#include "base/cache.h"
#include "base/descriptor.h"
#include "base/file.h"
#include "base/long_work.h"
#include "base/rename.h"
#include "base/required.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int registry_place(char **out, const char *name, scry_error *err)
{
    char *data = scry_data_dir(), *models = scry_path_join(data, "models");
    int r = scry_make_dirs(models, err);
    if (r == 0)
        *out = scry_path_join(models, name);
    free(models);
    free(data);
    return r;
}

int registry_check_new_name(const char *name, scry_error *err)
{
    struct stat st;
    char *place;
    int r = scry_required(name, "a name for the model", err);
    if (r < 0)
        return r;
    if (!scry_model_name_valid(name))
        return scry_fail(err, SCRY_EINVALID, "\"%.80s\" cannot name a model: letters, digits, \".\", \"_\" and \"-\", at most "
                         "64, no \".\" or \"-\" first", name);
    if (strcmp(name, SCRY_STARTER_MODEL) == 0)
        return scry_fail(err, SCRY_EINVALID, "the name \"%s\" belongs to the model that comes with scry: choose another one",
                         name);
    r = registry_place(&place, name, err);
    if (r < 0)
        return r;
    if (lstat(place, &st) == 0)
        r = scry_fail(err, SCRY_EINVALID, "there is a model \"%s\" already: choose another name, or `scry model rm %s` first",
                      name, name);
    free(place);
    return r;
}

static int delete_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    return remove(path);
}

int scry_registry_delete_tree(const char *folder, scry_error *err)
{
    if (nftw(folder, delete_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
        return scry_fail_errno(err, errno, "cannot delete %s", folder);
    return 0;
}

int scry_registry_install(const char *folder, const char *place, scry_error *err)
{
    if (scry_rename_new(AT_FDCWD, folder, place) == 0)
        return 0;
    if ((errno == EINVAL || errno == ENOSYS) && access(place, F_OK) < 0 && rename(folder, place) == 0)
        return 0;
    if (errno == EEXIST)
        return scry_fail(err, SCRY_EINVALID, "%s was created in the meantime: choose another name", place);
    return scry_fail_errno(err, errno, "cannot rename %s to %s", folder, place);
}

/* ---- copying ---- */

typedef struct {
    const char *from, *to;
    scry_long_work work;   /* in bytes */
    scry_error *err;
} copying;

static int copy_bytes(int in, int out, const char *path, scry_long_work *work, scry_error *err)
{
    static const size_t piece = 1 << 20;
    char *buffer = scry_alloc(piece);
    int r = 0;
    for (ssize_t n; r == 0 && (n = read(in, buffer, piece)) != 0;) {
        if (n < 0 && errno != EINTR)
            r = scry_fail_errno(err, errno, "cannot read for %s", path);
        else
            r = scry_work_advance(work, n > 0 ? (uint64_t)n : 0, err);
        for (ssize_t at = 0; r == 0 && at < n;) {
            ssize_t w = write(out, buffer + at, (size_t)(n - at));
            if (w < 0 && errno != EINTR)
                r = scry_fail_errno(err, errno, "cannot write %s", path);
            at += w > 0 ? w : 0;
        }
    }
    if (r == 0 && fsync(out) < 0)
        r = scry_fail_errno(err, errno, "cannot write %s", path);
    free(buffer);
    return r;
}

static int copy_file(void *arg, const char *name, const struct stat *st)
{
    copying *c = arg;
    char *from = scry_path_join(c->from, name), *to = scry_path_join(c->to, name), *slash = strrchr(to, '/');
    *slash = '\0';   /* of a module's folder, or of one that is there */
    int made = scry_make_dirs(to, c->err);
    *slash = '/';
    if (made < 0) {
        free(from);
        free(to);
        return made;
    }
    int in = scry_open_input(from, O_RDONLY), out = in < 0 ? -1 : open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int r = in < 0 ? scry_fail_errno(c->err, errno, "cannot open %s", from)
            : out < 0 ? scry_fail_errno(c->err, errno, "cannot create %s", to) : copy_bytes(in, out, to, &c->work, c->err);
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    free(from);
    free(to);
    return r;
}

static int add_bytes(void *arg, const char *name, const struct stat *st)
{
    *(uint64_t *)arg += (uint64_t)st->st_size;
    return 0;
}

int scry_registry_copy_files(const char *from, const char *to, const scry_long_options *options, scry_error *err)
{
    uint64_t bytes = 0;
    int r = scry_registry_each_file(from, add_bytes, &bytes, err);
    copying c = { from, to, scry_work_of(options, bytes), err };
    return r < 0 ? r : scry_registry_each_file(from, copy_file, &c, err);
}

/* ---- add, remove ---- */

/* Where the steps of adding begin in its progress: the checkpoint is read, copied, and the copy read. */
enum { READ = 0, COPY = 1000, READ_COPY = 2000, ADDED = 3000 };

/* Open a checkpoint as a step of adding. */
static int open_model(scry_model **out, const char *dir, uint64_t from, uint64_t to, const scry_long_options *work, scry_error *err)
{
    scry_model_options o = SCRY_MODEL_OPTIONS_INIT;
    scry_work_part p;
    o.reading = scry_work_begin_part(&p, work, from, to, ADDED);
    return scry_model_open(out, dir, &o, err);
}

/* Build the folder `temporary`: a record alone, or the files with it. */
static int build(const char *temporary, const char *name, const char *dir, const scry_model_add_options *o, scry_error *err)
{
    scry_model *model;
    scry_work_part p;
    bool copy = o->copy;
    int r = copy ? scry_registry_copy_files(dir, temporary, scry_work_begin_part(&p, o->work, COPY, READ_COPY, ADDED), err) : 0;
    if (r == 0)
        r = open_model(&model, copy ? temporary : dir, READ_COPY, ADDED, o->work, err);
    if (r < 0)
        return r;
    r = registry_write_record(temporary, name, copy ? NULL : dir, scry_model_get_info(model), NULL, err);
    scry_model_free(model);
    return r;
}

/* MODELS/.add-NAME-XXXXXX beside the final place; owned. */
static int make_temporary(char **out, const char *place, const char *name, scry_error *err)
{
    *out = scry_asprintf("%.*s/.add-%s-XXXXXX", (int)(strrchr(place, '/') - place), place, name);
    return mkdtemp(*out) ? 0 : scry_fail_errno(err, errno, "cannot create %s", *out);
}

/* Give the folder that was built with the result `r` its name, or delete it. */
static int finish(int r, const char *temporary, const char *place, scry_error *err)
{
    if (r == 0)
        r = scry_registry_install(temporary, place, err);
    if (r < 0)
        (void)!scry_registry_delete_tree(temporary, NULL);
    return r;
}

/* A checkpoint alone. */
static int add_one(const char *name, const char *dir, const scry_model_add_options *o, scry_error *err)
{
    scry_model *model;
    char *place = NULL;
    int r = registry_check_new_name(name, err);
    if (r == 0)   /* before anything is written: this finds most mistakes */
        r = open_model(&model, dir, READ, COPY, o->work, err);
    if (r < 0)
        return r;
    char *absolute = realpath(scry_model_get_info(model)->dir, NULL);   /* perhaps a folder in `dir` */
    scry_model_free(model);
    r = registry_place(&place, name, err);
    if (r < 0) {
        free(absolute);
        return r;
    }
    char *temporary = NULL;
    r = absolute ? make_temporary(&temporary, place, name, err) : scry_fail_errno(err, errno, "cannot record %s", dir);
    if (r == 0)
        r = finish(build(temporary, name, absolute, o, err), temporary, place, err);
    free(absolute);
    free(temporary);
    free(place);
    return r;
}

/* ---- pairs ---- */

static int write_pair(const char *folder, const char *pictures, const char *texts, scry_error *err)
{
    scry_buf b = SCRY_BUF_INIT(1 << 16);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    scry_json_begin(&w, '{');
    scry_json_add_str(&w, "model_type", "scry_pair");
    scry_json_add_str(&w, "pictures", pictures);
    scry_json_add_str(&w, "texts", texts);
    scry_json_end(&w, '}');
    scry_buf_putc(&b, '\n');
    char *path = scry_path_join(folder, "config.json");
    int r = b.failed ? scry_fail(err, SCRY_ELIMIT, "the paths of a pair are too long") : scry_write_file(path, b.data, b.size, err);
    free(path);
    scry_buf_dispose(&b);
    return r;
}

/* The files of one half of a pair to FOLDER/PART. */
static int copy_half(const char *folder, const char *part, const char *from, const scry_long_options *work, scry_error *err)
{
    char *to = scry_path_join(folder, part);
    int r = scry_registry_copy_files(from, to, work, err);
    free(to);
    return r;
}

/* Build the folder `temporary` of a pair: its configuration and record, or the files with them. */
static int build_pair(const char *temporary, const char *name, const char *const dirs[2], const scry_model_add_options *o,
                      scry_error *err)
{
    scry_model *model;
    scry_work_part halves[2];
    const uint64_t middle = (COPY + READ_COPY) / 2;
    int r = write_pair(temporary, dirs[0], dirs[1], err);
    if (r == 0)
        r = open_model(&model, temporary, READ, COPY, o->work, err);
    if (r < 0)
        return r;
    if (o->copy) {
        const scry_model_info *info = scry_model_get_info(model);
        r = copy_half(temporary, "pictures", info->pictures_dir, scry_work_begin_part(&halves[0], o->work, COPY, middle, ADDED), err);
        if (r == 0)
            r = copy_half(temporary, "texts", info->texts_dir, scry_work_begin_part(&halves[1], o->work, middle, READ_COPY, ADDED), err);
        if (r == 0)
            r = write_pair(temporary, "pictures", "texts", err);
        scry_model_free(model);
        if (r == 0)
            r = open_model(&model, temporary, READ_COPY, ADDED, o->work, err);
        if (r < 0)
            return r;
    }
    r = registry_write_record(temporary, name, NULL, scry_model_get_info(model), NULL, err);
    scry_model_free(model);
    return r;
}

/* The pictures of `dir` with the texts of o->texts. */
static int add_pair(const char *name, const char *dir, const scry_model_add_options *o, scry_error *err)
{
    char *place = NULL, *temporary = NULL, *folder, *dirs[2] = { NULL, NULL };
    const char *given[] = { dir, o->texts };
    int r = registry_check_new_name(name, err);
    for (size_t i = 0; i < 2 && r == 0; i++) {
        r = scry_model_resolve(given[i], &folder, err);
        if (r < 0)
            break;
        dirs[i] = realpath(folder, NULL);
        if (!dirs[i])
            r = scry_fail_errno(err, errno, "cannot open the folder %s", folder);
        free(folder);
    }
    if (r == 0)
        r = registry_place(&place, name, err);
    if (r == 0)
        r = make_temporary(&temporary, place, name, err);
    if (r == 0)
        r = finish(build_pair(temporary, name, (const char *const *)dirs, o, err), temporary, place, err);
    free(dirs[0]);
    free(dirs[1]);
    free(temporary);
    free(place);
    return r;
}

int scry_model_add_run(const char *name, const char *dir, const scry_model_add_options *options, scry_error *err)
{
    static const scry_model_add_options defaults = SCRY_MODEL_ADD_OPTIONS_INIT;
    const scry_model_add_options *o = options ? options : &defaults;
    int r = scry_required(dir, "the folder of a checkpoint", err);
    if (r < 0)
        return r;
    r = o->texts ? add_pair(name, dir, o, err) : add_one(name, dir, o, err);
    if (r == 0 && o->work && o->work->progress)
        o->work->progress(o->work->arg, ADDED, ADDED);
    return r;
}

int scry_model_add(const char *name, const char *dir, bool copy, scry_error *err)
{
    return scry_model_add_run(name, dir, &(scry_model_add_options){ .copy = copy }, err);
}

int scry_model_add_pair(const char *name, const char *pictures, const char *texts, bool copy, scry_error *err)
{
    int r = scry_required(texts, "a checkpoint for the texts", err);
    return r < 0 ? r : scry_model_add_run(name, pictures, &(scry_model_add_options){ .texts = texts, .copy = copy }, err);
}

/* ---- removing ---- */

/* What is kept in the cache about a model: digests, and the tables of its tokenizer, which may be 26 MB. */
static char **cached_files(const char *dir)
{
    static const struct {
        const char *cache, *file;
    } kept[] = { { "identity", "" }, { "identity", "text_map.safetensors" }, { "identity", "line.safetensors" },
                 { "tokenizers", "tokenizer.json" } };
    enum { KEPT = sizeof kept / sizeof *kept };
    char **files = scry_alloc((KEPT + 1) * sizeof *files);
    size_t n = 0;
    for (size_t i = 0; i < KEPT; i++) {
        char *file = kept[i].file[0] ? scry_path_join(dir, kept[i].file) : scry_strdup(dir);
        if ((files[n] = scry_cache_path(kept[i].cache, file, false)))
            n++;
        free(file);
    }
    return files;
}

static int take_cached_files(void *arg, const scry_model_record *record)
{
    *(char ***)arg = cached_files(record->dir);
    return 0;
}

static void delete_files(char **files)
{
    for (char **f = files; f && *f; f++) {
        unlink(*f);
        free(*f);
    }
    free(files);
}

/* Renamed first, so that the name never refers to a half-deleted model. */
static int remove_model(const char *models, const char *place, const char *name, scry_error *err)
{
    char *away = scry_asprintf("%s/.rm-%s-%d", models, name, (int)getpid()), **cached = NULL;
    (void)!scry_model_find(name, take_cached_files, &cached, NULL);   /* their names depend on paths that exist now */
    int r = rename(place, away) < 0 ? scry_fail_errno(err, errno, "cannot remove %s", place) : scry_registry_delete_tree(away, err);
    delete_files(cached);
    free(away);
    return r;
}

int scry_model_remove(const char *name, scry_error *err)
{
    struct stat st;
    char *place;
    int r = scry_required(name, "the name of a model", err);
    if (r < 0)
        return r;
    if (!scry_model_name_valid(name))
        return scry_fail(err, SCRY_EINVALID, "\"%s\" is not the name of a model: only added models can be removed; delete a folder yourself", name);
    r = registry_place(&place, name, err);
    if (r < 0)
        return r;
    char *models = scry_strndup(place, (size_t)(strrchr(place, '/') - place));
    if (lstat(place, &st) == 0)
        r = remove_model(models, place, name, err);
    else
        r = registry_remove_unfinished(models, name, err);
    if (r == SCRY_ENOTFOUND)
        scry_fail(err, r, "there is no added model \"%s\"%s", name,
                  strcmp(name, SCRY_STARTER_MODEL) == 0 ? ": the starter belongs to the program" : ": see `scry model list`");
    free(models);
    free(place);
    return r;
}
