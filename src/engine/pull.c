/* pull.c - scry_model_pull: the catalogue, the part that fetches, the record of what came.
 *
 * Everything is built in MODELS/.pull-NAME, which stays when a run breaks off: the next one goes on
 * from there. Only a checkpoint that was opened gets its final name, by one rename.
 */
#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "base/part.h"
#include "engine/registry_record.h"
#include "fetch/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum { MAX_CATALOGUE_BYTES = 1 << 20, MAX_REPOSITORY = 200 };

/* ---- the catalogue ---- */

int scry_catalogue_each(int (*each)(void *arg, const scry_catalogue_entry *entry), void *arg, scry_error *err)
{
    char *path = scry_program_file("models/catalogue.json");
    scry_json *root = NULL;
    int r = path ? scry_json_read(&root, path, MAX_CATALOGUE_BYTES, err)
                 : scry_fail(err, SCRY_ENOTFOUND, "models/catalogue.json is not where the program is installed: install "
                             "scry again, or pull OWNER/NAME");
    const scry_json *models = scry_json_get(root, "models");
    for (size_t i = 0; r == 0 && i < scry_json_size(models); i++) {
        const scry_json *m = scry_json_at(models, i);
        scry_catalogue_entry e = {
            .name = scry_json_str(scry_json_get(m, "name"), ""),
            .repository = scry_json_str(scry_json_get(m, "repository"), ""),
            .revision = scry_json_str(scry_json_get(m, "revision"), NULL),
            .licence = scry_json_str(scry_json_get(m, "licence"), ""),
            .summary = scry_json_str(scry_json_get(m, "summary"), ""),
            .megabytes = (int)scry_json_int(scry_json_get(m, "megabytes"), 0),
            .dim = (int)scry_json_int(scry_json_get(m, "dim"), 0),
            .image_size = (int)scry_json_int(scry_json_get(m, "image_size"), 0),
        };
        r = each(arg, &e);
    }
    scry_json_free(root);
    free(path);
    return r;
}

/* ---- what is to be fetched ---- */

typedef struct {
    char *name, *repository, *revision, *licence;   /* owned */
    const char *hub;
} wanted;

static void dispose(wanted *w)
{
    free(w->name);
    free(w->repository);
    free(w->revision);
    free(w->licence);
}

typedef struct {
    const char *name;
    wanted *out;
} lookup;

static int match_entry(void *arg, const scry_catalogue_entry *e)
{
    lookup *l = arg;
    if (strcmp(e->name, l->name) != 0)
        return 0;
    *l->out = (wanted){ .name = scry_strdup(e->name), .repository = scry_strdup(e->repository),
                        .revision = scry_strdup(e->revision), .licence = scry_strdup(e->licence) };
    return 1;
}

static bool plain_part(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-", s[i]))
            return false;
    return n > 0 && s[0] != '.';
}

/* OWNER/NAME[@REVISION] with nothing in it that could change the address. */
static int parse_repository(wanted *out, const char *what, scry_error *err)
{
    const char *slash = strchr(what, '/'), *at = strchr(what, '@');
    size_t n = at ? (size_t)(at - what) : strlen(what);
    if (!slash || n > MAX_REPOSITORY || !plain_part(what, (size_t)(slash - what)) ||
        (size_t)(slash - what) + 1 >= n || !plain_part(slash + 1, n - (size_t)(slash - what) - 1) ||
        (at && !plain_part(at + 1, strlen(at + 1))))
        return scry_fail(err, SCRY_EINVALID, "\"%s\" is no model of the catalogue (`scry model list --catalogue`) and not "
                         "OWNER/NAME[@REVISION]", what);
    out->repository = scry_strndup(what, n);
    out->revision = at ? scry_strdup(at + 1) : NULL;
    out->name = scry_strdup(strchr(out->repository, '/') + 1);
    return 0;
}

static int find_wanted(wanted *out, const scry_pull_options *o, scry_error *err)
{
    lookup l = { o->what, out };
    int r = 0, found = strchr(o->what, '/') ? 0 : scry_catalogue_each(match_entry, &l, err);
    if (found < 0)
        return found;
    if (!found)
        r = parse_repository(out, o->what, err);
    if (r == 0 && o->name) {
        free(out->name);
        out->name = scry_strdup(o->name);
    }
    const char *hub = getenv("SCRY_HUB_URL");
    out->hub = hub && hub[0] ? hub : "https://huggingface.co";
    if (r == 0 && strncmp(out->hub, "https://", 8) != 0 && strncmp(out->hub, "http://", 7) != 0)
        r = scry_fail(err, SCRY_EINVALID, "SCRY_HUB_URL is \"%s\": it must begin with https:// or http://", out->hub);
    return r;
}

/* ---- fetch, check, record ---- */

