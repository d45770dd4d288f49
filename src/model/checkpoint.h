/* checkpoint.h - a checkpoint's folder: what is in it, before its weights are opened and with them. */
#ifndef SCRY_MODEL_CHECKPOINT_H
#define SCRY_MODEL_CHECKPOINT_H

#include "model/config.h"
#include "model/safetensors.h"
#include "tokenizer/tokenizer.h"

/* The folder that has the configuration, owned: `path` itself; the CLIP model in a folder of sentence-transformers
 * (modules.json), unless that reads texts only; the snapshot of the branch main in a folder of Hugging Face's cache
 * (models--OWNER--NAME). A file, or a folder of these that has no such folder in it, is refused. */
int scry_checkpoint_dir(char **out, const char *path, scry_error *err) SCRY_NODISCARD;

/* Whether scry can run the checkpoint as far as its configuration and, with `tokenizer`, its tokenizer tell: the
 * weights may be missing. */
int scry_checkpoint_check(const char *dir, bool tokenizer, scry_error *err) SCRY_NODISCARD;

/* SCRY_EINVALID for a checkpoint without an image tower. */
int scry_checkpoint_check_pictures(const scry_config *c, const char *dir, scry_error *err) SCRY_NODISCARD;

/* Open the tokenizer of the folder `dir` as the checkpoint's text tower needs it. */
int scry_checkpoint_tokenizer(scry_tokenizer **out, const scry_config *c, const char *dir, scry_error *err) SCRY_NODISCARD;

/* Whether tokenizer and text tower belong together: no id, the padding's neither, is outside the tower's table. */
int scry_checkpoint_check_tokenizer(const scry_config *c, const scry_tokenizer *t, const char *dir, scry_error *err) SCRY_NODISCARD;

typedef struct scry_checkpoint {
    char *dir;               /* owned */
    scry_config config;
    scry_tensors *tensors;
} scry_checkpoint;

/* Configuration and weights of the folder `dir`. What was opened is closed with scry_checkpoint_close, after a
 * failure, too. */
int scry_checkpoint_open(scry_checkpoint *out, const char *dir, scry_error *err) SCRY_NODISCARD;
void scry_checkpoint_close(scry_checkpoint *c);

#endif
