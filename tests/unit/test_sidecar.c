/* Files beside a picture: which are found, and what counts of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/sidecar.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/scry-sidecar-XXXXXX";

static void put(const char *name, const char *text)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void drop(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(unlink(path), 0);
}

static scry_metadata read_notes(const char *name)
{
    char path[512];
    scry_metadata m;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    scry_sidecar_read(path, 1000000000LL * 1600000000, &m);
    assert_true(scry_metadata_is_sound(&m));
    return m;
}

#define XMP(attributes) "<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'>" \
    "<rdf:Description xmlns:xmp='http://ns.adobe.com/xap/1.0/' xmlns:exif='http://ns.adobe.com/exif/1.0/' " \
    "xmlns:dc='http://purl.org/dc/elements/1.1/' " attributes "/></rdf:RDF></x:xmpmeta>"
#define TAKEOUT(fields) "{\"title\": \"x.jpg\", \"photoTakenTime\": {\"timestamp\": \"1623767400\"}" fields "}"

static void nothing_beside(void **state)
{
    scry_metadata m = read_notes("IMG_1.jpg");
    assert_int_equal(m.taken_source, SCRY_TAKEN_FILE_TIME);
    assert_int_equal(m.taken_at - 60 * m.taken_offset_min, 1600000000);
    assert_string_equal(m.title, "");
    m = read_notes("IMG_20150704_123015.jpg");
    assert_int_equal(m.taken_source, SCRY_TAKEN_FILE_NAME);
    assert_int_equal(m.taken_at, 1436013015);
}

static void xmp_beside(void **state)
{
    put("IMG_1.xmp", XMP("xmp:Rating='3' exif:DateTimeOriginal='2021-06-15T14:30:00'"));
    put("IMG_1.jpg.xmp", XMP("xmp:Rating='5' dc:title='cat'"));
    scry_metadata m = read_notes("IMG_1.jpg");
    assert_int_equal(m.rating, 5);
    assert_string_equal(m.title, "cat");
    assert_int_equal(m.taken_source, SCRY_TAKEN_SIDECAR);
    assert_int_equal(m.taken_at, 1623767400);
    m = read_notes("IMG_1.CR2");
    assert_int_equal(m.rating, 3);
    m = read_notes("IMG_2.jpg");
    assert_false(m.has_rating);
    drop("IMG_1.xmp");
    drop("IMG_1.jpg.xmp");
    put("IMG_1.XMP", XMP("xmp:Rating='2'"));
    assert_int_equal(read_notes("IMG_1.jpg").rating, 2);
    drop("IMG_1.XMP");
    put("IMG_1.jpg.Xmp", XMP("xmp:Rating='1'"));
    assert_int_equal(read_notes("IMG_1.jpg").rating, 1);
    drop("IMG_1.jpg.Xmp");
}

static void takeout_beside(void **state)
{
    put("b.jpg.json", TAKEOUT(", \"geoData\": {\"latitude\": 48.137, \"longitude\": 11.575}, \"description\": \"Munich\""));
    scry_metadata m = read_notes("b.jpg");
    assert_int_equal(m.taken_source, SCRY_TAKEN_SIDECAR);
    assert_int_equal(m.taken_at, 1623767400);
    assert_true(m.has_taken_offset && m.taken_offset_min == 0);
    assert_true(m.has_position && m.latitude > 48.136);
    assert_string_equal(m.description, "Munich");
    assert_string_equal(read_notes("b-edited.jpg").description, "Munich");
    drop("b.jpg.json");
    put("b.jpg.json", TAKEOUT(", \"geoData\": {\"latitude\": 0.0, \"longitude\": 0.0}"));
    assert_false(read_notes("b.jpg").has_position);
    put("b.jpg.json", "{\"description\": \"of another program\"}");
    assert_string_equal(read_notes("b.jpg").description, "");
    put("b.jpg.json", "{\"photoTakenTime\": [");
    assert_int_equal(read_notes("b.jpg").taken_source, SCRY_TAKEN_FILE_TIME);
    put("b.jpg.json", "{\"photoTakenTime\": {\"timestamp\": \"1e300\"}}");
    assert_int_equal(read_notes("b.jpg").taken_source, SCRY_TAKEN_FILE_TIME);
    drop("b.jpg.json");
}

static char seen[2000];

static bool note(void *arg, const char *candidate)
{
    strncat(seen, candidate, sizeof seen - strlen(seen) - 2);
    strncat(seen, "\n", 2);
    return false;
}

static const char *names_of(const char *name)
{
    seen[0] = '\0';
    scry_takeout_names(name, note, NULL);
    return seen;
}

static void names_that_takeout_gives(void **state)
{
    assert_string_equal(names_of("a.jpg"), "a.jpg.supplemental-metadata.json\na.jpg.json\na.json\n");
    /* 46 characters before ".json". */
    assert_string_equal(names_of("Screenshot_2021-06-15-14-30-00.png"),
                        "Screenshot_2021-06-15-14-30-00.png.supplementa.json\nScreenshot_2021-06-15-14-30-00.png.json\n"
                        "Screenshot_2021-06-15-14-30-00.json\n");
    assert_string_equal(names_of("abcdefghijklmnopqrstuvwxyz_abcdefghijklmnopqrstuvwxyz.jpg"),
                        "abcdefghijklmnopqrstuvwxyz_abcdefghijklmnopqrs.json\nabcdefghijklmnopqrstuvwxyz_abcdefghijklmnopqrs.json\n"
                        "abcdefghijklmnopqrstuvwxyz_abcdefghijklmnopqrstuvwxyz.json\n");
    assert_string_equal(names_of("a(2).jpg"), "a.jpg.supplemental-metadata(2).json\na.jpg(2).json\n"
                                              "a(2).jpg.supplemental-metadata.json\na(2).jpg.json\na(2).json\n");
    assert_string_equal(names_of("a-edited(1).jpg"),
                        "a-edited.jpg.supplemental-metadata(1).json\na-edited.jpg(1).json\na-edited(1).jpg.supplemental-metadata.json\n"
                        "a-edited(1).jpg.json\na.jpg.supplemental-metadata(1).json\na.jpg(1).json\na(1).json\n");
    assert_string_equal(names_of("(1).jpg"), "(1).jpg.supplemental-metadata.json\n(1).jpg.json\n(1).json\n");
    /* Characters, not bytes, are counted. */
    assert_string_equal(names_of("\xd1\x84\xd0\xbe\xd1\x82\xd0\xbe.jpg"),
                        "\xd1\x84\xd0\xbe\xd1\x82\xd0\xbe.jpg.supplemental-metadata.json\n\xd1\x84\xd0\xbe\xd1\x82\xd0\xbe.jpg.json\n"
                        "\xd1\x84\xd0\xbe\xd1\x82\xd0\xbe.json\n");
    char longest[300];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    assert_string_equal(names_of(longest), "");
}

