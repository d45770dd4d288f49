/* metadata.h - where the time of a picture comes from. */
#ifndef SCRY_METADATA_H
#define SCRY_METADATA_H

#ifdef __cplusplus
extern "C" {
#endif

/* In the order in which they are preferred, but for GPS. The numbers and names are stored: they never change. */
typedef enum {
    SCRY_TAKEN_UNKNOWN,          /* no time */
    SCRY_TAKEN_EXIF_ORIGINAL,    /* EXIF DateTimeOriginal */
    SCRY_TAKEN_EXIF_DIGITIZED,   /* EXIF DateTimeDigitized */
    SCRY_TAKEN_EXIF_MODIFIED,    /* EXIF DateTime */
    SCRY_TAKEN_IFD0,             /* the first two in the wrong directory */
    SCRY_TAKEN_XMP,
    SCRY_TAKEN_IPTC,
    SCRY_TAKEN_PNG_TEXT,
    SCRY_TAKEN_SIDECAR,          /* a .xmp or .json file beside the picture */
    SCRY_TAKEN_FILE_NAME,        /* "IMG_20150704_123015.jpg" */
    SCRY_TAKEN_FILE_TIME,        /* when the file was last changed */
    SCRY_TAKEN_GPS,              /* of the position, in UTC; preferred to FILE_TIME alone */
    SCRY_TAKEN_COUNT
} scry_taken_source;

/* "exif_original", ..., "file_time"; "" for UNKNOWN and anything else. And back: UNKNOWN when no source has that name. */
const char *scry_taken_source_name(scry_taken_source source);
scry_taken_source scry_taken_source_from_name(const char *name);

#ifdef __cplusplus
}
#endif

#endif
