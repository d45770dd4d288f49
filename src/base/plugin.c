#include "base/plugin.h"

#include "base/alloc.h"
#include "base/file.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

const char *scry_library_build(void)
{
    return scry_build;
}

static int refuse_build(const char *path, scry_error *err)
{
    return scry_fail(err, SCRY_EIO, "%s is of another build of scry than the program that loads it (build %s): "
                     "install all files of one build", path, scry_build);
}

static int refuse_copy(const char *path, scry_error *err)
{
    return scry_fail(err, SCRY_EIO, "%s needs libscry.so, and this program is linked with libscry.a: "
                     "link it with libscry.so", path);
}

/* Packages recommend the libraries of plugins, so that one may be missing. */
static int explain_dlopen(const char *path, const char *why, scry_error *err)
{
    const char *missing = strstr(why, ": cannot open shared object file");
    if (missing && strncmp(why, path, strlen(path)) != 0 && !strstr(why, "libscry.so"))
        return scry_fail(err, SCRY_ENOTFOUND, "%s needs %.*s, which is not installed", path, (int)(missing - why), why);
    if (strstr(why, "undefined symbol: scry_"))
        return refuse_build(path, err);
    if (strstr(why, "libscry.so"))
        return refuse_copy(path, err);
    return scry_fail(err, SCRY_EIO, "cannot load %s: %s", path, why);
}

static int load(void **out, const char *path, const char *symbol, scry_error *err)
{
    /* dlopen counts references and is thread-safe: opening again gives the same object. */
    void *plugin = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (!plugin)
        return explain_dlopen(path, dlerror(), err);
    const char *build = dlsym(plugin, "scry_build");
    if (!build || strcmp(build, scry_build) != 0)
        return refuse_build(path, err);
    /* Looked up in the plugin and the libraries that it links: another address when there
     * are two copies. */
    void *library = dlsym(plugin, "scry_library_build");
    if (library && library != (void *)scry_library_build)
        return refuse_copy(path, err);
    *out = dlsym(plugin, symbol);
    return *out ? 0 : scry_fail(err, SCRY_EIO, "cannot load %s: %s", path, dlerror());
}

int scry_plugin_symbol(void **out, const char *name, const char *symbol, scry_error *err)
{
    char *file = scry_asprintf("scry-%s.so", name);
    char *path = scry_program_file(file);
    int result = path ? load(out, path, symbol, err)
                      : scry_fail(err, SCRY_ENOTFOUND, "the plugin %s is not installed: it belongs "
                                  "beside libscry.so, in libexec/scry or in $SCRY_DATA_DIR", file);
    free(path);
    free(file);
    return result;
}
