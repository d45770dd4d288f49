/* heif_adapt.h - what libheif is given of a HEIC or AVIF file.
 *
 * libheif before 1.18 reads every item of a file and refuses all of it because of one that it does not know,
 * of a thumbnail whose bytes are missing, or of metadata that describe two items (the gain map `tmap` and the
 * picture, as iOS 18 writes). It is given a copy in which only the primary picture and the items that this is
 * made of are declared: `infe` of the others, metadata too (src/metadata reads them), is renamed to `free`. In AVIF the parts of
 * a grid are not turned, mirrored or cropped themselves, as in libavif: such entries of `ipma` become 0, no property. Others
 * are put behind those that describe the item, where a file has them before. `thmb` of what is left is renamed, too, and a last
 * box of size 0 is given its size.
 *
 * Where none of the compatible brands is one that libheif looks for, the first of them becomes `mif1`.
 * Bytes from a second `ftyp` on are another file (the video of a motion photo) and are left out.
 */
#ifndef SCRY_DECODER_HEIF_ADAPT_H
#define SCRY_DECODER_HEIF_ADAPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct scry_heif_file {
    const uint8_t *bytes;   /* `copy`, or the caller's where nothing is to be changed */
    size_t size;
    uint8_t *copy;          /* owned, or NULL */
} scry_heif_file;

/* For any bytes, which must stay valid as long as *out; without memory for a copy they are passed on as they are. */
void scry_heif_adapt(scry_heif_file *out, const uint8_t *bytes, size_t n, bool avif);
void scry_heif_dispose(scry_heif_file *file);

/* Whether bytes of the primary picture, or of the items that it is made of, lie behind the end of the file: newer versions of
 * libheif make a picture of what is left of a grid. */
bool scry_heif_is_cut(const uint8_t *bytes, size_t n);

typedef struct scry_heif_parts {
    const char *version;             /* the first one of libheif that reads pictures coded so ("1.17"); NULL: any */
    const char *coding, *package;    /* which decoder is missing ("HEVC"), and Debian's package of it, or NULL; NULL: none */
} scry_heif_parts;

/* What libheif needs for the primary picture and the items that this is made of. `has_decoder` says whether a decoder is there, by
 * its number in libheif (heif_compression_format). For any bytes. */
void scry_heif_needs(scry_heif_parts *out, const uint8_t *bytes, size_t n, bool (*has_decoder)(int format));

#endif
