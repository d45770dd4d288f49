#include "model/folder_faults.h"

#include "base/alloc.h"
#include "base/descriptor.h"
#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool scry_folder_has(const char *dir, const char *name)
{
    char *path = scry_path_join(dir, name);
    bool found = access(path, F_OK) == 0;
    free(path);
    return found;
}

/* Whether `name` is a link to nothing: a copy of a cache whose files were left behind. Then it is said. */
static bool is_dangling(const char *dir, const char *name, scry_error *err)
{
    struct stat st;
    char *path = scry_path_join(dir, name), to[256];
    ssize_t n = readlink(path, to, sizeof to);
    bool is = n > 0 && stat(path, &st) < 0;
    free(path);
    if (is)
        scry_fail(err, SCRY_EINVALID, "%s/%s is a link to %.*s, which is not there: copy folders with what their links lead to "
                  "(cp -rL)", dir, name, (int)(n < 100 ? n : 100), to);
    return is;
}

static bool ends_in(const char *name, const char *end)
{
    size_t n = strlen(name), k = strlen(end);
    return n > k && strcmp(name + n - k, end) == 0;
}

/* The first name in the folder that `is_wanted`, in no order; NULL when there is none. Owned by the caller. */
static char *find(const char *dir, bool (*is_wanted)(const char *dir, const char *name))
{
    DIR *d = opendir(dir);
    char *found = NULL;
    for (struct dirent *e; d && !found && (e = readdir(d));)
        if (e->d_name[0] != '.' && is_wanted(dir, e->d_name))
            found = scry_strdup(e->d_name);
    if (d)
        closedir(d);
    return found;
}

static bool is_safetensors(const char *dir, const char *name)
{
    return ends_in(name, ".safetensors");
}

static bool is_pickle(const char *dir, const char *name)
{
    return ends_in(name, ".bin") || ends_in(name, ".pt") || ends_in(name, ".pth") || ends_in(name, ".ckpt");
}

static const struct { const char *end, *format; } formats[] = {
    { ".onnx", "ONNX" }, { ".gguf", "GGUF" }, { ".msgpack", "Flax" }, { ".h5", "TensorFlow" }, { ".xml", "OpenVINO" },
    { ".mlpackage", "Core ML" }, { ".tflite", "TensorFlow Lite" }, { ".engine", "TensorRT" }
};

static bool is_other_format(const char *dir, const char *name)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (ends_in(name, formats[i].end))
            return true;
    return false;
}

/* The format of weights that scry does not read, or NULL. */
static const char *other_format(const char *dir)
{
    char *onnx = scry_path_join(dir, "onnx"), *name = find(onnx, is_other_format);
    const char *format = NULL;
    if (!name)
        name = find(dir, is_other_format);
    for (size_t i = 0; name && i < sizeof formats / sizeof *formats; i++)
        if (ends_in(name, formats[i].end))
            format = formats[i].format;
    free(name);
    free(onnx);
    return format;
}

static bool is_configured(const char *dir, const char *name)
{
    char *path = scry_path_join(dir, name);
    bool is = scry_folder_has(path, "config.json") || scry_folder_has(path, "open_clip_config.json");
    free(path);
    return is;
}

static bool is_cached(const char *dir, const char *name)
{
    return strncmp(name, "models--", strlen("models--")) == 0;
}

/* A folder without weights or a configuration: one of its folders may be what is meant. */
static int nothing_there(const char *dir, scry_error *err)
{
    char *inside = find(dir, is_configured), *cached = inside ? NULL : find(dir, is_cached);
    int r = SCRY_ENOTFOUND;
    if (inside)
        r = scry_fail(err, r, "%s: no config.json or open_clip_config.json, but its folder %.80s has one: give that", dir, inside);
    else if (cached)
        r = scry_fail(err, r, "%s: the cache of many models: give one of its folders, such as %.80s, or `OWNER/NAME --from-cache`",
                      dir, cached);
    else
        r = scry_fail(err, r, "%s: no config.json or open_clip_config.json: this folder has no checkpoint", dir);
    free(cached);
    free(inside);
    return r;
}

