/* resize/: equal to Pillow, transformers and torchvision (tests/golden/make_resize.py) on
 * hundreds of sizes; vector kernels equal to the scalar one; rows in any order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "resize/resizer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* CRC-32 as zlib computes it. */
static uint32_t crc32(const uint8_t *p, size_t n)
{
    uint32_t c = 0xffffffff;
    for (size_t i = 0; i < n; i++) {
        c ^= p[i];
        for (int b = 0; b < 8; b++)
            c = c & 1 ? c >> 1 ^ 0xedb88320 : c >> 1;
    }
    return ~c;
}

/* The picture of make_resize.py; free() the data. */
static scry_pixels picture(int w, int h)
{
    size_t n = 3 * (size_t)w * (size_t)h;
    uint8_t *data = malloc(n);
    assert_non_null(data);
    for (size_t i = 0; i < n; i++) {
        uint32_t x = (uint32_t)i * 2654435761u + 12345;
        x ^= x >> 15;
        x *= 2246822519u;
        x ^= x >> 13;
        data[i] = (uint8_t)(x & 1 ? 255 * (x >> 8 & 1) : x >> 16);
    }
    return (scry_pixels){ data, w, h, 3 * (size_t)w };
}

static scry_fit fit_of(const char *name)
{
    return strcmp(name, "floor") == 0 ? SCRY_FIT_CROP_FLOOR
           : strcmp(name, "even") == 0 ? SCRY_FIT_CROP_EVEN
           : strcmp(name, "patches") == 0 ? SCRY_FIT_PATCHES : SCRY_FIT_SQUASH;
}

/* Rows from the bottom, a few at a time: order does not matter. */
static void run_with(const scry_resize_kernels *kernels, const scry_pixels *src,
                     const scry_resize_window *w, int at_once, uint8_t *out)
{
    scry_resizer *r;
    size_t bytes = 3 * (size_t)src->width, stride = bytes + SCRY_ROW_SLACK;
    uint8_t *rows = calloc((size_t)at_once, stride);
    assert_int_equal(scry_resizer_new_with(&r, src->width, src->height, w, kernels, NULL), 0);
    for (int end = src->height; end > 0; end -= at_once) {
        int first = end > at_once ? end - at_once : 0;
        for (int y = first; y < end; y++)
            memcpy(rows + (size_t)(y - first) * stride, src->data + (size_t)y * src->stride, bytes);
        scry_resizer_put(r, first, end - first, rows, (ptrdiff_t)stride);
    }
    scry_resizer_finish(r, out);
    scry_resizer_free(r);
    free(rows);
}

static void equal_to_the_references(void **state)
{
    char path[4096], line[256], fit[16], filter[16];
    const char *top = getenv("SCRY_TOP");
    snprintf(path, sizeof path, "%s/tests/golden/resize.tsv", top ? top : ".");
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    int cases = 0;
    while (fgets(line, sizeof line, f)) {
        int w, h, size;
        unsigned crc;
        if (line[0] == '#')
            continue;
        assert_int_equal(sscanf(line, "%d %d %d %15s %15s %x", &w, &h, &size, fit, filter, &crc),
                         6);
        scry_pixels p = picture(w, h);
        scry_view_plan plan = scry_plan_view(w, h, size, fit_of(fit));
        size_t bytes = 3 * (size_t)size * (size_t)size;
        uint8_t *out = malloc(bytes);
        scry_resize_window win = { .width = plan.width, .height = plan.height, .x = plan.x, .y = plan.y,
                                   .w = plan.w, .h = plan.h,
                                   .filter = strcmp(filter, "bicubic") == 0 ? SCRY_FILTER_BICUBIC : SCRY_FILTER_BILINEAR };
        run_with(scry_resize_kernels_best(), &p, &win, 16, out);
        scry_view_complete(out, size, fit_of(fit), &plan);
        if (crc32(out, bytes) != crc)
            fail_msg("differs: %s", line);
        free(out);
        free((void *)p.data);
        cases++;
    }
    fclose(f);
    assert_true(cases >= 800);
}

static void agree_with_scalar(const scry_resize_kernels *fast)
{
    static const int sides[] = { 1, 2, 3, 5, 8, 13, 31, 64, 97, 250, 777 };
    enum { N = sizeof sides / sizeof *sides };
    for (int i = 0; i < N * N; i++) {
        scry_pixels p = picture(sides[i % N], sides[i / N]);
        scry_resize_window win = { .width = 5 + 7 * (i % 31), .height = 3 + 11 * (i % 19),
                                   .x = i % 5, .y = i % 3 };
        win.w = win.width - win.x;
        win.h = win.height - win.y;
        size_t bytes = 3 * (size_t)win.w * (size_t)win.h;
        uint8_t *a = malloc(bytes), *b = malloc(bytes);
        win.filter = i % 2 ? SCRY_FILTER_BICUBIC : SCRY_FILTER_BILINEAR;
        run_with(scry_resize_kernels_scalar(), &p, &win, 1, a);
        run_with(fast, &p, &win, 1 + i % 7, b);
        if (memcmp(a, b, bytes) != 0)
            fail_msg("%s differs from scalar: %d x %d", fast->name, p.width, p.height);
        free(a);
        free(b);
        free((void *)p.data);
    }
}

static void kernels_agree_with_scalar(void **state)
{
    if (scry_resize_kernels_avx2())
        agree_with_scalar(scry_resize_kernels_avx2());
    if (scry_resize_kernels_neon())
        agree_with_scalar(scry_resize_kernels_neon());
    agree_with_scalar(scry_resize_kernels_scalar());   /* strips of any height */
}

static void only_what_is_needed_is_read(void **state)
{
    scry_resizer *r;
    scry_view_plan plan = scry_plan_view(4000, 1000, 224, SCRY_FIT_CROP_FLOOR);
    scry_resize_window w = { .width = plan.width, .height = plan.height, .x = plan.x, .y = plan.y,
                             .w = 224, .h = 224, .filter = SCRY_FILTER_BICUBIC };
    assert_int_equal(plan.width, 896);
    assert_int_equal(plan.x, 336);
    assert_int_equal(scry_resizer_new(&r, 4000, 1000, &w, NULL), 0);
    scry_span columns = scry_resizer_columns(r), rows = scry_resizer_rows(r);
    /* 336 / 896 of 4000 is 1500, less the filter's reach of 2 * 4000 / 896 pixels. */
    assert_true(columns.first >= 1488 && columns.first <= 1500);
    assert_true(columns.end >= 2500 && columns.end <= 2512);
    assert_int_equal(rows.first, 0);
    assert_int_equal(rows.end, 1000);
    scry_resizer_free(r);
}

static void limits_are_errors(void **state)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_resizer *r;
    scry_resize_window w = { .width = 10, .height = 10, .w = 10, .h = 10, .filter = SCRY_FILTER_BICUBIC };
    assert_int_equal(scry_resizer_new(&r, SCRY_MAX_SOURCE_SIDE + 1, 1, &w, &err), SCRY_ELIMIT);
    assert_non_null(strstr(err.message, "over 1000000"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_to_the_references),
        cmocka_unit_test(kernels_agree_with_scalar),
        cmocka_unit_test(only_what_is_needed_is_read),
        cmocka_unit_test(limits_are_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
