/* registry_add.c - adding models to the user's folder and taking them away. */
#include "engine/registry_record.h"

#include "base/alloc.h"
#include "base/file.h"

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
    if (!scry_model_name_valid(name))
        return scry_fail(err, SCRY_EINVALID, "\"%s\" cannot name a model: letters, digits, \".\", \"_\" and \"-\", at most "
                         "64, no \".\" or \"-\" first", name);
    if (strcmp(name, SCRY_STARTER_MODEL) == 0)
        return scry_fail(err, SCRY_EINVALID, "the name \"%s\" belongs to the model that came with scry: take another one",
                         name);
    int r = registry_place(&place, name, err);
    if (r < 0)
        return r;
    if (lstat(place, &st) == 0)
        r = scry_fail(err, SCRY_EINVALID, "there is a model \"%s\" already: take another name, or `scry model rm %s` first",
                      name, name);
    free(place);
    return r;
}

static int delete_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    return remove(path);
}

int registry_delete_tree(const char *folder, scry_error *err)
{
    if (nftw(folder, delete_one, 16, FTW_DEPTH | FTW_PHYS) != 0)
        return scry_fail_errno(err, errno, "cannot delete %s", folder);
    return 0;
}

int registry_install(const char *folder, const char *place, scry_error *err)
{
    if (renameat2(AT_FDCWD, folder, AT_FDCWD, place, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno == EINVAL && access(place, F_OK) < 0 && rename(folder, place) == 0)   /* a file system without it */
        return 0;
    if (errno == EEXIST)
        return scry_fail(err, SCRY_EINVALID, "%s has come into being meanwhile: take another name", place);
    return scry_fail_errno(err, errno, "cannot rename %s to %s", folder, place);
}

/* ---- copying ---- */

typedef struct {
    const char *from, *to;
    scry_error *err;
} copying;

static int copy_bytes(int in, int out, const char *path, scry_error *err)
{
    static const size_t piece = 1 << 20;
    char *buffer = scry_alloc(piece);
    int r = 0;
    for (ssize_t n; r == 0 && (n = read(in, buffer, piece)) != 0;) {
        if (n < 0 && errno != EINTR)
            r = scry_fail_errno(err, errno, "cannot read for %s", path);
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
    char *from = scry_path_join(c->from, name), *to = scry_path_join(c->to, name);
    int in = open(from, O_RDONLY | O_CLOEXEC), out = in < 0 ? -1 : open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int r = in < 0 ? scry_fail_errno(c->err, errno, "cannot open %s", from)
            : out < 0 ? scry_fail_errno(c->err, errno, "cannot create %s", to) : copy_bytes(in, out, to, c->err);
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    free(from);
    free(to);
    return r;
}

/* ---- add, remove ---- */

/* Build the folder `temporary`: a record alone, or the files with it. */
static int build(const char *temporary, const char *name, const char *dir, bool copy, scry_error *err)
{
    copying c = { dir, temporary, err };
    scry_model *model;
    int r = copy ? registry_each_file(dir, copy_file, &c, err) : 0;
    if (r == 0)
        r = scry_model_open(&model, copy ? temporary : dir, NULL, err);
    if (r < 0)
        return r;
    r = registry_write_record(temporary, name, copy ? NULL : dir, scry_model_get_info(model), NULL, err);
    scry_model_free(model);
    return r;
}

int scry_model_add(const char *name, const char *dir, bool copy, scry_error *err)
{
    scry_model *model;
    char *place = NULL;
    int r = registry_check_new_name(name, err);
    if (r == 0)   /* before anything is written: most mistakes show here */
        r = scry_model_open(&model, dir, NULL, err);
    if (r < 0)
        return r;
    scry_model_free(model);
    r = registry_place(&place, name, err);
    if (r < 0)
        return r;
    char *absolute = realpath(dir, NULL), *temporary = scry_asprintf("%.*s/.add-%s-XXXXXX",
                                                                    (int)(strrchr(place, '/') - place), place, name);
    if (!absolute || !mkdtemp(temporary)) {
        r = scry_fail_errno(err, errno, "cannot record %s", dir);
    } else {
        r = build(temporary, name, absolute, copy, err);
        if (r == 0)
            r = registry_install(temporary, place, err);
        if (r < 0)
            (void)!registry_delete_tree(temporary, NULL);
    }
    free(absolute);
    free(temporary);
    free(place);
    return r;
}

int scry_model_remove(const char *name, scry_error *err)
{
    struct stat st;
    char *place;
    if (!scry_model_name_valid(name))
        return scry_fail(err, SCRY_EINVALID, "\"%s\" is no model's name: only added models can be removed, folders are yours", name);
    int r = registry_place(&place, name, err);
    if (r < 0)
        return r;
    if (lstat(place, &st) < 0)
        r = scry_fail(err, SCRY_ENOTFOUND, "there is no added model \"%s\"%s", name,
                      strcmp(name, SCRY_STARTER_MODEL) == 0 ? ": the starter belongs to the program" : ": see `scry model list`");
    else {
        /* Out of sight at once, so that no half-deleted model stands under the name. */
        char *away = scry_asprintf("%.*s/.rm-%s-%d", (int)(strrchr(place, '/') - place), place, name, (int)getpid());
        r = rename(place, away) < 0 ? scry_fail_errno(err, errno, "cannot remove %s", place) : registry_delete_tree(away, err);
        free(away);
    }
    free(place);
    return r;
}
