#include "engine/date_words.h"

#include "scry/filter.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { MAX_WORDS = 5, MAX_TEXT = 80, DAY_S = 86400 };

typedef struct {
    struct tm now;              /* what the clock shows */
    char text[MAX_TEXT];        /* the words, lower case, each ended by a zero */
    const char *words[MAX_WORDS + 1];
    size_t count;
} phrase;

/* Any month and day: those beyond the end count on. */
static int64_t at(int year, int month, int day)
{
    struct tm tm = { .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day };
    return (int64_t)timegm(&tm);
}

static bool is_date(int year, int month, int day)
{
    int64_t s = at(year, month, day);
    struct tm tm;
    time_t t = (time_t)s;
    return month >= 1 && month <= 12 && day >= 1 && gmtime_r(&t, &tm) && tm.tm_mday == day && tm.tm_mon == month - 1;
}

static int64_t today(const phrase *p)
{
    return at(p->now.tm_year + 1900, p->now.tm_mon + 1, p->now.tm_mday);
}

int64_t scry_local_now(void)
{
    time_t t = time(NULL);
    struct tm tm;
    return localtime_r(&t, &tm) ? (int64_t)timegm(&tm) : (int64_t)t;
}

/* ---- words ---- */

/* The place of a word among `names` of `n`, where at least three letters of a name are enough; -1: none. */
static int name_of(const char *word, const char *const *names, int n)
{
    size_t length = strlen(word);
    if (length > 3 && word[length - 1] == '.')
        length--;
    for (int i = 0; i < n; i++)
        if (length >= 3 && strncmp(word, names[i], length) == 0)
            return i;
    return -1;
}

/* 1 to 12; 0: not a month. */
static int month_of(const char *word)
{
    static const char *const names[] = { "january", "february", "march", "april", "may", "june", "july", "august", "september",
                                         "october", "november", "december" };
    return strcmp(word, "sept") == 0 ? 9 : name_of(word, names, 12) + 1;
}

/* 0 (Sunday) to 6; -1: not a weekday. */
static int weekday_of(const char *word)
{
    static const char *const names[] = { "sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday" };
    return name_of(word, names, 7);
}

/* The month in which it begins; 0: not a season. */
static int season_of(const char *word)
{
    static const struct { const char *name; int month; } seasons[] = {
        { "spring", 3 }, { "summer", 6 }, { "autumn", 9 }, { "fall", 9 }, { "winter", 12 },
    };
    for (size_t i = 0; i < sizeof seasons / sizeof *seasons; i++)
        if (strcmp(word, seasons[i].name) == 0)
            return seasons[i].month;
    return 0;
}

/* 'd', 'w', 'm' or 'y', also of a plural; 0: not a unit. */
static char unit_of(const char *word)
{
    static const char *const units[] = { "day", "week", "month", "year" };
    size_t n = strlen(word);
    n -= n > 3 && word[n - 1] == 's';
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strlen(units[i]) == n && strncmp(word, units[i], n) == 0)
            return units[i][0];
    return 0;
}

/* The whole of `word` as a number of at most `digits` digits; -1: it is none. */
static int number_of(const char *word, size_t digits)
{
    size_t n = strspn(word, "0123456789");
    return n > 0 && n <= digits && !word[n] ? atoi(word) : -1;
}

/* "17", "17th", "17."; 0: not a day of a month. */
static int day_of(const char *word)
{
    size_t n = strspn(word, "0123456789");
    const char *rest = word + n;
    bool ordinal = !*rest || strcmp(rest, ".") == 0 || strcmp(rest, "st") == 0 || strcmp(rest, "nd") == 0 || strcmp(rest, "rd") == 0 ||
                   strcmp(rest, "th") == 0;
    return n > 0 && n <= 2 && ordinal ? atoi(word) : 0;
}

/* Four digits; 0: not a year. */
static int year_of(const char *word)
{
    return strlen(word) == 4 ? (number_of(word, 4) > 0 ? number_of(word, 4) : 0) : 0;
}

