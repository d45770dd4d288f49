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
 * none. */
int scry_why_nothing(scry_buf *out, scry_store *store, const scry_search_request *r, scry_error *err) SCRY_NODISCARD;

#endif
