/* pull.c - scry_model_pull: the catalogue, the plugin that downloads, the record of what was downloaded.
 *
 * Everything is built in MODELS/.pull-NAME, which is kept when a run is interrupted: the next one
 * resumes there. Only a checkpoint that could be opened gets its final name, by one rename.
 */
#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "base/plugin.h"
#include "base/required.h"
#include "engine/hub_settings.h"
#include "engine/registry_record.h"
#include "fetch/fetch.h"
#include "model/checkpoint.h"

#include <errno.h>
#include <stdio.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
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
            .recommended_for = scry_json_str(scry_json_get(m, "recommended_for"), NULL),
            .languages = scry_json_str(scry_json_get(m, "languages"), ""),
            .coco_recall_at_1 = scry_json_num(scry_json_get(m, "coco_recall_at_1"), NAN),
            .recall_source = scry_json_str(scry_json_get(m, "recall_source"), NULL),
            .gflop = scry_json_num(scry_json_get(m, "gflop"), NAN),
            .checked = scry_json_bool(scry_json_get(m, "checked"), false),
        };
        r = each(arg, &e);
    }
    scry_json_free(root);
    free(path);
    return r;
}

/* ---- what to fetch ---- */

typedef struct {
    char *name, *repository, *revision, *licence, *hub;   /* owned */
} wanted;

static void dispose(wanted *w)
{
    free(w->name);
    free(w->repository);
    free(w->revision);
    free(w->licence);
    free(w->hub);
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

/* Parts as above with slashes between them: "refs/pr/3". */
static bool plain_revision(const char *s)
{
    for (size_t n; (n = strcspn(s, "/")), plain_part(s, n); s += n + 1)
        if (!s[n])
            return true;
    return false;
}

/* The error for what is not the name of a repository, but may have it within, as pages and other programs write it. */
static int refuse_repository(const char *what, scry_error *err)
{
    static const char *const starts[] = { "https://huggingface.co/", "http://huggingface.co/", "https://hf.co/", "huggingface.co/",
                                          "hf-hub:", "hf://" };
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        const char *name = what + strlen(starts[i]);
        size_t owner = strncmp(what, starts[i], strlen(starts[i])) == 0 ? strcspn(name, "/") : 0;
        if (owner > 0 && name[owner] == '/')
            return scry_fail(err, SCRY_EINVALID, "\"%s\": give OWNER/NAME alone, `scry model pull %.*s`", what,
                             (int)(owner + 1 + strcspn(name + owner + 1, "/?#")), name);
    }
    return scry_fail(err, SCRY_EINVALID, "\"%s\" is not in the catalogue (`scry model list --catalogue`) and not "
                     "OWNER/NAME[@REVISION]", what);
}

/* OWNER/NAME[@REVISION] without characters that would change the URL. */
static int parse_repository(wanted *out, const char *what, scry_error *err)
{
    const char *slash = strchr(what, '/'), *at = strchr(what, '@');
    size_t n = at ? (size_t)(at - what) : strlen(what);
    if (!slash || slash > what + n || n > MAX_REPOSITORY || !plain_part(what, (size_t)(slash - what)) ||
        (size_t)(slash - what) + 1 >= n || !plain_part(slash + 1, n - (size_t)(slash - what) - 1) ||
        (at && !plain_revision(at + 1)))
        return refuse_repository(what, err);
    out->repository = scry_strndup(what, n);
    out->revision = at ? scry_strdup(at + 1) : NULL;
    out->name = scry_strdup(strchr(out->repository, '/') + 1);
    return 0;
}

int scry_model_cached(char **dir, const char *repository, scry_error *err)
{
    wanted w = { 0 };
    int r = scry_required(repository, "the name of a repository", err);
    if (r < 0)
        return r;
    if (parse_repository(&w, repository, NULL) < 0 || w.revision) {
        dispose(&w);
        return scry_fail(err, SCRY_EINVALID, "\"%s\" is not OWNER/NAME, the name of a repository", repository);
    }
    char *cache = hub_cache(), *slash = strchr(w.repository, '/');
    char *folder = scry_asprintf("%s/models--%.*s--%s", cache, (int)(slash - w.repository), w.repository, slash + 1);
    if (access(folder, F_OK) == 0)
        *dir = scry_strdup(folder);
    else
        r = scry_fail(err, SCRY_ENOTFOUND, "%s is not there: no program has fetched %s into this cache; `scry model pull %s` fetches "
                      "it from the hub", folder, repository, repository);
    free(folder);
    free(cache);
    dispose(&w);
    return r;
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
    if (r == 0)
        r = hub_url(&out->hub, err);
    if (r == 0 && hub_is_offline())
        r = scry_fail(err, SCRY_EREMOTE, "HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE is set, so nothing is fetched: `scry model add %s "
                      "%s --from-cache` adds what other programs have fetched", out->name, out->repository);
    return r;
}

