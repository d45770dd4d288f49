#include "base/pictures_folder.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The value of XDG_PICTURES_DIR in user-dirs.dirs, a file of lines like XDG_PICTURES_DIR="$HOME/Bilder"; owned, NULL: none. */
static char *from_user_dirs(const char *text)
{
    static const char key[] = "XDG_PICTURES_DIR=\"", home[] = "$HOME";
    for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        if (strncmp(line, key, sizeof key - 1) != 0)
            continue;
        const char *value = line + sizeof key - 1;
        size_t n = strcspn(value, "\"\n");
        if (value[n] != '"' || n == 0)
            return NULL;
        if (strncmp(value, home, sizeof home - 1) != 0)
            return value[0] == '/' ? scry_strndup(value, n) : NULL;
        char *rest = scry_strndup(value + sizeof home - 1, n - (sizeof home - 1)), *tilde = scry_asprintf("~%s", rest);
        char *path = scry_expand_home(tilde);
        free(tilde);
        free(rest);
        return path;
    }
    return NULL;
}

char *scry_pictures_folder(void)
{
    enum { MAX_USER_DIRS_BYTES = 1 << 16 };
    const char *base = getenv("XDG_CONFIG_HOME");
    char *config = base && base[0] == '/' ? scry_strdup(base) : scry_expand_home("~/.config");
    char *file = scry_path_join(config, "user-dirs.dirs"), *home = scry_expand_home("~");
    scry_buf text = SCRY_BUF_INIT(MAX_USER_DIRS_BYTES);
    struct stat st;
    char *path = scry_read_file(file, &text, NULL) == 0 ? from_user_dirs(scry_buf_str(&text)) : NULL;
    if (path && strcmp(path, home) == 0) {   /* which is how a folder is said not to be there */
        free(path);
        path = NULL;
    }
    if (!path)
        path = scry_expand_home("~/Pictures");
    if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode)) {
        free(path);
        path = NULL;
    }
    scry_buf_dispose(&text);
    free(home);
    free(file);
    free(config);
    return path;
}
