/* What src/ocr does with pixels and boxes, against OpenCV and the package rapidocr (tests/golden/make_words.py), and on maps
 * that no picture gives. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "ocr/pixels.h"
#include "words_golden.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The numbers of a golden tensor of two or three sizes, owned. */
static float *numbers(const char *name, size_t shape[3])
{
    scry_tensor t = golden_tensor(name);
    if (!t.data)
        fail_msg("there is no %s", name);
    memcpy(shape, t.shape, 3 * sizeof *shape);
    float *out = scry_alloc(scry_tensor_count(&t) * sizeof *out);
    scry_tensor_floats(&t, out);
    return out;
}

static scry_ocr_image image(const char *name)
{
    size_t shape[3];
    float *floats = numbers(name, shape);
    scry_ocr_image i = { scry_alloc(shape[0] * shape[1] * 3), shape[0], shape[1] };
    for (size_t k = 0; k < shape[0] * shape[1] * 3; k++)
        i.rgb[k] = (uint8_t)floats[k];
    free(floats);
    return i;
}

/* Pixels may differ by one, where a rounding is at its limit: at most one in `rare`. */
static void assert_close(const scry_ocr_image *got, const scry_ocr_image *want, size_t rare)
{
    size_t n = want->height * want->width * 3, different = 0;
    assert_int_equal(got->height, want->height);
    assert_int_equal(got->width, want->width);
    for (size_t i = 0; i < n; i++) {
        different += got->rgb[i] != want->rgb[i];
        assert_true(got->rgb[i] + 1 >= want->rgb[i] && got->rgb[i] <= want->rgb[i] + 1);
    }
    assert_true(different * rare <= n);
}

static void sizes_equal_opencv(void **state)
{
    scry_ocr_image from = image("resize.from");
    for (int i = 0; i < 5; i++) {
        char name[16];
        snprintf(name, sizeof name, "resize.%d", i);
        scry_ocr_image want = image(name), got = want, part = from;
        if (i == 4) {   /* half of a picture that is one column less wide */
            part.width = from.width - 1;
            part.rgb = scry_alloc(part.width * part.height * 3);
            for (size_t y = 0; y < part.height; y++)
                memcpy(part.rgb + y * part.width * 3, from.rgb + y * from.width * 3, part.width * 3);
        }
        got.rgb = scry_alloc(got.height * got.width * 3);
        assert_int_equal(scry_ocr_resize(&part, &got, NULL), 0);
        assert_memory_equal(got.rgb, want.rgb, got.height * got.width * 3);
        free(got.rgb);
        free(want.rgb);
        if (i == 4)
            free(part.rgb);
    }
    free(from.rgb);
}

static void crops_equal_opencv(void **state)
{
    scry_ocr_image from = image("resize.from");
    for (int i = 0; i < 4; i++) {
        char name[32];
        size_t shape[3];
        bool turned;
        snprintf(name, sizeof name, "crop.%d.box", i);
        float *corners = numbers(name, shape);
        scry_ocr_box box;
        for (int k = 0; k < 4; k++) {
            box.x[k] = corners[2 * k];
            box.y[k] = corners[2 * k + 1];
        }
        name[6] = '\0';
        scry_ocr_image want = image(name), got = { NULL, 0, 0 };
        scry_ocr_crop_size(&box, &got.height, &got.width, &turned);
        assert_int_equal(turned, i == 2);
        got.rgb = scry_alloc(got.height * got.width * 3);
        scry_ocr_crop(&from, &box, &got, turned);
        assert_close(&got, &want, 50);
        scry_ocr_turn_over(&got);
        scry_ocr_turn_over(&got);
        assert_close(&got, &want, 50);
        free(got.rgb);
        free(want.rgb);
        free(corners);
    }
    free(from.rgb);
}