/* The stamp of the picture x.jpg, with and without the names of its folder: they must agree, or unchanged pictures would be
 * read in every run. */
static int64_t stamp(void)
{
    char path[512];
    struct dirent **items;
    snprintf(path, sizeof path, "%s/x.jpg", folder);
    int n = scandir(folder, &items, NULL, alphasort);
    assert_true(n >= 2);
    scry_folder_names names = { (const struct dirent *const *)items, (size_t)n, false };
    for (int i = 0; i < n; i++)
        names.has_sidecars |= scry_may_be_sidecar(items[i]->d_name);
    int64_t known = scry_sidecar_stamp(path, 1000, &names);
    assert_int_equal(scry_sidecar_stamp(path, 1000, NULL), known);
    for (int i = 0; i < n; i++)
        free(items[i]);
    free(items);
    return known;
}

/* Whatever comes or goes changes the stamp; without anything beside the picture it is the picture's own. */
static void stamps(void **state)
{
    static const char *const beside[] = { "x.xmp", "x.XMP", "x.Xmp", "x.jpg.xmp", "x.jpg.json", "x.jpg.supplemental-metadata.json", "x.MOV", "x.mp4" };
    static const char *const others[] = { "y.xmp", "x.jpg.txt", "xx.MOV", "y.NEF" };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        put(others[i], "");
    assert_int_equal(stamp(), 1000);
    int64_t before = 1000;
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
        put(beside[i], "");
        assert_int_not_equal(stamp(), 1000);
        drop(beside[i]);
        assert_int_equal(stamp(), before);
    }
    put("x.xmp", "");
    before = stamp();
    usleep(20000);
    put("x.xmp", "changed");
    assert_int_not_equal(stamp(), before);
    drop("x.xmp");
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        drop(others[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_beside),
        cmocka_unit_test(xmp_beside),
        cmocka_unit_test(takeout_beside),
        cmocka_unit_test(names_that_takeout_gives),
        cmocka_unit_test(stamps),
    };
    if (!mkdtemp(folder))
        return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    rmdir(folder);
    return failed;
}
