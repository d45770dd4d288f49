/* near_words.h - what the words that no picture has were probably meant to be. */
#ifndef SCRY_ENGINE_NEAR_WORDS_H
#define SCRY_ENGINE_NEAR_WORDS_H

#include "base/json.h"
#include "scry/store.h"

/* `wanted` is a filter on words of which no picture has all. Appends which of them no picture has, and for those of five letters
 * and more near ones that one has, as they are written there: ": no picture has "recieptt": did you mean receipt?"; to `w`, an
 * object, the same as the lists "missing" and "meant". Looks at SCRY_NOTHING_SEEN files at most. */
int scry_near_words(scry_buf *out, scry_json_writer *w, scry_store *s, const scry_filter_node *wanted,
                    scry_error *err) SCRY_NODISCARD;

#endif
