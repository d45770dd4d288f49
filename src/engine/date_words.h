/* date_words.h - dates as people write them: "yesterday", "May 2020", "17.05.2024", "last summer", "3 weeks ago".
 *
 * Each is the first moment of what it names. Months and weekdays are English names or their first three letters or more; a
 * week begins on Monday; seasons are those of meteorologists in the north: summer is June to August. A month, a day of a
 * month, a weekday or a season without "last" and without a year is the last one that has begun, with "last" the last one
 * that is over. With points the day comes first (17.05.2024); with slashes or hyphens too, unless only the other order is a
 * date, and what may be either is refused.
 */
#ifndef SCRY_ENGINE_DATE_WORDS_H
#define SCRY_ENGINE_DATE_WORDS_H

#include "scry/error.h"

#include <stdint.h>

/* Seconds since 1970 of what `text` names, by a clock that shows `now_s` (as if it were UTC, as scry_file.taken_at); also takes
 * what scry_parse_time takes. SCRY_ENOTFOUND, without a message: it is no date; SCRY_EINVALID: it may be two dates, and the
 * message says which and how to write each. */
int scry_date_words(const char *text, int64_t now_s, int64_t *out_s, scry_error *err) SCRY_NODISCARD;

/* What a clock here shows now, as seconds since 1970 as if that were UTC. */
int64_t scry_local_now(void);

#endif
