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

typedef struct {
    int n[3], count;
    int year_at;        /* which of them has four digits */
    char separator;
} numbers;

/* Two or three numbers with the same separator, exactly one of them of four digits, the others of one or two. */
static bool read_numbers(numbers *d, const char *text)
{
    *d = (numbers){ .year_at = -1 };
    for (const char *p = text;; p++) {
        size_t digits = strspn(p, "0123456789");
        bool year = digits == 4;
        if (d->count == 3 || digits == 0 || (digits > 2 && !year) || (year && d->year_at >= 0))
            return false;
        d->year_at = year ? d->count : d->year_at;
        d->n[d->count++] = atoi(p);
        p += digits;
        if (!*p)
            return d->count > 1 && d->year_at >= 0;
        if (!strchr("./-", *p) || (d->separator && *p != d->separator))
            return false;
        d->separator = *p;
    }
}

/* Day, month and year, in that order or with the month first. */
static int parse_year_last(const numbers *d, const char *text, int64_t *out, scry_error *err)
{
    int a = d->n[0], b = d->n[1], year = d->n[2];
    bool day_first = is_date(year, b, a), month_first = d->separator != '.' && is_date(year, a, b);
    if (day_first && month_first && a != b)
        return may_be_two(text, year, a, b, err);
    if (!day_first && !month_first)
        return SCRY_ENOTFOUND;
    *out = day_first ? at(year, b, a) : at(year, a, b);
    return 0;
}

static int parse_digits(const char *text, int64_t *out, scry_error *err)
{
    numbers d;
    if (!read_numbers(&d, text))
        return SCRY_ENOTFOUND;
    if (d.count == 3 && d.year_at == 2)
        return parse_year_last(&d, text, out, err);
    int year = d.n[d.year_at], month = d.n[d.year_at == 0], day = d.count == 3 ? d.n[2] : 1;
    if ((d.count == 3 && d.year_at == 1) || !is_date(year, month, day))
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

/* How many days before today a phrase of its own is; -1: it is none. */
static int days_back(const phrase *p)
{
    static const char *const phrases[][3] = { { "today", NULL, NULL }, { "yesterday", NULL, NULL }, { "day", "before", "yesterday" } };
    for (int days = 0; days < 3; days++) {
        size_t n = phrases[days][1] ? 3 : 1, same = 0;
        while (same < n && same < p->count && strcmp(p->words[same], phrases[days][same]) == 0)
            same++;
        if (same == n && p->count == n)
            return days;
    }
    return -1;
}

/* "3 days ago", "a week ago", "last 7 days" */
static bool parse_count(const phrase *p, int64_t *out)
{
    bool after = strcmp(p->words[2], "ago") == 0;
    const char *number = p->words[!after], *unit = p->words[after ? 1 : 2];
    bool one = strcmp(number, "a") == 0 || strcmp(number, "an") == 0 || strcmp(number, "one") == 0;
    int n = one ? 1 : number_of(number, 4);
    char u = unit_of(unit);
    if (n < 0 || !u || (u == 'y' && n > 1000))
        return false;
    *out = ago(p, u, n);
    return true;
}

/* "today", "may", "last week", "this month", "last summer", "3 days ago" */
static bool parse_relative(const phrase *p, int64_t *out)
{
    const char *const *w = p->words;
    bool last = strcmp(w[0], "last") == 0 || strcmp(w[0], "past") == 0, this = strcmp(w[0], "this") == 0;
    if (days_back(p) >= 0) {
        *out = today(p) - days_back(p) * DAY_S;
        return true;
    }
    if (p->count == 1)
        return last_named(p, w[0], true, out);
    if (p->count == 3)
        return (last || strcmp(w[2], "ago") == 0) && parse_count(p, out);
    if (p->count != 2 || (!last && !this))
        return false;
    if (!unit_of(w[1]))
        return last_named(p, w[1], this, out);
    *out = unit_before(p, unit_of(w[1]), last);
    return true;
}

typedef struct {
    int year, month, day, season;   /* 0: not given */
} named_parts;

static bool read_parts(named_parts *d, const phrase *p)
{
    *d = (named_parts){ 0 };
    for (size_t i = 0; i < p->count; i++) {
        const char *w = p->words[i];
        const struct { int *part, value; } kinds[] = {
            { &d->month, month_of(w) }, { &d->season, season_of(w) }, { &d->year, year_of(w) }, { &d->day, day_of(w) },
        };
        size_t k = 0;
        while (k < 4 && !kinds[k].value)
            k++;
        if (k == 4 || *kinds[k].part)
            return false;
        *kinds[k].part = kinds[k].value;
    }
    return true;
}

/* The last year in which that day has come; 29 February is every fourth or eighth. */
static int last_year_with(const phrase *p, int month, int day)
{
    int year = p->now.tm_year + 1900;
    for (int tries = 0; tries < 9 && (at(year, month, day) > today(p) || !is_date(year, month, day)); tries++)
        year--;
    return year;
}

/* Month, with a day, a year, or both, in any order; "summer 2020". */
static int parse_named(const phrase *p, int64_t *out, scry_error *err)
{
    named_parts d;
    if (!read_parts(&d, p) || !(d.season ? d.year && !d.month && !d.day : d.month))
        return SCRY_ENOTFOUND;
    if (d.season == 12)
        return scry_fail(err, SCRY_EINVALID, "winter %04d may be the one that began in %04d-12 or in %04d-12: write the month", d.year,
                         d.year - 1, d.year);
    int month = d.season ? d.season : d.month, day = d.day ? d.day : 1;
    int year = d.year ? d.year : last_year_with(p, month, day);
    if (!is_date(year, month, day))
        return SCRY_ENOTFOUND;
    *out = at(year, month, day);
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
