/* config_dir.c - which of a folder's files to read, and what to say when they are not
 * the ones that scry can use. */
#include "model/config.h"

#include "base/alloc.h"
#include "base/file.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

enum { CONFIG_BYTES = 4 << 20, README_BYTES = 1 << 20 };

static bool has_file(const char *dir, const char *name)
{
    char *path = scry_path_join(dir, name);
    bool found = access(path, F_OK) == 0;
    free(path);
    return found;
}

/* Weights as `file` or as shards of it. */
static bool has_weights(const char *dir, const char *file)
{
    char *index = scry_asprintf("%s.index.json", file);
    bool found = has_file(dir, file) || has_file(dir, index);
    free(index);
    return found;
}

static int no_weights(const char *dir, scry_error *err)
{
    static const char *const pickles[] = {
        "pytorch_model.bin", "open_clip_pytorch_model.bin", "pytorch_model.bin.index.json",
        "model.pt", "pytorch_model.pt"
    };
    for (size_t i = 0; i < sizeof pickles / sizeof *pickles; i++)
        if (has_file(dir, pickles[i]))
            return scry_fail(err, SCRY_EINVALID, "%s: %s is a pickle, which can run code when it "
                             "is read: convert it once with `tools/convert-pickle.py %s`, or fetch "
                             "the repository's model.safetensors", dir, pickles[i], dir);
    return scry_fail(err, SCRY_ENOTFOUND, "%s: no model.safetensors in this folder", dir);
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

/* The folder's last part ends in "-quickgelu", as open_clip names such models. */
static bool named_quickgelu(const char *dir)
{
    size_t n = strlen(dir);
    while (n && dir[n - 1] == '/')
        n--;
    static const char suffix[] = "-quickgelu";
    return n >= strlen(suffix) && strncmp(dir + n - strlen(suffix), suffix, strlen(suffix)) == 0;
}

static int read_open_clip(scry_config *c, const char *dir, scry_error *err)
{
    char *path = scry_path_join(dir, "open_clip_config.json");
    int r = scry_json_read(&c->root, path, CONFIG_BYTES, err);
    if (r == 0)
        r = scry_config_parse_open_clip(c, c->root, path, err);
    if (r == 0 && named_quickgelu(dir)) {
        c->clip.image.act = c->clip.text.act = SCRY_ACT_QUICK_GELU;
        c->clip.image.act_name = c->clip.text.act_name = "quick_gelu";
    }
    free(path);
    c->files[0] = "open_clip_config.json";
    const char *file = has_weights(dir, "open_clip_model.safetensors")
                     ? "open_clip_model.safetensors" : "model.safetensors";
    c->weights_file = scry_strdup(file);
    return r == 0 && !has_weights(dir, file) ? no_weights(dir, err) : r;
}

static int read_preprocessor(scry_config *c, const char *dir, scry_error *err)
{
    char *path = scry_path_join(dir, "preprocessor_config.json");
    scry_json *p;
    int r = scry_json_read(&p, path, CONFIG_BYTES, err);
    if (r == SCRY_ENOTFOUND)
        r = scry_fail(err, SCRY_EINVALID, "%s is missing: it says how pictures are scaled and "
                      "normalised; fetch it with the rest of the repository", path);
    if (r == 0) {
        r = scry_config_parse_preprocessor(c, p, path, err);
        scry_json_free(p);
    }
    size_t takes = c->family == SCRY_FAMILY_DUAL ? c->dual.image.image_size : c->clip.image_size;
    if (r == 0 && (size_t)c->preprocess.spec.size != takes)
        r = scry_fail(err, SCRY_EINVALID, "%s makes pictures of %d pixels, the model takes %zu",
                      path, c->preprocess.spec.size, takes);
    free(path);
    return r;
}

static int read_hf(scry_config *c, const char *dir, scry_error *err)
{
    char *path = scry_path_join(dir, "config.json");
    int r = scry_json_read(&c->root, path, CONFIG_BYTES, err);
    if (r == 0)
        r = scry_config_parse_hf(c, c->root, path, err);
    free(path);
    c->files[0] = "config.json";
    c->files[1] = "preprocessor_config.json";
    c->weights_file = scry_strdup("model.safetensors");
    if (r == 0 && !has_weights(dir, c->weights_file))
        r = no_weights(dir, err);
    if (r == 0)
        r = read_preprocessor(c, dir, err);
    if (r == 0)
        c->min_score = scry_json_num(scry_json_get(c->root, "min_score"), NAN);
    return r;
}

/* Repositories on the Hugging Face hub often hold both dialects: transformers' is taken
 * when its files are complete. (timm's config.json has no model_type.) */
static bool is_open_clip(const char *dir)
{
    if (!has_file(dir, "open_clip_config.json"))
        return false;
    char *path = scry_path_join(dir, "config.json");
    scry_json *config = NULL;
    bool hf = scry_json_read(&config, path, CONFIG_BYTES, NULL) == 0
           && scry_json_get(config, "model_type") && has_weights(dir, "model.safetensors");
    scry_json_free(config);
    free(path);
    return !hf;
}

int scry_config_read(scry_config *out, const char *dir, scry_error *err)
{
    *out = (scry_config){ .min_score = NAN };
    int r;
    if (is_open_clip(dir))
        r = read_open_clip(out, dir, err);
    else if (has_file(dir, "config.json"))
        r = read_hf(out, dir, err);
    else if (access(dir, F_OK) != 0)
        r = scry_fail(err, SCRY_ENOTFOUND, "%s: no such folder", dir);
    else
        r = scry_fail(err, SCRY_ENOTFOUND, "%s: no config.json or open_clip_config.json: this "
                      "folder holds no checkpoint", dir);
    if (r < 0)
        scry_config_dispose(out);
    else
        out->licence = read_licence(dir);
    return r;
}

void scry_config_dispose(scry_config *c)
{
    scry_json_free(c->root);
    free(c->weights_file);
    free(c->licence);
    *c = (scry_config){ .root = NULL };
}
