#include "metadata/date_text.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Days since 1970-01-01 of a date in the Gregorian calendar. */
static int64_t days_of(int y, int m, int day)
{
    y -= m <= 2;
    int era = y / 400;
    int year = y - era * 400;
    int day_of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int day_of_era = year * 365 + year / 4 - year / 100 + day_of_year;
    return (int64_t)era * 146097 + day_of_era - 719468;
}

bool scry_date_of(int64_t *out, const int date[3], const int clock[3])
{
    static const int month_days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int y = date[0], m = date[1], d = date[2], hour = clock[0];
    if (y < 1800 || y > 9999 || m < 1 || m > 12 || d < 1)
        return false;
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    if (d > month_days[m - 1] + (m == 2 && leap))
        return false;
    if (hour < 0 || hour > 24 || clock[1] < 0 || clock[1] > 59 || clock[2] < 0 || clock[2] > 60)
        return false;
    *out = days_of(y, m, d) * 86400 + hour % 24 * 3600 + clock[1] * 60 + clock[2];
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void skip_blanks(const char **s)
{
    while (**s == ' ')
        ++*s;
}

/* A number of at most `width` digits, blanks in place of leading ones; false where there is none. */
static bool take_number(const char **s, int width, int *out)
{
    const char *p = *s;
    int v = 0, n = 0;
    while (n < width - 1 && *p == ' ') {
        p++;
        n++;
    }
    if (!is_digit(*p))
        return false;
    for (; n < width && is_digit(*p); n++)
        v = 10 * v + *p++ - '0';
    *s = p;
    *out = v;
    return true;
}

static bool take_any(const char **s, const char *set)
{
    if (!**s || !strchr(set, **s))
        return false;
    ++*s;
    return true;
}

/* One of the signs, or a blank before two digits; before one it stands for a zero. */
static bool take_separator(const char **s, const char *signs)
{
    if (**s != ' ' || !is_digit((*s)[1]) || !is_digit((*s)[2]))
        return take_any(s, signs);
    ++*s;
    return true;
}

/* "+02:00", "+0200", "+2" */
static bool take_offset(const char *s, int *minutes)
{
    int hours, rest = 0, sign = *s == '-' ? -1 : 1;
    if (!take_any(&s, "+-") || !take_number(&s, 2, &hours))
        return false;
    bool colon = take_any(&s, ":");
    if ((colon || is_digit(*s)) && !take_number(&s, 2, &rest))
        return false;
    *minutes = sign * (hours * 60 + rest);
    return hours <= 15 && rest <= 59;
}

bool scry_offset_parse(int *minutes, const char *s)
{
    skip_blanks(&s);
    bool named = strncmp(s, "UTC", 3) == 0 || strncmp(s, "GMT", 3) == 0;
    bool zulu = (*s == 'Z' || *s == 'z') && !isalpha((unsigned char)s[1]);
    s += named ? 3 : 0;
    *minutes = 0;
    return zulu || (named && *s != '+' && *s != '-') || take_offset(s, minutes);
}

char scry_half_day_take(const char **s)
{
    static const struct { const char *word; char half; } words[] = {
        { "am", 'a' }, { "pm", 'p' }, { "a.m.", 'a' }, { "p.m.", 'p' },
        { "a. m.", 'a' }, { "p. m.", 'p' }, { "a.\xc2\xa0m.", 'a' }, { "p.\xc2\xa0m.", 'p' },   /* Spanish */
        { "\xe4\xb8\x8a\xe5\x8d\x88", 'a' }, { "\xe4\xb8\x8b\xe5\x8d\x88", 'p' },   /* Chinese */
        { "\xe5\x8d\x88\xe5\x89\x8d", 'a' }, { "\xe5\x8d\x88\xe5\xbe\x8c", 'p' },   /* Japanese */
        { "\xec\x98\xa4\xec\xa0\x84", 'a' }, { "\xec\x98\xa4\xed\x9b\x84", 'p' },   /* Korean */
    };
    skip_blanks(s);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strncasecmp(*s, words[i].word, strlen(words[i].word)) == 0) {
            *s += strlen(words[i].word);
            return words[i].half;
        }
    return 0;
}

