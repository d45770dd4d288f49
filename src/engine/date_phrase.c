#include "engine/date_phrase.h"

#include "engine/date_calendar.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

static bool add(scry_date_phrase *p, scry_date_word_kind kind, int value, int second)
{
    if (p->n < SCRY_DATE_MAX_WORDS)
        p->at[p->n++] = (scry_date_word){ kind, value, second };
    return true;
}

static int add_date(scry_date_phrase *p, const date *d)
{
    add(p, SCRY_DATE_YEAR, d->year, 0);
    add(p, SCRY_DATE_MONTH, d->month, 0);
    if (d->day)
        add(p, SCRY_DATE_NUMBER, d->day, 0);
    return 0;
}

/* "2019-2021", "2019/20"; what may be a month is one. */
static bool add_years(scry_date_phrase *p, const numbers *d)
{
    if (d->count != 2 || d->digits[0] != 4 || d->digits[1] == 1 || d->separator == '.')
        return false;
    int last = d->digits[1] == 4 ? d->n[1] : d->n[0] / 100 * 100 + d->n[1];
    return last > d->n[0] && add(p, SCRY_DATE_YEARS, d->n[0], last);
}

/* A word of digits and separators. 1: it was read; 0: it is no date. */
static int add_digits(scry_date_phrase *p, const char *word, size_t n, const struct tm *now)
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
        { ".", 'o' }, { "st", 'o' }, { "nd", 'o' }, { "rd", 'o' }, { "th", 'o' }, { "-го", 'o' }, { "го", 'o' }, { "-и", 'o' }, { "-я", 'o' },
        { "e", 'o' }, { "eme", 'o' }, { "o", 'o' }, { "er", 'd' },
        { "s", 'd' }, { "'s", 'd' }, { "-е", 'd' }, { "-х", 'd' }, { "е", 'd' }, { "х", 'd' },
    };
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (strlen(endings[i].text) == n && memcmp(endings[i].text, rest, n) == 0)
            return endings[i].kind;
    return 0;
}

/* A number of so many digits, with the kind of its ending (ending_of). */
static bool add_ended(scry_date_phrase *p, int value, size_t digits, char ending, const struct tm *now)
{
    if (ending == 'o' && digits > 2)
        return false;
    if (ending == 'd')
        return value % 10 == 0 && digits % 2 == 0 && add(p, SCRY_DATE_DECADE, full_year(value, (int)digits, now), 0);
    return add(p, digits == 4 ? SCRY_DATE_YEAR : SCRY_DATE_NUMBER, value, ending == 'o');
}

/* "17", "17th", "2020", "'24", "90s", "1990-е" */
static bool add_number(scry_date_phrase *p, const char *word, size_t n, const struct tm *now)
{
    if (n == 3 && *word == '\'' && strspn(word + 1, "0123456789") >= 2)
        return add(p, SCRY_DATE_YEAR, full_year(atoi(word + 1), 2, now), 0);
    size_t digits = strspn(word, "0123456789"), rest = n - digits;
    if (digits == 0 || digits > 4)
        return false;
    int value = atoi(word);
    char ending = ending_of(word + digits, rest);
    if (ending == 'd' && (value == 1 || (value <= 4 && word[digits] == '-')))   /* 1er mai, 1-е полугодие */
        ending = 'o';
    return (!rest || ending) && add_ended(p, value, digits, ending, now);
}

static size_t without_apostrophe(const char *word, size_t n)
{
    return n > 3 && memcmp(word + n - 2, "'s", 2) == 0 && (word[0] < '0' || word[0] > '9') ? n - 2 : n;
}

static bool add_known(scry_date_phrase *p, const char *word, size_t n)
{
    scry_date_word w;
    if (n > 3 && word[1] == '\'' && (word[0] == 'l' || word[0] == 'd'))   /* l'ete */
        word += 2, n -= 2;
    bool known = scry_date_lookup(word, n, &w) || scry_date_lookup(word, without_apostrophe(word, n), &w);
    bool article = known && n == 1 && *word == 'a' && p->n && p->at[p->n - 1].kind == SCRY_DATE_AGO;   /* il y a */
    if (known && w.kind == SCRY_DATE_ORDINAL)
        return add(p, SCRY_DATE_NUMBER, w.value, 1);
    return known && (w.kind == SCRY_DATE_FILLER || article || add(p, w.kind, w.value, 0));
}

static int add_word(scry_date_phrase *p, const char *word, size_t n, const struct tm *now);

/* "Q2"; T in French and Spanish; "H1" and "S1" are halves of a year. 0: two other letters. */
static scry_date_word_kind part_of_year(const char *two)
{
    if (strchr("qt", two[0]) && two[1] >= '1' && two[1] <= '4')
        return SCRY_DATE_QUARTER;
    return strchr("hs", two[0]) && (two[1] == '1' || two[1] == '2') ? SCRY_DATE_HALF : SCRY_DATE_FILLER;
}

/* "Q2", "q3/2023", "Q3'23", "2023Q3". 1: it was read. */
static int add_quarter(scry_date_phrase *p, const char *word, size_t n, const struct tm *now)
{
    size_t at = strspn(word, "0123456789") == 4 ? 4 : 0;
    scry_date_word_kind kind = n > at + 1 ? part_of_year(word + at) : SCRY_DATE_FILLER;
    if (kind == SCRY_DATE_FILLER || (n > at + 2 && (at || !strchr("/'", word[2]))))
        return 0;
    if (at)
        add(p, SCRY_DATE_YEAR, atoi(word), 0);
    add(p, kind, word[at + 1] - '0', 0);
    size_t from = n > at + 2 && word[at + 2] == '/' ? at + 3 : at + 2;
    return n > at + 2 ? add_word(p, word + from, n - from, now) : 1;
}

