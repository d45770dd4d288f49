/* part.h - optional parts of the program, loaded when a command needs them.
 *
 * A part is a shared object, scry-NAME.so, beside the program in a build tree and in
 * libexec/scry of an installation. It carries the libraries that most commands do
 * without (nghttp2 and libssl for Milvus, libcurl, libmicrohttpd, chafa), so that they
 * cost no time at the start of the others. A part holds its own copy of what it uses of
 * libscry: nothing of it but its entry points is visible, and it shares no state with
 * the program but what they pass. mk/sources.mk says how one is built.
 *
 *     scry_milvus_store_fn *open_remote;
 *     if (scry_part_symbol((void **)&open_remote, "milvus", "scry_remote_open", err) < 0)
 *         return err->code;
 */
#ifndef SCRY_BASE_PART_H
#define SCRY_BASE_PART_H

#include "scry/error.h"

/* The address of `symbol` in the part `name`, which is loaded by the first call and stays
 * for the life of the process. SCRY_ENOTFOUND when the part is not installed. Any thread. */
int scry_part_symbol(void **out, const char *name, const char *symbol, scry_error *err) SCRY_NODISCARD;

#endif
