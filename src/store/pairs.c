#include "store/pairs.h"

#include "base/alloc.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *const raws[] = { "dng", "cr2", "cr3", "crw", "nef", "nrw", "arw", "srf", "sr2", "raf", "orf", "rw2", "rwl",
                                    "raw", "pef", "ptx", "srw", "x3f", "3fr", "fff", "mrw", "iiq", "kdc", "dcr", "erf", "mef",
                                    "mos", "gpr", NULL };
static const char *const leads[] = { "jpg", "jpeg", "heic", "heif", "hif", NULL };
/* As Google's camera names one shot, always in this case. */
static const char *const google_raws[] = { "RAW-02.ORIGINAL.dng", "MP.dng", NULL };
static const char *const google_leads[] = { "RAW-01.COVER.jpg", "RAW-01.MP.COVER.jpg", "MP.jpg", NULL };

enum { MAX_EXTENSION = 8, MAX_ENDING = 24, CASES = 3 };

/* An extension in upper case, with a capital, or as it is. */
static void to_case(const char *extension, int which, char out[MAX_EXTENSION])
{
    size_t i = 0;
    for (; extension[i]; i++)
        out[i] = which == 0 || (which == 1 && i == 0) ? (char)toupper((unsigned char)extension[i]) : extension[i];
    out[i] = '\0';
}

static bool is_listed(const char *const *list, const char *extension, size_t size)
{
    char as[MAX_EXTENSION];
    for (; *list; list++)
        for (int which = 0; which < CASES && strlen(*list) == size; which++) {
            to_case(*list, which, as);
            if (memcmp(as, extension, size) == 0)
                return true;
        }
    return false;
}

/* Whether the name ends with one of the list, behind a dot that does not begin the name: *stem is set. */
static bool has_ending(const char *const *list, const char *name, size_t size, size_t *stem)
{
    for (; *list; list++) {
        size_t n = strlen(*list);
        if (size >= n + 2 && memcmp(name + size - n, *list, n) == 0 && name[size - n - 1] == '.' && name[size - n - 2] != '/') {
            *stem = size - n;
            return true;
        }
    }
    return false;
}

scry_pair_part scry_pair_part_of(const char *name, size_t size, size_t *stem)
{
    size_t dot = size;
    if (has_ending(google_leads, name, size, stem))
        return SCRY_PAIR_LEAD;
    if (has_ending(google_raws, name, size, stem))
        return SCRY_PAIR_RAW;
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
    const char *const *google = part == SCRY_PAIR_RAW ? google_leads : google_raws;
    bool found = false;
    if (part == SCRY_PAIR_NONE)
        return false;
    char *other = scry_alloc(stem + MAX_ENDING);
    memcpy(other, name, stem);
    for (; *list && !found; list++)
        for (int which = 0; which < CASES && !found; which++) {
            to_case(*list, which, other + stem);
            found = each(arg, other);
        }
    for (; *google && !found; google++) {
        memcpy(other + stem, *google, strlen(*google) + 1);
        found = each(arg, other);
    }
    free(other);
    return found;
}
