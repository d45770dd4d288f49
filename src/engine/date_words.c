/* date_words.c - one or two sets of words (date_phrase.h), each of which names a period. */
#include "engine/date_words.h"

#include "base/required.h"
#include "engine/date_calendar.h"
#include "engine/date_lexicon.h"
#include "engine/date_phrase.h"
#include "scry/filter.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_TEXT = 120, FIRST_YEAR = 1 };

#define BIT(kind) (1u << SCRY_DATE_##kind)

/* The words of one date, each kind once. */
typedef struct {
    unsigned has;           /* BIT(...) */
    int value[SCRY_DATE_WORD_KINDS];
    int second;             /* of SCRY_DATE_YEARS */
    bool ordinal;           /* the number is one */
    bool nth;               /* and is of the weekday behind it: second Sunday of May */
    bool weekday;           /* the day has to be that weekday: Monday, 17 May */
} words;

/* ---- the clock ---- */

static struct tm clock_of(int64_t s)
{
    time_t t = (time_t)s;
    struct tm tm = { 0 };
    gmtime_r(&t, &tm);
    return tm;
}

static int64_t day_of(int64_t s)
{
    return s - ((s % SCRY_DAY_S) + SCRY_DAY_S) % SCRY_DAY_S;
}

int64_t scry_local_now(void)
{
    time_t t = time(NULL);
    struct tm tm;
    return localtime_r(&t, &tm) ? (int64_t)timegm(&tm) : (int64_t)t;
}

/* ---- one date ---- */

/* Whether these kinds are there, perhaps the optional ones, and no other. */
static bool only(const words *w, unsigned needed, unsigned optional)
{
    return (w->has & needed) == needed && !(w->has & ~(needed | optional));
}

static void set(words *w, scry_date_word_kind kind, int value)
{
    w->has |= 1u << kind;
    w->value[kind] = value;
}

static bool collect(words *w, const scry_date_word *at, size_t n)
{
    *w = (words){ .has = 0 };
    for (size_t i = 0; i < n; i++) {
        if (w->has & 1u << at[i].kind)
            return false;
        set(w, at[i].kind, at[i].value);
        w->second = at[i].kind == SCRY_DATE_YEARS ? at[i].second : w->second;
        w->ordinal |= at[i].kind == SCRY_DATE_NUMBER && at[i].second;
        w->nth |= w->ordinal && i > 0 && at[i].kind == SCRY_DATE_WEEKDAY && at[i - 1].kind == SCRY_DATE_NUMBER;
    }
    return n > 0;
}

/* "new year", "Christmas Eve": which holiday. */
static bool name_holiday(words *w, int unit)
{
    int *holiday = &w->value[SCRY_DATE_HOLIDAY];
    if (*holiday == SCRY_HOLIDAY_NEW && unit != 'y')
        return false;
    if (*holiday == SCRY_HOLIDAY_NEW)
        *holiday = SCRY_HOLIDAY_NEW_YEAR;
    else if (unit == 'y')
        return true;
    w->has &= ~BIT(UNIT);   /* also of "Christmas Day" */
    if (!(w->has & BIT(EVE)))
        return true;
    bool year = *holiday == SCRY_HOLIDAY_NEW_YEAR;
    if (!year && *holiday != SCRY_HOLIDAY_CHRISTMAS && *holiday != SCRY_HOLIDAY_RUSSIAN_CHRISTMAS)
        return false;
    *holiday = year ? SCRY_HOLIDAY_NEW_YEARS_EVE : SCRY_HOLIDAY_CHRISTMAS_EVE;
    w->has &= ~BIT(EVE);
    return true;
}

/* The value of a word that is there; 0: it is not. */
static int value_of(const words *w, scry_date_word_kind kind)
{
    return w->has & 1u << kind ? w->value[kind] : 0;
}

/* Whether a word that is there waits for another one to say which it is. */
static bool is_unnamed(const words *w, scry_date_word_kind kind)
{
    return w->has & 1u << kind && !w->value[kind];
}

/* "second quarter": which; "2 quarters ago", "last quarter": units. */
static void name_quarter(words *w)
{
    int n = value_of(w, SCRY_DATE_NUMBER);
    if (w->has & (BIT(AGO) | BIT(BEFORE) | BIT(LAST) | BIT(THIS)) && !(w->has & BIT(UNIT))) {
        set(w, SCRY_DATE_UNIT, 'q');
        w->has &= ~BIT(QUARTER);
    } else if (n >= 1 && n <= 4) {
        set(w, SCRY_DATE_QUARTER, n);
        w->has &= ~BIT(NUMBER);
    }
}

