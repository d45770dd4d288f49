/* Dates as people write them, by a clock that shows Sunday, 29 November 2026, 06:37. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/date_words.h"
#include "scry/filter.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t seconds(const char *iso)
{
    struct tm tm = { 0 };
    assert_int_equal(sscanf(iso, "%d-%d-%d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday), 3);
    tm.tm_year -= 1900;
    tm.tm_mon--;
    return (int64_t)timegm(&tm);
}

static void show_day(char out[16], int64_t s)
{
    time_t t = (time_t)s;
    struct tm tm;
    out[0] = '\0';
    if (s != INT64_MIN && s != INT64_MAX && gmtime_r(&t, &tm))
        strftime(out, 16, "%Y-%m-%d", &tm);
}

/* `wanted`: the first day, or the first and the last ("2020-05-01/2020-05-31"; nothing on a side that is open), "none" or "two". */
static void check(const char *now, const char *text, const char *wanted)
{
    scry_period got = { 0, 0 };
    scry_error err = SCRY_ERROR_INIT;
    int r = scry_date_words(text, seconds(now) + 6 * 3600, &got, &err);
    char from[16], until[16], shown[48];
    show_day(from, got.from_s);
    show_day(until, got.until_s == INT64_MAX ? INT64_MAX : got.until_s - 86400);
    snprintf(shown, sizeof shown, "%s%s%s", from, strchr(wanted, '/') ? "/" : "", strchr(wanted, '/') ? until : "");
    if (r < 0)
        snprintf(shown, sizeof shown, r == SCRY_EINVALID ? "two" : "none");
    bool days = (got.from_s == INT64_MIN || got.from_s % 86400 == 0) && (got.until_s == INT64_MAX || got.until_s % 86400 == 0);
    if (strcmp(shown, wanted) != 0 || (r == 0 && (!days || got.from_s >= got.until_s)))
        fail_msg("\"%s\" on %s: %s, not %s (%s)", text, now, shown, wanted, err.message);
}

static const char now[] = "2026-11-29";

