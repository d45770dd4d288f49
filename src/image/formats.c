/* formats.c - the allow-list: which formats there are, and what their files are called. */
#include "image/image.h"

#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    bool by_default;
    const char *extensions;   /* separated and enclosed by spaces */
} formats[SCRY_FORMAT_COUNT] = {
    [SCRY_FORMAT_NONE] = { "none", false, " " },
    [SCRY_FORMAT_JPEG] = { "jpeg", true, " jpg jpeg jpe jfif mpo " },
    [SCRY_FORMAT_PNG] = { "png", true, " png apng " },
    [SCRY_FORMAT_WEBP] = { "webp", true, " webp " },
    [SCRY_FORMAT_GIF] = { "gif", true, " gif " },
    [SCRY_FORMAT_TIFF] = { "tiff", true, " tif tiff " },
    [SCRY_FORMAT_HEIC] = { "heic", true, " heic heif hif heics heifs " },
    [SCRY_FORMAT_AVIF] = { "avif", true, " avif avifs " },
    [SCRY_FORMAT_JXL] = { "jxl", true, " jxl " },
    [SCRY_FORMAT_RAW] = { "raw", true,
                          " dng cr2 cr3 crw nef nrw arw srf sr2 raf orf rw2 rwl raw pef ptx srw"
                          " x3f 3fr fff mrw iiq kdc dcr erf mef mos gpr " },
    [SCRY_FORMAT_JP2] = { "jp2", false, " jp2 j2k jpx jpf j2c jpc " },
    [SCRY_FORMAT_PNM] = { "pnm", false, " ppm pgm pbm pnm pfm " },
    [SCRY_FORMAT_BMP] = { "bmp", false, " bmp dib " },
    [SCRY_FORMAT_SVG] = { "svg", false, " svg " },
};

const char *scry_format_name(scry_format f)
{
    return f > SCRY_FORMAT_NONE && f < SCRY_FORMAT_COUNT ? formats[f].name : "none";
}

/* Whether `word` of length n is one of `list`, in any case. */
static bool listed(const char *list, const char *word, size_t n)
{
    for (const char *p = strchr(list, ' '); p && p[1]; p = strchr(p + 1, ' '))
        if (strncasecmp(p + 1, word, n) == 0 && p[1 + n] == ' ')
            return n > 0;
    return false;
}

static scry_format from_name(const char *name, size_t n)
{
    for (int f = 1; f < SCRY_FORMAT_COUNT; f++)
        if ((strlen(formats[f].name) == n && strncasecmp(formats[f].name, name, n) == 0)
            || listed(formats[f].extensions, name, n))
            return (scry_format)f;
    return SCRY_FORMAT_NONE;
}

scry_format scry_format_from_name(const char *name)
{
    return from_name(name, strlen(name));
}

uint32_t scry_formats_default(void)
{
    uint32_t mask = 0;
    for (int f = 1; f < SCRY_FORMAT_COUNT; f++)
        mask |= formats[f].by_default ? UINT32_C(1) << f : 0;
    return mask;
}

uint32_t scry_formats_all(void)
{
    return (UINT32_C(1) << SCRY_FORMAT_COUNT) - 2;
}

int scry_formats_parse(const char *list, uint32_t *out, scry_error *err)
{
    uint32_t mask = 0;
    for (const char *p = list;;) {
        size_t n = strcspn(p, ",");
        scry_format f = from_name(p, n);
        if (n == 3 && strncasecmp(p, "all", n) == 0)
            mask |= scry_formats_all();
        else if (n == 7 && strncasecmp(p, "default", n) == 0)
            mask |= scry_formats_default();
        else if (f != SCRY_FORMAT_NONE)
            mask |= UINT32_C(1) << f;
        else
            return scry_fail(err, SCRY_EINVALID, "unknown picture format '%.*s'; `scry status "
                             "--formats` lists them", n > 40 ? 40 : (int)n, p);
        if (!p[n])
            break;
        p += n + 1;
    }
    *out = mask;
    return 0;
}

bool scry_name_may_be_picture(const char *name)
{
    const char *dot = strrchr(name, '.');
    if (!dot || strchr(dot, '/'))
        return false;
    for (int f = 1; f < SCRY_FORMAT_COUNT; f++)
        if (listed(formats[f].extensions, dot + 1, strlen(dot + 1)))
            return true;
    return false;
}
