/* choose.c - which files of a repository make a checkpoint. */
#include "fetch/fetch.h"

#include "base/json.h"
#include "base/sha256.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *prefix;                  /* of all its names */
    const char *weights;                 /* or its shards: model-00001-of-00003.safetensors */
    const char *configuration;           /* needed; the rest is fetched where it is there */
} layout;

static const struct { const char *name; fetch_stage stage; } others[] = {
    { "preprocessor_config.json", FETCH_CONFIGURATION }, { "processor_config.json", FETCH_CONFIGURATION },
    { "README.md", FETCH_CONFIGURATION }, { "LICENSE", FETCH_CONFIGURATION }, { "tokenizer_config.json", FETCH_TOKENIZER },
    { "tokenizer.json", FETCH_TOKENIZER }, { "vocab.json", FETCH_TOKENIZER }, { "merges.txt", FETCH_TOKENIZER },
    { "vocab.txt", FETCH_TOKENIZER }, { "special_tokens_map.json", FETCH_TOKENIZER }
};

/* open_clip's first: if its names are there besides config.json and model.safetensors, those may be
 * an image tower only (timm's repositories). */
static const layout layouts[] = {
    { "", "open_clip_model.safetensors", "open_clip_config.json" },
    { "", "model.safetensors", "config.json" },
    { "", "model.safetensors.index.json", "config.json" },
    { "0_CLIPModel/", "model.safetensors", "config.json" },
    { "", "model.safetensors", "open_clip_config.json" },
};

/* The entry of the file PREFIX NAME, or NULL. */
static const scry_json *find(const scry_json *siblings, const char *prefix, const char *name)
{
    size_t n = strlen(prefix);
    for (size_t i = 0; i < scry_json_size(siblings); i++) {
        const scry_json *s = scry_json_at(siblings, i);
        const char *path = scry_json_str(scry_json_get(s, "rfilename"), "");
        if (strncmp(path, prefix, n) == 0 && strcmp(path + n, name) == 0)
            return s;
    }
    return NULL;
}

/* Whether a file of the repository ends in `end`. */
static bool has_ending(const scry_json *siblings, const char *end)
{
    for (size_t i = 0; i < scry_json_size(siblings); i++) {
        const char *path = scry_json_str(scry_json_get(scry_json_at(siblings, i), "rfilename"), "");
        size_t n = strlen(path);
        if (n >= strlen(end) && strcmp(path + n - strlen(end), end) == 0)
            return true;
    }
    return false;
}

/* Whether sentence-transformers puts a layer after a model of pictures and texts; that of texts comes after a pooling. */
static bool has_layer(const scry_json *siblings)
{
    bool dense = false, pooling = false;
    for (size_t i = 0; i < scry_json_size(siblings); i++) {
        const char *path = scry_json_str(scry_json_get(scry_json_at(siblings, i), "rfilename"), "");
        dense |= strstr(path, "_Dense/") != NULL;
        pooling |= strstr(path, "_Pooling/") != NULL;
    }
    return dense && !pooling && find(siblings, "", "modules.json");
}

/* Copy a digest when it is one: `n` bytes in hexadecimal. */
static void take_digest(char *out, const char *hex, size_t n)
{
    uint8_t bytes[32];
    if (hex && scry_unhex(hex, bytes, n) == 0)
        scry_hex(bytes, n, out);
}

static bool add(fetch_report *r, const scry_json *sibling, fetch_stage stage)
{
    if (!sibling || r->count == FETCH_MAX_FILES)
        return false;
    fetch_file *f = &r->files[r->count++];
    const scry_json *lfs = scry_json_get(sibling, "lfs");
    int64_t size = scry_json_int(scry_json_get(sibling, "size"), scry_json_int(scry_json_get(lfs, "size"), -1));
    snprintf(f->name, sizeof f->name, "%s", scry_json_str(scry_json_get(sibling, "rfilename"), "") + strlen(r->prefix));
    f->stage = stage;
    f->bytes = size >= 0 ? (uint64_t)size : UINT64_MAX;
    take_digest(f->sha256, scry_json_str(scry_json_get(lfs, "sha256"), NULL), 32);
    if (!f->sha256[0])   /* of a large file the git id is that of its LFS pointer */
        take_digest(f->git_id, scry_json_str(scry_json_get(sibling, "blobId"), NULL), 20);
    return true;
}

/* model-NNNNN-of-MMMMM.safetensors, five digits each. */
static bool is_shard(const char *name)
{
    unsigned part, parts;
    int end = 0;
    return strlen(name) == strlen("model-00001-of-00002.safetensors") &&
           sscanf(name, "model-%5u-of-%5u.safetensors%n", &part, &parts, &end) == 2 && end > 0 && name[end] == '\0';
}

