/* sniff.c - the format of a file from its first bytes.
 *
 * Runs in the calling process on unchecked bytes: only comparisons at
 * bounds-checked offsets. Most camera RAW is TIFF inside; the tags
 * of the first directory distinguish it.
 */
#include "image/image.h"

#include "base/byte_order.h"

#include <string.h>

typedef struct span {
    const uint8_t *p;
    size_t n;
} span;

static bool at(span s, size_t offset, const char *magic, size_t n)
{
    return s.n >= n && offset <= s.n - n && memcmp(s.p + offset, magic, n) == 0;
}

/* A string literal at an offset, embedded zero bytes included. */
#define AT(s, offset, literal) at((s), (offset), literal, sizeof literal - 1)

static uint32_t number(span s, size_t offset, size_t bytes, bool big)
{
    return s.n < bytes || offset > s.n - bytes ? 0 : (uint32_t)scry_read_endian(s.p + offset, bytes, big);
}

/* Whether the first directory of a TIFF is a camera's: DNGVersion, sensor data, or a
 * reduced picture with a maker's name and more directories below it. */
static bool is_camera_raw(span s, bool big)
{
    enum { MAX_ENTRIES = 256 };
    enum { NEW_SUBFILE_TYPE = 254, PHOTOMETRIC = 262, MAKE = 271, SUB_IFDS = 330,
           DNG_VERSION = 50706, CFA = 32803, LINEAR_RAW = 34892 };
    size_t ifd = number(s, 4, 4, big);
    uint32_t entries = number(s, ifd, 2, big);
    bool reduced = false, make = false, sub = false;
    for (uint32_t i = 0; i < entries && i < MAX_ENTRIES; i++) {
        size_t entry = ifd + 2 + (size_t)i * 12;
        uint32_t tag = number(s, entry, 2, big);
        bool is_long = number(s, entry + 2, 2, big) == 4;
        uint32_t value = number(s, entry + 8, is_long ? 4 : 2, big);
        if (tag == DNG_VERSION)
            return true;
        if (tag == PHOTOMETRIC && (value == CFA || value == LINEAR_RAW))
            return true;
        reduced |= tag == NEW_SUBFILE_TYPE && (value & 1);
        make |= tag == MAKE;
        sub |= tag == SUB_IFDS;
    }
    return reduced && make && sub;
}

static scry_format sniff_tiff(span s)
{
    if (AT(s, 0, "IIRO") || AT(s, 0, "IIRS") || AT(s, 0, "MMOR") || AT(s, 0, "IIU\0"))
        return SCRY_FORMAT_RAW;   /* Olympus, Panasonic */
    bool little = AT(s, 0, "II*\0"), big = AT(s, 0, "MM\0*");
    if (AT(s, 0, "II+\0") || AT(s, 0, "MM\0+"))
        return SCRY_FORMAT_TIFF;   /* BigTIFF */
    if (!little && !big)
        return SCRY_FORMAT_NONE;
    return AT(s, 8, "CR") || is_camera_raw(s, big) ? SCRY_FORMAT_RAW : SCRY_FORMAT_TIFF;
}

typedef struct brand {
    char name[5];
    uint8_t format;
} brand;

/* The format of the first brand of a file that is among `count` known ones. */
static scry_format find_brand(span s, const brand *known, size_t count)
{
    size_t end = number(s, 0, 4, true);
    end = end < s.n ? end : s.n;
    end = end < 256 ? end : 256;
    for (size_t offset = 8; offset + 4 <= end; offset += offset == 8 ? 8 : 4)
        for (size_t i = 0; i < count; i++)
            if (at(s, offset, known[i].name, 4))
                return (scry_format)known[i].format;
    return SCRY_FORMAT_NONE;
}

