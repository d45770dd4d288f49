/* date_calendar.h - days, months and holidays as seconds since 1970, without time zones. */
#ifndef SCRY_ENGINE_DATE_CALENDAR_H
#define SCRY_ENGINE_DATE_CALENDAR_H

#include "engine/date_lexicon.h"
#include "engine/date_words.h"

#include <stdbool.h>

enum { SCRY_DAY_S = 86400 };

/* The beginning of a day. Any month and day: those beyond the end count on. */
int64_t scry_day_at(int year, int month, int day);

/* Whether there is such a day, in the years 1 to 9998. */
bool scry_is_date(int year, int month, int day);

scry_period scry_days_from(int64_t from, int days);
scry_period scry_months_from(int year, int month, int months);

/* Which of its `parts` equal parts (from 1 on): of a month by days, of what is longer by months; false: it is no whole months. */
bool scry_period_part(scry_period *t, int which, int parts);

/* The holiday in that year; New Year begins on the evening before it. SCRY_HOLIDAY_NEW is New Year, too. */
scry_period scry_holiday_in(scry_date_holiday holiday, int year);

#endif
