#include "engine/date_calendar.h"

#include <time.h>

enum { FIRST_YEAR = 1, LAST_YEAR = 9998 };

int64_t scry_day_at(int year, int month, int day)
{
    struct tm tm = { .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day };
    return (int64_t)timegm(&tm);
}

bool scry_is_date(int year, int month, int day)
{
    time_t t = (time_t)scry_day_at(year, month, day);
    struct tm tm;
    return year >= FIRST_YEAR && year <= LAST_YEAR && month >= 1 && month <= 12 && day >= 1 && gmtime_r(&t, &tm) &&
           tm.tm_mday == day && tm.tm_mon == month - 1;
}

scry_period scry_days_from(int64_t from, int days)
{
    return (scry_period){ from, from + (int64_t)days * SCRY_DAY_S };
}

scry_period scry_months_from(int year, int month, int months)
{
    return (scry_period){ scry_day_at(year, month, 1), scry_day_at(year, month + months, 1) };
}

bool scry_period_part(scry_period *t, int which, int parts)
{
    time_t first = (time_t)t->from_s, last = (time_t)t->until_s;
    struct tm from, until;
    if (!gmtime_r(&first, &from) || !gmtime_r(&last, &until) || from.tm_mday != 1 || until.tm_mday != 1)
        return false;
    int months = (until.tm_year - from.tm_year) * 12 + until.tm_mon - from.tm_mon;
    int days = (int)((t->until_s - t->from_s) / SCRY_DAY_S);
    bool by_days = months < 3 || months % parts;
    int begin = (which - 1) * (by_days ? days : months) / parts, end = which * (by_days ? days : months) / parts;
    int year = from.tm_year + 1900, month = from.tm_mon + 1;
    *t = (scry_period){ by_days ? scry_day_at(year, month, 1 + begin) : scry_day_at(year, month + begin, 1),
                        by_days ? scry_day_at(year, month, 1 + end) : scry_day_at(year, month + end, 1) };
    return true;
}

/* Easter Sunday: the anonymous Gregorian algorithm, and Meeus's Julian one with its date in the Gregorian calendar. */
static int64_t easter(int year)
{
    int a = year % 19, b = year / 100, c = year % 100, d = (19 * a + b - b / 4 - (b - (b + 8) / 25 + 1) / 3 + 15) % 30;
    int e = (32 + 2 * (b % 4) + 2 * (c / 4) - d - c % 4) % 7, m = (a + 11 * d + 22 * e) / 451, n = d + e - 7 * m + 114;
    return scry_day_at(year, n / 31, n % 31 + 1);
}

static int64_t russian_easter(int year)
{
    int d = (19 * (year % 19) + 15) % 30, e = (2 * (year % 4) + 4 * (year % 7) - d + 34) % 7, n = d + e + 114;
    return scry_day_at(year, n / 31, n % 31 + 1) + (int64_t)(year / 100 - year / 400 - 2) * SCRY_DAY_S;
}

/* The fourth Thursday of November. */
static int64_t thanksgiving(int year)
{
    time_t first = (time_t)scry_day_at(year, 11, 1);
    struct tm tm = { 0 };
    gmtime_r(&first, &tm);
    return (int64_t)first + (int64_t)((4 - tm.tm_wday + 7) % 7 + 21) * SCRY_DAY_S;
}

scry_period scry_holiday_in(scry_date_holiday holiday, int year)
{
    switch (holiday) {
    case SCRY_HOLIDAY_CHRISTMAS: return scry_days_from(scry_day_at(year, 12, 24), 3);
    case SCRY_HOLIDAY_CHRISTMAS_EVE: return scry_days_from(scry_day_at(year, 12, 24), 1);
    case SCRY_HOLIDAY_RUSSIAN_CHRISTMAS: return scry_days_from(scry_day_at(year, 1, 6), 2);
    case SCRY_HOLIDAY_NEW_YEAR: case SCRY_HOLIDAY_NEW: return scry_days_from(scry_day_at(year - 1, 12, 31), 2);
    case SCRY_HOLIDAY_NEW_YEARS_EVE: return scry_days_from(scry_day_at(year, 12, 31), 1);
    case SCRY_HOLIDAY_NEW_YEARS_DAY: return scry_days_from(scry_day_at(year, 1, 1), 1);
    case SCRY_HOLIDAY_HALLOWEEN: return scry_days_from(scry_day_at(year, 10, 31), 1);
    case SCRY_HOLIDAY_VALENTINE: return scry_days_from(scry_day_at(year, 2, 14), 1);
    case SCRY_HOLIDAY_EASTER: return scry_days_from(easter(year) - 2 * SCRY_DAY_S, 4);
    case SCRY_HOLIDAY_PENTECOST: return scry_days_from(easter(year) + 48 * SCRY_DAY_S, 3);
    case SCRY_HOLIDAY_THANKSGIVING: return scry_days_from(thanksgiving(year), 1);
    case SCRY_HOLIDAY_RUSSIAN_EASTER: return scry_days_from(russian_easter(year), 1);
    }
    return scry_days_from(scry_day_at(year, 1, 1), 1);
}
