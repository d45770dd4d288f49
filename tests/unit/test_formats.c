/* The allow-list, sniffing, and which replies of a worker the client accepts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "image/wire.h"

#include <math.h>
#include <string.h>

static void names_and_masks(void **state)
{
    uint32_t mask;
    scry_error err = SCRY_ERROR_INIT;
    for (int f = 1; f < SCRY_FORMAT_COUNT; f++)
        assert_int_equal(scry_format_from_name(scry_format_name((scry_format)f)), f);
    assert_string_equal(scry_format_name(SCRY_FORMAT_NONE), "none");
    assert_int_equal(scry_format_from_name("JPG"), SCRY_FORMAT_JPEG);
    assert_int_equal(scry_format_from_name("tif"), SCRY_FORMAT_TIFF);
    assert_int_equal(scry_format_from_name(""), SCRY_FORMAT_NONE);
    assert_int_equal(scry_formats_parse("jpeg,PNG", &mask, &err), 0);
    assert_int_equal(mask, 1u << SCRY_FORMAT_JPEG | 1u << SCRY_FORMAT_PNG);
    assert_int_equal(scry_formats_parse("all", &mask, &err), 0);
    assert_int_equal(mask, scry_formats_all());
    assert_int_equal(scry_formats_parse("default,bmp", &mask, &err), 0);
    assert_int_equal(mask, scry_formats_default() | 1u << SCRY_FORMAT_BMP);
    assert_int_equal(scry_formats_parse("", &mask, &err), SCRY_EINVALID);
    assert_int_equal(scry_formats_parse("jpeg,,png", &mask, &err), SCRY_EINVALID);
    assert_int_equal(scry_formats_parse("jpeg,psd", &mask, &err), SCRY_EINVALID);
    assert_non_null(strstr(err.message, "'psd'"));
    assert_int_equal(scry_formats_default() & ~scry_formats_all(), 0);
}

static void names_that_may_be_pictures(void **state)
{
    assert_true(scry_name_may_be_picture("a.jpg"));
    assert_true(scry_name_may_be_picture("dir.x/IMG_1.JPEG"));
    assert_true(scry_name_may_be_picture("raw.Cr2"));
    assert_true(scry_name_may_be_picture("GOPR0001.GPR"));
    assert_false(scry_name_may_be_picture("jpg"));
    assert_false(scry_name_may_be_picture("a.jp"));
    assert_false(scry_name_may_be_picture("a."));
    assert_false(scry_name_may_be_picture("a.jpg.txt"));
    assert_false(scry_name_may_be_picture("dir.jpg/readme"));
}

#define SNIFF(literal) scry_sniff_format((const uint8_t *)literal, sizeof literal - 1)

static void formats_by_content(void **state)
{
    assert_int_equal(SNIFF("\xff\xd8\xff\xe0"), SCRY_FORMAT_JPEG);
    assert_int_equal(SNIFF("\xff\xd8"), SCRY_FORMAT_NONE);
    assert_int_equal(SNIFF(""), SCRY_FORMAT_NONE);
    assert_int_equal(SNIFF("\x89PNG\r\n\x1a\n"), SCRY_FORMAT_PNG);
    assert_int_equal(SNIFF("RIFF\0\0\0\0WEBPVP8 "), SCRY_FORMAT_WEBP);
    assert_int_equal(SNIFF("RIFF\0\0\0\0WAVEfmt "), SCRY_FORMAT_NONE);
    assert_int_equal(SNIFF("\0\0\0\x18" "ftypmif1\0\0\0\0mif1heic"), SCRY_FORMAT_HEIC);
    assert_int_equal(SNIFF("\0\0\0\x14" "ftypmif1\0\0\0\0mif1"), SCRY_FORMAT_HEIC);
    assert_int_equal(SNIFF("\0\0\0\x18" "ftypmif1\0\0\0\0mif1avif"), SCRY_FORMAT_AVIF);
    assert_int_equal(SNIFF("\0\0\0\x1c" "ftypavif\0\0\0\0mif1miafavif"), SCRY_FORMAT_AVIF);
    assert_int_equal(SNIFF("\0\0\0\x14" "ftypisom\0\0\0\0mp41"), SCRY_FORMAT_NONE);
    assert_int_equal(SNIFF("\0\0\0\x18" "ftypMiHB\0\0\0\0MiHEmif1"), SCRY_FORMAT_HEIC);
    assert_int_equal(SNIFF("\0\0\0\x18" "ftyp1pic\0\0\0\0msf1isom"), SCRY_FORMAT_HEIC);
    assert_int_equal(SNIFF("\0\0\0\x18" "ftypmif1\0\0\0\0miafMA1B"), SCRY_FORMAT_HEIC);   /* AV1, which only its items say */
    assert_int_equal(SNIFF("\0\0\0\x18" "ftypqt  \0\0\0\0qt  MSNV"), SCRY_FORMAT_NONE);
    /* A brand past the end of its box is ignored. */
    assert_int_equal(SNIFF("\0\0\0\x10" "ftypisom\0\0\0\0heic"), SCRY_FORMAT_NONE);
    assert_int_equal(SNIFF("\0\0\0\x18" "ftypcrx \0\0\0\1crx isom"), SCRY_FORMAT_RAW);
    assert_int_equal(SNIFF("P6 1 1 255 abc"), SCRY_FORMAT_PNM);
    assert_int_equal(SNIFF("P6x"), SCRY_FORMAT_NONE);
    assert_int_equal(SNIFF("\n<!-- <b> -->\n<?xml?><svg width='1'/>"), SCRY_FORMAT_SVG);
    assert_int_equal(SNIFF("<svgx/>"), SCRY_FORMAT_NONE);
    assert_int_equal(SNIFF("<html><svg/></html>"), SCRY_FORMAT_NONE);
}

