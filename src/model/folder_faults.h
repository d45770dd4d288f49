/* folder_faults.h - what to say of a folder whose checkpoint cannot be opened. */
#ifndef SCRY_MODEL_FOLDER_FAULTS_H
#define SCRY_MODEL_FOLDER_FAULTS_H

#include "scry/error.h"

#include <stdbool.h>

bool scry_folder_has(const char *dir, const char *name);

/* The error for a folder without a configuration: what it is instead, and what to do. */
int scry_folder_no_checkpoint(const char *dir, scry_error *err);

/* The same for one whose configuration is there and whose weights, `wanted` ("model.safetensors"), are not. */
int scry_folder_no_weights(const char *dir, const char *wanted, scry_error *err);

/* For a shard that is missing of those that `index` names. */
int scry_folder_no_shard(const char *dir, const char *shard, const char *index, scry_error *err);

/* 0, or the error for a folder whose weights stand beside an adapter that transformers would apply to them. */
int scry_folder_adapted(const char *dir, scry_error *err);

/* For a folder that does not exist: it may be the name of a repository. */
int scry_folder_missing(const char *dir, scry_error *err);

/* For a file in the place of a folder. */
int scry_folder_is_file(const char *path, scry_error *err);

/* Where opening `dir` failed: if one of its files is a pointer of Git LFS, say that instead, and return its code; else `code`. */
int scry_folder_name_pointer(const char *dir, int code, scry_error *err);

#endif
