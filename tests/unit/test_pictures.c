/* Every picture of tests/pictures/ (made with its make.py) decodes to what Pillow makes of
 * it: the size, and the view within the stated tolerance, which is 0 wherever the format
 * is lossless, and for JPEG. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "decoder_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VIEW = 20, VIEW_BYTES = 3 * VIEW * VIEW };

typedef struct row {
    char name[64], format[16];
    int width, height;
    double tolerance;
    uint8_t view[VIEW_BYTES];
} row;

static bool read_row(FILE *f, row *r)
{
    static char line[2 * VIEW_BYTES + 256], hex[2 * VIEW_BYTES + 1];
    do {
        if (!fgets(line, sizeof line, f))
            return false;
    } while (line[0] == '#');
    assert_int_equal(sscanf(line, "%63s %15s %d %d %lf %2400s", r->name, r->format, &r->width,
                            &r->height, &r->tolerance, hex), 6);
    for (int i = 0; i < VIEW_BYTES; i++) {
        unsigned v;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &v), 1);
        r->view[i] = (uint8_t)v;
    }
    return true;
}

static double mean_error(const uint8_t *a, const uint8_t *b)
{
    double sum = 0;
    for (int i = 0; i < VIEW_BYTES; i++)
        sum += abs(a[i] - b[i]);
    return sum / VIEW_BYTES;
}

static const scry_decode_request whole = { .kind = SCRY_DECODE_VIEWS, .exact = true,
                                           .spec = { VIEW, 1, { SCRY_FIT_SQUASH }, SCRY_FILTER_BICUBIC } };

static int check_row(scry_decoder *d, const row *r, const scry_decode_request *q)
{
    scry_decode_result result;
    scry_error err = SCRY_ERROR_INIT;
    if (decode_picture(d, r->name, q, &result, &err) < 0) {
        print_error("%s: %s\n", r->name, err.message);
        return 1;
    }
    double e = mean_error(result.pixels, r->view);
    bool same = result.width == r->width && result.height == r->height
                && strcmp(scry_format_name(result.format), r->format) == 0;
    if (same && e <= r->tolerance)
        return 0;
    print_error("%s: %s %d x %d, error %.3f of %.3f allowed\n", r->name,
                scry_format_name(result.format), result.width, result.height, e, r->tolerance);
    return 1;
}

static void equal_to_pillow(void **state)
{
    scry_decoder *d = new_decoder(NULL);
    row *r = malloc(sizeof *r);
    FILE *f = open_test_file("tests/pictures/manifest.tsv");
    int pictures = 0, wrong = 0;
    for (; read_row(f, r); pictures++)
        wrong += check_row(d, r, &whole);
    assert_int_equal(wrong, 0);
    assert_true(pictures > 70);
    fclose(f);
    free(r);
    scry_decoder_free(d);
}

/* turned-N.*: HEIC, AVIF and JPEG XL that are to be shown turned; stored they are rgb.png. The tolerance is for Pillow's version
 * of the compressed picture; from the original, AVIF is 2.0 or, with libheif's newer conversion of colours, 2.14 away, and 3.4
 * with libheif 1.21, which places the colours of turned pictures of odd sizes a sample beside. Turned otherwise it would be 70
 * or more. */
static void kept_as_stored(void **state)
{
    scry_decoder *d = new_decoder(NULL);
    row *r = malloc(sizeof *r), *stored = malloc(sizeof *stored);
    scry_decode_request keep = whole;
    keep.keep_orientation = true;
    FILE *f = open_test_file("tests/pictures/manifest.tsv");
    do
        assert_true(read_row(f, stored));
    while (strcmp(stored->name, "rgb.png") != 0);
    int pictures = 0, wrong = 0;
    while (read_row(f, r)) {
        if (strncmp(r->name, "turned-", 7) != 0)
            continue;
        memcpy(r->view, stored->view, VIEW_BYTES);
        r->tolerance += r->tolerance > 0 ? 1.5 : 0;
        r->width = stored->width;
        r->height = stored->height;
        wrong += check_row(d, r, &keep);
        pictures++;
    }
    assert_int_equal(wrong, 0);
    assert_int_equal(pictures, 13);
    fclose(f);
    free(r);
    free(stored);
    scry_decoder_free(d);
}

