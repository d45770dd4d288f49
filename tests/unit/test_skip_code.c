/* Why a file was skipped has a name, whoever wrote the reason. The sentences are those of src/image, src/decoder and src/engine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/skip_code.h"

static const char *const reasons[][2] = {
    { "empty", "empty" },
    { "not a picture of a known format", "not_picture" },
    { "not a picture", "not_picture" },
    { "not a regular file", "not_file" },
    { "it is not a file any more", "not_file" },
    { "it no longer exists", "gone" },
    { "No such file or directory", "gone" },
    { "cannot be read: No such file or directory", "gone" },
    { "Permission denied", "no_permission" },
    { "cannot be read: Permission denied", "no_permission" },
    { "cannot be read: Input/output error", "unreadable" },
    { "Input/output error", "unreadable" },
    { "cannot be mapped: Cannot allocate memory", "unreadable" },
    { "a symbolic link whose target does not exist", "broken_link" },
    { "its path is longer than 4,095 bytes", "path_too_long" },
    { "folders nested too deeply", "too_deep" },
    { "this row of the CSV has no path", "no_path" },
    { "passed over because of its name (--no-default-excludes)", "passed_over" },
    { "none of its 12 indexed pictures is there, as where a disk is not mounted: they stay in the collection", "disk_away" },
    { "new or changed: it waits for `scry index --rebuild`", "waits_for_rebuild" },
    { "a picture of the format svg, which is not read by default (--formats)", "format_off" },
    { "changed while it was read", "changing" },
    { "took longer than 30 s", "too_slow" },
    { "the decoder crashed (signal 11)", "decoder_failed" },
    { "the decoder was killed (out of memory?)", "decoder_failed" },
    { "the decoder sent an invalid reply", "decoder_failed" },
    { "truncated JPEG: 84 % of its rows are there", "truncated" },
    { "truncated PNG: 8 bytes cannot hold 20000 x 30000 pixels", "truncated" },
    { "truncated or damaged camera RAW", "truncated" },
    { "damaged JPEG: Unsupported marker type 0x01", "damaged" },
    { "damaged WebP", "damaged" },
    { "larger than 8192 MiB", "too_large" },
    { "30000 x 30000 pixels are more than the limit of 500 million", "too_large" },
    { "a side of 200000 x 1 pixels is over 65535", "too_large" },
    { "needs more than 1024 MiB of memory to decode (--decoder-memory)", "too_large" },
    { "decoding needs more memory than the limit", "too_large" },
    { "20000 x 20000 pixels of JPEG XL need more memory than the limit", "too_large" },
    { "a file larger than the memory limit", "too_large" },
    { "no memory for rows of 65000 pixels", "too_large" },
    { "a JPEG of more than 100 scans", "too_large" },
    { "/usr/lib/scry/scry-formats.so needs libvips.so.42, which is not installed", "no_library" },
    { "HEIC that needs libheif 1.17", "no_library" },
    { "HEIC needs libheif's decoder of HEVC (package libheif-plugin-libde265), which is not installed", "no_library" },
    { "a GIF without a picture", "unsupported" },
    { "a camera RAW that LibRaw does not know", "unsupported" },
    { "a camera RAW without a preview", "unsupported" },
    { "a JPEG of two colour components", "unsupported" },
    { "a picture of 0 x 7 pixels", "unsupported" },
};

static void reasons_have_names(void **state)
{
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++) {
        const char *code = scry_skip_code(reasons[i][0]);
        if (!code)
            fail_msg("no name for \"%s\"", reasons[i][0]);
        assert_string_equal(code, reasons[i][1]);
    }
}

static void others_have_none(void **state)
{
    static const char *const none[] = { "", "libvips: something new", "this picture is empty", "Permission denied by someone" };
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_null(scry_skip_code(none[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(reasons_have_names), cmocka_unit_test(others_have_none) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