int scry_half_day_hour(char half, int hour)
{
    return half && hour <= 12 ? hour % 12 + (half == 'p' ? 12 : 0) : hour;   /* "14:30 PM" */
}

/* Whether a time is written, but as not known: "  :  :  " or nothing at all. */
static bool is_unknown_time(const char *s)
{
    return s[strspn(s, " :-")] == '\0';
}

/* The time of day behind the date, and the offset behind that. */
static bool take_clock(const char *s, int clock[3], scry_date *out)
{
    char half = scry_half_day_take(&s);
    skip_blanks(&s);
    if (!take_number(&s, 2, &clock[0]))
        return false;
    const char *signs = *s == '-' ? "-" : *s == 'h' ? "m:" : ":.";   /* a '-' behind a colon begins the offset */
    bool separated = take_separator(&s, ":.-h");
    if (!take_number(&s, 2, &clock[1]))
        return false;
    if (separated ? take_separator(&s, signs) : is_digit(*s))
        if (!take_number(&s, 2, &clock[2]) && !is_unknown_time(s))
            return false;
    if (*s == '.' && is_digit(s[1]))
        for (s++; is_digit(*s); s++)
            ;
    if (!half)
        half = scry_half_day_take(&s);
    clock[0] = scry_half_day_hour(half, clock[0]);
    out->has_offset = scry_offset_parse(&out->offset_min, s);
    return true;
}

static bool parse_numeric(scry_date *out, const char *s)
{
    int date[3], clock[3] = { 0, 0, 0 };
    *out = (scry_date){ 0 };
    if (!take_number(&s, 4, &date[0]) || date[0] < 1000)
        return false;
    take_separator(&s, ":/.-");
    if (!take_number(&s, 2, &date[1]))
        return false;
    take_separator(&s, ":/.-");
    if (!take_number(&s, 2, &date[2]))
        return false;
    if (*s == '+' || *s == 'Z') {   /* a date without a time that has an offset */
        out->has_offset = scry_offset_parse(&out->offset_min, s);
        return out->has_offset && scry_date_of(&out->at, date, clock);
    }
    take_any(&s, strlen(s) >= 9 && s[3] == ':' && s[6] == ':' ? "T:_-" : "T:_");
    if (!is_unknown_time(s) && !take_clock(s, clock, out))
        return false;
    return scry_date_of(&out->at, date, clock);
}

static int month_of(const char *word)
{
    static const char names[] = "janfebmaraprmayjunjulaugsepoctnovdec";
    for (int i = 0; i < 12; i++)
        if (strncasecmp(word, names + 3 * i, 3) == 0)
            return i + 1;
    return 0;
}

/* Dates with the month as a word: the parts are told apart by their looks. */
static bool parse_named(scry_date *out, const char *s)
{
    int date[3] = { 0 }, clock[3] = { 0, 0, 0 };
    *out = (scry_date){ 0 };
    while (*s) {
        int v, digits = (int)strspn(s, "0123456789");
        size_t word = strcspn(s, " ,");
        bool whole = digits > 0 && (size_t)digits == word;
        if (digits > 0 && s[digits] == ':') {
            if (!take_clock(s, clock, out))
                return false;
        } else if (whole && digits == 4 && take_number(&s, 4, &v)) {
            date[0] = v;
            continue;
        } else if (whole && digits <= 2 && take_number(&s, 2, &v)) {
            date[2] = v;
            continue;
        } else if (!out->has_offset && scry_offset_parse(&v, s)) {
            out->has_offset = true;
            out->offset_min = v;
        } else if (digits > 0) {
            return false;
        } else if (!date[1]) {
            date[1] = month_of(s);
        }
        s += word;
        s += strspn(s, " ,");
    }
    return scry_date_of(&out->at, date, clock);
}

bool scry_date_parse(scry_date *out, const char *text)
{
    skip_blanks(&text);
    return is_digit(*text) && parse_numeric(out, text) ? true : parse_named(out, text);
}
