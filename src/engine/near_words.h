/* near_words.h - what the words that no picture has were probably meant to be. */
#ifndef SCRY_ENGINE_NEAR_WORDS_H
#define SCRY_ENGINE_NEAR_WORDS_H

#include "base/json.h"
#include "engine/search_request.h"
#include "scry/model.h"
#include "scry/store.h"
#include "store/words.h"

#include <stdbool.h>

enum { SCRY_SHOWN_BYTES = 64 };

/* `wanted` is a filter on words of which no picture has all. Appends which of them no picture has, and for those of five letters
 * and more near ones that one has, as they are written there: ": no picture has "recieptt": did you mean receipt?"; to `w`, an
 * object, the same as the lists "missing" and "meant". Looks at SCRY_NOTHING_SEEN files at most. */
int scry_near_words(scry_buf *out, scry_json_writer *w, scry_store *s, const scry_filter_node *wanted,
                    scry_error *err) SCRY_NODISCARD;

/* A word of a query that is probably misspelled. */
typedef struct scry_meant {
    char word[SCRY_WORD_BYTES];        /* no picture has it; "": there is none */
    char meant[SCRY_SHOWN_BYTES];      /* as a picture has it */
} scry_meant;

/* Whether it is worth looking for a misspelled word: `found` is the first page of a search by look and words, no picture of it has
 * all of the words, the store keeps its words together (Milvus does not), and the query has a word of five letters or more that
 * the model does not have as one piece ("horse"). Fast. */
bool scry_may_be_misspelled(scry_store *s, const scry_model *model, const scry_search_request *q,
                            const scry_results *found);

/* Where that is so: the first of such words that no picture has and that differs by one letter, or by two of eight, from one that a
 * picture has, and is probably no word itself, by the pieces that the model cuts it into. Reads each different word once. */
int scry_find_meant(scry_meant *out, scry_store *s, const scry_model *model, const scry_search_request *q,
                    scry_error *err) SCRY_NODISCARD;

/* Both, for programs that need not wait for another thread; false where there is none, or it cannot be told. */
bool scry_meant_by(scry_meant *out, scry_store *s, const scry_model *model, const scry_search_request *q,
                   const scry_results *found);

/* `no picture has the word "recieptt": did you mean receipt?` */
void scry_say_meant(scry_buf *out, const scry_meant *m);

/* An object: "word", "meant", and "query", which is that of the request with the other word; without it where that word is a part
 * of a longer one. */
void scry_json_put_meant(scry_json_writer *w, const scry_meant *m, const scry_search_request *q);

#endif
