/* plugin.h - shared objects that a command loads when it needs them, and the build they belong to.
 *
 * A plugin, scry-NAME.so, carries the libraries that most commands do without (nghttp2 and
 * libssl for Milvus, libcurl, libmicrohttpd, chafa), so that the others start without them.
 * It links libscry.so, as the program does: a process has one copy of the library, whatever
 * its host. A plugin lies beside libscry.so in a build tree and in libexec/scry of an
 * installation. mk/sources.mk says how one is built.
 *
 * Plugins, the program and scry-decode use functions of libscry that no public header
 * declares and that change from build to build (version node SCRY_PRIVATE). So each of them
 * carries the id of its build, a hash of all sources and flags, and another id is refused.
 *
 *     const scry_store_driver *driver;
 *     if (scry_plugin_symbol((void **)&driver, "milvus", "scry_milvus_driver", err) < 0)
 *         return err->code;
 */
#ifndef SCRY_BASE_PLUGIN_H
#define SCRY_BASE_PLUGIN_H

#include "scry/error.h"

/* The build id of the object that the caller is linked into: libscry, the program, the decoder
 * and every plugin have one each, which a generated file defines. */
extern const char scry_build[17];

/* The build id of the libscry that this process uses. */
const char *scry_library_build(void);

/* The address of `symbol` in the plugin `name`, which the first call loads and which stays loaded
 * for the life of the process. SCRY_ENOTFOUND when it is not installed; SCRY_EIO when it cannot be
 * loaded, is of another build, or would bring a second copy of libscry (in a program that
 * links libscry.a). Any thread. */
int scry_plugin_symbol(void **out, const char *name, const char *symbol, scry_error *err) SCRY_NODISCARD;

#endif
