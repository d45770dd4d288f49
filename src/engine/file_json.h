/* file_json.h - stored files and hits as JSON, the same on the command line and over HTTP. */
#ifndef SCRY_ENGINE_FILE_JSON_H
#define SCRY_ENGINE_FILE_JSON_H

#include "base/json.h"
#include "scry/store.h"

/* The members id, path, path_base64 (where the path is not UTF-8), name, folder, width, height,
 * format, size, mtime, taken_at, camera, latitude, longitude, key, labels, the unknown ones left
 * out; without braces. */
void scry_json_put_file(scry_json_writer *w, const scry_file *f);

/* A hit as an object: rank, score, the members of its file, copies; where the search folds,
 * folded and folded_ids too. */
void scry_json_put_hit(scry_json_writer *w, const scry_hit *hit, size_t rank, const scry_search *search);

#endif
