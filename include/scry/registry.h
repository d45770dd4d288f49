/* registry.h - models by name.
 *
 * A model is named by a folder, by the name it was added or pulled under, or by the name of one
 * that came with the program ("starter"). A name stands for a folder MODELS/NAME below scry's data
 * folder ($XDG_DATA_HOME/scry/models), which holds the checkpoint itself, or only a record
 * (scry.json) that says where it is. Anything put there by hand counts, too.
 *
 *     scry_model_add("clip", "/data/clip-vit-base-patch32", false, &err);
 *     scry_model_resolve("clip", &dir, &err);
 */
#ifndef SCRY_REGISTRY_H
#define SCRY_REGISTRY_H

#include "scry/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SCRY_STARTER_MODEL "starter"

/* The checkpoint folder of `name` (NULL or "": the starter), owned by the caller in *dir.
 * SCRY_ENOTFOUND says which names there are. */
int scry_model_resolve(const char *name, char **dir, scry_error *err) SCRY_NODISCARD;

/* What is known of a model without opening it. Strings are "" when not known. */
typedef struct scry_model_record {
    const char *name, *dir;
    bool bundled;             /* came with the program */
    bool linked;              /* recorded where it lies: removing it leaves its files */
    const char *identity, *family, *licence;
    const char *source;       /* "OWNER/NAME@COMMIT" where it was pulled from */
    const char *added_at;     /* "2026-11-22T14:00:00Z" */
    int dim;
    uint64_t bytes;           /* of its files when it was added */
    const char *problem;      /* why it cannot be used: folder gone, files changed since */
} scry_model_record;

/* All models by name, the bundled ones first; borrowed for the call, non-zero stops. */
int scry_models_each(int (*each)(void *arg, const scry_model_record *record), void *arg,
                     scry_error *err) SCRY_NODISCARD;

/* The record of one model by name or folder: `each` is called once. */
int scry_model_find(const char *name, int (*each)(void *arg, const scry_model_record *record), void *arg,
                    scry_error *err) SCRY_NODISCARD;

/* Open the checkpoint in `dir`, checking all of it, and record it as `name` with its digest and
 * sizes; with `copy` the files themselves are copied. A name that is taken is SCRY_EINVALID. */
int scry_model_add(const char *name, const char *dir, bool copy, scry_error *err) SCRY_NODISCARD;

/* Forget `name`, and delete its files where they were copied or pulled. */
int scry_model_remove(const char *name, scry_error *err) SCRY_NODISCARD;

/* Letters, digits, ".", "_" and "-", at most 64, no "." or "-" first. */
bool scry_model_name_valid(const char *name);

/* ---- models to pull ---- */

typedef struct scry_catalogue_entry {
    const char *name;         /* "clip-b32-laion2b" */
    const char *repository;   /* "laion/CLIP-ViT-B-32-laion2B-s34B-b79K" */
    const char *revision;     /* a commit, where one is known to be good; NULL: what the host has now */
    const char *licence, *summary;
    int megabytes;            /* roughly what is fetched */
    int dim, image_size;
} scry_catalogue_entry;

/* models/catalogue.json, entry by entry. */
int scry_catalogue_each(int (*each)(void *arg, const scry_catalogue_entry *entry), void *arg,
                        scry_error *err) SCRY_NODISCARD;

typedef struct scry_pull_options {
    const char *what;         /* a name of the catalogue, or OWNER/NAME[@REVISION] */
    const char *name;         /* to keep it under; NULL: the catalogue's name or NAME */
    void (*progress)(void *arg, const char *file, uint64_t done, uint64_t total);
    void *arg;
} scry_pull_options;

/* Fetch a checkpoint from the hub ($SCRY_HUB_URL, else https://huggingface.co), going on where an
 * earlier run broke off, check it against what the host declares, open it, record where it came
 * from. Until all that is done nothing stands under its name. *name (may be NULL) gets the name,
 * owned by the caller. Without a network: SCRY_EREMOTE that says what to fetch by other means. */
int scry_model_pull(const scry_pull_options *options, char **name, scry_error *err) SCRY_NODISCARD;

#ifdef __cplusplus
}
#endif
#endif
