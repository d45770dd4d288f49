/* fetch.h - the checkpoint in a repository of a model hub, brought into a folder and checked.
 *
 * The part that `scry model pull` opens (base/part.h); its one entry point is
 * scry_fetch_checkpoint. The protocol is the Hugging Face hub's: a listing with the
 * commit and the files, then each file of that commit, whose size and digest (SHA-256 for
 * large files, git's object id for small ones) the host declares.
 *
 *     folder/model.safetensors.part   under way: a later run goes on from its end
 *     folder/model.safetensors        complete, and equal to what the host declared
 */
#ifndef SCRY_FETCH_H
#define SCRY_FETCH_H

#include "scry/error.h"

#include <stddef.h>
#include <stdint.h>

enum { FETCH_MAX_FILES = 64, FETCH_MAX_NAME = 128 };

typedef struct fetch_file {
    char name[FETCH_MAX_NAME];
    uint64_t bytes;          /* declared in the listing; UINT64_MAX when it is not */
    char sha256[65];         /* declared, then computed; "" when not known */
    char git_id[41];
    char checked_by[8];      /* what of it the host had declared: "sha256", "git", "" (nothing) */
} fetch_file;

typedef struct fetch_report {
    char commit[65];
    size_t count;
    fetch_file files[FETCH_MAX_FILES];
} fetch_report;

typedef struct fetch_job {
    const char *hub;         /* "https://huggingface.co", without a final slash */
    const char *repository;  /* "OWNER/NAME" */
    const char *revision;    /* branch, tag or commit; NULL: main */
    const char *folder;      /* exists */
    /* Bytes of all files together; called often. May be NULL. */
    void (*progress)(void *arg, const char *file, uint64_t done, uint64_t total);
    void *arg;
} fetch_job;

/* SCRY_ENOTFOUND: no such repository, or nothing in it that can be used (the message says what
 * there is). SCRY_EREMOTE: no answer, a wrong one, or bytes that are not the declared ones.
 * What was complete stays in the folder. */
int scry_fetch_checkpoint(const fetch_job *job, fetch_report *report, scry_error *err) SCRY_NODISCARD;
typedef int scry_fetch_checkpoint_fn(const fetch_job *job, fetch_report *report, scry_error *err);

/* Read a listing (the hub's answer about a revision) and choose the files of a checkpoint:
 * open_clip's layout where there is one, else Hugging Face's. Names are taken only from a fixed
 * set of plain file names, whatever the listing says. */
int fetch_choose(fetch_report *out, const char *listing, size_t n, const char *repository,
                 scry_error *err) SCRY_NODISCARD;

#endif