/* "first half": which; "half a year ago": units. */
static void name_half(words *w)
{
    int n = value_of(w, SCRY_DATE_NUMBER);
    bool back = w->has & (BIT(AGO) | BIT(BEFORE) | BIT(LAST)) && value_of(w, SCRY_DATE_UNIT) == 'y';
    if (w->ordinal && (n == 1 || n == 2)) {
        set(w, SCRY_DATE_HALF, n);
        w->has &= ~BIT(NUMBER);
    } else if (back && n <= 1) {
        set(w, SCRY_DATE_UNIT, 'h');
        w->has &= ~(BIT(HALF) | BIT(NUMBER));
    }
}

static void name_parts(words *w)
{
    if (is_unnamed(w, SCRY_DATE_QUARTER))
        name_quarter(w);
    if (is_unnamed(w, SCRY_DATE_HALF))
        name_half(w);
}

/* "May of last year", "2019 год", "Monday 17 May": what says the same in fewer kinds. */
static bool simplify(words *w, const struct tm *now)
{
    unsigned relative = BIT(LAST) | BIT(THIS), day = BIT(WEEKDAY) | BIT(MONTH) | BIT(NUMBER);
    if (w->has & BIT(HOLIDAY) && !name_holiday(w, w->has & BIT(UNIT) ? w->value[SCRY_DATE_UNIT] : 0))
        return false;
    bool of_year = w->has & BIT(UNIT) && w->value[SCRY_DATE_UNIT] == 'y';
    if (of_year && w->has & (BIT(MONTH) | BIT(SEASON) | BIT(HOLIDAY) | BIT(QUARTER) | BIT(HALF)) && w->has & relative) {
        set(w, SCRY_DATE_YEAR, now->tm_year + 1900 - (w->has & BIT(LAST) ? 1 : 0));
        w->has &= ~(BIT(UNIT) | relative);
    } else if (of_year && w->has & (BIT(YEAR) | BIT(YEARS))) {
        w->has &= ~BIT(UNIT);
    }
    if ((w->has & day) == day) {
        w->has &= ~BIT(WEEKDAY);
        w->weekday = !w->nth;
    }
    return true;
}

static int weekday_of(int64_t day)
{
    return clock_of(day).tm_wday;
}

/* The month, day of a month, season or holiday in that year; false: there is no such day. */
static bool named_in(const words *w, int year, scry_period *out)
{
    int month = w->value[SCRY_DATE_MONTH], day = w->value[SCRY_DATE_NUMBER];
    if (w->has & BIT(SEASON))
        *out = scry_months_from(year, w->value[SCRY_DATE_SEASON], 3);
    else if (w->has & BIT(HOLIDAY))
        *out = scry_holiday_in(w->value[SCRY_DATE_HOLIDAY], year);
    else if (w->has & BIT(QUARTER))
        *out = scry_months_from(year, 3 * w->value[SCRY_DATE_QUARTER] - 2, 3);
    else if (w->has & BIT(HALF))
        *out = scry_months_from(year, 6 * w->value[SCRY_DATE_HALF] - 5, 6);
    else if (!(w->has & BIT(NUMBER)))
        *out = scry_months_from(year, month, 1);
    else {
        int weekday = w->value[SCRY_DATE_WEEKDAY];
        if (w->nth)
            day = day * 7 - 6 + (weekday - weekday_of(scry_day_at(year, month, 1)) + 7) % 7;
        if (!scry_is_date(year, month, day) || (w->weekday && weekday_of(scry_day_at(year, month, day)) != weekday))
            return false;
        *out = scry_days_from(scry_day_at(year, month, day), 1);
    }
    return true;
}

/* The last one that has begun or, of "last", is over; 29 February is every fourth or eighth year. */
static int latest_named(const words *w, int64_t now_s, scry_period *out)
{
    int64_t today = day_of(now_s);
    for (int year = clock_of(now_s).tm_year + 1901, tries = 0; tries < 11; tries++, year--)
        if (named_in(w, year, out) && (w->has & BIT(LAST) ? out->until_s <= today : out->from_s <= today))
            return 0;
    return SCRY_ENOTFOUND;
}

