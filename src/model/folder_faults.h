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

/* Where opening `dir` failed: if one of its files is a pointer of Git LFS, say that instead, and return its code; else `code`. */
int scry_folder_name_pointer(const char *dir, int code, scry_error *err);

#endif
