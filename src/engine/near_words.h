/* near_words.h - what the words that no picture has were probably meant to be. */
#ifndef SCRY_ENGINE_NEAR_WORDS_H
#define SCRY_ENGINE_NEAR_WORDS_H

#include "base/buf.h"
#include "scry/store.h"

/* `wanted` is a list of words of a query (store/words.h) that no picture has all of. Appends which of its words no picture has, and
 * for those of five letters and more near ones that one has, as they are written there: ": no picture has "recieptt": did you mean
 * receipt?". Looks at SCRY_NOTHING_SEEN files at most. */
int scry_near_words(scry_buf *out, scry_store *s, const char *wanted, scry_words_mode mode, scry_error *err) SCRY_NODISCARD;

#endif