/* ---- digits only: 17.05.2024, 05/2024, 2024/5/7 ---- */

static int may_be_two(const char *text, int year, int a, int b, scry_error *err)
{
    return scry_fail(err, SCRY_EINVALID, "%s may be %04d-%02d-%02d or %04d-%02d-%02d (year-month-day): write the one that is meant", text,
                     year, b, a, year, a, b);
}

static int parse_digits(const char *text, int64_t *out, scry_error *err)
{
    int n[3] = { 0 }, count = 0;
    char separator = 0;
    size_t year_at = 3;
    for (const char *p = text; count < 3; p++) {
        size_t digits = strspn(p, "0123456789");
        if (digits == 0 || (digits > 2 && (digits != 4 || year_at < 3)))
            return SCRY_ENOTFOUND;
        if (digits == 4)
            year_at = (size_t)count;
        n[count++] = atoi(p);
        p += digits;
        if (!*p)
            break;
        if (!strchr("./-", *p) || (separator && *p != separator) || count == 3)
            return SCRY_ENOTFOUND;
        separator = *p;
    }
    if (year_at >= 3 || (count == 3 && year_at == 1) || count < 2)
        return SCRY_ENOTFOUND;
    int year = n[year_at], a = year_at == 0 ? n[1] : n[0], b = year_at == 0 ? n[2] : n[1];
    int month = a, day = 1;
    if (count == 3) {
        bool day_first = is_date(year, b, a), month_first = is_date(year, a, b);
        bool either = year_at == 2 && separator != '.' && day_first && month_first && a != b;
        if (either)
            return may_be_two(text, year, a, b, err);
        bool reversed = year_at == 2 && (separator == '.' || day_first);
        month = reversed ? b : a;
        day = reversed ? a : b;
    }
    if (!is_date(year, month, day))
        return SCRY_ENOTFOUND;
    *out = at(year, month, day);
    return 0;
}

/* ---- with words ---- */

/* The beginning of the last whole month, weekday or season that is over, or (`begun`) that has begun. */
static bool last_named(const phrase *p, const char *word, bool begun, int64_t *out)
{
    int month = month_of(word), season = season_of(word), weekday = weekday_of(word), year = p->now.tm_year + 1900;
    if (month || season) {
        int first = month ? month : season, months = month ? 1 : 3;
        while ((begun ? at(year, first, 1) : at(year, first + months, 1)) > today(p))
            year--;
        *out = at(year, first, 1);
    } else if (weekday >= 0) {
        int back = (p->now.tm_wday - weekday + 7) % 7;
        *out = today(p) - (int64_t)(back || begun ? back : 7) * DAY_S;
    }
    return month || season || weekday >= 0;
}

/* The beginning of the day, week, month or year, `back` of them before this one. */
static int64_t unit_before(const phrase *p, char unit, int back)
{
    int year = p->now.tm_year + 1900, month = p->now.tm_mon + 1;
    switch (unit) {
    case 'w': return today(p) - (int64_t)((p->now.tm_wday + 6) % 7 + 7 * back) * DAY_S;
    case 'm': return at(year, month - back, 1);
    case 'y': return at(year - back, 1, 1);
    default: return today(p) - (int64_t)back * DAY_S;
    }
}

/* The same day so many of them ago; the last day of a month that is shorter. */
static int64_t ago(const phrase *p, char unit, int n)
{
    if (unit == 'd' || unit == 'w')
        return today(p) - (int64_t)n * (unit == 'w' ? 7 : 1) * DAY_S;
    int months = (p->now.tm_year + 1900) * 12 + p->now.tm_mon - n * (unit == 'y' ? 12 : 1);
    int year = months / 12, month = months % 12 + 1, day = p->now.tm_mday;
    while (!is_date(year, month, day))
        day--;
    return at(year, month, day);
}

