/* place_list.h - the places where the pictures of a collection were taken, and those of them that a text begins.
 *
 *     scry_place_list *l;
 *     scry_place_list_new(&l, store, &err);             // one walk over all files
 *     scry_json_put_places(&w, l, "mün", 10, NULL);     // [{"name": "Munich, Germany", "kind": "city", "count": 12, "matched": "München"}]
 *     scry_place_list_free(l);
 *
 * A list does not change with the store; any thread may read it.
 */
#ifndef SCRY_ENGINE_PLACE_LIST_H
#define SCRY_ENGINE_PLACE_LIST_H

#include "base/buf.h"
#include "base/json.h"
#include "scry/store.h"

typedef struct scry_place_list scry_place_list;

/* Cities, regions and countries with the number of files that a filter on each lets pass; none on Milvus, where there is no such
 * filter. A second for 100,000 files. The caller frees *out. */
int scry_place_list_new(scry_place_list **out, scry_store *s, scry_error *err) SCRY_NODISCARD;
void scry_place_list_free(scry_place_list *l);   /* NULL is legal */

/* Write a list of at most `limit` places, those with most files first, one of whose names has `text` at the beginning of a word, in
 * any case and without accents ("": all). "name" is in `language` (places.h); "matched" is the name with the text, where it is not
 * the one at the beginning of "name". */
void scry_json_put_places(scry_json_writer *w, const scry_place_list *l, const char *text, size_t limit, const char *language);

/* Whether names are shown in this language: "de", "de-AT". */
bool scry_place_list_has_language(const char *language);

/* These languages for people, in `buffer`: "en, ru and ja". */
const char *scry_place_list_languages(char buffer[80]);

/* Of the places that a filter asks for (`wanted`, a list of SCRY_WORDS_PLACE), those with pictures that lie in no other of them, if
 * they are several: "Paris, France (12), Paris, United States (3)"; else nothing is appended. */
void scry_place_list_several(scry_buf *out, const scry_place_list *l, const char *wanted);

/* Their names for people ("Munich, Germany"), a line each. */
void scry_place_titles(scry_buf *out, const scry_place_list *l, const char *text, size_t limit);

#endif
