#include "model/checkpoint.h"

#include "model/folder_faults.h"

#include "base/alloc.h"
#include "base/file.h"
#include "model/sentence.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_MODULES_BYTES = 1 << 20, MAX_REF_BYTES = 4096 };

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* ---- sentence-transformers ---- */

/* The folder of the module that has both towers: a plain name, or "" for the folder itself. It is CLIPModel, or Transformer, as
 * sentence-transformers 5.4 writes it. NULL with `other` where there is another module, which would change its vectors. */
static const char *towers_module(const scry_json *modules, const char **other)
{
    const char *path = NULL;
    *other = NULL;
    for (size_t i = 0; i < scry_json_size(modules); i++) {
        const scry_json *m = scry_json_at(modules, i);
        const char *class = scry_sentence_class(m);
        if (!path && (strcmp(class, "CLIPModel") == 0 || strcmp(class, "Transformer") == 0))
            path = scry_json_str(scry_json_get(m, "path"), "");
        else if (strcmp(class, "Normalize") != 0 && !*other)
            *other = class;
    }
    return *other ? NULL : path;
}

static int towers_folder(char **out, const char *path, const scry_json *modules, const char *modules_path, scry_error *err)
{
    const char *other, *part = towers_module(modules, &other);
    if (other)
        return scry_fail(err, SCRY_EINVALID, "%s: the module %.40s is not supported: CLIPModel or Transformer alone is, for pictures and "
                         "texts, and Transformer, Pooling and at most one Dense for texts", modules_path, other);
    if (!part)
        return scry_fail(err, SCRY_EINVALID, "%s names no module with a model", modules_path);
    if (strchr(part, '/') || strcmp(part, "..") == 0)
        return scry_fail(err, SCRY_EINVALID, "%s: the path \"%.80s\" of the module with the model must be the name of a folder in it",
                         modules_path, part);
    *out = part[0] ? scry_path_join(path, part) : scry_strdup(path);
    return 0;
}

static int sentence_transformers(char **out, const char *path, const char *modules_path, scry_error *err)
{
    scry_json *modules;
    int r = scry_json_read(&modules, modules_path, MAX_MODULES_BYTES, err);
    if (r < 0)
        return r;
    r = scry_sentence_check_prompt(path, err);
    if (r == 0 && scry_sentence_is(modules))
        *out = scry_strdup(path);
    else if (r == 0)
        r = towers_folder(out, path, modules, modules_path, err);
    scry_json_free(modules);
    return r;
}

/* ---- the cache of Hugging Face ---- */

static int not_hidden(const struct dirent *e)
{
    return e->d_name[0] != '.';
}

/* The only snapshot, when no branch is recorded (one that was fetched by its commit). */
static int only_snapshot(char **out, const char *snapshots, scry_error *err)
{
    struct dirent **list;
    int n = scandir(snapshots, &list, not_hidden, alphasort), r = 0;
    if (n == 1)
        *out = scry_path_join(snapshots, list[0]->d_name);
    else
        r = scry_fail(err, SCRY_EINVALID, "%s has %d snapshots, and no refs/main says which is meant: give the folder of one", snapshots,
                      n < 0 ? 0 : n);
    for (int i = 0; i < n; i++)
        free(list[i]);
    if (n >= 0)
        free(list);
    return r;
}

static int cached_snapshot(char **out, const char *path, const char *snapshots, scry_error *err)
{
    char *ref = scry_path_join(path, "refs/main");
    scry_buf commit = SCRY_BUF_INIT(MAX_REF_BYTES);
    int r = scry_read_file(ref, &commit, err);
    if (r == 0) {
        const char *name = scry_buf_str(&commit);
        size_t n = strspn(name, "0123456789abcdef");
        char *folder = scry_asprintf("%s/%.*s", snapshots, (int)n, name);
        if (n > 0 && is_folder(folder))
            *out = scry_strdup(folder);
        else
            r = scry_fail(err, SCRY_EINVALID, "%s names a snapshot that is not in %s", ref, snapshots);
        free(folder);
    } else if (r == SCRY_ENOTFOUND) {
        r = only_snapshot(out, snapshots, err);
    }
    scry_buf_dispose(&commit);
    free(ref);
    return r;
}

/* ---- the folder ---- */

