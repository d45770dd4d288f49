#include "model/pair.h"

#include "base/alloc.h"
#include "base/file.h"

#include <stdlib.h>
#include <string.h>

enum { CONFIG_BYTES = 4 << 20 };

/* The folder at `key`, as scry_checkpoint_dir finds it. */
static int folder(char **out, const scry_json *config, const char *key, const char *dir, const char *path, scry_error *err)
{
    const char *given = scry_json_str(scry_json_get(config, key), "");
    if (!given[0])
        return scry_fail(err, SCRY_EINVALID, "%s: \"%s\" must name a folder", path, key);
    char *joined = given[0] == '/' ? scry_strdup(given) : scry_path_join(dir, given);
    int r = scry_checkpoint_dir(out, joined, err);
    free(joined);
    return r;
}

int scry_pair_read(scry_pair *out, const char *dir, scry_error *err)
{
    char *path = scry_path_join(dir, "config.json");
    scry_json *config = NULL;
    *out = (scry_pair){ NULL, NULL };
    /* A configuration that cannot be read is reported by its reader. */
    bool pair = scry_json_read(&config, path, CONFIG_BYTES, NULL) == 0
             && strcmp(scry_json_str(scry_json_get(config, "model_type"), ""), SCRY_PAIR_TYPE) == 0;
    int r = pair ? folder(&out->pictures, config, "pictures", dir, path, err) : 0;
    if (pair && r == 0)
        r = folder(&out->texts, config, "texts", dir, path, err);
    if (!pair)
        out->pictures = scry_strdup(dir);
    scry_json_free(config);
    free(path);
    if (r < 0)
        scry_pair_dispose(out);
    return r;
}

int scry_pair_check(const scry_checkpoint *pictures, const scry_checkpoint *texts, scry_error *err)
{
    if (texts->config.image.new_tower)
        return scry_fail(err, SCRY_EINVALID, "%s has pictures of its own, whose vectors its texts are made for: a pair takes the texts "
                         "of a checkpoint without pictures (of sentence-transformers, or M-CLIP)", texts->dir);
    if (pictures->config.dim != texts->config.dim)
        return scry_fail(err, SCRY_EINVALID, "%s makes vectors of %zu numbers, %s of %zu: they are not of one space", pictures->dir,
                         pictures->config.dim, texts->dir, texts->config.dim);
    return 0;
}

void scry_pair_dispose(scry_pair *p)
{
    free(p->pictures);
    free(p->texts);
    *p = (scry_pair){ NULL, NULL };
}
