/* label_text.h - the sentence that is embedded for a label. */
#ifndef SCRY_ENGINE_LABEL_TEXT_H
#define SCRY_ENGINE_LABEL_TEXT_H

#include "scry/error.h"

#include <stddef.h>

/* Each label [n] in place of every {} of the template: [n] texts, released by scry_label_texts_free, or NULL. A template without {}
 * is SCRY_EINVALID; a text of more than 64 KiB is SCRY_ELIMIT. */
char **scry_label_texts(const char *template, const char *const *labels, size_t n, scry_error *err);
void scry_label_texts_free(char **texts, size_t n);   /* NULL is legal */

#endif
