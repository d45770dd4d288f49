/* registry.h - models by name.
 *
 * A model is named by a folder, by the name it was added or pulled under, or by the name of one
 * that came with the program ("starter"). A name refers to a folder MODELS/NAME below scry's data
 * folder ($XDG_DATA_HOME/scry/models), which holds the checkpoint itself, or only a record
 * (scry.json) with its path. Folders that were copied there by hand are found, too.
 *
 *     scry_model_add("clip", "/data/clip-vit-base-patch32", false, &err);
 *     scry_model_resolve("clip", &dir, &err);
 */
#ifndef SCRY_REGISTRY_H
#define SCRY_REGISTRY_H

#include "scry/cancel.h"
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

/* Whether `identity` is that of a starter which came with an earlier version (models/starter/FORMER.tsv). */
bool scry_model_was_starter(const char *identity);

/* What is known of a model without opening it. Strings are "" when not known. */
typedef struct scry_model_record {
    const char *name, *dir;
    bool bundled;             /* part of the installation */
    bool unfinished;          /* a download that was interrupted, in `dir`; not a model yet */
    bool linked;              /* its files stay in the folder it was added from: removing it keeps them */
    const char *identity, *family, *licence;
    const char *source;       /* "OWNER/NAME@COMMIT" where it was pulled from */
    const char *added_at;     /* "2026-11-22T14:00:00Z" */
    int dim;
    uint64_t bytes;           /* of its files when it was added */
    const char *problem;      /* why it cannot be used: folder missing, files changed since */
} scry_model_record;

/* All models by name, the bundled ones first, unfinished downloads last; borrowed for the call, non-zero stops. */
int scry_models_each(int (*each)(void *arg, const scry_model_record *record), void *arg,
                     scry_error *err) SCRY_NODISCARD;

/* The record of one model by name (NULL or "": the starter) or folder: `each` is called once. */
int scry_model_find(const char *name, int (*each)(void *arg, const scry_model_record *record), void *arg,
                    scry_error *err) SCRY_NODISCARD;

/* Open the checkpoint in `dir`, checking all of it, and record it as `name` with its digest and
 * sizes; with `copy` the files themselves are copied. A name that is taken is SCRY_EINVALID. */
int scry_model_add(const char *name, const char *dir, bool copy, scry_error *err) SCRY_NODISCARD;

/* The same for the pictures of one checkpoint with the texts of another (docs/models.md). Its identity is that of
 * `pictures`, so that it searches every collection that was made with them. */
int scry_model_add_pair(const char *name, const char *pictures, const char *texts, bool copy, scry_error *err) SCRY_NODISCARD;

typedef struct scry_model_add_options {
    const char *texts;        /* the checkpoint that reads the texts, as of scry_model_add_pair; NULL: `dir` reads its own */
    bool copy;
    const scry_long_options *work;   /* a copy of several GB takes minutes; stopped, there is no such model; NULL: nobody watches */
} scry_model_add_options;

#define SCRY_MODEL_ADD_OPTIONS_INIT { NULL, false, NULL }

/* Both, watched: `dir` has the pictures' checkpoint. `options` may be NULL. */
int scry_model_add_run(const char *name, const char *dir, const scry_model_add_options *options, scry_error *err) SCRY_NODISCARD;

/* The folder, owned, that other programs' download of a repository is in: OWNER/NAME below $HF_HUB_CACHE,
 * $HF_HOME/hub or ~/.cache/huggingface/hub. SCRY_ENOTFOUND when there is none. */
int scry_model_cached(char **dir, const char *repository, scry_error *err) SCRY_NODISCARD;

/* Remove the record of `name`, what is cached about it, and its files where they were copied or pulled; or an unfinished
 * download. */
int scry_model_remove(const char *name, scry_error *err) SCRY_NODISCARD;

/* Letters, digits, ".", "_" and "-", at most 64, no "." or "-" first. */
bool scry_model_name_valid(const char *name);

/* ---- models to pull ---- */

typedef struct scry_catalogue_entry {
    const char *name;         /* "clip-b32-laion2b" */
    const char *repository;   /* "laion/CLIP-ViT-B-32-laion2B-s34B-b79K" */
    const char *revision;     /* a commit that is known to work; NULL: the host's current one */
    const char *licence, *summary;
    int megabytes;            /* approximate size of the download */
    int dim, image_size;
    const char *recommended_for;   /* "fast"; NULL for most */
    const char *languages;    /* "English", or how many */
    double coco_recall_at_1;  /* of captions, in percent, as published; NAN: not known */
    const char *recall_source;   /* NULL: not known */
    double gflop;             /* of the image tower for a picture; NAN: not known */
    bool checked;             /* the repository's files were fetched and run */
} scry_catalogue_entry;

/* models/catalogue.json, entry by entry. */
int scry_catalogue_each(int (*each)(void *arg, const scry_catalogue_entry *entry), void *arg,
                        scry_error *err) SCRY_NODISCARD;

typedef struct scry_pull_options {
    const char *what;         /* a name of the catalogue, or OWNER/NAME[@REVISION]; "refs/pr/3" is a revision, too */
    const char *name;         /* the name to store it under; NULL: the catalogue's name or NAME */
    void (*progress)(void *arg, const char *file, uint64_t done, uint64_t total);
    void (*waiting)(void *arg, int seconds);   /* the host asks for a pause of so long, which follows */
    void *arg;
    const scry_cancel *cancel;   /* non-zero: stop with SCRY_ECANCELLED; what was fetched stays, for the next call; may be NULL */
} scry_pull_options;

#define SCRY_PULL_OPTIONS_INIT SCRY_ZERO_INIT

/* Fetch a checkpoint from the hub ($SCRY_HUB_URL, $HF_ENDPOINT, else https://huggingface.co), resuming an
 * interrupted download, check it against the digests that the host publishes, open it, record where it
 * came from. Configuration and tokenizer are fetched and checked before the weights. The name exists only
 * after all of this succeeded. *name (may be NULL) gets the name, owned by the caller. Without a network:
 * SCRY_EREMOTE, whose message names the files to fetch by other means. `options` without `what`, or NULL, is SCRY_EINVALID. */
int scry_model_pull(const scry_pull_options *options, char **name, scry_error *err) SCRY_NODISCARD;

#ifdef __cplusplus
}
#endif
#endif