static void tiff_or_camera(void **state)
{
    /* One directory of one entry: tag, type, count, value. */
    assert_int_equal(SNIFF("II*\0\x08\0\0\0\x01\0" "\x06\x01\x03\0\1\0\0\0\x02\0\0\0"),
                     SCRY_FORMAT_TIFF);
    assert_int_equal(SNIFF("II*\0\x08\0\0\0\x01\0" "\x06\x01\x03\0\1\0\0\0\x23\x80\0\0"),
                     SCRY_FORMAT_RAW);   /* colour filter array */
    assert_int_equal(SNIFF("MM\0*\0\0\0\x08\0\x01" "\xc6\x12\0\x01\0\0\0\x04\1\4\0\0"),
                     SCRY_FORMAT_RAW);   /* DNGVersion */
    assert_int_equal(SNIFF("II*\0\x10\0\0\0CR\2\0"), SCRY_FORMAT_RAW);
    assert_int_equal(SNIFF("II*\0\xff\xff\xff\xff"), SCRY_FORMAT_TIFF);   /* and no crash */
    assert_int_equal(SNIFF("II*\0\x04\0\0\0"), SCRY_FORMAT_TIFF);
}

/* ---- replies -------------------------------------------------------------------- */

static const uint8_t output[4096];

static scry_wire_request request(void)
{
    return (scry_wire_request){
        .magic = SCRY_WIRE_MAGIC, .serial = 3, .output_bytes = sizeof output,
        .format = SCRY_FORMAT_JPEG,
        .what = { .kind = SCRY_DECODE_VIEWS,
                  .spec = { 16, 2, { SCRY_FIT_SQUASH, SCRY_FIT_SQUASH }, SCRY_FILTER_BICUBIC } },
    };
}

static scry_wire_reply reply(void)
{
    return (scry_wire_reply){ .magic = SCRY_WIRE_MAGIC, .serial = 3,
                              .result = { .width = 7, .height = 5, .orientation = 1 } };
}

static int take(const scry_wire_reply *r)
{
    scry_wire_request q = request();
    scry_decode_result result;
    return scry_wire_take_reply(r, sizeof *r, &q, output, &result, NULL);
}

static void replies_are_not_believed(void **state)
{
    scry_wire_request q = request();
    scry_wire_reply r = reply();
    scry_decode_result result;
    scry_error err = SCRY_ERROR_INIT;
    assert_int_equal(scry_wire_take_reply(&r, sizeof r, &q, output, &result, &err), 0);
    assert_ptr_equal(result.pixels, output);
    assert_null(result.encoded);
    assert_int_equal(result.format, SCRY_FORMAT_JPEG);
    assert_int_equal(scry_wire_take_reply(&r, sizeof r - 1, &q, output, &result, &err), SCRY_EREMOTE);
    r.serial = 2;
    assert_int_equal(take(&r), SCRY_EREMOTE);
    r = reply();
    r.result.width = 0;
    assert_int_equal(take(&r), SCRY_EREMOTE);
    r = reply();
    r.result.orientation = 9;
    assert_int_equal(take(&r), SCRY_EREMOTE);
    r = reply();
    r.result.metadata.has_position = true;
    r.result.metadata.latitude = NAN;
    assert_int_equal(take(&r), SCRY_EREMOTE);
    r = reply();
    memset(r.result.metadata.camera, 'x', sizeof r.result.metadata.camera);
    assert_int_equal(take(&r), SCRY_EREMOTE);
    r = reply();
    strcpy(r.result.metadata.keywords, "cut \xe2\x82");
    assert_int_equal(take(&r), SCRY_EREMOTE);
    r = reply();
    r.result.metadata.taken_source = SCRY_TAKEN_COUNT;
    assert_int_equal(take(&r), SCRY_EREMOTE);
    r = reply();
    r.code = SCRY_ELIMIT;
    strcpy(r.message, "too \x1b[31mred");
    assert_int_equal(scry_wire_take_reply(&r, sizeof r, &q, output, &result, &err), SCRY_ELIMIT);
    assert_string_equal(err.message, "too ?[31mred");
    r.code = 1;
    assert_int_equal(take(&r), SCRY_EREMOTE);
    r = reply();
    q.what.kind = SCRY_DECODE_JPEG;
    r.encoded_bytes = sizeof output + 1;
    assert_int_equal(scry_wire_take_reply(&r, sizeof r, &q, output, &result, &err), SCRY_EREMOTE);
    q.what.kind = SCRY_DECODE_RGB;
    q.what.max_side = 20;
    r.result.rgb_width = 20;
    r.result.rgb_height = 1;
    assert_int_equal(scry_wire_take_reply(&r, sizeof r, &q, output, &result, &err), 0);
    assert_ptr_equal(result.pixels, output);
    r.result.rgb_width = 21;
    assert_int_equal(scry_wire_take_reply(&r, sizeof r, &q, output, &result, &err), SCRY_EREMOTE);
    r.result.rgb_width = 20;
    r.result.rgb_height = 0;
    assert_int_equal(scry_wire_take_reply(&r, sizeof r, &q, output, &result, &err), SCRY_EREMOTE);
}

