#include "model/sentence.h"

#include "base/alloc.h"
#include "base/file.h"

#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES = 16 << 20, WHOLE_BYTES = 64 << 20, MAX_MODULES = 8 };

/* "sentence_transformers.models.Pooling" is "Pooling". */
const char *scry_sentence_class(const scry_json *module)
{
    const char *type = scry_json_str(scry_json_get(module, "type"), ""), *dot = strrchr(type, '.');
    return dot ? dot + 1 : type;
}

bool scry_sentence_is(const scry_json *modules)
{
    for (size_t i = 0; i < scry_json_size(modules); i++)
        if (strcmp(scry_sentence_class(scry_json_at(modules, i)), "Pooling") == 0)
            return true;
    return false;
}

int scry_sentence_check_prompt(const char *dir, scry_error *err)
{
    static const char name[] = "config_sentence_transformers.json";
    char *path = scry_path_join(dir, name);
    scry_json *settings = NULL;
    scry_error why = SCRY_ERROR_INIT;
    int r = scry_json_read(&settings, path, FILE_BYTES, &why);
    const char *prompt = scry_json_str(scry_json_get(settings, "default_prompt_name"), "");
    if (r < 0 && r != SCRY_ENOTFOUND)
        r = scry_fail(err, r, "%s", why.message);
    else if (prompt[0])
        r = scry_fail(err, SCRY_EINVALID, "%s: default_prompt_name is \"%.60s\", which puts words before each text: that is not supported",
                      path, prompt);
    else
        r = 0;
    scry_json_free(settings);
    free(path);
    return r;
}

typedef struct reading {
    const char *dir;
    scry_config *c;
    scry_json_writer *w;      /* of the whole */
    scry_error *err;
} reading;

/* The configuration `file` as the member `key`; an absent one is null where it is optional. */
static int add_file(const reading *d, const char *key, const char *file, bool optional)
{
    char *path = scry_path_join(d->dir, file);
    scry_buf text = SCRY_BUF_INIT(FILE_BYTES);
    scry_json *json = NULL;
    scry_error why = SCRY_ERROR_INIT;
    int r = scry_read_file(path, &text, &why);
    if (r == 0)
        r = scry_json_parse(&json, scry_buf_str(&text), text.size, path, &why);
    scry_json_key(d->w, key);
    if (r == 0) {
        scry_json_put_raw(d->w, scry_buf_str(&text));
        scry_config_add_file(d->c, file);
    } else if (r == SCRY_ENOTFOUND && optional) {
        scry_json_put_null(d->w);
        r = 0;
    } else {
        r = scry_fail(d->err, r, "%s", why.message);
    }
    scry_json_free(json);
    scry_buf_dispose(&text);
    free(path);
    return r;
}

static int add_module(const reading *d, const scry_json *module)
{
    static const char *const keys[][2] = { { "Transformer", "transformer" }, { "Pooling", "pooling" }, { "Dense", "dense" } };
    const char *class = scry_sentence_class(module), *part = scry_json_str(scry_json_get(module, "path"), "");
    size_t k = 0;
    while (k < 3 && strcmp(keys[k][0], class) != 0)
        k++;
    if (k == 3)
        return 0;   /* the parser refuses it, or it has no configuration */
    if (strchr(part, '/') || part[0] == '.' || (part[0] == '\0') != (k == 0))
        return scry_fail(d->err, SCRY_EINVALID, "%s/modules.json: the path \"%.80s\" of the module %s is not supported: %s", d->dir, part,
                         class, k ? "it must be the name of a folder in this one" : "it must be this folder itself, \"\"");
    char *file = part[0] ? scry_asprintf("%s/config.json", part) : scry_strdup("config.json");
    int r = add_file(d, keys[k][1], file, false);
    if (k == 2 && !d->c->head_file)
        d->c->head_file = scry_asprintf("%s/model.safetensors", part);
    free(file);
    return r;
}

static int add_modules(const reading *d, const scry_json *modules, const char *path)
{
    size_t n = scry_json_size(modules);
    if (n > MAX_MODULES)
        return scry_fail(d->err, SCRY_EINVALID, "%s: more than %d modules", path, MAX_MODULES);
    scry_config_add_file(d->c, "modules.json");
    scry_json_key(d->w, "modules");
    scry_json_begin(d->w, '[');
    for (size_t i = 0; i < n; i++)
        scry_json_put_str(d->w, scry_sentence_class(scry_json_at(modules, i)));
    scry_json_end(d->w, ']');
    int r = 0;
    for (size_t i = 0; i < n && r == 0; i++)
        r = add_module(d, scry_json_at(modules, i));
    return r;
}

int scry_sentence_read(scry_config *c, const char *dir, scry_error *err)
{
    char *path = scry_path_join(dir, "modules.json");
    scry_buf whole = SCRY_BUF_INIT(WHOLE_BYTES);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&whole);
    const reading d = { dir, c, &w, err };
    scry_json *modules = NULL;
    int r = scry_json_read(&modules, path, FILE_BYTES, err);
    scry_json_begin(&w, '{');
    if (r == 0)
        r = add_modules(&d, modules, path);
    if (r == 0)
        r = add_file(&d, "sentence", "sentence_bert_config.json", true);
    if (r == 0)
        r = add_file(&d, "tokenizer", "tokenizer_config.json", true);
    scry_json_end(&w, '}');
    if (r == 0)
        r = scry_json_parse(&c->root, scry_buf_str(&whole), whole.size, path, err);
    if (r == 0)
        r = scry_config_parse(c, SCRY_LAYOUT_SENTENCE, c->root, path, err);
    c->weights_file = scry_strdup("model.safetensors");
    scry_json_free(modules);
    scry_buf_dispose(&whole);
    free(path);
    return r;
}