/* Whether it is a month, season or holiday, perhaps with a day and a year. */
static bool is_named(const words *w)
{
    unsigned more = BIT(YEAR) | BIT(LAST) | BIT(THIS);
    bool year = w->has & BIT(YEAR), relative = w->has & (BIT(LAST) | BIT(THIS));
    bool named = only(w, BIT(MONTH), more | BIT(NUMBER)) || only(w, BIT(SEASON), more) || only(w, BIT(HOLIDAY), more);
    named |= (only(w, BIT(QUARTER), more) && w->value[SCRY_DATE_QUARTER]) || (only(w, BIT(HALF), more) && w->value[SCRY_DATE_HALF]);
    return named && !(year && relative);
}

static int resolve_named(const words *w, const scry_date_phrase *p, int64_t now_s, scry_period *out)
{
    int year = w->value[SCRY_DATE_YEAR];
    if (!(w->has & BIT(YEAR)))
        return latest_named(w, now_s, out);
    if (w->has & BIT(SEASON) && w->value[SCRY_DATE_SEASON] == 12)
        return scry_fail(p->err, SCRY_EINVALID, "winter %04d may be the one that began in %04d-12 or in %04d-12: write winter %04d-%04d or "
                         "winter %04d-%04d", year, year - 1, year, year - 1, year, year, year + 1);
    return year >= FIRST_YEAR && named_in(w, year, out) ? 0 : SCRY_ENOTFOUND;
}

/* The day, week, month or year, `back` of them before this one. */
static scry_period unit_before(int unit, int back, int64_t now_s)
{
    struct tm now = clock_of(now_s);
    int64_t today = day_of(now_s);
    int year = now.tm_year + 1900, month = now.tm_mon + 1;
    switch (unit) {
    case 'w': return scry_days_from(today - (int64_t)((now.tm_wday + 6) % 7 + 7 * back) * SCRY_DAY_S, 7);
    case 'm': return scry_months_from(year, month - back, 1);
    case 'q': return scry_months_from(year, (month - 1) / 3 * 3 + 1 - 3 * back, 3);
    case 'y': return scry_months_from(year - back, 1, 12);
    default: return scry_days_from(today - (int64_t)back * SCRY_DAY_S, 1);
    }
}

/* The same day so many of them ago; the last day of a month that is shorter. */
static int64_t ago(int unit, int n, int64_t now_s)
{
    struct tm now = clock_of(now_s);
    if (unit == 'd' || unit == 'w')
        return day_of(now_s) - (int64_t)n * (unit == 'w' ? 7 : 1) * SCRY_DAY_S;
    int months = (now.tm_year + 1900) * 12 + now.tm_mon - n * (unit == 'y' ? 12 : unit == 'h' ? 6 : unit == 'q' ? 3 : 1);
    int year = months / 12, month = months % 12 + 1, day = now.tm_mday;
    while (!scry_is_date(year, month, day))
        day--;
    return scry_day_at(year, month, day);
}

/* How many units: what is written, or one. -1: several of them, but not how many; or too many. */
static int count_of(const words *w)
{
    bool units = w->has & BIT(UNITS), number = w->has & (BIT(NUMBER) | BIT(YEAR));
    int n = !number ? 1 : w->value[w->has & BIT(NUMBER) ? SCRY_DATE_NUMBER : SCRY_DATE_YEAR];
    int most = w->value[units ? SCRY_DATE_UNITS : SCRY_DATE_UNIT] == 'y' ? 1000 : 9999;
    return (units && !number) || n > most ? -1 : n;
}

/* "3 days ago", "a week ago", "last 7 days", "last week", "this month" */
static int resolve_units(const words *w, int64_t now_s, scry_period *out)
{
    unsigned counts = BIT(UNIT) | BIT(UNITS) | BIT(NUMBER) | BIT(YEAR);
    int unit = w->value[w->has & BIT(UNITS) ? SCRY_DATE_UNITS : SCRY_DATE_UNIT], n = count_of(w);
    if (!(w->has & (BIT(UNIT) | BIT(UNITS))) || n < 0)
        return SCRY_ENOTFOUND;
    if (only(w, BIT(AGO), counts) || only(w, BIT(BEFORE), counts))
        *out = scry_days_from(ago(unit, n, now_s), 1);
    else if (unit != 'h' && (only(w, BIT(LAST) | BIT(UNIT), 0) || only(w, BIT(THIS) | BIT(UNIT), 0)))
        *out = unit_before(unit, w->has & BIT(LAST) ? 1 : 0, now_s);
    else if (only(w, BIT(LAST), counts))
        *out = (scry_period){ ago(unit, n, now_s), day_of(now_s) + SCRY_DAY_S };
    else
        return SCRY_ENOTFOUND;
    return 0;
}

