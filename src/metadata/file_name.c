#include "metadata/file_name.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static int digits_at(const char *s)
{
    return (int)strspn(s, "0123456789");
}

static int value_of(const char *s, int digits)
{
    int v = 0;
    for (int i = 0; i < digits; i++)
        v = 10 * v + s[i] - '0';
    return v;
}

/* Digits of an identifier rather than of a date: of a hash (letters of hexadecimal on both sides), of a telephone number. */
static bool is_identifier(const char *name, const char *s)
{
    unsigned char before = s > name ? (unsigned char)s[-1] : ' ', behind = (unsigned char)s[digits_at(s)];
    return before == '+' || (isxdigit(before) && isxdigit(behind));
}

/* Two digits, a sign, two digits, where the sign is one that stands in names. */
static bool is_pair(const char *s, char sign)
{
    return sign && strchr("-_. ", sign) && digits_at(s) == 2 && s[2] == sign;
}

/* "20150704", alone or with the time behind it, "2015-07-04" (also with '_', '.' or blank), "@04-07-2015_" (Telegram): the
 * bytes it takes, 0 for none. */
static size_t take_date(const char *name, const char *s, int date[3])
{
    int digits = digits_at(s);
    if (digits == 8 || digits == 14 || digits == 17) {
        date[0] = value_of(s, 4);
        date[1] = value_of(s + 4, 2);
        date[2] = value_of(s + 6, 2);
        return 8;
    }
    if (digits == 4 && is_pair(s + 5, s[4]) && digits_at(s + 8) == 2) {
        date[0] = value_of(s, 4);
        date[1] = value_of(s + 5, 2);
        date[2] = value_of(s + 8, 2);
        return 10;
    }
    if (s > name && s[-1] == '@' && is_pair(s, s[digits]) && digits_at(s + 3) == 2 && s[5] == s[2] && digits_at(s + 6) == 4) {
        date[0] = value_of(s + 6, 4);
        date[1] = value_of(s + 3, 2);
        date[2] = value_of(s, 2);
        return 10;
    }
    return 0;
}

/* What stands between date and time: nothing, one sign, or words as in " at ", " um ", " a las ", with blanks or, as programs put in
 * their place, '_'; then perhaps a word for the half of the day. The bytes; *words: seconds must follow, since other numbers may
 * stand behind a word. */
static size_t gap_of(const char *s, char *half, bool *words)
{
    enum { LONGEST = 24 };
    size_t n = strcspn(s, "0123456789");
    *half = 0;
    *words = n > 1;
    if (n == 0 || (n == 1 && strchr("-_ T.", *s)))
        return n;
    for (const char *at = s; at < s + n && !*half; at++)
        if ((unsigned char)*at >= 0x80) {   /* "am" is German, too */
            const char *behind = at;
            *half = scry_half_day_take(&behind);
        }
    bool ends = s[n - 1] == *s || *half;
    return (*s == ' ' || *s == '_') && ends && n <= LONGEST && s[n] ? n : 0;
}

/* Past a blank, also one that does not break a line, as macOS writes it before "PM". */
static const char *past_blank(const char *s)
{
    static const char *const blanks[] = { " ", "_", "\xc2\xa0", "\xe2\x80\xaf" };
    for (size_t i = 0; i < sizeof blanks / sizeof *blanks; i++)
        if (strncmp(s, blanks[i], strlen(blanks[i])) == 0)
            return s + strlen(blanks[i]);
    return s;
}

/* "123015", also with hundredths or milliseconds behind. */
static bool take_digits_of_clock(const char *s, int clock[3])
{
    int digits = digits_at(s);
    for (int i = 0; i < 3 && digits >= 6; i++)
        clock[i] = value_of(s + 2 * i, 2);
    return digits == 6 || digits == 8 || digits == 9;
}

/* "12-30-15", "2.30.15 PM" with its half of the day from before, or behind. */
static bool take_clock(const char *s, char half, bool needs_seconds, int clock[3])
{
    int digits = digits_at(s);
    char sign = digits == 1 || digits == 2 ? s[digits] : '\0';
    const char *rest = s + digits + 1;
    if (!sign || !strchr("-_. h:", sign) || digits_at(rest) != 2)
        return false;
    bool seconds = rest[2] == sign && digits_at(rest + 3) == 2;
    clock[0] = value_of(s, digits);
    clock[1] = value_of(rest, 2);
    clock[2] = seconds ? value_of(rest + 3, 2) : 0;
    rest = past_blank(rest + (seconds ? 5 : 2));
    clock[0] = scry_half_day_hour(half ? half : scry_half_day_take(&rest), clock[0]);
    return seconds || (digits == 2 && !needs_seconds);
}

/* The time behind a date: "_123015", "-12-30-15", " 12.30.15", " at 2.30.15 PM". False where there is none. */
static bool take_time(const char *s, int clock[3])
{
    bool words;
    char half;
    bool joined = *s == '_';
    s += gap_of(s, &half, &words);
    bool may_be_number = words && joined;   /* "_IMG_123456" */
    return (!may_be_number && take_digits_of_clock(s, clock)) || take_clock(s, half, words, clock);
}

bool scry_date_of_name(scry_date *out, const char *name)
{
    *out = (scry_date){ 0 };
    for (const char *s = name; *s; s += digits_at(s) ? digits_at(s) : 1) {
        static const int midnight[3] = { 0, 0, 0 };
        int date[3], clock[3];
        size_t n = take_date(name, s, date);
        if (n == 0 || date[0] < 1990 || date[0] > 2099 || is_identifier(name, s))
            continue;
        bool has_time = take_time(s + n, clock);
        if (has_time && clock[0] < 24 && scry_date_of(&out->at, date, clock)) {
            out->has_offset = s - name >= 4 && strncasecmp(s - 4, "PXL_", 4) == 0;   /* Pixel phones: UTC */
            return true;
        }
        if (digits_at(s) <= 8 && scry_date_of(&out->at, date, midnight))
            return true;
    }
    return false;
}