/* Weights without a configuration. */
static int weights_alone(const char *dir, scry_error *err)
{
    char *safe = find(dir, is_safetensors), *pickle = find(dir, is_pickle);
    const char *format = other_format(dir);
    int r = SCRY_EINVALID;
    if (safe)
        r = scry_fail(err, r, "%s: %.60s is there, but not the config.json or open_clip_config.json of its repository, which says "
                      "what it is: fetch the rest of the repository, too", dir, safe);
    else if (format)
        r = scry_fail(err, r, "%s: weights as %s are not read: give the folder of the same model as safetensors "
                      "(`scry model list --catalogue`)", dir, format);
    else if (pickle)
        r = scry_fail(err, r, "%s: %.60s is a pickle, which can run code when it is read, and there is no configuration: give the "
                      "folder of the same model as safetensors (`scry model list --catalogue`)", dir, pickle);
    else
        r = nothing_there(dir, err);
    free(pickle);
    free(safe);
    return r;
}

int scry_folder_no_checkpoint(const char *dir, scry_error *err)
{
    if (scry_folder_has(dir, "adapter_config.json"))
        return scry_fail(err, SCRY_EINVALID, "%s: an adapter (LoRA), which changes another model: merge it into the model that "
                         "its adapter_config.json names, and give the result", dir);
    if (scry_folder_has(dir, "model_index.json"))
        return scry_fail(err, SCRY_EINVALID, "%s: a pipeline of diffusers, which makes pictures: take a CLIP model, see "
                         "`scry model list --catalogue`", dir);
    if (is_dangling(dir, "config.json", err) || is_dangling(dir, "open_clip_config.json", err))
        return SCRY_EINVALID;
    if (scry_folder_has(dir, "0_CLIPModel"))
        return scry_fail(err, SCRY_EINVALID, "%s has no modules.json: give its folder 0_CLIPModel", dir);
    return weights_alone(dir, err);
}

/* Weights in a file of another name or format, or NULL. */
static char *other_weights(const char *dir, const char *wanted)
{
    char *safe = find(dir, is_safetensors), *pickle = safe ? NULL : find(dir, is_pickle), *what = NULL;
    if (safe && strstr(safe, "-of-") && !strstr(safe, "-of-00001."))
        what = scry_asprintf("%.60s is a part of the weights, and %s.index.json, which says what is in each part, is missing: fetch it, "
                             "too", safe, wanted);
    else if (safe)
        what = scry_asprintf("no %s in this folder, but %.60s: if these are all weights of the model, give it that name", wanted, safe);
    else if (pickle)
        what = scry_asprintf("%.60s is a pickle, which can run code when it is read: fetch the repository's %s, or give the folder of a "
                             "model that has one (`scry model list --catalogue`)", pickle, wanted);
    free(pickle);
    free(safe);
    return what;
}

int scry_folder_no_weights(const char *dir, const char *wanted, scry_error *err)
{
    static const struct { const char *name, *is; } pickles[] = {   /* those that tools/convert-pickle.py knows */
        { "pytorch_model.bin", "pytorch_model.bin is a pickle" },
        { "open_clip_pytorch_model.bin", "open_clip_pytorch_model.bin is a pickle" },
        { "pytorch_model.bin.index.json", "pytorch_model.bin in parts is a pickle" },
        { "model.pt", "model.pt is a pickle" },
        { "pytorch_model.pt", "pytorch_model.pt is a pickle" },
    };
    const char *format = other_format(dir);
    if (is_dangling(dir, wanted, err))
        return SCRY_EINVALID;
    for (size_t i = 0; i < sizeof pickles / sizeof *pickles; i++)
        if (scry_folder_has(dir, pickles[i].name))
            return scry_fail(err, SCRY_EINVALID, "%s: %s, which can run code when it is read: convert it once with "
                             "`tools/convert-pickle.py %s`, or fetch the repository's model.safetensors", dir, pickles[i].is, dir);
    if (format)
        return scry_fail(err, SCRY_EINVALID, "%s: its weights are there only as %s, which scry does not read: give the folder of the "
                         "same model as safetensors", dir, format);
    if (scry_folder_has(dir, "adapter_model.safetensors"))
        return scry_fail(err, SCRY_EINVALID, "%s: adapter_model.safetensors is an adapter (LoRA), which changes another model: merge "
                         "it into that model, and give the result", dir);
    char *what = other_weights(dir, wanted);
    int r = what ? scry_fail(err, SCRY_EINVALID, "%s: %s", dir, what)
                 : scry_fail(err, SCRY_ENOTFOUND, "%s: no %s in this folder", dir, wanted);
    free(what);
    return r;
}

