/* scry_is_cut: pictures whose last bytes are missing, told from whole and damaged ones; and what the decoder says of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "decoder/cut.h"
#include "decoder_fixture.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MOST = 1 << 20 };

static const struct {
    const char *picture;
    scry_format format;
    bool says_length;   /* a codestream of JPEG XL does not: libjxl knows */
} table[] = {
    { "rgb.png", SCRY_FORMAT_PNG, true },
    { "interlaced.png", SCRY_FORMAT_PNG, true },
    { "palette.png", SCRY_FORMAT_PNG, true },
    { "exif-after-pixels.png", SCRY_FORMAT_PNG, true },
    { "lossy.webp", SCRY_FORMAT_WEBP, true },
    { "lossless.webp", SCRY_FORMAT_WEBP, true },
    { "alpha.webp", SCRY_FORMAT_WEBP, true },
    { "animated.webp", SCRY_FORMAT_WEBP, true },
    { "rgb.tif", SCRY_FORMAT_TIFF, true },
    { "deflate.tif", SCRY_FORMAT_TIFF, true },
    { "lzw.tif", SCRY_FORMAT_TIFF, true },
    { "jpeg.tif", SCRY_FORMAT_TIFF, true },
    { "bilevel.tif", SCRY_FORMAT_TIFF, true },
    { "deep.jxl", SCRY_FORMAT_JXL, true },
    { "lossless.jxl", SCRY_FORMAT_JXL, false },
    { "turned-6.jxl", SCRY_FORMAT_JXL, false },
    { "exif-box.jxl", SCRY_FORMAT_JXL, true },
    { "lossless.jp2", SCRY_FORMAT_JP2, true },
    { "lossy.j2k", SCRY_FORMAT_JP2, true },
    { "no-preview.dng", SCRY_FORMAT_RAW, true },
};
enum { PICTURES = sizeof table / sizeof *table };

static size_t read_picture(size_t i, uint8_t *bytes)
{
    char path[64];
    snprintf(path, sizeof path, "tests/pictures/%s", table[i].picture);
    FILE *f = open_test_file(path);
    size_t n = fread(bytes, 1, MOST, f);
    fclose(f);
    assert_true(n > 0 && n < MOST);
    return n;
}

/* Without the bytes from `n` on; memory of just that size, so that reading past it is seen. */
static bool is_cut(size_t i, const uint8_t *bytes, size_t n)
{
    uint8_t *copy = malloc(n ? n : 1);
    memcpy(copy, bytes, n);
    bool cut = scry_is_cut(table[i].format, (scry_bytes){ copy, n });
    free(copy);
    return cut;
}

static void at_every_length(void **state)
{
    static uint8_t bytes[MOST];
    for (size_t i = 0; i < PICTURES; i++) {
        size_t n = read_picture(i, bytes);
        if (is_cut(i, bytes, n))
            fail_msg("%s is whole", table[i].picture);
        for (size_t at = 0; at < n; at += at < 512 || at + 512 > n ? 1 : 97)
            (void)is_cut(i, bytes, at);
        for (size_t tenths = 3; tenths < 10; tenths += 3)
            if (is_cut(i, bytes, n * tenths / 10) != table[i].says_length)
                fail_msg("%s, %zu of 10 parts: %s", table[i].picture, tenths, table[i].says_length ? "cut" : "not known");
        memset(bytes + n, 0, 20);
        if (is_cut(i, bytes, n + 20) && table[i].format != SCRY_FORMAT_JP2)
            fail_msg("%s is whole, with bytes behind it", table[i].picture);
    }
}

static void any_bytes(void **state)
{
    static uint8_t bytes[MOST];
    unsigned seed = 1;
    for (size_t i = 0; i < PICTURES; i++) {
        size_t n = read_picture(i, bytes);
        for (size_t k = 0; k < 300; k++) {
            seed = seed * 1664525 + 1013904223;
            size_t at = (seed >> 8) % (k % 2 ? n : n < 400 ? n : 400);
            uint8_t before = bytes[at];
            bytes[at] = (uint8_t)(seed >> 3);
            (void)is_cut(i, bytes, n);
            bytes[at] = before;
        }
    }
}

/* What a user reads: "truncated ..." of one that was cut; never of one in which bytes are others. */
static void reason_of(const char *path, char *reason)
{
    scry_decoder *d = new_decoder(NULL);
    scry_decode_request q = { .kind = SCRY_DECODE_VIEWS, .spec = { 32, 1, { SCRY_FIT_SQUASH }, SCRY_FILTER_BICUBIC } };
    scry_decode_result r = { 0 };
    scry_error err = SCRY_ERROR_INIT;
    const uint8_t *bytes;
    size_t size;
    struct stat st;
    int rc = scry_decoder_load(d, path, &bytes, &size, &st, &err);
    rc = rc < 0 ? rc : scry_decoder_run(d, &q, &r, &err);
    strcpy(reason, rc < 0 ? err.message : "it was read");
    scry_decoder_free(d);
}

static void write_file(const char *path, const uint8_t *bytes, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static void is_said(void **state)
{
    static uint8_t bytes[MOST];
    char path[] = "/tmp/scry-test-cut-XXXXXX", reason[sizeof ((scry_error *)0)->message];
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    for (size_t i = 0; i < PICTURES; i++) {
        size_t n = read_picture(i, bytes);
        write_file(path, bytes, n * 6 / 10);
        reason_of(path, reason);
        if (strncmp(reason, "truncated ", 10) != 0 && strcmp(table[i].picture, "exif-after-pixels.png") != 0
            && table[i].format != SCRY_FORMAT_JP2)   /* openjpeg reads what is there */
            fail_msg("%s, 6 of 10 parts: %s", table[i].picture, reason);
        memset(bytes + n / 2, 0, n / 4);
        write_file(path, bytes, n);
        reason_of(path, reason);
        if (strncmp(reason, "truncated ", 10) == 0)
            fail_msg("%s, with zeros in it: %s", table[i].picture, reason);
    }
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(at_every_length),
        cmocka_unit_test(any_bytes),
        cmocka_unit_test(is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
