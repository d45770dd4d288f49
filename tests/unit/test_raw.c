/* Camera RAW: which of several previews is read, and what is developed when there is none of use. The files are made by
 * tests/pictures/make.py; their previews and the quarters of their sensors have a colour each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "decoder_fixture.h"

#include <string.h>

enum { SIDE = 8 };

static scry_decode_request view_of(int side)
{
    return (scry_decode_request){ .kind = SCRY_DECODE_VIEWS, .spec = { side, 1, { SCRY_FIT_SQUASH }, SCRY_FILTER_BICUBIC } };
}

/* The channel, 'r', 'g' or 'b', that is the brightest at a pixel of a view; 'y' for red and green alike. */
static char colour_at(const scry_decode_result *r, int side, int x, int y)
{
    const uint8_t *p = r->pixels + 3 * ((size_t)y * (size_t)side + (size_t)x);
    if (p[0] > 150 && p[1] > 150)
        return 'y';
    return p[0] > p[1] && p[0] > p[2] ? 'r' : p[1] > p[2] ? 'g' : 'b';
}

/* The colours at the quarters of a view, in reading order. */
static const char *quarters(const scry_decode_result *r)
{
    static char text[5];
    for (int i = 0; i < 4; i++)
        text[i] = colour_at(r, SIDE, SIDE / 4 + i % 2 * SIDE / 2, SIDE / 4 + i / 2 * SIDE / 2);
    return text;
}

static void the_smallest_preview_that_serves(void **state)
{
    static const char *const names[] = { "previews.dng", "previews.cr3" };
    static const struct { int side; bool exact, region; char colour; } cases[] = {
        { 16, false, false, 'b' }, { 18, false, false, 'b' }, { 19, false, false, 'g' }, { 90, false, false, 'g' },
        { 91, false, false, 'r' }, { 16, true, false, 'r' }, { 16, false, true, 'r' },
    };
    scry_decoder *d = new_decoder(NULL);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
            scry_decode_request q = view_of(cases[k].side);
            scry_decode_result r;
            scry_error err = SCRY_ERROR_INIT;
            q.exact = cases[k].exact;
            if (cases[k].region)
                q.region = (scry_region){ 900, 600, 100, 100 };
            if (decode_picture(d, names[i], &q, &r, &err) < 0)
                fail_msg("%s: %s", names[i], err.message);
            if (colour_at(&r, cases[k].side, 1, 1) != cases[k].colour)
                fail_msg("%s at %d: %c", names[i], cases[k].side, colour_at(&r, cases[k].side, 1, 1));
            assert_int_equal(r.width, 1080);   /* the largest one's, whichever was read */
            assert_int_equal(r.height, 720);
            assert_false(r.damaged);
        }
    scry_decoder_free(d);
}

static void developed_without_preview(void **state)
{
    scry_decoder *d = new_decoder(NULL);
    for (int exact = 0; exact < 2; exact++) {   /* of half the size and of the whole */
        scry_decode_request q = view_of(SIDE);
        scry_decode_result r;
        q.exact = exact;
        assert_int_equal(decode_picture(d, "no-preview.dng", &q, &r, NULL), 0);
        assert_string_equal(quarters(&r), "rbgy");
        assert_int_equal(r.width, 96);
        assert_int_equal(r.height, 64);
        assert_string_equal(r.metadata.camera, "Scry Test Two");
        assert_int_equal(decode_picture(d, "thumbnail-turned.dng", &q, &r, NULL), 0);
        assert_string_equal(quarters(&r), "gryb");
        assert_int_equal(r.width, 64);
        assert_int_equal(r.orientation, 6);
        q.keep_orientation = true;
        assert_int_equal(decode_picture(d, "thumbnail-turned.dng", &q, &r, NULL), 0);
        assert_string_equal(quarters(&r), "rbgy");
    }
    scry_decoder_free(d);
}

/* Of a file whose sensor data are cut the thumbnail is left, and it is marked; without one nothing is. */
static void cut_sensor_data(void **state)
{
    scry_decoder *d = new_decoder(NULL);
    scry_decode_request q = view_of(SIDE);
    scry_decode_result r;
    scry_error err = SCRY_ERROR_INIT;
    static const struct { const char *name; bool readable; } cases[] = { { "thumbnail-turned.dng", true }, { "no-preview.dng", false } };
    for (size_t i = 0; i < 2; i++) {
        const uint8_t *bytes;
        size_t size;
        struct stat st;
        char path[64];
        snprintf(path, sizeof path, "tests/pictures/%s", cases[i].name);
        assert_int_equal(scry_decoder_load(d, test_path(path), &bytes, &size, &st, NULL), 0);
        uint8_t *part = malloc(size);
        memcpy(part, bytes, size);
        assert_int_equal(scry_decoder_load_bytes(d, part, size - 3000, NULL), 0);
        free(part);
        assert_int_equal(scry_decoder_run(d, &q, &r, &err) == 0, cases[i].readable);
        if (!cases[i].readable)
            continue;
        assert_true(r.damaged);
        assert_int_equal(r.width, 16);
        assert_int_equal(r.height, 24);
    }
    assert_non_null(strstr(err.message, "camera RAW"));
    scry_decoder_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_smallest_preview_that_serves), cmocka_unit_test(developed_without_preview),
        cmocka_unit_test(cut_sensor_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
