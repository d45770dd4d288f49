/* date_text.h - dates as cameras, programs and people write them. */
#ifndef SCRY_METADATA_DATE_TEXT_H
#define SCRY_METADATA_DATE_TEXT_H

#include "metadata/metadata.h"

typedef struct scry_date {
    int64_t at;          /* the wall clock as seconds since 1970 as if it were UTC */
    bool has_offset;
    int offset_min;
} scry_date;

/* "2021:06:15 14:30:00" and its kin: '-', '/', '.' and blanks between, or nothing; T or blanks before the time; no
 * time, no seconds, fractions of them; blanks for leading zeros or for a time that is not known; AM, PM and their
 * Chinese, Japanese and Korean words; hour 24, which phones write for hour 0 of the same day; an offset or Z behind. Also
 * "Tue, 15 Jun 2021 14:30:00 +0200" and "Tue Jun 15 14:30:00 2021". False unless such a time exists and its
 * year is 1800 to 9999. */
bool scry_date_parse(scry_date *out, const char *text);

/* "+02:00", "+0200", "+2", "Z", "UTC", "GMT+2" as minutes east of UTC. Other names of zones are not read: most are
 * used for several. */
bool scry_offset_parse(int *minutes, const char *text);

/* Removes "AM", "p.m." or such a word of East Asia from the front, with blanks before it; 'a', 'p', or 0 for none. */
char scry_half_day_take(const char **text);
int scry_half_day_hour(char half, int hour);

/* False when there is no such day or time. */
bool scry_date_of(int64_t *out, const int date[3], const int clock[3]);

#endif
