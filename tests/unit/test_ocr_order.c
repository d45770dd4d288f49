/* The order of reading: a page of rows and columns, turned by any angle, and pages that say nothing of themselves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ocr/order.h"

#include <math.h>
#include <string.h>

enum { ROWS = 5, LINES = 2 * ROWS };

/* Line `i` of a page of rows with a long line and a short one, 300 apart, turned by `angle` clockwise, as a box that was found in
 * that direction. */
static scry_ocr_placed line_at(int i, double angle, double weight)
{
    double left = 300 * (i % 2), top = 60 * (i / 2), wide = i % 2 ? 80 : 250, high = 30;
    double x[4] = { left, left + wide, left + wide, left }, y[4] = { top, top, top + high, top + high };
    scry_ocr_placed p = { .direction = (int)(lround(angle / (M_PI / 2)) & 3), .weight = weight };
    for (int k = 0; k < 4; k++) {
        p.box.x[k] = (float)(1000 + x[k] * cos(angle) - y[k] * sin(angle));
        p.box.y[k] = (float)(1000 + x[k] * sin(angle) + y[k] * cos(angle));
    }
    return p;
}

static void turned_pages(void **state)
{
    static const double degrees[] = { 2, 14, 40, -14, -40, 90, 100, 80, 180, 170, -170, 270, 275, 260 };
    for (size_t a = 0; a < sizeof degrees / sizeof *degrees; a++) {
        double angle = degrees[a] * M_PI / 180;
        scry_ocr_placed lines[LINES];
        size_t order[LINES];
        for (int i = 0; i < LINES; i++)   /* in some other order */
            lines[i] = line_at((i * 7 + 3) % LINES, angle, 5);
        assert_int_equal(scry_ocr_page_direction(lines, LINES), lround(angle / (M_PI / 2)) & 3);
        scry_ocr_reading_order(lines, LINES, order);
        for (int i = 0; i < LINES; i++)
            if (((int)order[i] * 7 + 3) % LINES != i)
                fail_msg("turned by %g degrees, line %d is number %zu", degrees[a], i, order[i]);
    }
}

/* Straight pages, and those without a direction, stay as they were sorted. */
static void as_it_was(void **state)
{
    scry_ocr_placed lines[LINES];
    size_t order[LINES];
    for (int c = 0; c < 3; c++) {
        for (int i = 0; i < LINES; i++)
            lines[i] = line_at(LINES - 1 - i, c == 0 ? 0.005 : i % 2 * M_PI, c == 2 ? 0 : 1);
        assert_int_equal(scry_ocr_page_direction(lines, LINES), c == 0 ? 0 : -1);
        scry_ocr_reading_order(lines, LINES, order);
        for (size_t i = 0; i < LINES; i++)
            assert_int_equal(order[i], i);
    }
    scry_ocr_reading_order(lines, 0, order);
    scry_ocr_reading_order(lines, 1, order);
    assert_int_equal(order[0], 0);
    assert_int_equal(scry_ocr_page_direction(lines, 0), -1);
}

/* Two thirds of the text are enough, whatever the rest; boxes of no size are sorted, too. */
static void most_of_the_text(void **state)
{
    scry_ocr_placed lines[3] = { line_at(0, M_PI, 2), line_at(1, 0, 1), line_at(2, M_PI / 2, 0) };
    size_t order[3];
    assert_int_equal(scry_ocr_page_direction(lines, 3), 2);
    lines[1].weight = 1.1;
    assert_int_equal(scry_ocr_page_direction(lines, 3), -1);
    memset(lines, 0, sizeof lines);
    lines[0].weight = lines[1].weight = 1;
    lines[0].direction = lines[1].direction = 1;
    scry_ocr_reading_order(lines, 3, order);
    assert_true(order[0] + order[1] + order[2] == 3 && order[0] != order[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(turned_pages),
        cmocka_unit_test(as_it_was),
        cmocka_unit_test(most_of_the_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
