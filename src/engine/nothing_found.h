/* nothing_found.h - why no picture passes the filters of a request, and what would.
 *
 *     no picture passes --camera nikno: did you mean NIKON? There are NIKON D90 (12), Canon EOS 5D (3)
 *
 * The store is asked whether any picture passes each filter alone, then whether any passes the first two, the first three
 * and so on. What there is instead is read from the first SCRY_NOTHING_SEEN files, so that a large collection answers soon.
 */
#ifndef SCRY_ENGINE_NOTHING_FOUND_H
#define SCRY_ENGINE_NOTHING_FOUND_H

#include "base/buf.h"
#include "engine/search_request.h"

enum { SCRY_NOTHING_SEEN = 200000 };

/* Append one sentence without a line end; nothing where the filters of the finished request let pictures pass, or there are
 * none. `parts` (may be NULL) gets the same as a JSON object, for programs that say it in another language:
 *
 *     {"filters": [{"name": "camera", "value": "nikno"}],       one, or those that let nothing pass together
 *      "meant": ["NIKON"], "values": [{"name": "NIKON D90", "count": 12}], "more_values": 0,    of texts
 *      "first": "2020-01-01", "last": "2024-12-31",             of dates
 *      "most": 4,                                               of numbers: the highest there is
 *      "placed": true}                                          of positions: whether any picture has one
 */
int scry_why_nothing(scry_buf *out, scry_buf *parts, scry_store *store, const scry_search_request *r,
                     scry_error *err) SCRY_NODISCARD;

#endif