/* The last one that has begun or, of "last", is over, of the `days` days from a weekday on. */
static scry_period latest_weekday(const words *w, int weekday, int days, int64_t now_s)
{
    int back = (clock_of(now_s).tm_wday - weekday + 7) % 7;
    return scry_days_from(day_of(now_s) - (int64_t)(w->has & BIT(LAST) && back < days ? back + 7 : back) * SCRY_DAY_S, days);
}

static int resolve_years(const words *w, scry_period *out)
{
    int first = w->value[SCRY_DATE_YEARS], year = w->value[SCRY_DATE_YEAR], decade = w->value[SCRY_DATE_DECADE];
    if (only(w, BIT(YEAR), 0) && year >= FIRST_YEAR)
        *out = scry_months_from(year, 1, 12);
    else if (only(w, BIT(YEARS), 0))
        *out = (scry_period){ scry_day_at(first, 1, 1), scry_day_at(w->second + 1, 1, 1) };
    else if (only(w, BIT(YEARS) | BIT(SEASON), 0) && w->value[SCRY_DATE_SEASON] == 12 && w->second == first + 1)
        *out = scry_months_from(first, 12, 3);
    else if (only(w, BIT(DECADE), BIT(UNIT)))
        *out = scry_months_from(decade, 1, 120);
    else
        return SCRY_ENOTFOUND;
    return 0;
}

static int resolve(words *w, const scry_date_phrase *p, int64_t now_s, scry_period *out);

/* "early May", "first half of May": a part of what the other words name. */
static int resolve_part(words *w, const scry_date_phrase *p, int64_t now_s, scry_period *out)
{
    bool third = w->has & BIT(PART);
    int which = w->value[third ? SCRY_DATE_PART : SCRY_DATE_HALF];
    w->has &= ~(third ? BIT(PART) : BIT(HALF));
    int r = resolve(w, p, now_s, out);
    return r == 0 && !scry_period_part(out, which, third ? 3 : 2) ? SCRY_ENOTFOUND : r;
}

/* Whether only these words are there, of which "back" is "today". */
static bool is_today(const words *w)
{
    return only(w, BIT(THIS), 0) || (only(w, BIT(BACK), 0) && w->value[SCRY_DATE_BACK] == 0);
}

/* How many days before today a part of a day begins that is named without a day; -1: it is not. "This night" is the last one that
 * has begun. */
static int daytime_back(const words *w, scry_date_daytime part, bool dark)
{
    if (part == SCRY_DAYTIME_TONIGHT || part == SCRY_DAYTIME_LAST_NIGHT)
        return w->has ? -1 : part == SCRY_DAYTIME_LAST_NIGHT;
    if (is_today(w))
        return part == SCRY_DAYTIME_NIGHT && !dark;
    return only(w, BIT(LAST), 0) && (part == SCRY_DAYTIME_EVENING || part == SCRY_DAYTIME_NIGHT) ? 1 : -1;
}

/* "this morning", "yesterday evening", "last night", "night of 17 May": hours of a day. */
static int resolve_daytime(words *w, const scry_date_phrase *p, int64_t now_s, scry_period *out)
{
    static const int hours[][2] = { [SCRY_DAYTIME_MORNING] = { 4, 12 }, [SCRY_DAYTIME_AFTERNOON] = { 12, 18 },
                                    [SCRY_DAYTIME_EVENING] = { 17, 24 }, [SCRY_DAYTIME_NIGHT] = { 18, 30 },
                                    [SCRY_DAYTIME_SPANISH_TARDE] = { 12, 20 }, [SCRY_DAYTIME_TONIGHT] = { 18, 30 },
                                    [SCRY_DAYTIME_LAST_NIGHT] = { 18, 30 } };
    scry_date_daytime part = (scry_date_daytime)w->value[SCRY_DATE_DAYTIME];
    int64_t day = day_of(now_s);
    w->has &= ~BIT(DAYTIME);
    int back = daytime_back(w, part, now_s - day >= hours[SCRY_DAYTIME_NIGHT][0] * 3600);
    if (back < 0) {
        int r = w->has && part < SCRY_DAYTIME_TONIGHT ? resolve(w, p, now_s, out) : SCRY_ENOTFOUND;
        if (r < 0 || out->until_s - out->from_s != SCRY_DAY_S)
            return r < 0 ? r : SCRY_ENOTFOUND;
        day = out->from_s;
        back = 0;
    }
    day -= back * SCRY_DAY_S;
    *out = (scry_period){ day + hours[part][0] * 3600, day + hours[part][1] * 3600 };
    return 0;
}

