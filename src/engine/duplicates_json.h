/* duplicates_json.h - groups of duplicates in responses. */
#ifndef SCRY_ENGINE_DUPLICATES_JSON_H
#define SCRY_ENGINE_DUPLICATES_JSON_H

#include "base/json.h"
#include "scry/duplicates.h"

/* A part of the groups: `count` of them from `from` on, of each at most `others` besides the one to keep. `is_away` says of which
 * files the disk is not there; NULL: nobody looked. */
typedef struct scry_duplicates_page {
    size_t from, count, others;
    bool (*is_away)(void *arg, const scry_file *file);
    void *arg;
} scry_duplicates_page;

/* These groups as a JSON list: [{"keep", "why", "others", "left_out"}]. "why" names what the one to keep has before the others:
 * "pixels": more of them; "date": a time in its headers; "size": more bytes; "age": the oldest file; "path": the shortest.
 * Files that have left the store since are left out. */
int scry_duplicates_put_json(scry_json_writer *w, scry_store *s, const scry_duplicates *d, const scry_duplicates_page *page,
                             scry_error *err) SCRY_NODISCARD;

#endif
