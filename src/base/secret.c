#include "base/secret.h"

#include "base/alloc.h"
#include "base/descriptor.h"
#include "base/file.h"
#include "base/log.h"
#include "base/utf8.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* Whether the file is in `folder` or below it, links resolved. */
static bool is_in(const char *path, const char *folder)
{
    char file[PATH_MAX], real[PATH_MAX];
    return folder && folder[0] == '/' && realpath(path, file) && realpath(folder, real) && scry_path_is_below(file, real);
}

static bool is_credential(const char *path)
{
    return is_in(path, "/run/credentials") || is_in(path, getenv("CREDENTIALS_DIRECTORY"));
}

static bool is_mounted(const char *path)
{
    struct statvfs mount;
    return (statvfs(path, &mount) == 0 && (mount.f_flag & ST_RDONLY)) || is_in(path, "/run/secrets");
}

int scry_check_secret(const char *path, const char *what, scry_error *err)
{
    struct stat st;
    int fd = scry_open_input(path, O_RDONLY | O_NONBLOCK), r = fd < 0 ? -1 : fstat(fd, &st);
    if (fd >= 0)
        close(fd);
    if (r < 0)
        return 0;
    bool own = st.st_uid == geteuid();
    unsigned mode = st.st_mode & 07777;
    if (!(mode & (own ? 077 : 007)) || !S_ISREG(st.st_mode) || is_credential(path))
        return 0;
    bool mounted = is_mounted(path);
    char *advice = mounted ? scry_strdup("") : scry_asprintf(": chmod %s %s%s", own ? "600" : "o-rwx", path, own ? "" : ", as its owner");
    if ((mode & 002) && !mounted)
        r = scry_fail(err, SCRY_EINVALID, "the %s file %s may be changed by other users (mode %03o)%s", what, path, mode, advice);
    else
        scry_log(SCRY_LOG_WARN, "the %s file %s may be read by other users (mode %03o)%s", what, path, mode, advice);
    free(advice);
    return r;
}

/* NULL: none. */
static const char *problem_of(const char *text, size_t n)
{
    if (scry_is_utf16(text, n))
        return "is UTF-16";
    if (scry_utf8_mark_bytes(text, n))
        return "begins with a byte order mark";
    return memchr(text, '\0', n) ? "holds a zero byte" : NULL;
}

int scry_read_secret(const char *path, const char *what, scry_buf *out, scry_error *err)
{
    size_t from = out->size;
    int r = scry_check_secret(path, what, err);
    if (r == 0)
        r = scry_read_file(path, out, err);
    const char *problem = r == 0 && out->size > from ? problem_of(out->data + from, out->size - from) : NULL;
    if (problem)
        r = scry_fail(err, SCRY_EINVALID, "the %s file %s %s: write it as plain text", what, path, problem);
    return r;
}
