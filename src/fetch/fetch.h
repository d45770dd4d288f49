/* fetch.h - the checkpoint in a repository of a model hub, downloaded into a folder and verified.
 *
 * The plugin that `scry model pull` loads (base/plugin.h); its one entry point is
 * scry_fetch_checkpoint. The protocol is the Hugging Face hub's: a listing with the
 * commit and the files, then each file of that commit, whose size and digest (SHA-256 for
 * large files, git's object id for small ones) the host declares.
 *
 *     folder/model.safetensors.part   incomplete: a later run continues at its end
 *     folder/model.safetensors        complete, and equal to what the host declared
 *
 * The configuration comes first, then the tokenizer, then the weights; before the next of these the
 * caller is asked whether it can use what is there.
 */
#ifndef SCRY_FETCH_H
#define SCRY_FETCH_H

#include "scry/cancel.h"
#include "scry/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FETCH_MAX_FILES = 64, FETCH_MAX_NAME = 128 };

typedef enum { FETCH_CONFIGURATION, FETCH_TOKENIZER, FETCH_WEIGHTS } fetch_stage;

typedef struct fetch_file {
    fetch_stage stage;
    char name[FETCH_MAX_NAME];
    uint64_t bytes;          /* declared in the listing; UINT64_MAX when it is not */
    char sha256[65];         /* declared, then computed; "" when not known */
    char git_id[41];
    char checked_by[8];      /* the digest that the host had declared: "sha256", "git", "" (nothing) */
} fetch_file;

typedef struct fetch_report {
    char commit[65];
    bool answered;           /* the host answered at all */
    const char *prefix;      /* the folder of the repository that the files are in: "0_CLIPModel/", or "" */
    size_t count;            /* in the order of their stages */
    fetch_file files[FETCH_MAX_FILES];
} fetch_report;

typedef struct fetch_job {
    const char *hub;         /* "https://huggingface.co", without a final slash */
    const char *repository;  /* "OWNER/NAME" */
    const char *revision;    /* branch, tag, commit, "refs/pr/N"; NULL: main */
    const char *token;       /* sent to the hub, never to a host it redirects to; NULL: none */
    const char *folder;      /* exists */
    /* Bytes of all files together; called often. May be NULL. */
    void (*progress)(void *arg, const char *file, uint64_t done, uint64_t total);
    /* The host asks for a pause of so many seconds, which follows. May be NULL. */
    void (*waiting)(void *arg, int seconds);
    /* The files of all stages before `next` are in the folder: negative stops, with the error set. */
    int (*check)(void *arg, fetch_stage next, scry_error *err);
    void *arg;
    const scry_cancel *cancel;   /* non-zero: stop with SCRY_ECANCELLED; may be NULL */
} fetch_job;

/* SCRY_ENOTFOUND: no such repository, or nothing in it that can be used (the message says what
 * there is) or a repository that needs a login. SCRY_EREMOTE: no answer (report->answered is false), a wrong
 * one, or bytes that differ from the declared digest. What was complete stays in the folder. */
int scry_fetch_checkpoint(const fetch_job *job, fetch_report *report, scry_error *err) SCRY_NODISCARD;
typedef int scry_fetch_checkpoint_fn(const fetch_job *job, fetch_report *report, scry_error *err);

/* Read a listing (the hub's answer about a revision) and choose the files of a checkpoint:
 * open_clip's layout where there is one, else Hugging Face's, else the CLIP model within a folder of
 * sentence-transformers. Names are taken only from a fixed set, whatever the listing says. */
int fetch_choose(fetch_report *out, const char *listing, size_t n, const char *repository,
                 scry_error *err) SCRY_NODISCARD;

#endif
