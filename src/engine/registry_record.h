/* registry_record.h - records of models (scry.json), between registry.c, registry_add.c and pull.c. */
#ifndef SCRY_ENGINE_REGISTRY_RECORD_H
#define SCRY_ENGINE_REGISTRY_RECORD_H

#include "base/json.h"
#include "scry/model.h"
#include "scry/registry.h"

#include <sys/stat.h>

#define REGISTRY_RECORD "scry.json"

/* A file of a pulled model and its digest. */
typedef struct registry_source_file {
    const char *name, *sha256, *checked_by;
} registry_source_file;

typedef struct registry_source {
    const char *hub, *repository, *commit, *licence;
    const registry_source_file *files;
    size_t file_count;
} registry_source;

/* Write FOLDER/scry.json. `linked_dir`: the checkpoint is there, not in FOLDER; NULL otherwise. The files of a pair
 * are recorded where `info` says that its two checkpoints are.
 * `source`: where it was pulled from; NULL otherwise. */
int registry_write_record(const char *folder, const char *name, const char *linked_dir, const scry_model_info *info,
                          const registry_source *source, scry_error *err) SCRY_NODISCARD;

typedef struct registry_loaded {
    scry_model_record record;   /* borrows from the rest, so this must not move */
    scry_json *json;
    char *name, *dir, *source;
    char problem[256];
} registry_loaded;

/* The record in FOLDER/scry.json, or what is known of a model without one. */
void registry_load(registry_loaded *out, const char *name, const char *folder, bool bundled);
void registry_unload(registry_loaded *l);

/* The files of a folder that belong to a checkpoint, in no order; non-zero stops. Names have a "/" where they are
 * in the folder of a module of sentence-transformers ("2_Dense"). */
typedef int registry_file_fn(void *arg, const char *name, const struct stat *st);

int scry_registry_each_file(const char *dir, registry_file_fn *each, void *arg, scry_error *err) SCRY_NODISCARD;

/* Copy them from the folder `from` to `to`. `options` may be NULL. In registry_add.c. */
int scry_registry_copy_files(const char *from, const char *to, const scry_long_options *options, scry_error *err) SCRY_NODISCARD;

/* SCRY_EINVALID when the name cannot be used for a new model: bad, or taken. */
int registry_check_new_name(const char *name, scry_error *err) SCRY_NODISCARD;

/* MODELS/NAME below the data folder; owned. MODELS is created if needed. */
int registry_place(char **out, const char *name, scry_error *err) SCRY_NODISCARD;

/* Rename a completed folder to its final name: SCRY_EINVALID when that is taken. */
int scry_registry_install(const char *folder, const char *place, scry_error *err) SCRY_NODISCARD;

/* ---- downloads that are not complete (registry_unfinished.c) ---- */

/* MODELS/.pull-NAME; owned. */
char *registry_unfinished_folder(const char *models, const char *name);

/* One run at a time for such a folder: the lock is a file beside it, held while *fd is open. */
int registry_lock(const char *folder, int *fd, scry_error *err) SCRY_NODISCARD;

/* Of the files in such a folder. */
uint64_t registry_fetched_bytes(const char *folder);

int registry_each_unfinished(const char *models, int (*each)(void *arg, const scry_model_record *record), void *arg);

/* SCRY_ENOTFOUND, without a message, when there is none. */
int registry_remove_unfinished(const char *models, const char *name, scry_error *err) SCRY_NODISCARD;

/* Delete a folder and all in it; links are removed, not followed. */
int scry_registry_delete_tree(const char *folder, scry_error *err) SCRY_NODISCARD;

#endif
