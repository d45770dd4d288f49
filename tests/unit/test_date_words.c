/* Dates as people write them, by a clock that shows Sunday, 29 November 2026, 06:37. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/date_words.h"

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

static void check(const char *now, const char *text, const char *wanted)
{
    int64_t got;
    scry_error err = SCRY_ERROR_INIT;
    int r = scry_date_words(text, seconds(now) + 6 * 3600, &got, &err);
    char shown[32] = "none";
    time_t t = (time_t)got;
    struct tm tm;
    if (r == 0 && gmtime_r(&t, &tm))
        strftime(shown, sizeof shown, "%Y-%m-%d", &tm);
    if (r == SCRY_EINVALID)
        snprintf(shown, sizeof shown, "two");
    if (strcmp(shown, wanted) != 0 || (r == 0 && got % 86400 != 0))
        fail_msg("\"%s\" on %s: %s, not %s (%s)", text, now, shown, wanted, err.message);
}

static const char now[] = "2026-11-29";

static void relative_to_today(void **state)
{
    static const char *const cases[][2] = {
        { "today", "2026-11-29" }, { "Yesterday", "2026-11-28" }, { "the day before yesterday", "2026-11-27" },
        { "last week", "2026-11-16" }, { "this week", "2026-11-23" }, { "last month", "2026-10-01" }, { "this month", "2026-11-01" },
        { "last year", "2025-01-01" }, { "this year", "2026-01-01" }, { "3 days ago", "2026-11-26" }, { "a week ago", "2026-11-22" },
        { "two weeks ago", "none" }, { "2 weeks ago", "2026-11-15" }, { "9 months ago", "2026-02-28" }, { "10 years ago", "2016-11-29" },
        { "last 30 days", "2026-10-30" }, { "the past 7 days", "2026-11-22" }, { "last summer", "2026-06-01" }, { "summer", "2026-06-01" },
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
        { "May 17, 2024", "2024-05-17" }, { "17th of May 2024", "2024-05-17" }, { "17. May 2024", "2024-05-17" }, { "summer 2020", "2020-06-01" },
        { "winter 2020", "two" }, { "31 feb 2024", "none" }, { "17 17 2024", "none" }, { "May May", "none" }, { "may 2020 2021", "none" },
        { "soon", "none" }, { "last", "none" }, { "ago", "none" }, { "days ago", "none" }, { "last 3 moons", "none" }, { "", "none" },
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
        { "17.05.24", "none" }, { "2024-13", "none" }, { "2024-05-32", "none" }, { "31/02/2024", "none" }, { "05/17/2024/", "none" },
        { "17.05/2024", "none" }, { "20240517", "none" }, { "1/2/3/2024", "none" }, { "2024-00", "none" }, { "05/2024/17", "none" },
        { "2024//05", "none" }, { "12", "none" }, { "2024-2024", "none" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(now, cases[i][0], cases[i][1]);
}

static void both_readings_are_named(void **state)
{
    int64_t s;
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
        cmocka_unit_test(both_readings_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
