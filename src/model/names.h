/* names.h - words that a user bound to a few pictures: "Rex" for a dog, a product, a person.
 *
 * A name is a direction of the vector space, kept beside the model in
 * $XDG_DATA_HOME/scry/names/IDENTITY.json, IDENTITY being that of the pictures' checkpoint. The checkpoint is not
 * touched, so collections stay valid, and any texts' model of a pair knows the name. In a text that has the name as a
 * word, the name is left out, the rest is embedded as ever, and the direction is added (engine/teach.c chose its length):
 *
 *     u("Rex on the beach") = normalise(u("on the beach") + d(Rex))
 *     u("Rex")              = normalise(d(Rex))
 */
#ifndef SCRY_MODEL_NAMES_H
#define SCRY_MODEL_NAMES_H

#include "model/identity.h"
#include "scry/error.h"
#include "scry/model.h"

typedef struct scry_names scry_names;   /* does not change once a model has it: any thread */

enum { SCRY_MAX_NAMES = 1000, SCRY_MAX_NAME_BYTES = 64 };

/* The file of the model whose identity it is; owned. */
char *scry_names_path(const char *identity);

/* The names in the file at `path`, of directions [dim]. *out is NULL when there is no file; SCRY_EINVALID for one that is
 * damaged. */
int scry_names_read(scry_names **out, const char *path, size_t dim, scry_error *err) SCRY_NODISCARD;
scry_names *scry_names_new(size_t dim);   /* without any */
scry_names *scry_names_share(scry_names *n);   /* one more owner, who frees it, too; NULL is legal. Any thread */
void scry_names_free(scry_names *n);      /* NULL is legal */

/* The names that a model has now; the caller frees them. NULL: none. Any thread. */
scry_names *scry_model_names(const scry_model *m);

/* What scry_model_info.text_identity was when the model was opened, with the names that it has now. Any thread. */
void scry_model_text_identity(const scry_model *m, char out[SCRY_IDENTITY_CHARS + 1]);

/* SHA-256 of the file that they were read from, in hex; "" for those that were not. */
const char *scry_names_digest(const scry_names *n);

/* Write all of them to `path`: the old file or the new one is there, whatever happens. */
int scry_names_write(const scry_names *n, const char *path, scry_error *err) SCRY_NODISCARD;

/* SCRY_EINVALID for a name that no text could have: empty, longer than SCRY_MAX_NAME_BYTES, not UTF-8, with control characters, or
 * one that begins or ends with something else than a letter or a number. */
int scry_names_check(const char *name, scry_error *err) SCRY_NODISCARD;

/* The place of `name` whatever its capitals; -1 when there is none. */
int scry_names_find(const scry_names *n, const char *name);

/* Whether `word` is a name or a word of one, whatever its capitals. */
bool scry_names_have_word(const scry_names *n, const char *word);

/* Add a name that was checked and is not there yet; `direction` is [dim]. SCRY_ELIMIT when there are SCRY_MAX_NAMES. */
int scry_names_add(scry_names *n, const scry_taught_name *name, const float *direction, scry_error *err) SCRY_NODISCARD;
void scry_names_remove(scry_names *n, int place);

/* All names, borrowed; what is written to the file is in their order. */
const scry_taught_name *scry_names_list(const scry_names *n, size_t *count);

/* Add to `direction` [dim] those of all names that `text` has as words, each once. Returns the text without them, owned;
 * NULL when it has none. *alone: nothing but names was in it. Any thread. */
char *scry_names_take(const scry_names *n, const char *text, float *direction, bool *alone);

#endif
