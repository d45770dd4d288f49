#include "store/pairs.h"

#include "base/alloc.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *const raws[] = { "dng", "cr2", "cr3", "crw", "nef", "nrw", "arw", "srf", "sr2", "raf", "orf", "rw2", "rwl",
                                    "raw", "pef", "ptx", "srw", "x3f", "3fr", "fff", "mrw", "iiq", "kdc", "dcr", "erf", "mef",
                                    "mos", "gpr", NULL };
static const char *const leads[] = { "jpg", "jpeg", "heic", "heif", "hif", NULL };

enum { MAX_EXTENSION = 8 };

static void to_upper(const char *extension, char out[MAX_EXTENSION])
{
    size_t i = 0;
    for (; extension[i]; i++)
        out[i] = (char)toupper((unsigned char)extension[i]);
    out[i] = '\0';
}

static bool is_listed(const char *const *list, const char *extension, size_t size)
{
    for (; *list; list++) {
        char upper[MAX_EXTENSION];
        to_upper(*list, upper);
        if (strlen(*list) == size && (memcmp(*list, extension, size) == 0 || memcmp(upper, extension, size) == 0))
            return true;
    }
    return false;
}

scry_pair_part scry_pair_part_of(const char *name, size_t size, size_t *stem)
{
    size_t dot = size;
    while (dot && name[dot - 1] != '.' && size - dot < MAX_EXTENSION)
        dot--;
    *stem = dot;
    if (dot < 2 || name[dot - 1] != '.' || name[dot - 2] == '/')
        return SCRY_PAIR_NONE;
    if (is_listed(leads, name + dot, size - dot))
        return SCRY_PAIR_LEAD;
    return is_listed(raws, name + dot, size - dot) ? SCRY_PAIR_RAW : SCRY_PAIR_NONE;
}

bool scry_is_raw(const scry_file *f)
{
    size_t stem;
    return strcmp(f->format, "raw") == 0 && scry_pair_part_of(f->relative, strlen(f->relative), &stem) == SCRY_PAIR_RAW;
}

bool scry_pair_names(const char *name, bool (*each)(void *arg, const char *other), void *arg)
{
    size_t stem;
    scry_pair_part part = scry_pair_part_of(name, strlen(name), &stem);
    const char *const *list = part == SCRY_PAIR_RAW ? leads : raws;
    bool found = false;
    if (part == SCRY_PAIR_NONE)
        return false;
    char *other = scry_alloc(stem + MAX_EXTENSION);
    memcpy(other, name, stem);
    for (; *list && !found; list++) {
        to_upper(*list, other + stem);
        found = each(arg, other);
        memcpy(other + stem, *list, strlen(*list) + 1);
        found = found || each(arg, other);
    }
    free(other);
    return found;
}
