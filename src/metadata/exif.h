/* exif.h - EXIF, and TIFF directories in general.
 *
 * Up to three directories of at most 1,024 entries are read, and of them the tags that scry_metadata
 * needs. libexif is not used because it parses everything: a malicious block of 64 KB kept it busy
 * for 9 seconds.
 */
#ifndef SCRY_METADATA_EXIF_H
#define SCRY_METADATA_EXIF_H

#include "metadata/metadata.h"

/* Blocks of other kinds that a TIFF file holds; empty where there are none. */
typedef struct scry_exif_blocks {
    scry_bytes xmp, iptc, photoshop, jpeg;   /* jpeg: a whole preview */
} scry_exif_blocks;

/* `bytes` begin with "Exif\0\0" or with the TIFF header itself (a TIFF file, most camera
 * RAW). Fills what is absent in *m. `blocks` may be NULL. Never fails. */
void scry_exif_read(scry_bytes exif, scry_metadata *m, scry_exif_blocks *blocks);

/* A block whose first directory is the Exif or the GPS directory, as CR3 has them. */
typedef enum { SCRY_EXIF_MAIN, SCRY_EXIF_DETAILS, SCRY_EXIF_PLACE } scry_exif_directory;
void scry_exif_read_directory(scry_bytes exif, scry_exif_directory which, scry_metadata *m);

#endif
