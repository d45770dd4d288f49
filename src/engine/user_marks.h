/* user_marks.h - favourites, bursts to keep and saved searches, as commands and the HTTP API have them.
 *
 *     scry_set_favourites(store, ids, n, true, &changed, &err);
 *     scry_save_search(store, "Beach", request, &err);       request: the JSON that POST /api/v1/search takes
 *     scry_marks_put_json(&writer, store, &err);              all of it, for scry_marks_import
 *
 * What writes takes a store that is open for writing, and is one transaction. docs/http-api.md has the JSON.
 */
#ifndef SCRY_ENGINE_USER_MARKS_H
#define SCRY_ENGINE_USER_MARKS_H

#include "base/json.h"
#include "engine/id_list.h"
#include "engine/search_request.h"
#include "scry/marks.h"

enum { SCRY_MAX_SAVED_SEARCHES = 1000, SCRY_SAVED_NAME_BYTES = 200 };

/* Add the ids of pictures that a person names: by a path, absolute or relative to here, or as "id:HEX", "@id:HEX" or the 32 digits alone,
 * which are not looked up. SCRY_ENOTFOUND: the store has no file of a path. */
int scry_pictures_named(scry_store *s, char *const *names, size_t n, scry_id_list *out, scry_error *err) SCRY_NODISCARD;

/* Mark files of the store by id, or take the mark from them; *changed (may be NULL) gets how many contents were marked, or had
 * the mark before. SCRY_ENOTFOUND names an id that the store does not have, and nothing is changed. */
int scry_set_favourites(scry_store *s, const uint8_t (*ids)[SCRY_ID_BYTES], size_t n, bool favourite, uint64_t *changed,
                        scry_error *err) SCRY_NODISCARD;

/* Remember that these files, two or more, are all to be kept beside each other, or forget it: scry_duplicates_find leaves out a
 * group of near duplicates of which all are. The same contract. */
int scry_set_kept(scry_store *s, const uint8_t (*ids)[SCRY_ID_BYTES], size_t n, bool kept, uint64_t *changed,
                  scry_error *err) SCRY_NODISCARD;

/* Save a search under a name, or replace it. It has a query, filters, or both, no uploaded picture, and neither limit nor offset.
 * The name is a text of 1 to SCRY_SAVED_NAME_BYTES bytes without control characters. */
int scry_save_search(scry_store *s, const char *name, const scry_json *request, scry_error *err) SCRY_NODISCARD;

/* SCRY_ENOTFOUND, with a name that was probably meant, when there is none of that name. */
int scry_remove_saved_search(scry_store *s, const char *name, scry_error *err) SCRY_NODISCARD;

/* The saved search as JSON; *out is freed by the caller. The same error. */
int scry_find_saved_search(scry_json **out, scry_store *s, const char *name, scry_error *err) SCRY_NODISCARD;

/* Give the parameters of a saved search to a request of any interface; before scry_request_finish. */
int scry_request_set_saved(scry_search_request *r, const scry_json *saved, scry_error *err) SCRY_NODISCARD;

/* A list, by name: [{"name", "search", "set_at"}]. */
int scry_saved_searches_put_json(scry_json_writer *w, scry_store *s, scry_error *err) SCRY_NODISCARD;

/* An object of all marks: {"format", "favourites", "kept", "searches"}. */
int scry_marks_put_json(scry_json_writer *w, scry_store *s, scry_error *err) SCRY_NODISCARD;

typedef struct scry_marks_counts {
    uint64_t favourites, kept, searches;
} scry_marks_counts;

/* Add what that object says, in one transaction; contents that the store does not have are remembered until it does. A saved
 * search of the same name is replaced. */
int scry_marks_import(scry_store *s, const scry_json *marks, scry_marks_counts *out, scry_error *err) SCRY_NODISCARD;

#endif