/* damaged-*.jpg are equal to what Pillow makes of them (equal_to_pillow) and marked; of half-*.jpg too much is missing. */
static void damaged_jpegs(void **state)
{
    static const char *const damaged[] = { "no-end", "no-end-zeros", "no-end-garbage", "cut", "cut-zeros", "end-early",
                                           "cut-restart", "cut-progressive" };
    static const char *const half[] = { "cut", "zeros", "end", "progressive" };
    scry_decoder *d = new_decoder(NULL);
    scry_decode_result result;
    char name[64];
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) {
        snprintf(name, sizeof name, "damaged-%s.jpg", damaged[i]);
        assert_int_equal(decode_picture(d, name, &whole, &result, NULL), 0);
        assert_true(result.damaged);
    }
    for (size_t i = 0; i < sizeof half / sizeof *half; i++) {
        scry_error err = SCRY_ERROR_INIT;
        snprintf(name, sizeof name, "half-%s.jpg", half[i]);
        assert_int_equal(decode_picture(d, name, &whole, &result, &err), SCRY_EINVALID);
        assert_int_equal(strncmp(err.message, "truncated JPEG: ", 16), 0);
    }
    for (size_t i = 0; i < 2; i++) {   /* whole ones, with something behind them */
        assert_int_equal(decode_picture(d, i ? "trailing.jpg" : "motion.jpg", &whole, &result, NULL), 0);
        assert_false(result.damaged);
    }
    scry_decoder_free(d);
}

/* HEIC as iPhones write it since iOS 18, where an Exif item describes two items; and with other files behind it. */
static void metadata_of_phones(void **state)
{
    static const char *const names[] = { "ios18.heic", "ios18-grid.heic", "movie-behind.heic", "movie-box.heic",
                                         "grid-turned.avif" };
    scry_decoder *d = new_decoder(NULL);
    scry_decode_result result;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_int_equal(decode_picture(d, names[i], &whole, &result, NULL), 0);
        assert_string_equal(result.metadata.camera, "Apple iPhone 16");
    }
    scry_decoder_free(d);
}

/* A picture whose coding the installed libheif is too old for, or has no decoder of, is not called damaged. This one is declared as
 * JPEG, which it is not, as libheif notices where it has one. */
static void needs_a_newer_library(void **state)
{
    scry_decoder *d = new_decoder(NULL);
    scry_decode_result result;
    scry_error err = SCRY_ERROR_INIT;
    int r = decode_picture(d, "jpeg-within.heic", &whole, &result, &err);
    if (r == SCRY_ENOTFOUND)
        assert_string_equal(err.message, "HEIC needs libheif's decoder of JPEG (package libheif-plugin-jpegdec), which is not installed");
    else if (strncmp(err.message, "damaged HEIC: ", 14) != 0 || strstr(err.message, "nsupported") || strstr(err.message, "plugin"))
        assert_string_equal(err.message, "HEIC that needs libheif 1.17");
    assert_true(r == SCRY_ENOTFOUND || r == SCRY_EINVALID);
    scry_decoder_free(d);
}

/* The brands of a file with HEVC in it are any: the pixels stay the same. */
static void any_brands(void **state)
{
    static const char *const brands[] = { "mif1mif1", "heicabcd", "heixheis", "mif1MiHB", "msf1msf1", "1picmif1", "mif2mif2", "MiHBmiaf" };
    enum { MAJOR = 8, COMPATIBLE = 16 };
    scry_decoder *d = new_decoder(NULL);
    uint8_t file[1 << 14], first[VIEW_BYTES];
    FILE *f = open_test_file("tests/pictures/mif1-only.heic");
    size_t n = fread(file, 1, sizeof file, f);
    fclose(f);
    assert_true(n > COMPATIBLE + 4 && n < sizeof file);
    for (size_t i = 0; i < sizeof brands / sizeof *brands; i++) {
        scry_decode_result result;
        scry_error err = SCRY_ERROR_INIT;
        memcpy(file + MAJOR, brands[i], 4);
        memcpy(file + COMPATIBLE, brands[i] + 4, 4);
        assert_int_equal(scry_decoder_load_bytes(d, file, n, NULL), 0);
        if (scry_decoder_run(d, &whole, &result, &err) < 0)
            fail_msg("%s: %s", brands[i], err.message);
        assert_string_equal(scry_format_name(result.format), "heic");
        if (i == 0)
            memcpy(first, result.pixels, VIEW_BYTES);
        assert_memory_equal(result.pixels, first, VIEW_BYTES);
    }
    scry_decoder_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_to_pillow),
        cmocka_unit_test(kept_as_stored),
        cmocka_unit_test(damaged_jpegs),
        cmocka_unit_test(metadata_of_phones),
        cmocka_unit_test(needs_a_newer_library),
        cmocka_unit_test(any_brands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
