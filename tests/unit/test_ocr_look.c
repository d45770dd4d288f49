/* Which parts of a picture are searched after a first look, and parts of pictures in another size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "ocr/look.h"

#include <stdlib.h>
#include <string.h>

static unsigned next_random(void)
{
    static unsigned state = 18;
    state = state * 1664525 + 1013904223;
    return state >> 8;
}

static bool is_whole(const scry_ocr_areas *s)
{
    return s->count == 1 && s->area[0].width == s->width && s->area[0].height == s->height;
}

/* Multiples of UNIT, inside, apart from each other, and not more than half of the map, or all of it. */
static void assert_sound(const scry_ocr_areas *s)
{
    size_t sum = 0;
    for (size_t i = 0; i < s->count; i++) {
        const scry_ocr_area *a = &s->area[i];
        assert_int_equal((a->x | a->y | a->width | a->height) % SCRY_OCR_UNIT, 0);
        assert_true(a->width > 0 && a->height > 0 && a->x + a->width <= s->width && a->y + a->height <= s->height);
        sum += a->width * a->height;
        for (size_t k = 0; k < i; k++) {
            const scry_ocr_area *b = &s->area[k];
            assert_true(a->x + a->width <= b->x || b->x + b->width <= a->x || a->y + a->height <= b->y
                        || b->y + b->height <= a->y);
        }
    }
    assert_true(is_whole(s) || 2 * sum <= s->width * s->height);
}

/* Every pixel of the map within 32 pixels of the cell is in an area. */
static void assert_covered(const scry_ocr_areas *s, size_t cell, size_t height, size_t width)
{
    const size_t x0 = cell % width * s->width / width, y0 = cell / width * s->height / height;
    const size_t x1 = (cell % width + 1) * s->width / width + 31, y1 = (cell / width + 1) * s->height / height + 31;
    const size_t xs[2] = { x0 > 32 ? x0 - 32 : 0, x1 < s->width ? x1 : s->width - 1 };
    const size_t ys[2] = { y0 > 32 ? y0 - 32 : 0, y1 < s->height ? y1 : s->height - 1 };
    bool found = false;
    for (size_t i = 0; i < s->count; i++) {
        const scry_ocr_area *a = &s->area[i];
        found |= a->x <= xs[0] && a->y <= ys[0] && xs[1] < a->x + a->width && ys[1] < a->y + a->height;
    }
    assert_true(found);
}

static void areas_have_the_cells(void **state)
{
    for (int round = 0; round < 3000; round++) {
        const size_t height = 4 * (1 + next_random() % 12), width = 4 * (1 + next_random() % 12), n = height * width;
        scry_ocr_areas s = { .height = 32 * (1 + next_random() % 40), .width = 32 * (1 + next_random() % 40) };
        float *cells = scry_alloc(n * sizeof *cells);
        const unsigned hot = round % 3 == 0 ? 1 : next_random() % 40;
        for (size_t i = 0; i < n; i++)
            cells[i] = -3;
        for (unsigned i = 0; i < hot; i++)
            cells[next_random() % n] = -1;
        assert_int_equal(scry_ocr_suspect(cells, height, width, -2, &s, NULL), 0);
        assert_true((s.count > 0) == (hot > 0));
        assert_sound(&s);
        for (size_t i = 0; i < n; i++)
            if (cells[i] > -2)
                assert_covered(&s, i, height, width);
        free(cells);
    }
}

/* One cell among many is a small part; two far ones are two. */
static void far_cells_are_apart(void **state)
{
    float cells[32 * 32];
    scry_ocr_areas s = { .height = 1024, .width = 1024 };
    for (size_t i = 0; i < 32 * 32; i++)
        cells[i] = 0;
    cells[5 * 32 + 5] = 1;
    assert_int_equal(scry_ocr_suspect(cells, 32, 32, 0.5f, &s, NULL), 0);
    assert_int_equal(s.count, 1);
    assert_int_equal(s.area[0].x, 128);
    assert_int_equal(s.area[0].width, 96);
    cells[25 * 32 + 25] = 1;
    assert_int_equal(scry_ocr_suspect(cells, 32, 32, 0.5f, &s, NULL), 0);
    assert_int_equal(s.count, 2);
}

/* Text at a side that is not the map's makes the area grow there, and join what it meets. */
static void areas_grow(void **state)
{
    enum { W = 1024, H = 512 };
    float *p = scry_alloc(W * H * sizeof *p);
    memset(p, 0, W * H * sizeof *p);
    scry_ocr_areas s = { H, W, .area = { { 0, 128, 128, 96 }, { 224, 128, 96, 96 }, { 800, 0, 128, 64 } },
                         .done = { true, true, true }, .count = 3 };
    p[175 * W + 3] = 1;        /* at the map's side */
    p[175 * W + 60] = 1;       /* in the middle */
    p[5 * W + 860] = 1;
    assert_false(scry_ocr_extend(&s, p));
    assert_true(s.done[0] && s.done[1] && s.done[2]);
    p[175 * W + 120] = 0.4f;
    assert_true(scry_ocr_extend(&s, p));
    assert_int_equal(s.count, 2);
    assert_sound(&s);
    assert_int_equal(s.area[0].x, 0);
    assert_int_equal(s.area[0].width, 320);
    assert_false(s.done[0]);
    assert_true(s.done[1]);
    assert_false(scry_ocr_extend(&s, p));      /* what is not done waits */
    free(p);
}

static void parts_are_those_of_the_whole(void **state)
{
    enum { W = 130, H = 90 };
    static uint8_t pixels[W * H * 3];
    static const size_t sizes[4][2] = { { H, W }, { H / 2, W / 2 }, { 200, 311 }, { 40, 57 } };
    const scry_ocr_image from = { pixels, H, W };
    for (size_t i = 0; i < sizeof pixels; i++)
        pixels[i] = (uint8_t)next_random();
    for (int k = 0; k < 40; k++) {
        scry_ocr_image whole, part;
        const size_t h = sizes[k % 4][0], w = sizes[k % 4][1];
        const size_t x = next_random() % w, y = next_random() % h;
        const scry_ocr_area a = { x, y, 1 + next_random() % (w - x), 1 + next_random() % (h - y) };
        assert_int_equal(scry_ocr_new_image(&whole, h, w, NULL), 0);
        assert_int_equal(scry_ocr_new_image(&part, a.height, a.width, NULL), 0);
        assert_int_equal(scry_ocr_resize(&from, &whole, NULL), 0);
        assert_int_equal(scry_ocr_resize_part(&from, h, w, &a, part.rgb, NULL), 0);
        for (size_t v = 0; v < a.height; v++)
            assert_memory_equal(part.rgb + v * a.width * 3, whole.rgb + ((y + v) * w + x) * 3, a.width * 3);
        free(whole.rgb);
        free(part.rgb);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(areas_have_the_cells),
        cmocka_unit_test(far_cells_are_apart),
        cmocka_unit_test(areas_grow),
        cmocka_unit_test(parts_are_those_of_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