/* One run at a time for a name: the lock is a file beside the folder, released with *fd. */
static int lock_folder(const char *folder, int *fd, scry_error *err)
{
    char *path = scry_asprintf("%s.lock", folder);
    int r = 0;
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (*fd < 0)
        r = scry_fail_errno(err, errno, "cannot open %s", path);
    else if (flock(*fd, LOCK_EX | LOCK_NB) < 0)
        r = scry_fail(err, SCRY_EINVALID, "another scry is fetching into %s: wait for it", folder);
    free(path);
    return r;
}

/* What an earlier run left of another repository or revision is no beginning of this one. */
static int start_over_unless_same(const char *folder, const wanted *w, scry_error *err)
{
    char *note = scry_path_join(folder, ".source");
    char *same = scry_asprintf("%s@%s\n", w->repository, w->revision ? w->revision : "");
    scry_buf old = SCRY_BUF_INIT(1024);
    int r = scry_read_file(note, &old, NULL);
    if (r < 0 || strcmp(scry_buf_str(&old), same) != 0) {
        (void)!registry_delete_tree(folder, NULL);   /* if it is there at all */
        r = scry_make_dirs(folder, err);
        if (r == 0)
            r = scry_write_file(note, same, strlen(same), err);
    }
    scry_buf_dispose(&old);
    free(same);
    free(note);
    return r;
}

static int fetch(const wanted *w, const scry_pull_options *o, const char *folder, fetch_report *report, scry_error *err)
{
    scry_fetch_checkpoint_fn *fetch_checkpoint;
    fetch_job job = { .hub = w->hub, .repository = w->repository, .revision = w->revision, .folder = folder,
                      .progress = o->progress, .arg = o->arg };
    scry_error why = SCRY_ERROR_INIT;
    int r = scry_part_symbol((void **)&fetch_checkpoint, "fetch", "scry_fetch_checkpoint", err);
    if (r < 0)
        return r;
    r = fetch_checkpoint(&job, report, &why);
    if (r == SCRY_EREMOTE)
        return scry_fail(err, r, "%s. Without a network: fetch config.json, model.safetensors and the tokenizer's and "
                         "preprocessor's .json and .txt files of %s/%s elsewhere, put them into one folder DIR, and "
                         "`scry model add %s DIR`", why.message, w->hub, w->repository, w->name);
    return r < 0 ? scry_fail(err, r, "%s", why.message) : 0;
}

static int record(const wanted *w, const fetch_report *report, const char *folder, scry_error *err)
{
    registry_source_file files[FETCH_MAX_FILES];
    scry_model *model;
    scry_error why = SCRY_ERROR_INIT;
    if (scry_model_open(&model, folder, NULL, &why) < 0)
        return scry_fail(err, why.code, "%s was fetched, but cannot be used: %s (its files are in %s)", w->repository,
                         why.message, folder);
    for (size_t i = 0; i < report->count; i++)
        files[i] = (registry_source_file){ report->files[i].name, report->files[i].sha256, report->files[i].checked_by };
    registry_source source = { w->hub, w->repository, report->commit, w->licence, files, report->count };
    int r = registry_write_record(folder, w->name, NULL, scry_model_get_info(model), &source, err);
    scry_model_free(model);
    return r;
}

/* Give the folder its name, without what only the run itself needed. */
static int finish(const char *folder, const char *place, scry_error *err)
{
    char *note = scry_path_join(folder, ".source"), *lock = scry_asprintf("%s.lock", folder);
    unlink(note);
    int r = registry_install(folder, place, err);
    if (r == 0)
        unlink(lock);
    free(lock);
    free(note);
    return r;
}

static int pull(const wanted *w, const scry_pull_options *o, const char *place, scry_error *err)
{
    char *folder = scry_asprintf("%.*s/.pull-%s", (int)(strrchr(place, '/') - place), place, w->name);
    fetch_report *report = scry_alloc(sizeof *report);
    int fd = -1, r = lock_folder(folder, &fd, err);
    if (r == 0)
        r = start_over_unless_same(folder, w, err);
    if (r == 0)
        r = fetch(w, o, folder, report, err);
    if (r == 0)
        r = record(w, report, folder, err);
    if (r == 0)
        r = finish(folder, place, err);
    if (fd >= 0)
        close(fd);
    free(report);
    free(folder);
    return r;
}

int scry_model_pull(const scry_pull_options *options, char **name, scry_error *err)
{
    wanted w = { 0 };
    char *place = NULL;
    int r = find_wanted(&w, options, err);
    if (r == 0)
        r = registry_check_new_name(w.name, err);
    if (r == 0)
        r = registry_place(&place, w.name, err);
    if (r == 0)
        r = pull(&w, options, place, err);
    if (r == 0 && name)
        *name = scry_strdup(w.name);
    free(place);
    dispose(&w);
    return r;
}
