/* language.h - the language of a short text, for text models that must be told it (NLLB). */
#ifndef SCRY_TOKENIZER_LANGUAGE_H
#define SCRY_TOKENIZER_LANGUAGE_H

#include <stdbool.h>
#include <stddef.h>

#define SCRY_LANGUAGE_DEFAULT "eng_Latn"

/* NLLB's code of the language that `text` (`n` bytes of valid UTF-8) is probably written in: by its script, and within a
 * script by letters and frequent words. SCRY_LANGUAGE_DEFAULT where nothing speaks for another one. */
const char *scry_language_guess(const char *text, size_t n);

/* Whether `name` has the form of such a code: "deu_Latn". */
bool scry_language_is_code(const char *name);

#endif