int scry_folder_no_shard(const char *dir, const char *shard, const char *index, scry_error *err)
{
    if (is_dangling(dir, shard, err))
        return SCRY_EINVALID;
    return scry_fail(err, SCRY_ENOTFOUND, "%s: %.100s, which %s names, is not there: fetch it, too", dir, shard, index);
}

int scry_folder_adapted(const char *dir, scry_error *err)
{
    bool adapted = scry_folder_has(dir, "adapter_config.json")
                && (scry_folder_has(dir, "adapter_model.safetensors") || scry_folder_has(dir, "adapter_model.bin"));
    return !adapted ? 0 : scry_fail(err, SCRY_EINVALID, "%s: an adapter (LoRA) is beside the model, and transformers would read it with "
                                    "its adapter_config.json: merge it into the model, or remove it where that is done", dir);
}

int scry_folder_missing(const char *dir, scry_error *err)
{
    const char *slash = strchr(dir, '/');
    bool is_repository = slash && slash > dir && dir[0] != '.' && dir[0] != '~' && slash[1] && !strchr(slash + 1, '/') && !is_cached("", slash + 1);
    return is_repository ? scry_fail(err, SCRY_ENOTFOUND, "%s: no such folder; a repository of that name is fetched by `scry model pull "
                                     "%s`, one that other programs have fetched is added by `scry model add NAME %s --from-cache`",
                                     dir, dir, dir)
                         : scry_fail(err, SCRY_ENOTFOUND, "%s: no such folder", dir);
}

int scry_folder_is_file(const char *path, scry_error *err)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (ends_in(name, formats[i].end))
            return scry_fail(err, SCRY_EINVALID, "%s: weights as %s are not read: give the folder of the same model as safetensors", path,
                             formats[i].format);
    if (is_pickle("", name))
        return scry_fail(err, SCRY_EINVALID, "%s is a pickle, which can run code when it is read: give the folder of the same model as "
                         "safetensors, or convert the folder that has it together with its configuration (tools/convert-pickle.py)", path);
    return scry_fail(err, SCRY_EINVALID, "%s is a file: give the folder that has it together with its configuration", path);
}

static bool is_pointer(const char *dir, const char *name)
{
    static const char start[] = "version https://git-lfs.";
    char *path = scry_path_join(dir, name), head[sizeof start - 1];
    int fd = scry_open_input(path, O_RDONLY | O_NONBLOCK);
    struct stat st;
    bool is = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && read(fd, head, sizeof head) == (ssize_t)sizeof head
           && memcmp(head, start, sizeof head) == 0;
    if (fd >= 0)
        close(fd);
    free(path);
    return is;
}

int scry_folder_name_pointer(const char *dir, int code, scry_error *err)
{
    char *name = find(dir, is_pointer);
    if (name)
        code = scry_fail(err, SCRY_EINVALID, "%s/%.60s is a pointer of Git LFS and not the file itself: fetch it, by `git lfs pull` in "
                         "that folder", dir, name);
    free(name);
    return code;
}