static void relative_to_today(void **state)
{
    static const char *const cases[][2] = {
        { "today", "2026-11-29" }, { "Yesterday", "2026-11-28" }, { "the day before yesterday", "2026-11-27" },
        { "last week", "2026-11-16" }, { "this week", "2026-11-23" }, { "last month", "2026-10-01" },
        { "this month", "2026-11-01" },
        { "last year", "2025-01-01" }, { "this year", "2026-01-01" }, { "3 days ago", "2026-11-26" },
        { "a week ago", "2026-11-22" },
        { "two weeks ago", "2026-11-15" }, { "2 weeks ago", "2026-11-15" }, { "9 months ago", "2026-02-28" },
        { "10 years ago", "2016-11-29" },
        { "last 30 days", "2026-10-30" }, { "the past 7 days", "2026-11-22" }, { "last summer", "2026-06-01" },
        { "summer", "2026-06-01" },
        { "last winter", "2025-12-01" }, { "last autumn", "2025-09-01" }, { "fall", "2026-09-01" }, { "last spring", "2026-03-01" },
        { "May", "2026-05-01" }, { "last May", "2026-05-01" }, { "november", "2026-11-01" }, { "last november", "2025-11-01" },
        { "dec", "2025-12-01" }, { "sept", "2026-09-01" }, { "monday", "2026-11-23" }, { "last tue", "2026-11-24" },
        { "sunday", "2026-11-29" }, { "last sunday", "2026-11-22" }, { "24 december", "2025-12-24" }, { "29 feb", "2024-02-29" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(now, cases[i][0], cases[i][1]);
    check("2027-01-15", "last winter", "2025-12-01");
    check("2027-01-15", "this winter", "2026-12-01");
    check("2027-03-01", "last winter", "2026-12-01");
    check("2027-07-04", "last summer", "2026-06-01");
    check("2028-02-29", "1 year ago", "2027-02-28");
    check("2027-01-31", "last month", "2026-12-01");
}

static void with_a_year(void **state)
{
    static const char *const cases[][2] = {
        { "May 2020", "2020-05-01" }, { "2020 may", "2020-05-01" }, { "may, 2020", "2020-05-01" }, { "17 May 2024", "2024-05-17" },
        { "May 17, 2024", "2024-05-17" }, { "17th of May 2024", "2024-05-17" }, { "17. May 2024", "2024-05-17" },
        { "summer 2020", "2020-06-01" },
        { "winter 2020", "two" }, { "31 feb 2024", "none" }, { "17 17 2024", "none" }, { "May May", "none" },
        { "may 2020 2021", "none" },
        { "soon", "none" }, { "last", "none" }, { "ago", "none" }, { "days ago", "none" }, { "last 3 moons", "none" },
        { "", "none" },
        { "99999 days ago", "none" }, { "tomorrow", "none" }, { "ma", "none" }, { "maybe", "none" }, { "summer may 2020", "none" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(now, cases[i][0], cases[i][1]);
}

static void in_digits(void **state)
{
    static const char *const cases[][2] = {
        { "2020", "2020-01-01" }, { "2020-05", "2020-05-01" }, { "2020-5", "2020-05-01" }, { "2020/05/17", "2020-05-17" },
        { "2020.5.7", "2020-05-07" }, { "17.05.2024", "2024-05-17" }, { "3.4.2024", "2024-04-03" }, { "05.17.2024", "none" },
        { "17/05/2024", "2024-05-17" }, { "05/17/2024", "2024-05-17" }, { "17-05-2024", "2024-05-17" }, { "03/04/2024", "two" },
        { "3-4-2024", "two" }, { "04/04/2024", "2024-04-04" }, { "05/2024", "2024-05-01" }, { "5.2024", "2024-05-01" },
        { "17.05.24", "2024-05-17" }, { "2024-13", "none" }, { "2024-05-32", "none" }, { "31/02/2024", "none" },
        { "05/17/2024/", "none" },
        { "17.05/2024", "none" }, { "20240517", "2024-05-17" }, { "1/2/3/2024", "none" }, { "2024-00", "none" },
        { "05/2024/17", "none" },
        { "2024//05", "none" }, { "12", "none" }, { "2024-2024", "2024-01-01/2024-12-31" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(now, cases[i][0], cases[i][1]);
}

static void each_is_a_period(void **state)
{
    static const char *const cases[][2] = {
        { "2020", "2020-01-01/2020-12-31" }, { "2020-02", "2020-02-01/2020-02-29" }, { "2020-02-03", "2020-02-03/2020-02-03" },
        { "May 2020", "2020-05-01/2020-05-31" }, { "May 5", "2026-05-05/2026-05-05" }, { "5/17/2024", "2024-05-17/2024-05-17" },
        { "summer 2019", "2019-06-01/2019-08-31" }, { "last winter", "2025-12-01/2026-02-28" },
        { "winter 2019-2020", "2019-12-01/2020-02-29" },
        { "winter 2019/20", "2019-12-01/2020-02-29" }, { "winter 2019-2021", "none" }, { "last week", "2026-11-16/2026-11-22" },
        { "this year", "2026-01-01/2026-12-31" }, { "last 7 days", "2026-11-22/2026-11-29" },
        { "2 years ago", "2024-11-29/2024-11-29" },
        { "last weekend", "2026-11-21/2026-11-22" }, { "weekend", "2026-11-28/2026-11-29" }, { "tuesday", "2026-11-24/2026-11-24" },
        { "May last year", "2025-05-01/2025-05-31" }, { "Monday, 17 May 2021", "2021-05-17/2021-05-17" },
        { "1990s", "1990-01-01/1999-12-31" },
        { "the 90s", "1990-01-01/1999-12-31" }, { "May '24", "2024-05-01/2024-05-31" }, { "17-May-2024", "2024-05-17/2024-05-17" },
        { "5/17/24", "2024-05-17/2024-05-17" }, { "17/05/24", "two" }, { "01.02.99", "1999-02-01/1999-02-01" },
        { "17.05", "2026-05-17/2026-05-17" },
        { "last 2000 days", "2021-06-08/2026-11-29" }, { "days ago", "none" }, { "last weeks", "none" },
        { "last may 2020", "none" },
        { "early May 2020", "2020-05-01/2020-05-10" }, { "mid-May 2020", "2020-05-11/2020-05-20" },
        { "end of May", "2026-05-21/2026-05-31" },
        { "end of 2020", "2020-09-01/2020-12-31" }, { "late summer 2020", "2020-08-01/2020-08-31" },
        { "early 1990s", "1990-01-01/1993-04-30" },
        { "early last month", "2026-10-01/2026-10-10" }, { "end of yesterday", "none" }, { "early", "none" },
        { "beginning of last week", "none" },
        { "all of 2020", "2020-01-01/2020-12-31" }, { "now", "2026-11-29/2026-11-29" },
        { "99.99", "none" }, { "7", "none" }, { "2019s", "none" }, { "1/2", "none" }, { "20249999", "none" },
        { "eve", "none" }, { "new", "none" },
        { "9999", "9999-01-01" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(now, cases[i][0], cases[i][1]);
    scry_period t;
    assert_int_equal(scry_date_words("2020-05-17T10:00", 0, &t, NULL), 0);
    assert_int_equal(t.until_s - t.from_s, 60);
    assert_int_equal(scry_date_words("2020-05-17T10:00:05+02:00", 0, &t, NULL), 0);
    assert_int_equal(t.until_s - t.from_s, 1);
}

static void spans(void **state)
{
    static const char *const cases[][2] = {
        { "2020-2022", "2020-01-01/2022-12-31" }, { "2020 - 2022", "2020-01-01/2022-12-31" },
        { "2020–2022", "2020-01-01/2022-12-31" },
        { "2020 to 2022", "2020-01-01/2022-12-31" }, { "between 2020 and 2022", "2020-01-01/2022-12-31" },
        { "2019-21", "2019-01-01/2021-12-31" },
        { "2020..2022", "2020-01-01/2022-12-31" }, { "2020-05 .. 2020-07", "2020-05-01/2020-07-31" }, { "2022-2020", "two" },
        { "May to July 2020", "2020-05-01/2020-07-31" }, { "May-July 2020", "2020-05-01/2020-07-31" },
        { "5-7 May 2020", "2020-05-05/2020-05-07" },
        { "May 5-7", "2026-05-05/2026-05-07" }, { "from 17.05.2024 to 20.05.2024", "2024-05-17/2024-05-20" },
        { "17.05.2024-20.05.2024", "2024-05-17/2024-05-20" }, { "17.05-20.05.2024", "2024-05-17/2024-05-20" },
        { "2024-05-17 - 2024-05-20", "2024-05-17/2024-05-20" },
        { "October to February", "2025-10-01/2026-02-28" }, { "December 2020 to January", "2020-12-01/2021-01-31" },
        { "May 2020 to July", "2020-05-01/2020-07-31" },
        { "last week to yesterday", "2026-11-16/2026-11-28" }, { "yesterday to last week", "two" }, { "since 2020", "2020-01-01/" },
        { "from May 2020", "2020-05-01/" }, { "until May 2020", "/2020-05-31" }, { "before 2020", "/2019-12-31" },
        { "since", "none" },
        { "2020 to", "none" }, { "to to", "none" }, { "2020 to 2021 to 2022", "none" }, { "since since 2020", "none" },
        { "before", "none" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(now, cases[i][0], cases[i][1]);
}

static void holidays(void **state)
{
    static const char *const cases[][2] = {
        { "last Christmas", "2025-12-24/2025-12-26" }, { "Christmas 2019", "2019-12-24/2019-12-26" },
        { "Christmas Eve", "2025-12-24/2025-12-24" },
        { "Christmas Day 2019", "2019-12-24/2019-12-26" }, { "New Year 2020", "2019-12-31/2020-01-01" },
        { "New Year's Eve 2020", "2020-12-31/2020-12-31" },
        { "last new year", "2025-12-31/2026-01-01" }, { "Halloween", "2026-10-31/2026-10-31" },
        { "valentine's day 2020", "2020-02-14/2020-02-14" },
        { "Easter 2024", "2024-03-29/2024-04-01" }, { "Easter 2025", "2025-04-18/2025-04-21" },
        { "Easter 1961", "1961-03-31/1961-04-03" },
        { "пасха 2024", "2024-05-05/2024-05-05" }, { "Пасха 2025", "2025-04-20/2025-04-20" },
        { "на прошлое Рождество", "2026-01-06/2026-01-07" },
        { "новый год 2021", "2020-12-31/2021-01-01" }, { "Weihnachten 2019", "2019-12-24/2019-12-26" },
        { "Silvester", "2025-12-31/2025-12-31" },
        { "Noël 2019", "2019-12-24/2019-12-26" }, { "Christmas last year", "2025-12-24/2025-12-26" }, { "halloween eve", "none" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(now, cases[i][0], cases[i][1]);
    check("2026-12-25", "Christmas", "2026-12-24/2026-12-26");
    check("2026-12-25", "last Christmas", "2025-12-24/2025-12-26");
}

static void in_other_languages(void **state)
{
    static const char *const cases[][2] = {
        { "вчера", "2026-11-28/2026-11-28" }, { "Позавчера", "2026-11-27/2026-11-27" }, { "май 2020", "2020-05-01/2020-05-31" },
        { "в мае 2020 года", "2020-05-01/2020-05-31" }, { "17 мая 2024 г.", "2024-05-17/2024-05-17" },
        { "17-го мая", "2026-05-17/2026-05-17" },
        { "летом 2019", "2019-06-01/2019-08-31" }, { "лето 2019", "2019-06-01/2019-08-31" },
        { "прошлым летом", "2026-06-01/2026-08-31" },
        { "прошлая зима", "2025-12-01/2026-02-28" }, { "в прошлом году", "2025-01-01/2025-12-31" },
        { "на прошлой неделе", "2026-11-16/2026-11-22" },
        { "в мае прошлого года", "2025-05-01/2025-05-31" }, { "неделю назад", "2026-11-22/2026-11-22" },
        { "3 дня назад", "2026-11-26/2026-11-26" },
        { "5 лет назад", "2021-11-29/2021-11-29" }, { "пару недель назад", "2026-11-15/2026-11-15" },
        { "за последние 30 дней", "2026-10-30/2026-11-29" },
        { "на прошлых выходных", "2026-11-21/2026-11-22" }, { "с 2019 по 2021", "2019-01-01/2021-12-31" },
        { "с мая по июль 2020", "2020-05-01/2020-07-31" },
        { "5-7 мая 2020", "2020-05-05/2020-05-07" }, { "с 2019 года", "2019-01-01/" }, { "до 2020 года", "/2019-12-31" },
        { "2019 год", "2019-01-01/2019-12-31" },
        { "зима 2019-2020", "2019-12-01/2020-02-29" }, { "1990-е", "1990-01-01/1999-12-31" },
        { "90-е годы", "1990-01-01/1999-12-31" }, { "скоро", "none" },
        { "начало мая 2020", "2020-05-01/2020-05-10" }, { "в конце 2020 года", "2020-09-01/2020-12-31" },
        { "Ende Mai 2020", "2020-05-21/2020-05-31" },
        { "MÄRZ 2020", "2020-03-01/2020-03-31" }, { "letzten Sommer", "2026-06-01/2026-08-31" },
        { "vor 3 Tagen", "2026-11-26/2026-11-26" },
        { "vor 2020", "/2019-12-31" }, { "im Mai 2020", "2020-05-01/2020-05-31" },
        { "17. Mai 2024", "2024-05-17/2024-05-17" }, { "seit 2019", "2019-01-01/" },
        { "l'été dernier", "2026-06-01/2026-08-31" }, { "août 2019", "2019-08-01/2019-08-31" },
        { "il y a 3 jours", "2026-11-26/2026-11-26" },
        { "17 de mayo de 2024", "2024-05-17/2024-05-17" }, { "el año pasado", "2025-01-01/2025-12-31" },
        { "hace 3 días", "2026-11-26/2026-11-26" },
        { "2020年5月", "2020-05-01/2020-05-31" }, { "2020年5月17日", "2020-05-17/2020-05-17" }, { "2020年", "2020-01-01/2020-12-31" },
        { "2020年05月", "2020-05-01/2020-05-31" }, { "2020年05月07日", "2020-05-07/2020-05-07" }, { "2020年09月", "2020-09-01/2020-09-30" },
        { "2020年5月17号", "2020-05-17/2020-05-17" }, { "2020年12月", "2020-12-01/2020-12-31" }, { "2020年五月", "2020-05-01/2020-05-31" },
        { "2020年十一月", "2020-11-01/2020-11-30" }, { "2019年至2021年", "2019-01-01/2021-12-31" }, { "2019-2021年", "2019-01-01/2021-12-31" },
        { "2019年5月-2020年3月", "2019-05-01/2020-03-31" }, { "2019年5月到7月", "2019-05-01/2019-07-31" },
        { "今天", "2026-11-29/2026-11-29" }, { "昨天", "2026-11-28/2026-11-28" }, { "前天", "2026-11-27/2026-11-27" },
        { "今年", "2026-01-01/2026-12-31" }, { "去年", "2025-01-01/2025-12-31" }, { "去年夏天", "2025-06-01/2025-08-31" },
        { "去年5月", "2025-05-01/2025-05-31" }, { "2023年的夏天", "2023-06-01/2023-08-31" }, { "上个月", "2026-10-01/2026-10-31" },
        { "3天前", "2026-11-26/2026-11-26" }, { "最近7天", "2026-11-22/2026-11-29" }, { "2020年圣诞节", "2020-12-24/2020-12-26" },
        { "有一天", "none" }, { "2020年13月", "none" }, { "2020年113月", "none" }, { "2020年十三月", "none" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(now, cases[i][0], cases[i][1]);
}

static void parts_of_years(void **state)
{
    static const char *const cases[][2] = {
        { "Q2", "2026-04-01/2026-06-30" }, { "Q4", "2026-10-01/2026-12-31" }, { "Q3 2023", "2023-07-01/2023-09-30" },
        { "2023-Q3", "2023-07-01/2023-09-30" }, { "2023q3", "2023-07-01/2023-09-30" }, { "Q3/2023", "2023-07-01/2023-09-30" },
        { "Q3-2023", "2023-07-01/2023-09-30" }, { "Q3'23", "2023-07-01/2023-09-30" }, { "q5 2023", "none" }, { "Q0", "none" },
        { "Q", "none" },
        { "Q1-Q3 2023", "2023-01-01/2023-09-30" }, { "Q1 to Q2 2023", "2023-01-01/2023-06-30" },
        { "Q4 2022 - Q1 2023", "2022-10-01/2023-03-31" },
        { "second quarter of 2021", "2021-04-01/2021-06-30" }, { "2nd quarter 2021", "2021-04-01/2021-06-30" },
        { "last quarter", "2026-07-01/2026-09-30" }, { "this quarter", "2026-10-01/2026-12-31" },
        { "last Q2", "2026-04-01/2026-06-30" },
        { "second quarter of last year", "2025-04-01/2025-06-30" }, { "2 quarters ago", "2026-05-29/2026-05-29" },
        { "last 2 quarters", "2026-05-29/2026-11-29" }, { "quarter", "none" }, { "5 quarter 2020", "none" },
        { "since Q2 2020", "2020-04-01/" },
        { "before Q2 2020", "/2020-03-31" }, { "early Q2 2020", "2020-04-01/2020-04-30" },
        { "H1", "2026-01-01/2026-06-30" }, { "H2 2021", "2021-07-01/2021-12-31" }, { "H3 2021", "none" },
        { "first half of 2020", "2020-01-01/2020-06-30" },
        { "second half of last year", "2025-07-01/2025-12-31" }, { "first half of May", "2026-05-01/2026-05-15" },
        { "second half of May 2020", "2020-05-16/2020-05-31" }, { "second half of summer 2020", "2020-07-17/2020-08-31" },
        { "half a year ago", "2026-05-29/2026-05-29" }, { "last half a year", "2026-05-29/2026-11-29" },
        { "half a month ago", "none" },
        { "half", "none" }, { "third half of 2020", "none" }, { "early 2020", "2020-01-01/2020-04-30" },
        { "mid May", "2026-05-11/2026-05-20" },
        { "3 квартал 2023", "2023-07-01/2023-09-30" }, { "III квартал 2023 года", "2023-07-01/2023-09-30" },
        { "2-й квартал 2023", "2023-04-01/2023-06-30" },
        { "второй квартал прошлого года", "2025-04-01/2025-06-30" }, { "прошлый квартал", "2026-07-01/2026-09-30" },
        { "первое полугодие 2023", "2023-01-01/2023-06-30" }, { "1-е полугодие 2023", "2023-01-01/2023-06-30" },
        { "в первой половине мая", "2026-05-01/2026-05-15" }, { "полгода назад", "2026-05-29/2026-05-29" },
        { "за последние полгода", "2026-05-29/2026-11-29" },
        { "3. Quartal 2023", "2023-07-01/2023-09-30" }, { "letztes Quartal", "2026-07-01/2026-09-30" },
        { "erstes Halbjahr 2023", "2023-01-01/2023-06-30" },
        { "zweite Hälfte 2020", "2020-07-01/2020-12-31" }, { "vor einem halben Jahr", "2026-05-29/2026-05-29" },
        { "vor 2 Quartalen", "2026-05-29/2026-05-29" },
        { "T3 2023", "2023-07-01/2023-09-30" }, { "3e trimestre 2023", "2023-07-01/2023-09-30" },
        { "premier semestre 2023", "2023-01-01/2023-06-30" },
        { "tercer trimestre de 2023", "2023-07-01/2023-09-30" }, { "primera mitad de 2020", "2020-01-01/2020-06-30" },
        { "hace medio año", "2026-05-29/2026-05-29" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(now, cases[i][0], cases[i][1]);
    check("2027-01-15", "last quarter", "2026-10-01/2026-12-31");
    check("2027-01-15", "Q4", "2026-10-01/2026-12-31");
}

static void weekdays_and_ordinals(void **state)
{
    static const char *const cases[][2] = {
        { "last Saturday", "2026-11-28/2026-11-28" }, { "letzten Samstag", "2026-11-28/2026-11-28" },
        { "letzten Sonnabend", "2026-11-28/2026-11-28" },
        { "samedi dernier", "2026-11-28/2026-11-28" }, { "el sábado pasado", "2026-11-28/2026-11-28" },
        { "в прошлую субботу", "2026-11-28/2026-11-28" },
        { "first of May 2020", "2020-05-01/2020-05-01" }, { "fourth of July", "2026-07-04/2026-07-04" },
        { "1er mai 2020", "2020-05-01/2020-05-01" },
        { "1º de mayo de 2020", "2020-05-01/2020-05-01" }, { "первое мая 2020", "2020-05-01/2020-05-01" },
        { "second Sunday of May 2024", "2024-05-12/2024-05-12" }, { "2nd Thursday of May 2024", "2024-05-09/2024-05-09" },
        { "zweiter Sonntag im Mai 2024", "2024-05-12/2024-05-12" }, { "fifth Sunday of May 2024", "none" },
        { "first Monday of September", "2026-09-07/2026-09-07" },
        { "Monday, 17 May", "2021-05-17/2021-05-17" }, { "Tuesday, 17 May 2021", "none" },
        { "Montag, 17. Mai 2021", "2021-05-17/2021-05-17" },
        { "Thanksgiving", "2026-11-26/2026-11-26" }, { "Thanksgiving 2023", "2023-11-23/2023-11-23" },
        { "Thanksgiving Day 2024", "2024-11-28/2024-11-28" },
        { "день благодарения 2018", "2018-11-22/2018-11-22" }, { "Christmas 2022", "2022-12-24/2022-12-26" },
        { "Pfingsten 2024", "2024-05-18/2024-05-20" },
        { "Pentecost 2025", "2025-06-07/2025-06-09" }, { "the 90s", "1990-01-01/1999-12-31" }, { "années 90", "none" },
        { "summer holidays", "two" }, { "summer holidays 2023", "two" }, { "летние каникулы", "two" },
        { "каникулы 2023", "two" }, { "Ferien", "two" },
        { "Sommerferien 2023", "two" }, { "vacances d'été", "two" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(now, cases[i][0], cases[i][1]);
    check("2026-11-25", "Thanksgiving", "2025-11-27/2025-11-27");
}

/* `wanted`: "2026-11-28 18 2026-11-29 06", or "none"; at `hour` of that day. */
static void check_hours(int hour, const char *text, const char *wanted)
{
    scry_period t = { 0, 0 };
    char shown[64] = "none", from[20], until[20];
    int r = scry_date_words(text, seconds(now) + hour * 3600, &t, NULL);
    time_t a = (time_t)t.from_s, b = (time_t)t.until_s;
    struct tm x, y;
    if (r == 0 && gmtime_r(&a, &x) && gmtime_r(&b, &y)) {
        strftime(from, sizeof from, "%Y-%m-%d %H", &x);
        strftime(until, sizeof until, "%Y-%m-%d %H", &y);
        snprintf(shown, sizeof shown, "%s %s", from, until);
    }
    if (strcmp(shown, wanted) != 0)
        fail_msg("\"%s\" at %d: %s, not %s", text, hour, shown, wanted);
}

static void parts_of_days(void **state)
{
    static const char today_morning[] = "2026-11-29 04 2026-11-29 12", night[] = "2026-11-28 18 2026-11-29 06",
                      evening[] = "2026-11-28 17 2026-11-29 00", tonight[] = "2026-11-29 18 2026-11-30 06";
    static const char *const cases[][2] = {
        { "this morning", today_morning }, { "сегодня утром", today_morning }, { "heute Morgen", today_morning },
        { "heute früh", today_morning },
        { "ce matin", today_morning }, { "esta mañana", today_morning }, { "this afternoon", "2026-11-29 12 2026-11-29 18" },
        { "cet après-midi", "2026-11-29 12 2026-11-29 18" }, { "сегодня днём", "2026-11-29 12 2026-11-29 18" },
        { "yesterday evening", evening }, { "вчера вечером", evening }, { "gestern Abend", evening }, { "hier soir", evening },
        { "ayer por la tarde", "2026-11-28 12 2026-11-28 20" }, { "last night", night }, { "yesterday night", night },
        { "прошлой ночью", night },
        { "вчера ночью", night }, { "letzte Nacht", night }, { "la nuit dernière", night }, { "anoche", night },
        { "Saturday night", night },
        { "tonight", tonight }, { "heute Nacht", night }, { "cette nuit", night },
        { "Monday morning", "2026-11-23 04 2026-11-23 12" },
        { "night of 17 May 2024", "2024-05-17 18 2024-05-18 06" }, { "17.05.2024 evening", "2024-05-17 17 2024-05-18 00" },
        { "morning", "none" }, { "last morning", "none" }, { "mañana", "none" }, { "morgen", "none" },
        { "morgen früh", "none" }, { "evening of May 2020", "none" },
        { "tonight yesterday", "none" }, { "this morning last week", "none" }, { "early this morning", "none" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_hours(6, cases[i][0], cases[i][1]);
    check_hours(20, "heute Nacht", tonight);
    check_hours(20, "this night", tonight);
    check_hours(20, "last night", night);
}

static void by_the_clock_here(void **state)
{
    int64_t from, until, today = scry_local_now();
    scry_error err = SCRY_ERROR_INIT;
    assert_int_equal(scry_parse_period("today", &from, &until, &err), 0);
    assert_int_equal(until - from, 86400);
    assert_true(from <= today + 60 && today - 60 < until);   /* midnight may come meanwhile */
    assert_int_equal(scry_parse_period("May 2020", &from, &until, NULL), 0);
    assert_int_equal(from, seconds("2020-05-01"));
    assert_int_equal(until, seconds("2020-06-01"));
    assert_int_equal(scry_parse_period("since 2020", &from, &until, NULL), 0);
    assert_int_equal(until, INT64_MAX);
    assert_int_equal(scry_parse_period("soon", &from, &until, &err), SCRY_EINVALID);
    assert_non_null(strstr(err.message, "\"soon\" is not a date: write"));
}

static void both_readings_are_named(void **state)
{
    scry_period s;
    scry_error err = SCRY_ERROR_INIT;
    assert_int_equal(scry_date_words("03/04/2024", 0, &s, &err), SCRY_EINVALID);
    assert_non_null(strstr(err.message, "2024-04-03 or 2024-03-04"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(relative_to_today),
        cmocka_unit_test(with_a_year),
        cmocka_unit_test(in_digits),
        cmocka_unit_test(each_is_a_period),
        cmocka_unit_test(spans),
        cmocka_unit_test(holidays),
        cmocka_unit_test(in_other_languages),
        cmocka_unit_test(parts_of_years),
        cmocka_unit_test(weekdays_and_ordinals),
        cmocka_unit_test(parts_of_days),
        cmocka_unit_test(by_the_clock_here),
        cmocka_unit_test(both_readings_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