static int resolve_whole(words *w, const scry_date_phrase *p, int64_t now_s, scry_period *out)
{
    struct tm now = clock_of(now_s);
    if (!simplify(w, &now))
        return SCRY_ENOTFOUND;
    if (is_named(w))
        return resolve_named(w, p, now_s, out);
    unsigned relative = BIT(LAST) | BIT(THIS);
    if (only(w, BIT(BACK), 0))
        *out = scry_days_from(day_of(now_s) - (int64_t)w->value[SCRY_DATE_BACK] * SCRY_DAY_S, 1);
    else if (only(w, BIT(BACK) | BIT(BEFORE) | BIT(UNIT), 0) && w->value[SCRY_DATE_BACK] == 1 && w->value[SCRY_DATE_UNIT] == 'd')
        *out = scry_days_from(day_of(now_s) - 2 * SCRY_DAY_S, 1);
    else if (only(w, BIT(WEEKDAY), relative))
        *out = latest_weekday(w, w->value[SCRY_DATE_WEEKDAY], 1, now_s);
    else if (only(w, BIT(WEEKEND), relative))
        *out = latest_weekday(w, 6, 2, now_s);
    else
        return resolve_years(w, out) == 0 ? 0 : resolve_units(w, now_s, out);
    return 0;
}

static int resolve(words *w, const scry_date_phrase *p, int64_t now_s, scry_period *out)
{
    if (w->has & BIT(VAGUE))
        return scry_fail(p->err, SCRY_EINVALID, "\"%s\" is another time for everybody: write a season, a month, or from when to when, such as "
                         "summer 2023, July 2023 or 10.07.2023-20.08.2023", p->whole);
    if (w->has & BIT(DAYTIME))
        return resolve_daytime(w, p, now_s, out);
    name_parts(w);
    bool half = value_of(w, SCRY_DATE_HALF) && w->has & (BIT(MONTH) | BIT(SEASON));
    return w->has & BIT(PART) || half ? resolve_part(w, p, now_s, out) : resolve_whole(w, p, now_s, out);
}

/* ---- spans ---- */

/* Of the beginning of a span what only its end says: "May to July 2020", "5 to 7 May"; and of the end the month and the year: "May 5
 * to 7", "May 2020 to July". */
static void share(words *from, words *to)
{
    unsigned named = BIT(MONTH) | BIT(SEASON) | BIT(HOLIDAY) | BIT(QUARTER) | BIT(HALF);
    unsigned relative = BIT(LAST) | BIT(THIS) | BIT(UNIT);
    if (only(from, BIT(NUMBER), 0) && to->has & BIT(MONTH))
        set(from, SCRY_DATE_MONTH, to->value[SCRY_DATE_MONTH]);
    if (only(to, BIT(NUMBER), BIT(YEAR)) && from->has & BIT(MONTH))
        set(to, SCRY_DATE_MONTH, from->value[SCRY_DATE_MONTH]);
    if (from->has & named && !(from->has & (BIT(YEAR) | relative)) && to->has & BIT(YEAR))
        set(from, SCRY_DATE_YEAR, to->value[SCRY_DATE_YEAR]);
    if (to->has & named && !(to->has & (BIT(YEAR) | relative)) && from->has & named && from->has & BIT(YEAR))
        set(to, SCRY_DATE_YEAR, from->value[SCRY_DATE_YEAR]);
}

