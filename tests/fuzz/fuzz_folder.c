/* Any bytes as one of the files that say where a checkpoint's parts are: refused, or they lead to something in the folder.
 * The first byte chooses which: sentence-transformers' modules.json, a branch of Hugging Face's cache, an index of
 * shards, transformers 5's processor_config.json, open_clip's or transformers' configuration. */
#include "model/checkpoint.h"
#include "model/safetensors.h"

#include "base/alloc.h"
#include "base/file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];

static const struct { const char *name, *folder; } targets[] = {
    { "modules.json", "st" }, { "refs/main", "hf" }, { "model.safetensors.index.json", "shards" },
    { "processor_config.json", "v5" }, { "open_clip_config.json", "open" }, { "config.json", "plain" }
};

static void put(const char *folder, const char *name, const void *bytes, size_t n)
{
    char *path = scry_asprintf("%s/%s/%s", dir, folder, name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(bytes, 1, n, f) != n)
        abort();
    fclose(f);
    free(path);
}

static void make_folder(const char *name)
{
    char *path = scry_path_join(dir, name);
    if (mkdir(path, 0700) < 0)
        abort();
    free(path);
}

static void leave(void)
{
    char *command = scry_asprintf("rm -r %s", dir);
    (void)!system(command);
    free(command);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char shard[] = "\x40\0\0\0\0\0\0\0{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}"
                                "              \0\0\x80?";
    static const char siglip[] = "{\"model_type\":\"siglip\"}";
    snprintf(dir, sizeof dir, "/tmp/scry-fuzz-XXXXXX");
    if (!mkdtemp(dir))
        abort();
    atexit(leave);
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        make_folder(targets[i].folder);
    make_folder("st/0_CLIPModel");
    make_folder("hf/refs");
    make_folder("hf/snapshots");
    make_folder("hf/snapshots/abc");
    put("shards", "model-00001-of-00001.safetensors", shard, sizeof shard - 1);
    put("v5", "config.json", siglip, sizeof siglip - 1);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 1)
        return 0;
    size_t which = data[0] % (sizeof targets / sizeof *targets);
    char *folder = scry_path_join(dir, targets[which].folder), *found = NULL;
    put(targets[which].folder, targets[which].name, data + 1, n - 1);
    if (which == 2) {
        scry_tensors *ts;
        if (scry_tensors_open(&ts, folder, "model.safetensors", NULL) == 0) {
            for (size_t i = 0; i < scry_tensors_files(ts); i++)
                if (strchr(scry_tensors_file(ts, i), '/'))
                    abort();
            scry_tensors_free(ts);
        }
    } else if (which > 2) {
        (void)!scry_checkpoint_check(folder, false, NULL);
    } else if (scry_checkpoint_dir(&found, folder, NULL) == 0) {
        if (strncmp(found, folder, strlen(folder)) != 0 || strstr(found, ".."))
            abort();
    }
    free(found);
    free(folder);
    return 0;
}