static bool is_part_of_year(scry_date_word_kind kind)
{
    return kind == SCRY_DATE_QUARTER || kind == SCRY_DATE_HALF;
}

/* Words joined by hyphens: "May-July", "17-May-2024", "5-7", "1.5.2024-3.5.2024". Between two letters, two short numbers and two dates
 * it means "to". */
static int add_joined(scry_date_phrase *p, const char *word, size_t n, const struct tm *now)
{
    const char *hyphen = memchr(word, '-', n);
    if (!hyphen || hyphen == word || hyphen == word + n - 1)
        return 0;
    bool digit_before = hyphen[-1] >= '0' && hyphen[-1] <= '9', digit_behind = hyphen[1] >= '0' && hyphen[1] <= '9';
    int r = add_word(p, word, (size_t)(hyphen - word), now);
    bool part = r > 0 && p->n && is_part_of_year(p->at[p->n - 1].kind), to = part ? strchr("qths", hyphen[1]) != NULL : digit_before == digit_behind;
    if (r > 0 && to && p->n && p->at[p->n - 1].kind != SCRY_DATE_PART)   /* mid-May, Q3-2023, Q1-Q3 */
        add(p, SCRY_DATE_TO, 0, 0);
    return r > 0 ? add_word(p, hyphen + 1, n - (size_t)(hyphen - word) - 1, now) : r;
}

/* 1: it was read; 0: it is not a word of dates. */
static int add_word(scry_date_phrase *p, const char *word, size_t n, const struct tm *now)
{
    if (p->n == SCRY_DATE_MAX_WORDS)
        return 0;
    if (n == 1 && *word == '-')
        return add(p, SCRY_DATE_TO, 0, 0);
    if (add_known(p, word, n) || add_number(p, word, n, now) || add_quarter(p, word, n, now) > 0)
        return 1;
    int r = add_digits(p, word, n, now);
    return r ? r : add_joined(p, word, n, now);
}

/* Dashes and ".." become a word of their own, apostrophes one kind, and what is written without spaces, in Chinese, English words with
 * them. Of those that begin alike the longer one comes first. */
static const char *const signs[][2] = {
    { "–", " - " }, { "—", " - " }, { "…", " - " }, { "..", " - " }, { "~", " - " }, { "’", "'" }, { ",", " " }, { "\t", " " },
    { "～", " - " }, { "至", " - " }, { "到", " - " }, { "，", " " },
    { "01月", " january " }, { "02月", " february " }, { "03月", " march " }, { "04月", " april " },
    { "05月", " may " }, { "06月", " june " }, { "07月", " july " }, { "08月", " august " }, { "09月", " september " },
    { "12月", " december " }, { "11月", " november " }, { "10月", " october " }, { "1月", " january " }, { "2月", " february " },
    { "3月", " march " }, { "4月", " april " }, { "5月", " may " }, { "6月", " june " }, { "7月", " july " }, { "8月", " august " },
    { "9月", " september " }, { "十二月", " december " }, { "十一月", " november " }, { "十月", " october " }, { "一月", " january " },
    { "二月", " february " }, { "三月", " march " }, { "四月", " april " }, { "五月", " may " }, { "六月", " june " },
    { "七月", " july " }, { "八月", " august " }, { "九月", " september " },
    { "今天", " today " }, { "昨天", " yesterday " }, { "前天", " 2 days ago " }, { "今年", " this year " }, { "去年", " last year " },
    { "上周末", " last weekend " }, { "上週末", " last weekend " }, { "周末", " weekend " }, { "週末", " weekend " },
    { "本周", " this week " }, { "这周", " this week " }, { "本週", " this week " }, { "這週", " this week " },
    { "上周", " last week " }, { "上週", " last week " }, { "上星期", " last week " }, { "上个星期", " last week " },
    { "本月", " this month " }, { "这个月", " this month " }, { "這個月", " this month " },
    { "上个月", " last month " }, { "上個月", " last month " }, { "上月", " last month " },
    { "春天", " spring " }, { "夏天", " summer " }, { "秋天", " autumn " }, { "冬天", " winter " }, { "春季", " spring " },
    { "夏季", " summer " }, { "秋季", " autumn " }, { "冬季", " winter " }, { "圣诞节", " christmas " }, { "聖誕節", " christmas " },
    { "最近", " last " }, { "过去", " last " }, { "過去", " last " },
    { "天前", " days ago " }, { "周前", " weeks ago " }, { "个月前", " months ago " }, { "個月前", " months ago " }, { "年前", " years ago " },
    { "天", " days " }, { "周", " weeks " }, { "个月", " months " }, { "個月", " months " },
    { "日", " " }, { "号", " " }, { "號", " " }, { "年", " " }, { "的", " " },
};

static void replace_signs(scry_buf *out, const char *text)
{
    const char *start = text;
    for (size_t n; *text; text += n) {
        size_t i = 0;
        if (text > start && isdigit((unsigned char)text[-1]) && isdigit((unsigned char)text[0]))
            i = sizeof signs / sizeof *signs;   /* within a number: 13月 is no 3月 */
        while (i < sizeof signs / sizeof *signs && strncmp(text, signs[i][0], strlen(signs[i][0])) != 0)
            i++;
        bool known = i < sizeof signs / sizeof *signs, behind = out->size && out->data[out->size - 1] == ' ';
        n = known ? strlen(signs[i][0]) : 1;
        if (known)
            scry_buf_puts(out, signs[i][1]);
        else if (*text == '-' && behind)   /* 2020年-2021年 */
            scry_buf_puts(out, " - ");
        else
            scry_buf_append(out, text, 1);
    }
}

int scry_date_phrase_read(scry_date_phrase *p, const char *text, const struct tm *now)
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