static int resolve_span(const scry_date_phrase *p, size_t first, size_t middle, int64_t now_s, scry_period *out)
{
    words from, to;
    scry_period begin = { 0, 0 }, end = { 0, 0 };
    if (!collect(&from, p->at + first, middle - first) || !collect(&to, p->at + middle + 1, p->n - middle - 1))
        return SCRY_ENOTFOUND;
    bool to_year = to.has & BIT(YEAR), shared;
    share(&from, &to);
    shared = !to_year && to.has & BIT(YEAR);
    int r = resolve(&to, p, now_s, &end);
    if (r == 0)   /* without a year of its own it is the last one before the end */
        r = resolve(&from, p, is_named(&from) && !(from.has & (BIT(LAST) | BIT(THIS))) ? end.from_s : now_s, &begin);
    if (r == 0 && shared && end.until_s <= begin.from_s) {   /* December 2020 to January */
        to.value[SCRY_DATE_YEAR]++;
        r = resolve(&to, p, now_s, &end);
    }
    if (r == 0 && end.until_s <= begin.from_s)
        return scry_fail(p->err, SCRY_EINVALID, "%s ends before it begins", p->whole);
    *out = (scry_period){ begin.from_s, end.until_s };
    return r;
}

/* "since 2019", "until May 2020", "before 2020" */
static int resolve_open(const scry_date_phrase *p, int64_t now_s, scry_period *out)
{
    words w;
    int r = collect(&w, p->at + 1, p->n - 1) ? resolve(&w, p, now_s, out) : SCRY_ENOTFOUND;
    if (p->at[0].kind == SCRY_DATE_FROM)
        out->until_s = INT64_MAX;
    else if (p->at[0].kind == SCRY_DATE_TO)
        out->from_s = INT64_MIN;
    else
        *out = (scry_period){ INT64_MIN, out->from_s };
    return r;
}

/* "From May to July" and the like, and what has none of these words. */
static int resolve_phrase(const scry_date_phrase *p, int64_t now_s, scry_period *out)
{
    words w;
    scry_date_word_kind lead = p->at[0].kind;
    for (size_t i = 1; i < p->n; i++)
        if (p->at[i].kind == SCRY_DATE_TO || p->at[i].kind == SCRY_DATE_UP_TO)
            return resolve_span(p, lead == SCRY_DATE_FROM, i, now_s, out);
    if (!collect(&w, p->at, p->n))
        return SCRY_ENOTFOUND;
    bool before_units = lead == SCRY_DATE_BEFORE && w.has & (BIT(UNIT) | BIT(UNITS) | BIT(QUARTER));   /* vor 3 Tagen */
    if (before_units && resolve(&w, p, now_s, out) == 0)
        return 0;
    bool open = lead == SCRY_DATE_FROM || lead == SCRY_DATE_TO || lead == SCRY_DATE_BEFORE || lead == SCRY_DATE_UP_TO;
    return open ? resolve_open(p, now_s, out) : resolve(&w, p, now_s, out);
}

/* What scry_parse_time takes: a year, a month, a day, a minute or a second, by its length. */
static scry_period precise(const char *text, int64_t s)
{
    struct tm tm = clock_of(s);
    switch (strlen(text)) {
    case 4: return scry_months_from(tm.tm_year + 1900, 1, 12);
    case 7: return scry_months_from(tm.tm_year + 1900, tm.tm_mon + 1, 1);
    case 10: return scry_days_from(s, 1);
    default: return (scry_period){ s, s + (text[16] == ':' ? 1 : 60) };
    }
}

int scry_date_words(const char *text, int64_t now_s, scry_period *out, scry_error *err)
{
    scry_date_phrase p = { .whole = text, .err = err };
    struct tm now = clock_of(now_s);
    int64_t s;
    if (scry_parse_time(text, &s, NULL) == 0) {
        *out = precise(text, s);
        return 0;
    }
    int r = strlen(text) < MAX_TEXT ? scry_date_phrase_read(&p, text, &now) : 0;
    return r > 0 ? resolve_phrase(&p, now_s, out) : r < 0 ? r : SCRY_ENOTFOUND;
}

int scry_parse_period(const char *text, int64_t *from_s, int64_t *until_s, scry_error *err)
{
    scry_period t = { 0, 0 };
    int r = scry_required(text, "a period", err);
    if (r < 0)
        return r;
    r = scry_date_words(text, scry_local_now(), &t, err);
    if (r == SCRY_ENOTFOUND)
        return scry_fail(err, SCRY_EINVALID, "\"%.60s\" is not a date: write 2024, May 2020, 17.05.2024, 2024-05-17T10:00, yesterday, last summer or "
                         "2019-2021", text);
    *from_s = t.from_s;
    *until_s = t.until_s;
    return r;
}
