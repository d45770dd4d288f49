/* date_words.h - dates as people write them: "yesterday", "May 2020", "17.05.2024", "last summer", "2019-2021", "last Christmas".
 *
 * Each is a period: "May 2020" is that month. The words are those of date_lexicon.h, in English, Russian, German, French and
 * Spanish; their order does not matter within a date. A week begins on Monday; seasons are those of meteorologists in the
 * north: summer is June to August. A month, a day of a month, a weekday, a season or a holiday without "last" and without a
 * year is the last one that has begun, with "last" the last one that is over. With points the day comes first (17.05.2024,
 * 17.05.24); with slashes or hyphens too, unless only another order is a date, and what may be two dates is refused. "May to
 * July 2020", "5-7 May 2020", "2019-2021", "early May" is its first ten days, "end of 2020" its last four months. "since
 * 2019", "until May 2020" and "before 2020" are periods, too. "Q2 2023" and "first half of 2023" are parts of a year; a
 * morning is from 4 to 12, an afternoon to 18, an evening from 17 to 24, a night from 18 to 6 of the next day. What is another time
 * for everybody ("summer holidays") is refused.
 */
#ifndef SCRY_ENGINE_DATE_WORDS_H
#define SCRY_ENGINE_DATE_WORDS_H

#include "scry/error.h"

#include <stdint.h>

/* Seconds since 1970 by a clock that shows local time, as if it were UTC (as scry_file.taken_at). */
typedef struct scry_period {
    int64_t from_s, until_s;   /* from_s <= t < until_s; INT64_MIN, INT64_MAX: without a beginning, an end */
} scry_period;

/* The period that `text` names, by a clock that shows `now_s`; also takes what scry_parse_time takes, of which a time is a
 * minute or a second. SCRY_ENOTFOUND, without a message: it is no date; SCRY_EINVALID: it may be two dates or is vague, or a span
 * ends before it begins, and the message says so. */
int scry_date_words(const char *text, int64_t now_s, scry_period *out, scry_error *err) SCRY_NODISCARD;

/* What a clock here shows now, as seconds since 1970 as if that were UTC. */
int64_t scry_local_now(void);

#endif
