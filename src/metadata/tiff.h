/* tiff.h - directories of TIFF, BigTIFF and EXIF: entries of tag, type, number of values, values.
 *
 *     scry_tiff t;  scry_tiff_value v[2] = { 0 };
 *     if (scry_tiff_open(&t, file))
 *         scry_tiff_read(&t, scry_tiff_first(&t), (const uint16_t[]){ 0x100, 0x101 }, 2, v);
 *
 * For any bytes: what is not within the file is absent.
 */
#ifndef SCRY_METADATA_TIFF_H
#define SCRY_METADATA_TIFF_H

#include "metadata/metadata.h"

/* Types of values. */
enum {
    SCRY_TIFF_BYTE = 1, SCRY_TIFF_ASCII = 2, SCRY_TIFF_SHORT = 3, SCRY_TIFF_LONG = 4, SCRY_TIFF_RATIONAL = 5,
    SCRY_TIFF_SBYTE = 6, SCRY_TIFF_UNDEFINED = 7, SCRY_TIFF_SSHORT = 8, SCRY_TIFF_SLONG = 9, SCRY_TIFF_SRATIONAL = 10,
    SCRY_TIFF_FLOAT = 11, SCRY_TIFF_DOUBLE = 12, SCRY_TIFF_IFD = 13, SCRY_TIFF_LONG8 = 16, SCRY_TIFF_SLONG8 = 17,
    SCRY_TIFF_IFD8 = 18, SCRY_TIFF_UTF8 = 129
};

/* Borrows the bytes of the file. */
typedef struct scry_tiff {
    const uint8_t *p;
    size_t n;
    bool big;        /* byte order */
    bool wide;       /* BigTIFF: numbers of entries and values, and offsets, of 8 bytes */
} scry_tiff;

/* The values of an entry, with their bytes in the file; type 0 for none. */
typedef struct scry_tiff_value {
    int type;
    uint64_t count;
    const uint8_t *p;
} scry_tiff_value;

/* False when the bytes do not begin with a header, which "Exif\0\0" may precede. */
bool scry_tiff_open(scry_tiff *t, scry_bytes file);

/* The position of the first directory, and of the one behind the directory at `at`; 0 for none. */
uint64_t scry_tiff_first(const scry_tiff *t);
uint64_t scry_tiff_next(const scry_tiff *t, uint64_t at);

/* Whether the directory at `at`, or values of it, are not all in the file. */
bool scry_tiff_ends_behind(const scry_tiff *t, uint64_t at);

/* The values of the given tags of a directory, in the order of `tags`; of repeated entries the first. Values that are set
 * already are left. */
void scry_tiff_read(const scry_tiff *t, uint64_t at, const uint16_t *tags, size_t count, scry_tiff_value *values);

/* The i-th value, i < count (0 without values), as a whole number: 0 for texts, and what is behind the point is cut. As a real
 * one: NAN for 0/0 and texts. */
int64_t scry_tiff_number(const scry_tiff *t, const scry_tiff_value *v, size_t i);
double scry_tiff_real(const scry_tiff *t, const scry_tiff_value *v, size_t i);
scry_bytes scry_tiff_bytes(const scry_tiff_value *v);
bool scry_tiff_is_text(int type);

#endif
