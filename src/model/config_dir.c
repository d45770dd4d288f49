/* config_dir.c - which of a folder's files to read. */
#include "model/config.h"
#include "model/folder_faults.h"
#include "model/sentence.h"

#include "base/alloc.h"
#include "base/file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CONFIG_BYTES = 4 << 20, README_BYTES = 1 << 20 };

/* Whether the folder has the weights `file`, or shards of it. */
static bool has_weights(const char *dir, const char *file)
{
    char *index = scry_asprintf("%s.index.json", file);
    bool found = scry_folder_has(dir, file) || scry_folder_has(dir, index);
    free(index);
    return found;
}

/* The `license:` line of the model card's front matter, or NULL. */
static char *read_licence(const char *dir)
{
    char *path = scry_path_join(dir, "README.md"), *licence = NULL;
    scry_buf text = SCRY_BUF_INIT(README_BYTES);
    if (scry_read_file(path, &text, NULL) == 0 && strncmp(scry_buf_str(&text), "---", 3) == 0) {
        const char *end = strstr(text.data + 3, "\n---");
        const char *line = strstr(text.data, "\nlicense:");
        if (line && end && line < end) {
            line += strlen("\nlicense:");
            line += strspn(line, " \t\"'");
            licence = scry_strndup(line, strcspn(line, " \t\"'\r\n"));
        }
    }
    scry_buf_dispose(&text);
    free(path);
    if (licence && !licence[0]) {
        free(licence);
        licence = NULL;
    }
    return licence;
}

static int read_open_clip(scry_config *c, const char *dir, scry_error *err)
{
    char *path = scry_path_join(dir, "open_clip_config.json");
    int r = scry_json_read(&c->root, path, CONFIG_BYTES, err);
    if (r == 0)
        r = scry_config_parse(c, SCRY_LAYOUT_OPEN_CLIP, c->root, path, err);
    free(path);
    scry_config_add_file(c, "open_clip_config.json");
    const char *file = has_weights(dir, "open_clip_model.safetensors")
                     ? "open_clip_model.safetensors" : "model.safetensors";
    c->weights_file = scry_strdup(file);
    return r;
}

/* processor_config.json's image_processor, as transformers 5 writes it, or preprocessor_config.json: where both are there the
 * first one counts, as in AutoProcessor. */
static int read_preprocessor(scry_config *c, const char *dir, scry_error *err)
{
    const char *name = "processor_config.json";
    char *path = scry_path_join(dir, name);
    scry_json *root = NULL;
    int r = scry_json_read(&root, path, CONFIG_BYTES, err);
    bool within = scry_json_type_of(scry_json_get(root, "image_processor")) == SCRY_JSON_OBJECT;
    if (r == SCRY_ENOTFOUND || (r == 0 && !within)) {
        name = "preprocessor_config.json";
        free(path);
        path = scry_path_join(dir, name);
        scry_json_free(root);
        root = NULL;
        r = scry_json_read(&root, path, CONFIG_BYTES, err);
    }
    if (r == SCRY_ENOTFOUND)
        r = scry_fail(err, SCRY_EINVALID, "%s/preprocessor_config.json is missing: it says how pictures are scaled "
                      "and normalised; fetch it with the rest of the repository", dir);
    if (r == 0)
        r = scry_config_parse_preprocessor(c, within ? scry_json_get(root, "image_processor") : root, path, err);
    if (r == 0 && c->image.any_shape)
        c->image.size = (size_t)c->preprocess.spec.size;
    if (r == 0 && (size_t)c->preprocess.spec.size != c->image.size)
        r = scry_fail(err, SCRY_EINVALID, "%s scales pictures to %d pixels, the model takes %zu",
                      path, c->preprocess.spec.size, c->image.size);
    scry_config_add_file(c, name);
    scry_json_free(root);
    free(path);
    return r;
}

static int read_hf(scry_config *c, const char *dir, scry_error *err)
{
    char *path = scry_path_join(dir, "config.json");
    int r = scry_json_read(&c->root, path, CONFIG_BYTES, err);
    if (r == 0)
        r = scry_config_parse(c, SCRY_LAYOUT_HF, c->root, path, err);
    free(path);
    scry_config_add_file(c, "config.json");
    c->weights_file = scry_strdup("model.safetensors");
    if (r == 0 && c->image.new_tower)
        r = read_preprocessor(c, dir, err);
    if (r == 0)
        c->min_score = scry_json_num(scry_json_get(c->root, "min_score"), NAN);
    return r;
}

/* Repositories on the Hugging Face hub often hold both dialects: transformers' is taken when its files are complete and of a
 * family that runs. (timm's config.json has no model_type; others name a class of the repository's own.) */
static bool is_open_clip(const char *dir)
{
    if (!scry_folder_has(dir, "open_clip_config.json"))
        return false;
    char *path = scry_path_join(dir, "config.json");
    scry_json *config = NULL;
    bool hf = scry_json_read(&config, path, CONFIG_BYTES, NULL) == 0
           && scry_config_is_known(SCRY_LAYOUT_HF, config) && has_weights(dir, "model.safetensors");
    scry_json_free(config);
    free(path);
    return !hf;
}

static bool is_sentence(const char *dir)
{
    char *path = scry_path_join(dir, "modules.json");
    scry_json *modules = NULL;
    bool is = scry_json_read(&modules, path, CONFIG_BYTES, NULL) == 0 && scry_sentence_is(modules);
    scry_json_free(modules);
    free(path);
    return is;
}

int scry_config_read_files(scry_config *out, const char *dir, scry_error *err)
{
    *out = (scry_config){ .min_score = NAN };
    int r;
    if (is_open_clip(dir))
        r = read_open_clip(out, dir, err);
    else if (is_sentence(dir))
        r = scry_sentence_read(out, dir, err);
    else if (scry_folder_has(dir, "config.json"))
        r = read_hf(out, dir, err);
    else if (access(dir, F_OK) != 0)
        r = scry_folder_missing(dir, err);
    else
        r = scry_folder_no_checkpoint(dir, err);
    if (r < 0)
        scry_config_dispose(out);
    else
        out->licence = read_licence(dir);
    return r;
}

int scry_config_read(scry_config *out, const char *dir, scry_error *err)
{
    int r = scry_config_read_files(out, dir, err);
    if (r == 0 && !has_weights(dir, out->weights_file))
        r = scry_folder_no_weights(dir, out->weights_file, err);
    if (r == 0)
        r = scry_folder_adapted(dir, err);
    if (r == 0 && out->head_file && !scry_folder_has(dir, out->head_file)) {
        char *part = scry_path_join(dir, out->head_file);
        *strrchr(part, '/') = '\0';
        r = scry_folder_no_weights(part, "model.safetensors", err);
        free(part);
    }
    if (r < 0)
        scry_config_dispose(out);
    return r;
}

void scry_config_add_file(scry_config *c, const char *name)
{
    size_t n = 0;
    while (c->files[n])
        n++;
    if (n < SCRY_MAX_CONFIG_FILES)
        c->files[n] = scry_strdup(name);
}

void scry_config_dispose(scry_config *c)
{
    for (size_t i = 0; c->files[i]; i++)
        free(c->files[i]);
    scry_json_free(c->root);
    free(c->weights_file);
    free(c->head_file);
    free(c->licence);
    *c = (scry_config){ .root = NULL };
}
