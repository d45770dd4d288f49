/* choose.c - which files of a repository make a checkpoint. */
#include "fetch/fetch.h"

#include "base/json.h"
#include "base/sha256.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const char *weights;                 /* or its shards: model-00001-of-00003.safetensors */
    const char *const *needed, *const *wanted;
} layout;

static const char *const hf_needed[] = { "config.json", NULL };
static const char *const hf_wanted[] = { "preprocessor_config.json", "tokenizer.json", "vocab.json", "merges.txt",
                                         "tokenizer_config.json", "special_tokens_map.json", "README.md", "LICENSE", NULL };
static const char *const open_clip_needed[] = { "open_clip_config.json", NULL };
static const char *const open_clip_wanted[] = { "tokenizer.json", "vocab.json", "merges.txt", "tokenizer_config.json",
                                                "special_tokens_map.json", "README.md", "LICENSE", NULL };
/* open_clip's first: where its names stand beside config.json and model.safetensors, those may be
 * an image tower alone (timm's repositories). */
static const layout layouts[] = {
    { "open_clip_model.safetensors", open_clip_needed, open_clip_wanted },
    { "model.safetensors", hf_needed, hf_wanted },
    { "model.safetensors.index.json", hf_needed, hf_wanted },
};

static const scry_json *find(const scry_json *siblings, const char *name)
{
    for (size_t i = 0; i < scry_json_size(siblings); i++) {
        const scry_json *s = scry_json_at(siblings, i);
        if (strcmp(scry_json_str(scry_json_get(s, "rfilename"), ""), name) == 0)
            return s;
    }
    return NULL;
}

/* Copy a digest when it is one: `n` bytes in hexadecimal. */
static void take_digest(char *out, const char *hex, size_t n)
{
    uint8_t bytes[32];
    if (hex && scry_unhex(hex, bytes, n) == 0)
        scry_hex(bytes, n, out);
}

static bool add(fetch_report *r, const scry_json *sibling)
{
    if (!sibling || r->count == FETCH_MAX_FILES)
        return false;
    fetch_file *f = &r->files[r->count++];
    const scry_json *lfs = scry_json_get(sibling, "lfs");
    int64_t size = scry_json_int(scry_json_get(sibling, "size"), scry_json_int(scry_json_get(lfs, "size"), -1));
    snprintf(f->name, sizeof f->name, "%s", scry_json_str(scry_json_get(sibling, "rfilename"), ""));
    f->bytes = size >= 0 ? (uint64_t)size : UINT64_MAX;
    take_digest(f->sha256, scry_json_str(scry_json_get(lfs, "sha256"), NULL), 32);
    if (!f->sha256[0])   /* of a large file this is the id of its pointer */
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
        if (!add(r, s))
            return scry_fail(err, SCRY_ELIMIT, "the checkpoint has more than %d files", FETCH_MAX_FILES);
    }
    return shards ? 0 : scry_fail(err, SCRY_ENOTFOUND, "the checkpoint has an index of shards, but no shards");
}

static bool fits(const layout *l, const scry_json *siblings)
{
    for (const char *const *name = l->needed; *name; name++)
        if (!find(siblings, *name))
            return false;
    return find(siblings, l->weights) != NULL;
}

static int choose(fetch_report *r, const scry_json *siblings, const char *repository, scry_error *err)
{
    for (size_t k = 0; k < sizeof layouts / sizeof *layouts; k++) {
        const layout *l = &layouts[k];
        if (!fits(l, siblings))
            continue;
        for (const char *const *name = l->needed; *name; name++)
            add(r, find(siblings, *name));
        for (const char *const *name = l->wanted; *name; name++)
            add(r, find(siblings, *name));
        add(r, find(siblings, l->weights));
        return strstr(l->weights, ".index.") ? add_shards(r, siblings, err) : 0;
    }
    bool pickle = find(siblings, "pytorch_model.bin") || find(siblings, "open_clip_pytorch_model.bin");
    if (pickle)
        return scry_fail(err, SCRY_ENOTFOUND, "%s has its weights only as a pickle, which can run code when it is opened: "
                         "fetch it yourself, convert it with tools/convert-pickle.py and use `scry model add`", repository);
    return scry_fail(err, SCRY_ENOTFOUND, "%s holds no checkpoint that scry reads: neither config.json with "
                     "model.safetensors nor open_clip_config.json with open_clip_model.safetensors", repository);
}

int fetch_choose(fetch_report *out, const char *listing, size_t n, const char *repository, scry_error *err)
{
    scry_json *root;
    uint8_t commit[20];
    *out = (fetch_report){ 0 };
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
