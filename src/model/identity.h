/* identity.h - one name for one vector space: SHA-256 over a model's files.
 *
 * Hashing 600 MB takes 0.4 s, so the digest is cached together with the size, time of change
 * and inode of every file, which are compared when a model is opened.
 */
#ifndef SCRY_MODEL_IDENTITY_H
#define SCRY_MODEL_IDENTITY_H

#include "model/safetensors.h"

#include <stdbool.h>
#include <stddef.h>

enum { SCRY_IDENTITY_CHARS = 64 };

/* The digest remembered for exactly these files of `dir`, unchanged since. */
bool scry_identity_recall(const char *dir, const char *const *files, size_t n,
                          char out[SCRY_IDENTITY_CHARS + 1]);

/* Read the files and remember the digest (silently not, where the cache cannot be written).
 * The order of `files` is part of it. */
int scry_identity_compute(const char *dir, const char *const *files, size_t n,
                          char out[SCRY_IDENTITY_CHARS + 1], scry_error *err) SCRY_NODISCARD;

typedef struct scry_identity_files {
    const scry_tensors *tensors;   /* of the files */
    const char *dir;
    const char *const *files;      /* [n] */
    size_t n;
} scry_identity_files;

/* How many bytes scry_identity_of reads, unless it recalls the digest. */
uint64_t scry_identity_bytes(const scry_identity_files *f);

/* The digest, remembered or computed; before the files are read for the first time the tensors among them are checked
 * (scry_tensors_check). `work` (may be NULL) advances by the bytes that are read. */
int scry_identity_of(const scry_identity_files *f, char out[SCRY_IDENTITY_CHARS + 1], scry_long_work *work,
                     scry_error *err) SCRY_NODISCARD;

/* The same, with nobody watching. */
int scry_identity_checked(const scry_tensors *ts, const char *dir, const char *const *files, size_t n,
                          char out[SCRY_IDENTITY_CHARS + 1], scry_error *err) SCRY_NODISCARD;

#endif
