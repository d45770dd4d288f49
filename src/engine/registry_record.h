/* registry_record.h - records of models (scry.json), between registry.c, registry_add.c and pull.c. */
#ifndef SCRY_ENGINE_REGISTRY_RECORD_H
#define SCRY_ENGINE_REGISTRY_RECORD_H

#include "base/json.h"
#include "scry/model.h"
#include "scry/registry.h"

#include <sys/stat.h>

#define REGISTRY_RECORD "scry.json"

/* What a file of a pulled model is known by. */
typedef struct registry_source_file {
    const char *name, *sha256, *checked_by;
} registry_source_file;

typedef struct registry_source {
    const char *hub, *repository, *commit, *licence;
    const registry_source_file *files;
    size_t file_count;
} registry_source;

/* Write FOLDER/scry.json. `linked_dir`: the checkpoint is there, not in FOLDER; NULL otherwise.
 * `source`: where it was pulled from; NULL otherwise. */
int registry_write_record(const char *folder, const char *name, const char *linked_dir, const scry_model_info *info,
                          const registry_source *source, scry_error *err) SCRY_NODISCARD;

typedef struct registry_loaded {
    scry_model_record record;   /* borrows from the rest, so this must not move */
    scry_json *json;
    char *name, *dir, *source;
    char problem[256];
} registry_loaded;

/* What FOLDER/scry.json says of a model, or what can be said without one. */
void registry_load(registry_loaded *out, const char *name, const char *folder, bool bundled);
void registry_unload(registry_loaded *l);

/* Whether a file of this name belongs to a checkpoint: what is recorded and copied. */
bool registry_is_model_file(const char *name);

/* Those files of a folder, in no order; non-zero stops. */
int registry_each_file(const char *dir, int (*each)(void *arg, const char *name, const struct stat *st), void *arg,
                       scry_error *err) SCRY_NODISCARD;

/* SCRY_EINVALID when the name cannot be used for a new model: bad, or taken. */
int registry_check_new_name(const char *name, scry_error *err) SCRY_NODISCARD;

/* MODELS/NAME below the data folder; owned. MODELS is made when it is not there. */
int registry_place(char **out, const char *name, scry_error *err) SCRY_NODISCARD;

/* Give a folder that was built up its final name: SCRY_EINVALID when that is taken. */
int registry_install(const char *folder, const char *place, scry_error *err) SCRY_NODISCARD;

/* Delete a folder and all in it; links are removed, not followed. */
int registry_delete_tree(const char *folder, scry_error *err) SCRY_NODISCARD;

#endif