static int add_shards(fetch_report *r, const scry_json *siblings, scry_error *err)
{
    size_t shards = 0;
    for (size_t i = 0; i < scry_json_size(siblings); i++) {
        const scry_json *s = scry_json_at(siblings, i);
        if (!is_shard(scry_json_str(scry_json_get(s, "rfilename"), "")))
            continue;
        shards++;
        if (!add(r, s, FETCH_WEIGHTS))
            return scry_fail(err, SCRY_ELIMIT, "the checkpoint has more than %d files", FETCH_MAX_FILES);
    }
    return shards ? 0 : scry_fail(err, SCRY_ENOTFOUND, "the checkpoint has an index of shards, but no shards");
}

static bool fits(const layout *l, const scry_json *siblings)
{
    return find(siblings, l->prefix, l->configuration) && find(siblings, l->prefix, l->weights);
}

/* What a repository without a checkpoint is, and what to do. */
static int explain(const scry_json *siblings, const char *repository, scry_error *err)
{
    if (find(siblings, "", "adapter_config.json"))
        return scry_fail(err, SCRY_ENOTFOUND, "%s is an adapter (LoRA), which changes another model: merge it into the model "
                         "that its adapter_config.json names, and `scry model add` the result", repository);
    if (find(siblings, "", "model_index.json"))
        return scry_fail(err, SCRY_ENOTFOUND, "%s is a pipeline of diffusers, which makes pictures: take a CLIP model, see "
                         "`scry model list --catalogue`", repository);
    if (has_ending(siblings, "pytorch_model.bin") || has_ending(siblings, ".pt") || has_ending(siblings, ".pth"))
        return scry_fail(err, SCRY_ENOTFOUND, "%s has its weights only as a pickle, which can run code when it is opened: "
                         "safetensors may wait in one of its pull requests (`scry model pull %s@refs/pr/N`); else download "
                         "it yourself, convert it with tools/convert-pickle.py and use `scry model add`", repository, repository);
    const char *kind = has_ending(siblings, ".onnx") ? "ONNX" : has_ending(siblings, ".gguf") ? "GGUF" : NULL;
    if (kind)
        return scry_fail(err, SCRY_ENOTFOUND, "%s has its weights only as %s, which scry does not read: take the repository "
                         "with safetensors that it was converted from", repository, kind);
    return scry_fail(err, SCRY_ENOTFOUND, "%s has no checkpoint that scry can read: neither config.json with "
                     "model.safetensors nor open_clip_config.json with open_clip_model.safetensors", repository);
}

static int choose(fetch_report *r, const scry_json *siblings, const char *repository, scry_error *err)
{
    const layout *l = layouts;
    while (l < layouts + sizeof layouts / sizeof *layouts && !fits(l, siblings))
        l++;
    if (l == layouts + sizeof layouts / sizeof *layouts)
        return explain(siblings, repository, err);
    if (has_layer(siblings))
        return scry_fail(err, SCRY_EINVALID, "%s has a layer (Dense) after its model, which is not supported", repository);
    r->prefix = l->prefix;
    add(r, find(siblings, l->prefix, l->configuration), FETCH_CONFIGURATION);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        add(r, find(siblings, l->prefix, others[i].name), others[i].stage);
    if (!find(siblings, l->prefix, "tokenizer.json"))
        add(r, find(siblings, l->prefix, "spiece.model"), FETCH_TOKENIZER);
    add(r, find(siblings, l->prefix, l->weights), FETCH_WEIGHTS);
    return strstr(l->weights, ".index.") ? add_shards(r, siblings, err) : 0;
}

int fetch_choose(fetch_report *out, const char *listing, size_t n, const char *repository, scry_error *err)
{
    scry_json *root;
    uint8_t commit[20];
    *out = (fetch_report){ .prefix = "" };
    int r = scry_json_parse(&root, listing, n, "the hub's list of files", err);
    if (r < 0)
        return r;
    const char *sha = scry_json_str(scry_json_get(root, "sha"), "");
    if (scry_unhex(sha, commit, sizeof commit) < 0)
        r = scry_fail(err, SCRY_EREMOTE, "the hub's answer about %s names no commit", repository);
    else
        scry_hex(commit, sizeof commit, out->commit);
    if (r == 0)
        r = choose(out, scry_json_get(root, "siblings"), repository, err);
    scry_json_free(root);
    return r;
}