/* ---- fetch, check, record ---- */

/* Delete what an earlier run downloaded of another repository or revision. */
static int start_over_unless_same(const char *folder, const wanted *w, scry_error *err)
{
    char *note = scry_path_join(folder, ".source");
    char *same = scry_asprintf("%s@%s\n", w->repository, w->revision ? w->revision : "");
    scry_buf old = SCRY_BUF_INIT(1024);
    int r = scry_read_file(note, &old, NULL);
    if (r < 0 || strcmp(scry_buf_str(&old), same) != 0) {
        (void)!scry_registry_delete_tree(folder, NULL);   /* if it is there at all */
        r = scry_make_dirs(folder, err);
        if (r == 0)
            r = scry_write_file(note, same, strlen(same), err);
    }
    scry_buf_dispose(&old);
    free(same);
    free(note);
    return r;
}

typedef struct {
    const wanted *w;
    const scry_pull_options *options;
    const char *folder;
    bool refused;   /* by check() */
} fetching;

static void show_progress(void *arg, const char *file, uint64_t done, uint64_t total)
{
    const scry_pull_options *o = ((fetching *)arg)->options;
    if (o->progress)
        o->progress(o->arg, file, done, total);
}

static void show_waiting(void *arg, int seconds)
{
    const scry_pull_options *o = ((fetching *)arg)->options;
    if (o->waiting)
        o->waiting(o->arg, seconds);
}

/* Whether what is there can be used, before more is fetched. */
static int check(void *arg, fetch_stage next, scry_error *err)
{
    fetching *f = arg;
    scry_error why = SCRY_ERROR_INIT;
    int r = scry_checkpoint_check(f->folder, next == FETCH_WEIGHTS, &why);
    f->refused = r < 0;
    return r < 0 ? scry_fail(err, r, "%s cannot be used, so its weights are not fetched: %s", f->w->repository, why.message) : 0;
}

static int fetch(const wanted *w, const scry_pull_options *o, const char *folder, fetch_report *report, scry_error *err)
{
    scry_fetch_checkpoint_fn *fetch_checkpoint;
    fetching f = { w, o, folder, false };
    scry_error why = SCRY_ERROR_INIT;
    int r = scry_plugin_symbol((void **)&fetch_checkpoint, "fetch", "scry_fetch_checkpoint", err);
    if (r < 0)
        return r;
    char *token = hub_token(w->hub);
    fetch_job job = { .hub = w->hub, .repository = w->repository, .revision = w->revision, .token = token, .folder = folder,
                      .progress = show_progress, .waiting = show_waiting, .check = check, .arg = &f,
                      .cancel = o->cancel };
    r = fetch_checkpoint(&job, report, &why);
    free(token);
    if (f.refused || (r < 0 && registry_fetched_bytes(folder) == 0))   /* nothing that another run could continue */
        (void)!scry_registry_delete_tree(folder, NULL);
    if (r == SCRY_EREMOTE && !report->answered)
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

/* Give the folder its final name, without the files that only the run needed. */
static int finish(const char *folder, const char *place, scry_error *err)
{
    char *note = scry_path_join(folder, ".source"), *lock = scry_asprintf("%s.lock", folder);
    unlink(note);
    int r = scry_registry_install(folder, place, err);
    if (r == 0)
        unlink(lock);
    free(lock);
    free(note);
    return r;
}

static int pull(const wanted *w, const scry_pull_options *o, const char *place, scry_error *err)
{
    char *models = scry_strndup(place, (size_t)(strrchr(place, '/') - place));
    char *folder = registry_unfinished_folder(models, w->name);
    fetch_report *report = scry_alloc(sizeof *report);
    int fd = -1, r = registry_lock(folder, &fd, err);
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
    free(models);
    return r;
}

int scry_model_pull(const scry_pull_options *options, char **name, scry_error *err)
{
    wanted w = { 0 };
    char *place = NULL;
    int r = options && options->what ? find_wanted(&w, options, err)
                                     : scry_fail(err, SCRY_EINVALID, "say what to pull: a name of the catalogue, or OWNER/NAME");
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