int scry_checkpoint_dir(char **out, const char *path, scry_error *err)
{
    struct stat st;
    if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
        return scry_folder_is_file(path, err);
    char *modules = scry_path_join(path, "modules.json"), *snapshots = scry_path_join(path, "snapshots");
    int r = 0;
    if (access(modules, F_OK) == 0)
        r = sentence_transformers(out, path, modules, err);
    else if (is_folder(snapshots))
        r = cached_snapshot(out, path, snapshots, err);
    else
        *out = scry_strdup(path);
    free(snapshots);
    free(modules);
    return r;
}

/* ---- checks ---- */

int scry_checkpoint_tokenizer(scry_tokenizer **out, const scry_config *c, const char *dir, scry_error *err)
{
    int r = scry_tokenizer_open(out, dir, c->text.dialect, err);
    if (r == 0 && c->text.padded && (r = scry_tokenizer_read_padding(*out, dir, err)) < 0) {
        scry_tokenizer_free(*out);
        *out = NULL;
    }
    if (r == 0 && c->text.strips_end)
        scry_tokenizer_strip_end(*out);
    return r;
}

int scry_checkpoint_check_tokenizer(const scry_config *c, const scry_tokenizer *t, const char *dir, scry_error *err)
{
    const scry_text_config *text = &c->text;
    size_t ids = scry_tokenizer_vocab_size(t);
    int32_t end_id = scry_tokenizer_end_id(t), pad_id = scry_tokenizer_pad_id(t);
    /* A table may be padded, but hardly to twice its size. */
    if (ids > text->vocab || (text->pool != SCRY_POOL_END && ids < text->vocab / 2))
        return scry_fail(err, SCRY_EINVALID, "%s: the tokenizer (%s) has %zu ids, the text tower %zu: these files do not "
                         "belong together", dir, *scry_tokenizer_files(t), ids, text->vocab);
    if (text->padded && (pad_id < 0 || (size_t)pad_id >= text->vocab))
        return scry_fail(err, SCRY_EINVALID, "%s: texts are padded with id %d, the text tower has %zu ids: these files do not belong "
                         "together", dir, (int)pad_id, text->vocab);
    if (text->pool == SCRY_POOL_END && text->end_id >= 0 && end_id != text->end_id)
        return scry_fail(err, SCRY_EINVALID, "%s: the tokenizer ends a text with id %d, the text tower is read at id "
                         "%lld: these files do not belong together", dir, (int)end_id, (long long)text->end_id);
    return 0;
}

int scry_checkpoint_check_pictures(const scry_config *c, const char *dir, scry_error *err)
{
    return c->image.new_tower ? 0
           : scry_fail(err, SCRY_EINVALID, "%s reads texts only, into the vectors of another model: pair it with that one's folder, "
                       "`scry model add NAME PICTURES --texts %s`", dir, dir);
}

int scry_checkpoint_check(const char *dir, bool tokenizer, scry_error *err)
{
    scry_config c;
    scry_tokenizer *t = NULL;
    int r = scry_config_read_files(&c, dir, err);
    if (r < 0)
        return r;
    r = scry_checkpoint_check_pictures(&c, dir, err);
    if (r == 0 && tokenizer)
        r = scry_checkpoint_tokenizer(&t, &c, dir, err);
    if (r == 0 && t)
        r = scry_checkpoint_check_tokenizer(&c, t, dir, err);
    scry_tokenizer_free(t);
    scry_config_dispose(&c);
    return r;
}

/* ---- with its weights ---- */

int scry_checkpoint_open(scry_checkpoint *out, const char *dir, scry_error *err)
{
    *out = (scry_checkpoint){ .dir = scry_strdup(dir) };
    int r = scry_config_read(&out->config, dir, err);
    if (r == 0)
        r = scry_tensors_open(&out->tensors, dir, out->config.weights_file, err);
    if (r == 0 && out->config.head_file)
        r = scry_tensors_add(out->tensors, dir, out->config.head_file, err);
    return r;
}

void scry_checkpoint_close(scry_checkpoint *c)
{
    scry_tensors_free(c->tensors);
    scry_config_dispose(&c->config);
    free(c->dir);
    *c = (scry_checkpoint){ .dir = NULL };
}