static void boxes_equal_the_package(void **state)
{
    for (int i = 0; i < 2; i++) {
        char name[16];
        size_t shape[3], wanted[3], count;
        snprintf(name, sizeof name, "boxes.%d.map", i);
        float *map = numbers(name, shape);
        name[7] = '\0';
        float *want = numbers(name, wanted);
        static scry_ocr_box got[SCRY_OCR_MAX_BOXES];
        assert_int_equal(scry_ocr_find_boxes(&(scry_ocr_box_source){ map, shape[0], shape[1], 256, 400 }, got, &count, NULL), 0);
        assert_int_equal(count, wanted[0]);
        for (size_t k = 0; k < count; k++) {
            size_t found = 0;
            for (size_t g = 0; g < count; g++) {
                float most = 0;
                for (int c = 0; c < 4; c++)
                    most = fmaxf(most, fmaxf(fabsf(got[g].x[c] - want[8 * k + 2 * (size_t)c]),
                                             fabsf(got[g].y[c] - want[8 * k + 2 * (size_t)c + 1])));
                found += most == 0;
            }
            assert_int_equal(found, 1);
        }
        free(map);
        free(want);
    }
}

/* Nothing, everything, noise and a chequered field: no box is outside of the picture, and there are not too many. */
static void odd_maps(void **state)
{
    enum { H = 480, W = 640 };
    static float map[H * W];
    static scry_ocr_box got[SCRY_OCR_MAX_BOXES];
    unsigned random = 1;
    for (int kind = 0; kind < 5; kind++) {
        size_t count = 77;
        for (size_t i = 0; i < H * W; i++) {
            random = random * 1664525 + 1013904223;
            size_t x = i % W, y = i / W;
            map[i] = kind == 0 ? 0 : kind == 1 ? 1 : kind == 2 ? (float)(random >> 8) / (1 << 24) : kind == 3
                ? (x % 8 < 5 && y % 8 < 5) : NAN;
        }
        assert_int_equal(scry_ocr_find_boxes(&(scry_ocr_box_source){ map, H, W, H, 3000 }, got, &count, NULL), 0);
        assert_true(count <= SCRY_OCR_MAX_BOXES);
        if (kind == 0 || kind == 4)
            assert_int_equal(count, 0);
        if (kind == 1)
            assert_int_equal(count, 1);
        if (kind == 3)
            assert_int_equal(count, SCRY_OCR_MAX_BOXES);
        for (size_t i = 0; i < count; i++)
            for (int c = 0; c < 4; c++)
                assert_true(got[i].x[c] >= 0 && got[i].x[c] <= 2999 && got[i].y[c] >= 0 && got[i].y[c] < H);
    }
}

/* Rows from top to bottom, in each from left to right; a row is slightly oblique. */
static void reading_order(void **state)
{
    enum { H = 100, W = 200 };
    static float map[H * W];
    static const int left[5] = { 110, 10, 60, 15, 90 }, top[5] = { 12, 10, 14, 40, 41 };
    static scry_ocr_box got[SCRY_OCR_MAX_BOXES];
    size_t count;
    for (int i = 0; i < 5; i++)
        for (int y = 0; y < 10; y++)
            for (int x = 0; x < 30; x++)
                map[(top[i] + y) * W + left[i] + x] = 1;
    assert_int_equal(scry_ocr_find_boxes(&(scry_ocr_box_source){ map, H, W, H, W }, got, &count, NULL), 0);
    assert_int_equal(count, 5);
    static const int order[5] = { 10, 60, 110, 15, 90 };
    for (int i = 0; i < 5; i++)
        assert_true(fabsf(got[i].x[0] - (float)order[i]) < 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_equal_opencv),
        cmocka_unit_test(crops_equal_opencv),
        cmocka_unit_test(boxes_equal_the_package),
        cmocka_unit_test(odd_maps),
        cmocka_unit_test(reading_order),
    };
    return cmocka_run_group_tests(tests, open_golden, close_golden);
}
