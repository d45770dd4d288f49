/* fields.h - filling a scry_metadata: fields that are set already are not changed. */
#ifndef SCRY_METADATA_FIELDS_H
#define SCRY_METADATA_FIELDS_H

#include "metadata/date_text.h"
#include "metadata/metadata.h"

/* Set the time, unless it is set already from a source that is at least as good. */
void scry_metadata_put_date(scry_metadata *m, const scry_date *d, scry_taken_source source);

/* The same with a time of GPS, which is in UTC where it has no offset; without a time of day (`has_clock`) it is a day alone. None
 * before GPS began is one. */
void scry_metadata_put_gps_date(scry_metadata *m, const scry_date *d, bool has_clock);

/* Make and model as one name: makers repeat themselves ("Canon", "Canon EOS 5D"). */
void scry_metadata_put_camera(scry_metadata *m, const char *make, const char *model);

/* Set the position in degrees. NAN, values out of range and 0, 0 (which phones without a
 * position write) are ignored. */
void scry_metadata_put_position(scry_metadata *m, double latitude, double longitude);

void scry_metadata_put_rating(scry_metadata *m, double rating);
/* As Windows writes it: 1, 25, 50, 75 and 99 are one to five stars. */
void scry_metadata_put_rating_percent(scry_metadata *m, double percent);

/* Copy from `more` the fields that *m lacks, and its time if that has the better source. */
void scry_metadata_merge(scry_metadata *m, const scry_metadata *more);

#endif
