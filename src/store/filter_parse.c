/* filter_parse.c - times and places as people write them. */
#include "scry/filter.h"

#include "base/required.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Days from 1970-01-01 to the given day of the proleptic Gregorian calendar (years are
 * counted from March, so that the leap day is a year's last). */
static int64_t days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static int days_in_month(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

/* Read `separator` (unless 0) and exactly `digits` digits. */
static bool number(const char **at, char separator, int digits, int *out)
{
    const char *p = *at;
    if (separator && *p++ != separator)
        return false;
    int value = 0;
    for (int i = 0; i < digits; i++, p++) {
        if (*p < '0' || *p > '9')
            return false;
        value = value * 10 + (*p - '0');
    }
    *out = value;
    *at = p;
    return true;
}

typedef struct {
    int year, month, day, hour, minute, second, offset_s;
} civil;

/* "" , "Z", "+hh:mm", "-hh:mm" */
static bool parse_zone(const char **at, int *offset_s)
{
    if (**at == 'Z' || **at == 'z')
        ++*at;
    else if (**at == '+' || **at == '-') {
        char sign = **at;
        int hours, minutes;
        if (!number(at, sign, 2, &hours) || !number(at, ':', 2, &minutes) || hours > 23 || minutes > 59)
            return false;
        *offset_s = (hours * 3600 + minutes * 60) * (sign == '-' ? -1 : 1);
    }
    return true;
}

static bool in_calendar(const civil *c)
{
    return c->month >= 1 && c->month <= 12 && c->day >= 1 && c->day <= days_in_month(c->year, c->month) &&
           c->hour <= 23 && c->minute <= 59 && c->second <= 59;
}

/* "T10:00", "T10:00:30", with or without a zone. */
static bool parse_clock(const char **at, civil *c)
{
    if (!number(at, **at, 2, &c->hour) || !number(at, ':', 2, &c->minute))
        return false;
    if (**at == ':' && !number(at, ':', 2, &c->second))
        return false;
    return parse_zone(at, &c->offset_s);
}

static bool parse_civil(const char *text, civil *c)
{
    const char *p = text;
    if (!number(&p, 0, 4, &c->year))
        return false;
    if (*p == '-' && !number(&p, '-', 2, &c->month))
        return false;
    if (p - text == 7 && *p == '-' && !number(&p, '-', 2, &c->day))
        return false;
    if (p - text == 10 && (*p == 'T' || *p == 't' || *p == ' ') && !parse_clock(&p, c))
        return false;
    return *p == '\0' && in_calendar(c);
}

int scry_parse_time(const char *text, int64_t *out_s, scry_error *err)
{
    civil c = { .month = 1, .day = 1 };
    int required = scry_required(text, "a time", err);
    if (required < 0)
        return required;
    if (!parse_civil(text, &c))
        return scry_fail(err, SCRY_EINVALID, "\"%.60s\" is not a time: write it as 2024, 2024-05, "
                         "2024-05-17 or 2024-05-17T10:00, with Z or +02:00 after it if you like", text);
    *out_s = days_from_civil(c.year, c.month, c.day) * 86400 + c.hour * 3600 + c.minute * 60 +
             c.second - c.offset_s;
    return 0;
}

/* strtod without its hexadecimal and infinities, whatever the locale's decimal point. Blanks may be around it, as in the
 * coordinates that maps show to be copied. */
static bool decimal(const char **at, char end, double *out)
{
    char digits[64];
    const char *first = *at + strspn(*at, " \t");
    size_t n = strspn(first, "0123456789.+-eE");
    const char *last = first + n + strspn(first + n, " \t");
    if (n == 0 || n >= sizeof digits || *last != end)
        return false;
    memcpy(digits, first, n);
    digits[n] = '\0';
    char *point = strchr(digits, '.'), *stop;
    if (point)
        *point = localeconv()->decimal_point[0];
    *out = strtod(digits, &stop);
    if (stop != digits + n || !isfinite(*out))
        return false;
    *at = last + (end != '\0');
    return true;
}

int scry_parse_box(const char *text, double *west, double *south, double *east, double *north, scry_error *err)
{
    const char *p = text;
    double w, s, e, n;
    int required = scry_required(text, "a box", err);
    if (required < 0)
        return required;
    if (!decimal(&p, ',', &w) || !decimal(&p, ',', &s) || !decimal(&p, ',', &e) || !decimal(&p, '\0', &n))
        return scry_fail(err, SCRY_EINVALID, "\"%.60s\" is not a box: write WEST,SOUTH,EAST,NORTH in degrees, as in 11.4,48,11.7,48.2", text);
    if (fabs(w) > 180 || fabs(e) > 180 || fabs(s) > 90 || fabs(n) > 90 || s > n)
        return scry_fail(err, SCRY_EINVALID, "\"%.60s\": WEST and EAST must be in -180..180, SOUTH and NORTH in -90..90, and SOUTH not above "
                         "NORTH", text);
    *west = w;
    *south = s;
    *east = e;
    *north = n;
    return 0;
}

int scry_parse_near(const char *text, double *latitude, double *longitude, double *km,
                    scry_error *err)
{
    const char *p = text;
    double lat, lon, distance;
    int required = scry_required(text, "a place", err);
    if (required < 0)
        return required;
    if (!decimal(&p, ',', &lat) || !decimal(&p, ',', &lon) || !decimal(&p, '\0', &distance))
        return scry_fail(err, SCRY_EINVALID, "\"%.60s\" is not a place: write LATITUDE,LONGITUDE,KM, "
                         "as in 48.137,11.575,25", text);
    if (fabs(lat) > 90 || fabs(lon) > 180 || distance < 0)
        return scry_fail(err, SCRY_EINVALID, "\"%.60s\": the latitude must be in -90..90, the longitude "
                         "in -180..180, and the distance not negative", text);
    *latitude = lat;
    *longitude = lon;
    *km = distance;
    return 0;
}
