/* library.c - the version of the library, and where the files are that are installed with it. */
#include "scry/library.h"

#include "base/alloc.h"
#include "base/file.h"

#include <dlfcn.h>
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <link.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char *data_dir;   /* of scry_set_data_dir; guarded by `lock` */

const char *scry_version(void)
{
    return SCRY_VERSION;
}

int scry_set_data_dir(const char *dir, scry_error *err)
{
    struct stat st;
    if (dir && stat(dir, &st) < 0)
        return scry_fail_errno(err, errno, "the folder of scry's files %s cannot be used", dir);
    if (dir && !S_ISDIR(st.st_mode))
        return scry_fail(err, SCRY_ENOTFOUND, "the folder of scry's files %s is not a folder", dir);
    char *absolute = dir ? realpath(dir, NULL) : NULL;
    if (dir && !absolute)
        return scry_fail_errno(err, errno, "the folder of scry's files %s cannot be used", dir);
    pthread_mutex_lock(&lock);
    free(data_dir);
    data_dir = absolute;
    pthread_mutex_unlock(&lock);
    return 0;
}

/* What scry_set_data_dir or SCRY_DATA_DIR says, owned; NULL when neither does. The variable names files that are
 * loaded and run, so a program with more permissions than its caller does not read it. */
static char *given_dir(void)
{
    pthread_mutex_lock(&lock);
    char *dir = data_dir ? scry_strdup(data_dir) : NULL;
    pthread_mutex_unlock(&lock);
    const char *set = secure_getenv("SCRY_DATA_DIR");
    return dir ? dir : set && set[0] ? scry_strdup(set) : NULL;
}

/* The file that this code was loaded from: libscry.so, or a program that libscry.a is linked into. */
static bool own_file(char path[PATH_MAX])
{
    Dl_info here;
#ifdef __GLIBC__
    struct link_map *map;
    if (!dladdr1((void *)(uintptr_t)scry_program_file, &here, (void **)&map, RTLD_DL_LINKMAP))
        return false;
    /* For the program itself l_name is empty, and dli_fname is argv[0], which may be anything. */
    return realpath(map->l_name[0] ? map->l_name : "/proc/self/exe", path) != NULL;
#else   /* musl: dli_fname of the program is its path, as the kernel gave it */
    return dladdr((void *)(uintptr_t)scry_program_file, &here) && realpath(here.dli_fname, path) != NULL;
#endif
}

/* The first of `places` below `folder` that has the file; owned, NULL where none has. A place may begin with "../", which is taken off
 * `folder`, so that users are shown plain paths: then no part of that is a link. */
static char *find_below(const char *folder, const char *const *places, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++) {
        const char *place = places[i];
        size_t length = strlen(folder);
        for (; strncmp(place, "../", 3) == 0; place += 3)
            while (length && folder[--length] != '/')
                ;
        char *path = scry_asprintf("%.*s/%s%s", (int)length, folder, place, name);
        if (access(path, F_OK) == 0)
            return path;
        free(path);
    }
    return NULL;
}

char *scry_program_file(const char *name)
{
    static const char *const in_given[] = { "", "libexec/scry/", "share/scry/" };
    /* An installation's lib/ or lib/TRIPLET/; the build trees: build/MODE/ and build/MODE/tests/. */
    static const char *const in_own[] = { "../libexec/scry/", "../share/scry/", "../../libexec/scry/", "../../share/scry/",
                                          "", "../../", "../", "../../../" };
    char own[PATH_MAX], *given = given_dir();
    char *path = given ? find_below(given, in_given, sizeof in_given / sizeof *in_given, name) : NULL;
    free(given);
    if (!path && own_file(own))
        path = find_below(dirname(own), in_own, sizeof in_own / sizeof *in_own, name);
    return path;
}