/* Views of any shape (SCRY_FIT_PATCHES) say which they have in their last bytes. */
static void shapes_are_not_believed(void **state)
{
    static const struct { uint8_t rows, columns; int code; } shapes[] = {
        { 1, 1, 0 }, { 2, 2, 0 }, { 4, 1, 0 }, { 1, 4, 0 }, { 0, 1, SCRY_EREMOTE }, { 1, 0, SCRY_EREMOTE }, { 5, 1, SCRY_EREMOTE },
        { 2, 3, SCRY_EREMOTE }, { 255, 255, SCRY_EREMOTE }
    };
    static uint8_t view[33 * 33 * 3];
    scry_wire_request q = request();
    scry_wire_reply r = reply();
    scry_decode_result result;
    q.output_bytes = sizeof view;
    q.what.spec = (scry_image_spec){ 33, 1, { SCRY_FIT_PATCHES }, SCRY_FILTER_BILINEAR };
    assert_int_equal(scry_wire_check_request(&q, NULL), 0);
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        view[sizeof view - 4] = shapes[i].rows;
        view[sizeof view - 2] = shapes[i].columns;
        assert_int_equal(scry_wire_take_reply(&r, sizeof r, &q, view, &result, NULL), shapes[i].code);
    }
    for (int size = 1; size < 33; size++) {
        q.what.spec.size = size;
        assert_int_equal(scry_wire_check_request(&q, NULL), size == 17 ? 0 : SCRY_EINVALID);
    }
}

static void requests_have_limits(void **state)
{
    scry_wire_request q = request();
    assert_int_equal(scry_wire_check_request(&q, NULL), 0);
    q.output_bytes = 2 * 3 * 16 * 16 - 1;
    assert_int_equal(scry_wire_check_request(&q, NULL), SCRY_EINVALID);
    q = request();
    q.what.spec.size = SCRY_MAX_IMAGE_SIZE + 1;
    assert_int_equal(scry_wire_check_request(&q, NULL), SCRY_EINVALID);
    q = request();
    q.what.spec.views = SCRY_MAX_VIEWS + 1;
    assert_int_equal(scry_wire_check_request(&q, NULL), SCRY_EINVALID);
    q = request();
    q.what.region = (scry_region){ -1, 0, 5, 5 };
    assert_int_equal(scry_wire_check_request(&q, NULL), SCRY_EINVALID);
    q.what.region = (scry_region){ 0, 0, 5, 0 };
    assert_int_equal(scry_wire_check_request(&q, NULL), SCRY_EINVALID);
    q = request();
    q.format = SCRY_FORMAT_COUNT;
    assert_int_equal(scry_wire_check_request(&q, NULL), SCRY_EINVALID);
    q = request();
    q.what.kind = SCRY_DECODE_RGB;
    assert_int_equal(scry_wire_check_request(&q, NULL), SCRY_EINVALID);
    q.what.max_side = SCRY_DECODE_MAX_RGB_SIDE + 1;
    assert_int_equal(scry_wire_check_request(&q, NULL), SCRY_EINVALID);
    q.what.max_side = 100;
    q.output_bytes = 3 * 100 * 100 - 1;
    assert_int_equal(scry_wire_check_request(&q, NULL), SCRY_EINVALID);
    q.output_bytes++;
    assert_int_equal(scry_wire_check_request(&q, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_masks),
        cmocka_unit_test(names_that_may_be_pictures),
        cmocka_unit_test(formats_by_content),
        cmocka_unit_test(tiff_or_camera),
        cmocka_unit_test(replies_are_not_believed),
        cmocka_unit_test(shapes_are_not_believed),
        cmocka_unit_test(requests_have_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
