#include "decoder/cut.h"

#include "base/byte_order.h"
#include "metadata/boxes.h"
#include "metadata/tiff.h"

#include <string.h>

/* The four letters, digits or blanks of a type; else what is there is no chunk or box. */
static bool is_type(const uint8_t *p)
{
    for (size_t i = 0; i < 4; i++)
        if (!((p[i] | 32) >= 'a' && (p[i] | 32) <= 'z') && !(p[i] >= '0' && p[i] <= '9') && p[i] != ' ')
            return false;
    return true;
}

/* Chunks to the last, IEND: length:4 type:4 data crc:4. */
static bool png_is_cut(scry_bytes f)
{
    enum { SIGNATURE = 8, AROUND = 12, LARGEST = 0x7fffffff };
    for (size_t at = SIGNATURE; at <= f.n;) {
        if (f.n - at < AROUND)
            return true;
        uint64_t length = scry_read_big_endian(f.p + at, 4);
        if (!is_type(f.p + at + 4) || length > LARGEST || memcmp(f.p + at + 4, "IEND", 4) == 0)
            return false;
        if (length > f.n - at - AROUND)
            return true;
        at += (size_t)length + AROUND;
    }
    return false;
}

/* "RIFF" size:4, of what follows. */
static bool webp_is_cut(scry_bytes f)
{
    return f.n >= 8 && scry_read_endian(f.p + 4, 4, false) > f.n - 8;
}

/* A box of the file's own level that ends behind it. */
static bool boxes_are_cut(scry_bytes f)
{
    char type[4];
    scry_bytes content;
    while (scry_box_next(&f, type, &content))
        ;
    if (f.n < 8 || !is_type(f.p + 4))
        return false;
    scry_bytes head = f;
    uint64_t size = scry_box_take(&head, 4);
    scry_box_take(&head, 4);
    return (size == 1 && head.n >= 8 ? scry_box_take(&head, 8) : size) > f.n;
}

/* Boxes around a codestream that ends with the marker EOC, or that alone. */
static bool jp2_is_cut(scry_bytes f)
{
    scry_bytes codestream = f;
    if (f.n < 2 || boxes_are_cut(f))
        return true;
    if (memcmp(f.p, "\xff\x4f", 2) != 0 && !scry_box_find(f, "jp2c", &codestream))
        return false;
    return codestream.n < 2 || memcmp(codestream.p + codestream.n - 2, "\xff\xd9", 2) != 0;
}

/* The strips or tiles of a directory: some end behind the file. */
static bool strips_end_behind(const scry_tiff *t, uint64_t directory)
{
    enum { MOST = 1 << 20 };
    static const uint16_t tags[] = { 273, 279, 324, 325 };   /* StripOffsets, StripByteCounts, TileOffsets, TileByteCounts */
    scry_tiff_value v[4] = { 0 };
    scry_tiff_read(t, directory, tags, 4, v);
    for (size_t k = 0; k < 4; k += 2)
        for (size_t i = 0; i < v[k].count && i < v[k + 1].count && i < MOST; i++) {
            uint64_t at = (uint64_t)scry_tiff_number(t, &v[k], i), length = (uint64_t)scry_tiff_number(t, &v[k + 1], i);
            if (at > t->n || length > t->n - at)
                return true;
        }
    return false;
}

/* With the directories of smaller pictures, which in a camera RAW have the large one. */
static bool tiff_is_cut(scry_bytes f)
{
    enum { MOST = 64 };
    static const uint16_t sub_directories[] = { 330 };
    uint64_t left[MOST];
    scry_tiff t;
    if (!scry_tiff_open(&t, f))
        return false;
    size_t n = 0;
    for (uint64_t at = scry_tiff_first(&t); at && n < MOST; at = scry_tiff_next(&t, at))
        left[n++] = at;
    for (size_t i = 0; i < n; i++) {
        scry_tiff_value v[1] = { 0 };
        if (scry_tiff_ends_behind(&t, left[i]) || strips_end_behind(&t, left[i]))
            return true;
        scry_tiff_read(&t, left[i], sub_directories, 1, v);
        for (size_t k = 0; k < v[0].count && n < MOST; k++)
            left[n++] = (uint64_t)scry_tiff_number(&t, &v[0], k);
    }
    return false;
}

bool scry_is_cut(scry_format format, scry_bytes file)
{
    switch (format) {
    case SCRY_FORMAT_PNG: return png_is_cut(file);
    case SCRY_FORMAT_WEBP: return webp_is_cut(file);
    case SCRY_FORMAT_TIFF: return tiff_is_cut(file);
    case SCRY_FORMAT_JXL: return boxes_are_cut(file);
    case SCRY_FORMAT_JP2: return jp2_is_cut(file);
    case SCRY_FORMAT_RAW: return tiff_is_cut(file) || (file.n >= 8 && memcmp(file.p + 4, "ftyp", 4) == 0 && boxes_are_cut(file));
    default: return false;
    }
}
