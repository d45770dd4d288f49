/* file_json.h - stored files, hits and counts of index runs as JSON, for the command line and HTTP. */
#ifndef SCRY_ENGINE_FILE_JSON_H
#define SCRY_ENGINE_FILE_JSON_H

#include "base/json.h"
#include "engine/score_groups.h"
#include "engine/search_request.h"
#include "scry/index.h"
#include "scry/store.h"

/* The members id, path, path_base64 (where the path is not UTF-8), name, folder, width, height,
 * format, size, mtime, taken_at, camera, latitude, longitude, place, key, labels, without those
 * that are unknown and without braces. */
void scry_json_put_file(scry_json_writer *w, const scry_file *f);

/* The same, the place in a language (places.h). */
void scry_json_put_file_in(scry_json_writer *w, const scry_file *f, const char *language);

/* What was read in a picture, as an object: read, reason, text (all lines), and of each line its text, confidence, corners, and,
 * where there is a query, matches: whether it has any of its words. `text` is NULL where nobody has looked; `query` may be NULL. */
void scry_json_put_picture_text(scry_json_writer *w, const scry_picture_text *text, const char *query);

/* A hit as an object: rank, score, group ("best", "maybe", "far" or NULL), found_by and found_in where words were found,
 * matched where they were found in the picture, the members of its file, copies; where
 * the search folds, folded and folded_ids too. */
void scry_json_put_hit(scry_json_writer *w, const scry_hit *hit, size_t rank, const char *group, const scry_search *search);

/* The first `shown` of the results as an array, in the order that the request asks for; ranks are by score. SCRY_EINVALID where
 * the store does not know that order; what is written is then incomplete. */
int scry_json_put_hits(scry_json_writer *w, const scry_search_request *q, const scry_groups *groups, const scry_results *found,
                       size_t shown, scry_error *err) SCRY_NODISCARD;

/* The member undated, where the results have it. */
void scry_json_put_undated(scry_json_writer *w, const scry_results *r);

/* The counts of an index run as members, without braces. */
void scry_json_put_progress(scry_json_writer *w, const scry_index_progress *p);

/* The parts of a query as they were understood, in the form that a JSON body takes them:
 * [{"text": "sunset", "weight": 0.5}, ...]; a picture file of the command line is {"file": PATH}. */
void scry_json_put_parts(scry_json_writer *w, const scry_query *query);

#endif
