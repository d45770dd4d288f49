/* library.h - the library itself: its version, and where its files are. */
#ifndef SCRY_LIBRARY_H
#define SCRY_LIBRARY_H

#include "scry/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* "0.1.0": the version of the library that runs, which may be newer than the headers. Static. */
const char *scry_version(void);

/* Where the files that are installed with the library are: scry-decode, the plugins and the bundled models. `dir` holds them
 * itself, or in its libexec/scry and share/scry, as an installation's prefix does. It is searched before the folders
 * that the library finds by its own place, and instead of $SCRY_DATA_DIR, which does the same. For programs that are
 * linked with libscry.a and moved away from it. NULL: forget it. SCRY_ENOTFOUND: there is no such folder. Call it before
 * the functions that use these files; any thread. */
int scry_set_data_dir(const char *dir, scry_error *err) SCRY_NODISCARD;

#ifdef __cplusplus
}
#endif
#endif
