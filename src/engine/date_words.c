/* date_words.c - a text becomes words (date_lexicon.h), these one or two sets of which each names a period. */
#include "engine/date_words.h"

#include "engine/date_calendar.h"
#include "engine/date_lexicon.h"
#include "scry/filter.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_WORDS = 12, MAX_TEXT = 120, FIRST_YEAR = 1 };

typedef struct {
    scry_date_word at[MAX_WORDS];
    size_t n;
    const char *whole;      /* what was written, for messages */
    scry_error *err;
} phrase;

#define BIT(kind) (1u << SCRY_DATE_##kind)

/* The words of one date, each kind once. */
typedef struct {
    unsigned has;           /* BIT(...) */
    int value[SCRY_DATE_WORD_KINDS];
    int second;             /* of SCRY_DATE_YEARS */
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

/* ---- digits: 17.05.2024, 05/2024, 2024/5/7, 17.05.24 ---- */

typedef struct {
    int n[3], digits[3], count;
    char separator;
} numbers;

/* Two or three numbers of at most four digits with the same separator, or eight digits: 20240517. */
static bool read_numbers(numbers *d, const char *text, size_t n)
{
    *d = (numbers){ .count = 0 };
    if (n == 8 && strspn(text, "0123456789") >= 8) {
        long all = strtol(text, NULL, 10);
        *d = (numbers){ { (int)(all / 10000), (int)(all / 100 % 100), (int)(all % 100) }, { 4, 2, 2 }, 3, '-' };
        return d->n[0] >= 1800 && d->n[0] < 2200;
    }
    for (const char *p = text, *end = text + n;; p++) {
        size_t digits = strspn(p, "0123456789");
        if (d->count == 3 || digits == 0 || digits > 4 || digits == 3)
            return false;
        d->digits[d->count] = (int)digits;
        d->n[d->count++] = atoi(p);
        p += digits;
        if (p >= end)
            return d->count > 1;
        if (!strchr("./-", *p) || (d->separator && *p != d->separator))
            return false;
        d->separator = *p;
    }
}

/* Of two digits: the last such year that is not later than ten years from now. */
static int full_year(int n, int digits, const struct tm *now)
{
    int limit = now->tm_year + 1900 + 10, year = n + limit / 100 * 100;
    return digits > 2 ? n : year > limit ? year - 100 : year;
}

typedef struct {
    int year, month, day;   /* day 0: a month */
} date;

/* Notes a reading if it is a date and another one than those noted. */
static void add_reading(date found[3], int *count, int year, int month, int day)
{
    for (int i = 0; i < *count; i++)
        if (found[i].year == year && found[i].month == month && found[i].day == day)
            return;
    if (scry_is_date(year, month, day ? day : 1))
        found[(*count)++] = (date){ year, month, day };
}

/* Which dates three numbers may be: day, month and year, with points in this order only; the month first; the year first. */
static int read_three(date found[3], const numbers *d, const struct tm *now)
{
    bool point = d->separator == '.', last = d->digits[0] <= 2 && d->digits[2] != 1, first = d->digits[2] <= 2 && d->digits[0] != 1;
    int count = 0;
    if (d->digits[1] > 2 || d->digits[0] + d->digits[2] > 6)
        return 0;
    if (last && d->digits[0] <= 2) {
        int year = full_year(d->n[2], d->digits[2], now);
        add_reading(found, &count, year, d->n[1], d->n[0]);
        if (!point)
            add_reading(found, &count, year, d->n[0], d->n[1]);
    }
    if (first && (d->digits[0] == 4 || (!point && d->digits[2] == 2)))
        add_reading(found, &count, full_year(d->n[0], d->digits[0], now), d->n[1], d->n[2]);
    return count;
}

static int read_two(date found[3], const numbers *d)
{
    int count = 0;
    bool first = d->digits[0] == 4;
    if (first != (d->digits[1] == 4))
        add_reading(found, &count, first ? d->n[0] : d->n[1], first ? d->n[1] : d->n[0], 0);
    return count;
}

static bool add(phrase *p, scry_date_word_kind kind, int value, int second)
{
    if (p->n < MAX_WORDS)
        p->at[p->n++] = (scry_date_word){ kind, value, second };
    return true;
}

static int add_date(phrase *p, const date *d)
{
    add(p, SCRY_DATE_YEAR, d->year, 0);
    add(p, SCRY_DATE_MONTH, d->month, 0);
    if (d->day)
        add(p, SCRY_DATE_NUMBER, d->day, 0);
    return 0;
}

/* "2019-2021", "2019/20"; what may be a month is one. */
static bool add_years(phrase *p, const numbers *d)
{
    if (d->count != 2 || d->digits[0] != 4 || d->digits[1] == 1 || d->separator == '.')
        return false;
    int last = d->digits[1] == 4 ? d->n[1] : d->n[0] / 100 * 100 + d->n[1];
    return last > d->n[0] && add(p, SCRY_DATE_YEARS, d->n[0], last);
}

/* A word of digits and separators. 1: it was read; 0: it is no date. */
static int add_digits(phrase *p, const char *word, size_t n, const struct tm *now)
{
    numbers d;
    date found[3];
    if (!read_numbers(&d, word, n))
        return 0;
    int count = d.count == 3 ? read_three(found, &d, now) : read_two(found, &d);
    if (count > 1)
        return scry_fail(p->err, SCRY_EINVALID,
                         "%.*s may be %04d-%02d-%02d or %04d-%02d-%02d (year-month-day): write the one that is meant", (int)n, word,
                         found[0].year, found[0].month, found[0].day, found[1].year, found[1].month, found[1].day);
    if (count == 1)
        return add_date(p, &found[0]) + 1;
    bool short_form = d.count == 2 && d.separator == '.' && d.digits[0] <= 2 && d.digits[1] <= 2;   /* 17.05 */
    if (short_form && scry_is_date(2000, d.n[1], d.n[0]))
        return add(p, SCRY_DATE_MONTH, d.n[1], 0) && add(p, SCRY_DATE_NUMBER, d.n[0], 0);
    return add_years(p, &d);
}

/* ---- words ---- */

/* What follows the `digits` digits of a word: "th", "s", "-е", "er"; 0: nothing of these, else 'o' (ordinal) or 'd' (decade). */
static char ending_of(const char *rest, size_t n)
{
    static const struct { const char *text; char kind; } endings[] = {
        { ".", 'o' }, { "st", 'o' }, { "nd", 'o' }, { "rd", 'o' }, { "th", 'o' }, { "-го", 'o' }, { "го", 'o' }, { "er", 'd' },
        { "s", 'd' }, { "'s", 'd' }, { "-е", 'd' }, { "-х", 'd' }, { "е", 'd' }, { "х", 'd' },
    };
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (strlen(endings[i].text) == n && memcmp(endings[i].text, rest, n) == 0)
            return endings[i].kind;
    return 0;
}

/* "17", "17th", "2020", "'24", "90s", "1990-е" */
static bool add_number(phrase *p, const char *word, size_t n, const struct tm *now)
{
    if (n == 3 && *word == '\'' && strspn(word + 1, "0123456789") >= 2)
        return add(p, SCRY_DATE_YEAR, full_year(atoi(word + 1), 2, now), 0);
    size_t digits = strspn(word, "0123456789"), rest = n - digits;
    if (digits == 0 || digits > 4)
        return false;
    int value = atoi(word);
    char ending = ending_of(word + digits, rest);
    if ((rest && !ending) || (ending == 'o' && digits > 2))
        return false;
    if (ending == 'd')
        return value % 10 == 0 && digits % 2 == 0 && add(p, SCRY_DATE_DECADE, full_year(value, (int)digits, now), 0);
    return add(p, digits == 4 ? SCRY_DATE_YEAR : SCRY_DATE_NUMBER, value, 0);
}

static size_t without_apostrophe(const char *word, size_t n)
{
    return n > 3 && memcmp(word + n - 2, "'s", 2) == 0 && (word[0] < '0' || word[0] > '9') ? n - 2 : n;
}

static bool add_known(phrase *p, const char *word, size_t n)
{
    scry_date_word w;
    if (n > 3 && word[1] == '\'' && (word[0] == 'l' || word[0] == 'd'))   /* l'ete */
        word += 2, n -= 2;
    bool known = scry_date_lookup(word, n, &w) || scry_date_lookup(word, without_apostrophe(word, n), &w);
    bool article = known && n == 1 && *word == 'a' && p->n && p->at[p->n - 1].kind == SCRY_DATE_AGO;   /* il y a */
    return known && (w.kind == SCRY_DATE_FILLER || article || add(p, w.kind, w.value, 0));
}

static int add_word(phrase *p, const char *word, size_t n, const struct tm *now);

/* Words joined by hyphens: "May-July", "17-May-2024", "5-7", "1.5.2024-3.5.2024". Between two letters, two short numbers and two dates
 * it means "to". */
static int add_joined(phrase *p, const char *word, size_t n, const struct tm *now)
{
    const char *hyphen = memchr(word, '-', n);
    if (!hyphen || hyphen == word || hyphen == word + n - 1)
        return 0;
    bool digit_before = hyphen[-1] >= '0' && hyphen[-1] <= '9', digit_behind = hyphen[1] >= '0' && hyphen[1] <= '9';
    int r = add_word(p, word, (size_t)(hyphen - word), now);
    if (r > 0 && digit_before == digit_behind && p->n && p->at[p->n - 1].kind != SCRY_DATE_PART)   /* mid-May */
        add(p, SCRY_DATE_TO, 0, 0);
    return r > 0 ? add_word(p, hyphen + 1, n - (size_t)(hyphen - word) - 1, now) : r;
}

/* 1: it was read; 0: it is not a word of dates. */
static int add_word(phrase *p, const char *word, size_t n, const struct tm *now)
{
    if (p->n == MAX_WORDS)
        return 0;
    if (n == 1 && *word == '-')
        return add(p, SCRY_DATE_TO, 0, 0);
    if (add_known(p, word, n) || add_number(p, word, n, now))
        return 1;
    int r = add_digits(p, word, n, now);
    return r ? r : add_joined(p, word, n, now);
}

/* Dashes and ".." become a word of their own, apostrophes one kind, and the signs of Chinese dates hyphens: 2020年5月. */
static void replace_signs(scry_buf *out, const char *text)
{
    static const char *const signs[][2] = { { "–", " - " }, { "—", " - " }, { "…", " - " }, { "..", " - " }, { "~", " - " },
                                            { "’", "'" }, { ",", " " }, { "\t", " " }, { "日", " " }, { "年", "-" }, { "月", "-" } };
    while (*text) {
        size_t i = 0;
        while (i < sizeof signs / sizeof *signs && strncmp(text, signs[i][0], strlen(signs[i][0])) != 0)
            i++;
        bool known = i < sizeof signs / sizeof *signs;
        size_t n = known ? strlen(signs[i][0]) : 1;
        if (known && *signs[i][1] == '-' && (text[n] < '0' || text[n] > '9'))
            scry_buf_puts(out, " ");
        else if (known)
            scry_buf_puts(out, signs[i][1]);
        else
            scry_buf_append(out, text, 1);
        text += n;
    }
}

/* 1: all words were read. */
static int read_phrase(phrase *p, const char *text, const struct tm *now)
{
    scry_buf folded = SCRY_BUF_INIT(1 << 12), plain = SCRY_BUF_INIT(1 << 12);
    replace_signs(&plain, text);
    scry_date_fold(&folded, scry_buf_str(&plain));
    int r = 1;
    for (const char *w = scry_buf_str(&folded); r > 0 && *w;) {
        size_t n = strcspn(w, " ");
        r = n ? add_word(p, w, n, now) : 1;
        w += n + (w[n] == ' ');
    }
    scry_buf_dispose(&folded);
    scry_buf_dispose(&plain);
    return r > 0 && p->n == 0 ? 0 : r;
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

/* "May of last year", "2019 год", "Monday 17 May": what says the same in fewer kinds. */
static bool simplify(words *w, const struct tm *now)
{
    unsigned relative = BIT(LAST) | BIT(THIS), day = BIT(WEEKDAY) | BIT(MONTH) | BIT(NUMBER);
    if (w->has & BIT(HOLIDAY) && !name_holiday(w, w->has & BIT(UNIT) ? w->value[SCRY_DATE_UNIT] : 0))
        return false;
    bool of_year = w->has & BIT(UNIT) && w->value[SCRY_DATE_UNIT] == 'y';
    if (of_year && w->has & (BIT(MONTH) | BIT(SEASON) | BIT(HOLIDAY)) && w->has & relative) {
        set(w, SCRY_DATE_YEAR, now->tm_year + 1900 - (w->has & BIT(LAST) ? 1 : 0));
        w->has &= ~(BIT(UNIT) | relative);
    } else if (of_year && w->has & (BIT(YEAR) | BIT(YEARS))) {
        w->has &= ~BIT(UNIT);
    }
    if ((w->has & day) == day)
        w->has &= ~BIT(WEEKDAY);
    return true;
}

/* The month, day of a month, season or holiday in that year; false: there is no such day. */
static bool named_in(const words *w, int year, scry_period *out)
{
    int month = w->value[SCRY_DATE_MONTH], day = w->value[SCRY_DATE_NUMBER];
    if (w->has & BIT(SEASON))
        *out = scry_months_from(year, w->value[SCRY_DATE_SEASON], 3);
    else if (w->has & BIT(HOLIDAY))
        *out = scry_holiday_in(w->value[SCRY_DATE_HOLIDAY], year);
    else if (!(w->has & BIT(NUMBER)))
        *out = scry_months_from(year, month, 1);
    else if (scry_is_date(year, month, day))
        *out = scry_days_from(scry_day_at(year, month, day), 1);
    else
        return false;
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
    return named && !(year && relative);
}

static int resolve_named(const words *w, const phrase *p, int64_t now_s, scry_period *out)
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
    int months = (now.tm_year + 1900) * 12 + now.tm_mon - n * (unit == 'y' ? 12 : 1);
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
    else if (only(w, BIT(LAST) | BIT(UNIT), 0) || only(w, BIT(THIS) | BIT(UNIT), 0))
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

static int resolve(words *w, const phrase *p, int64_t now_s, scry_period *out)
{
    struct tm now = clock_of(now_s);
    if (w->has & BIT(PART)) {
        w->has &= ~BIT(PART);
        int r = resolve(w, p, now_s, out);
        return r == 0 && !scry_period_third(out, w->value[SCRY_DATE_PART]) ? SCRY_ENOTFOUND : r;
    }
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

/* ---- spans ---- */

/* Of the beginning of a span what only its end says: "May to July 2020", "5 to 7 May"; and of the end the month and the year: "May 5
 * to 7", "May 2020 to July". */
static void share(words *from, words *to)
{
    unsigned named = BIT(MONTH) | BIT(SEASON) | BIT(HOLIDAY), relative = BIT(LAST) | BIT(THIS) | BIT(UNIT);
    if (only(from, BIT(NUMBER), 0) && to->has & BIT(MONTH))
        set(from, SCRY_DATE_MONTH, to->value[SCRY_DATE_MONTH]);
    if (only(to, BIT(NUMBER), BIT(YEAR)) && from->has & BIT(MONTH))
        set(to, SCRY_DATE_MONTH, from->value[SCRY_DATE_MONTH]);
    if (from->has & named && !(from->has & (BIT(YEAR) | relative)) && to->has & BIT(YEAR))
        set(from, SCRY_DATE_YEAR, to->value[SCRY_DATE_YEAR]);
    if (to->has & named && !(to->has & (BIT(YEAR) | relative)) && from->has & named && from->has & BIT(YEAR))
        set(to, SCRY_DATE_YEAR, from->value[SCRY_DATE_YEAR]);
}

static int resolve_span(const phrase *p, size_t first, size_t middle, int64_t now_s, scry_period *out)
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
static int resolve_open(const phrase *p, int64_t now_s, scry_period *out)
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
static int resolve_phrase(const phrase *p, int64_t now_s, scry_period *out)
{
    words w;
    scry_date_word_kind lead = p->at[0].kind;
    for (size_t i = 1; i < p->n; i++)
        if (p->at[i].kind == SCRY_DATE_TO || p->at[i].kind == SCRY_DATE_UP_TO)
            return resolve_span(p, lead == SCRY_DATE_FROM, i, now_s, out);
    if (!collect(&w, p->at, p->n))
        return SCRY_ENOTFOUND;
    bool before_units = lead == SCRY_DATE_BEFORE && w.has & (BIT(UNIT) | BIT(UNITS));   /* vor 3 Tagen */
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
    phrase p = { .whole = text, .err = err };
    struct tm now = clock_of(now_s);
    int64_t s;
    if (scry_parse_time(text, &s, NULL) == 0) {
        *out = precise(text, s);
        return 0;
    }
    int r = strlen(text) < MAX_TEXT ? read_phrase(&p, text, &now) : 0;
    return r > 0 ? resolve_phrase(&p, now_s, out) : r < 0 ? r : SCRY_ENOTFOUND;
}