/* "today", "last week", "this month", "last summer", "3 days ago", "the last 7 days" */
static bool parse_relative(const phrase *p, int64_t *out)
{
    const char *const *w = p->words;
    bool last = p->count > 1 && (strcmp(w[0], "last") == 0 || strcmp(w[0], "past") == 0), this = p->count == 2 && strcmp(w[0], "this") == 0;
    if (p->count == 1 && (strcmp(w[0], "today") == 0 || strcmp(w[0], "yesterday") == 0))
        return *out = today(p) - (w[0][0] == 'y' ? DAY_S : 0), true;
    if (p->count == 3 && strcmp(w[0], "day") == 0 && strcmp(w[1], "before") == 0 && strcmp(w[2], "yesterday") == 0)
        return *out = today(p) - 2 * DAY_S, true;
    if (p->count == 1)
        return last_named(p, w[0], true, out);
    if (p->count == 2 && (last || this) && unit_of(w[1]))
        return *out = unit_before(p, unit_of(w[1]), last), true;
    if (p->count == 2 && (last || this))
        return last_named(p, w[1], this, out);
    bool after = p->count == 3 && strcmp(w[2], "ago") == 0;
    const char *number = after ? w[0] : last && p->count == 3 ? w[1] : "", *unit = after ? w[1] : w[2];
    int n = strcmp(number, "a") == 0 || strcmp(number, "an") == 0 || strcmp(number, "one") == 0 ? 1 : number_of(number, 4);
    char u = n >= 0 && unit ? unit_of(unit) : 0;
    if (!u || n > (u == 'y' ? 1000 : 9999))
        return false;
    *out = ago(p, u, n);
    return true;
}

/* Month, with a day, a year, or both, in any order; "summer 2020". */
static int parse_named(const phrase *p, int64_t *out, scry_error *err)
{
    int year = 0, month = 0, day = 0, season = 0;
    for (size_t i = 0; i < p->count; i++) {
        const char *w = p->words[i];
        int *part = month_of(w) ? &month : season_of(w) ? &season : year_of(w) ? &year : day_of(w) ? &day : NULL;
        if (!part || *part)
            return SCRY_ENOTFOUND;
        *part = month_of(w) ? month_of(w) : season_of(w) ? season_of(w) : year_of(w) ? year_of(w) : day_of(w);
    }
    if (season == 12 && year && !month && !day)
        return scry_fail(err, SCRY_EINVALID, "winter %04d may be the one that began in %04d-12 or in %04d-12: write the month", year,
                         year - 1, year);
    if (season ? month || day || !year : !month)
        return SCRY_ENOTFOUND;
    if (!year) {
        year = p->now.tm_year + 1900;
        for (int tries = 0; tries < 9 && (at(year, month, day ? day : 1) > today(p) || !is_date(year, month, day ? day : 1)); tries++)
            year--;   /* 29 February is every fourth or eighth */
    }
    if (!season && day && !is_date(year, month, day))
        return SCRY_ENOTFOUND;
    *out = at(year, season ? season : month, day ? day : 1);
    return 0;
}

/* Lower case, "the" and "of" left out; false with too many words. */
static bool split(phrase *p, const char *text)
{
    char *save = NULL;
    if (strlen(text) >= sizeof p->text)
        return false;
    for (size_t i = 0; text[i]; i++)
        p->text[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]);
    for (char *w = strtok_r(p->text, " ,\t", &save); w; w = strtok_r(NULL, " ,\t", &save)) {
        if (strcmp(w, "the") == 0 || strcmp(w, "of") == 0)
            continue;
        if (p->count == MAX_WORDS)
            return false;
        p->words[p->count++] = w;
    }
    return p->count > 0;
}

int scry_date_words(const char *text, int64_t now_s, int64_t *out_s, scry_error *err)
{
    phrase p = { .count = 0 };
    time_t now = (time_t)now_s;
    if (scry_parse_time(text, out_s, NULL) == 0)
        return 0;
    if (!gmtime_r(&now, &p.now) || !split(&p, text))
        return SCRY_ENOTFOUND;
    if (p.count == 1 && p.words[0][0] >= '0' && p.words[0][0] <= '9')
        return parse_digits(p.words[0], out_s, err);
    return parse_relative(&p, out_s) ? 0 : parse_named(&p, out_s, err);
}
