/* scry_heif_needs: which version and which decoder of libheif a picture needs, for a libheif that lacks some. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "decoder/heif_adapt.h"
#include "decoder_fixture.h"

#include <string.h>

enum { HEVC = 1, JPEG = 3, AV1 = 4 };   /* heif_compression_format */

static bool all(int format)
{
    return true;
}

static bool none(int format)
{
    return false;
}

static bool all_but_hevc(int format)
{
    return format != HEVC;
}

static bool all_but_av1(int format)
{
    return format != AV1;
}

static bool all_but_jpeg(int format)
{
    return format != JPEG;
}

static void each_picture(void **state)
{
    static const struct {
        const char *picture;
        bool (*has_decoder)(int format);
        const char *version, *coding, *package;
    } table[] = {
        { "picture.heic", all, NULL, NULL, NULL },
        { "picture.heic", all_but_av1, NULL, NULL, NULL },
        { "picture.heic", all_but_hevc, NULL, "HEVC", "libheif-plugin-libde265" },
        { "picture.heic", none, NULL, "HEVC", "libheif-plugin-libde265" },
        { "ios18-grid.heic", all_but_hevc, NULL, "HEVC", "libheif-plugin-libde265" },   /* its parts are */
        { "lost-thumbnail.heic", all_but_hevc, NULL, "HEVC", "libheif-plugin-libde265" },
        { "picture.avif", all_but_hevc, NULL, NULL, NULL },
        { "picture.avif", all_but_av1, NULL, "AV1", "libheif-plugin-dav1d" },
        { "grid-turned.avif", all_but_av1, NULL, "AV1", "libheif-plugin-dav1d" },
        { "jpeg-within.heic", all, "1.17", NULL, NULL },
        { "jpeg-within.heic", all_but_jpeg, "1.17", "JPEG", "libheif-plugin-jpegdec" },
        { "rgb.png", none, NULL, NULL, NULL },
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        static uint8_t bytes[1 << 17];
        scry_heif_parts needs;
        char path[64];
        snprintf(path, sizeof path, "tests/pictures/%s", table[i].picture);
        FILE *f = open_test_file(path);
        size_t n = fread(bytes, 1, sizeof bytes, f);
        fclose(f);
        assert_true(n < sizeof bytes);
        scry_heif_needs(&needs, bytes, n, table[i].has_decoder);
        const char *is[] = { needs.version, needs.coding, needs.package };
        const char *wanted[] = { table[i].version, table[i].coding, table[i].package };
        for (size_t k = 0; k < 3; k++)
            if ((is[k] == NULL) != (wanted[k] == NULL) || (is[k] && strcmp(is[k], wanted[k]) != 0))
                fail_msg("%s: %s, not %s", table[i].picture, is[k] ? is[k] : "nothing", wanted[k] ? wanted[k] : "nothing");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_picture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