/* ISO base media: the brands say which. A brand list is at most a few dozen long. */
static scry_format sniff_brands(span s)
{
    static const brand own[] = {
        { "avif", SCRY_FORMAT_AVIF }, { "avis", SCRY_FORMAT_AVIF }, { "heic", SCRY_FORMAT_HEIC },
        { "heix", SCRY_FORMAT_HEIC }, { "hevc", SCRY_FORMAT_HEIC }, { "hevx", SCRY_FORMAT_HEIC },
        { "heim", SCRY_FORMAT_HEIC }, { "heis", SCRY_FORMAT_HEIC }, { "crx ", SCRY_FORMAT_RAW },
    };
    /* The brands of all files with such items: HEVC is what they contain when no other brand says it. */
    static const brand general[] = { { "mif1", SCRY_FORMAT_HEIC }, { "mif2", SCRY_FORMAT_HEIC }, { "msf1", SCRY_FORMAT_HEIC },
                                     { "miaf", SCRY_FORMAT_HEIC } };
    scry_format found = find_brand(s, own, sizeof own / sizeof *own);
    return found != SCRY_FORMAT_NONE ? found : find_brand(s, general, sizeof general / sizeof *general);
}

/* SVG: the first element is <svg, after white space, declarations and comments. */
static bool is_svg(span s)
{
    size_t i = AT(s, 0, "\xef\xbb\xbf") ? 3 : 0;
    size_t end = s.n < 4096 ? s.n : 4096;
    while (i < end) {
        if (s.p[i] == ' ' || (s.p[i] >= '\t' && s.p[i] <= '\r')) {
            i++;
        } else if (AT(s, i, "<!--")) {
            while (i < end && !AT(s, i, "-->"))
                i++;
            i += 3;
        } else if (AT(s, i, "<?") || AT(s, i, "<!DOCTYPE")) {
            while (i < end && s.p[i] != '>')
                i++;
            i++;
        } else {
            return AT(s, i, "<svg") && i + 4 < s.n && strchr(" \t\r\n>/", s.p[i + 4]);
        }
    }
    return false;
}

static bool is_pnm(span s)
{
    return s.n >= 3 && s.p[0] == 'P' && strchr("123456", s.p[1]) && s.p[1]
           && (strchr(" \t\r\n#", s.p[2]) && s.p[2]);
}

scry_format scry_sniff_format(const uint8_t *bytes, size_t n)
{
    static const struct {
        uint8_t offset, length, format;
        char magic[13];
    } magics[] = {
        { 0, 3, SCRY_FORMAT_JPEG, "\xff\xd8\xff" },
        { 0, 8, SCRY_FORMAT_PNG, "\x89PNG\r\n\x1a\n" },
        { 0, 6, SCRY_FORMAT_GIF, "GIF87a" },
        { 0, 6, SCRY_FORMAT_GIF, "GIF89a" },
        { 0, 2, SCRY_FORMAT_JXL, "\xff\x0a" },
        { 0, 12, SCRY_FORMAT_JXL, "\0\0\0\x0cJXL \r\n\x87\n" },
        { 0, 12, SCRY_FORMAT_JP2, "\0\0\0\x0cjP  \r\n\x87\n" },
        { 0, 4, SCRY_FORMAT_JP2, "\xff\x4f\xff\x51" },
        { 0, 12, SCRY_FORMAT_RAW, "FUJIFILMCCD-" },
        { 0, 4, SCRY_FORMAT_RAW, "FOVb" },
        { 0, 4, SCRY_FORMAT_RAW, "\0MRM" },
        { 6, 8, SCRY_FORMAT_RAW, "HEAPCCDR" },
    };
    span s = { bytes, n };
    for (size_t i = 0; i < sizeof magics / sizeof *magics; i++)
        if (at(s, magics[i].offset, magics[i].magic, magics[i].length))
            return (scry_format)magics[i].format;
    if (AT(s, 0, "RIFF") && AT(s, 8, "WEBP"))
        return SCRY_FORMAT_WEBP;
    if (AT(s, 4, "ftyp"))
        return sniff_brands(s);
    if (AT(s, 0, "BM") && n >= 26 && number(s, 14, 4, false) <= 124)
        return SCRY_FORMAT_BMP;
    scry_format tiff = sniff_tiff(s);
    if (tiff != SCRY_FORMAT_NONE)
        return tiff;
    return is_pnm(s) ? SCRY_FORMAT_PNM : is_svg(s) ? SCRY_FORMAT_SVG : SCRY_FORMAT_NONE;
}
