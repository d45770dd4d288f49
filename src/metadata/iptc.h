/* iptc.h - IPTC-IIM (records of news agencies), and Photoshop's resources, which contain it in
 * JPEG files. */
#ifndef SCRY_METADATA_IPTC_H
#define SCRY_METADATA_IPTC_H

#include "metadata/metadata.h"

/* Fills what is absent in *m. For any bytes. */
void scry_iptc_read(scry_bytes iptc, scry_metadata *m);

/* The data of a resource ("8BIM", after "Photoshop 3.0"); empty when absent. */
enum { SCRY_PHOTOSHOP_IPTC = 0x404, SCRY_PHOTOSHOP_EXIF = 0x422, SCRY_PHOTOSHOP_XMP = 0x424 };
scry_bytes scry_photoshop_resource(scry_bytes resources, unsigned id);

#endif
