/* look.h - which parts of a picture are searched for text after a first look at a small copy. */
#ifndef SCRY_OCR_LOOK_H
#define SCRY_OCR_LOOK_H

#include "ocr/pixels.h"

enum { SCRY_OCR_MAX_AREAS = 16 };

/* Parts of a map, whose sides are multiples of SCRY_OCR_UNIT as the map's are, and which do not overlap. */
typedef struct scry_ocr_areas {
    size_t height, width;       /* of the map */
    scry_ocr_area area[SCRY_OCR_MAX_AREAS];
    bool done[SCRY_OCR_MAX_AREAS];   /* for the caller */
    size_t count;
} scry_ocr_areas;

/* Fill in `areas`, whose map's size the caller set: what is around the cells [height, width] that are over `least`. All of the
 * map as one where they are half of it, or many. SCRY_ENOMEM. */
int scry_ocr_suspect(const float *cells, size_t height, size_t width, float least, scry_ocr_areas *areas,
                     scry_error *err) SCRY_NODISCARD;

/* Where text touches a side of an area that was done, with the map beyond it, the area grows there, and those that
 * it then overlaps are joined to it. Areas that changed are no longer done. Whether any did. */
bool scry_ocr_extend(scry_ocr_areas *areas, const float *probability);

#endif
