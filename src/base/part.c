#include "base/part.h"

#include "base/alloc.h"
#include "base/file.h"

#include <dlfcn.h>
#include <stdlib.h>

int scry_part_symbol(void **out, const char *name, const char *symbol, scry_error *err)
{
    char *file = scry_asprintf("scry-%s.so", name);
    char *path = scry_program_file(file);
    int result = 0;
    void *part = NULL;
    if (!path)
        result = scry_fail(err, SCRY_ENOTFOUND, "the part %s of scry is not installed: "
                           "it belongs beside the program or into libexec/scry", file);
    /* dlopen counts references and is thread-safe: opening again gives the same part. */
    else if (!(part = dlopen(path, RTLD_NOW | RTLD_LOCAL)) || !(*out = dlsym(part, symbol)))
        result = scry_fail(err, SCRY_EIO, "cannot load %s: %s", path, dlerror());
    free(path);
    free(file);
    return result;
}
