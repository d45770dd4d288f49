/* Places: known ones, the table's edges, and a search of the whole table for random positions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "store/places.h"
#include "store/predicates.h"
#include "store/words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void known(void **state)
{
    static const struct { double latitude, longitude; const char *largest; } places[] = {
        { 48.137, 11.575, "Munich\nGermany\n" }, { 48.8584, 2.2945, "Paris\nFrance\n" }, { 41.4036, 2.1744, "Barcelona\nSpain\n" },
        { 55.7539, 37.6208, "Moscow\nRussia\n" }, { 47.5576, 10.7498, "F\xC3\xBCssen\nGermany" }, { -33.8568, 151.2153, "Sydney\nAustralia\n" },
        { -18.1416, 178.4419, "Suva\nFiji" }, { 40.6892, -74.0445, "New York City\nUnited States" },
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const char *names = scry_places_near(places[i].latitude, places[i].longitude).largest;
        if (!names || strncmp(names, places[i].largest, strlen(places[i].largest)) != 0)
            fail_msg("%g, %g is %s", places[i].latitude, places[i].longitude, names ? names : "nowhere");
    }
    static const double nowhere[][2] = {
        { 0, -30 }, { 90, 0 }, { -90, 180 }, { 91, 0 }, { 0, 181 }, { NAN, 0 }, { 0, INFINITY }, { 0, -180 },
    };
    for (size_t i = 0; i < sizeof nowhere / sizeof *nowhere; i++) {
        scry_places p = scry_places_near(nowhere[i][0], nowhere[i][1]);
        assert_null(p.largest);
        assert_null(p.nearest);
    }
}

typedef struct {
    int32_t latitude, longitude;
    uint32_t metres, names;
} city;

/* The same from the file, with every city looked at. */
static void all_of_the_table(void **state)
{
    const char *top = getenv("SCRY_TOP");
    char *path = scry_asprintf("%s/places/places.bin", top ? top : ".");
    FILE *f = fopen(path, "rb");
    uint32_t head[4];
    assert_non_null(f);
    assert_int_equal(fread(head, 1, sizeof head, f), sizeof head);
    city *all = scry_alloc(head[2] * sizeof *all);
    char *names = scry_alloc(head[3]);
    assert_int_equal(fread(all, sizeof *all, head[2], f), head[2]);
    assert_int_equal(fread(names, 1, head[3], f), head[3]);
    assert_int_equal(fgetc(f), EOF);
    fclose(f);
    free(path);
    for (size_t i = 0; i < head[2]; i++) {
        assert_true(all[i].names < head[3] && (i == 0 || all[i - 1].latitude <= all[i].latitude) && all[i].metres < 120000);
        assert_non_null(strchr(names + all[i].names, '\n'));
    }
    srand(3);
    size_t found = 0;
    for (int run = 0; run < 400; run++) {
        const city *near = &all[(size_t)rand() % head[2]], *largest = NULL, *nearest = NULL;
        double latitude = fmin(fmax(near->latitude / 1e4 + (rand() % 2000 - 1000) / 2e3, -90), 90), best = INFINITY;
        double longitude = remainder(near->longitude / 1e4 + (rand() % 2000 - 1000) / 2e3, 360);
        for (size_t i = 0; i < head[2]; i++) {
            double km = scry_distance_km(latitude, longitude, all[i].latitude / 1e4, all[i].longitude / 1e4);
            bool there = km * 1000 <= all[i].metres;
            if (there && (!largest || all[i].metres > largest->metres))
                largest = &all[i];
            if ((there || km <= 30) && km < best) {
                nearest = &all[i];
                best = km;
            }
        }
        largest = largest ? largest : nearest;
        scry_places p = scry_places_near(latitude, longitude);
        assert_int_equal(!p.largest, !largest);
        assert_int_equal(!p.nearest, !nearest);
        if (largest) {
            assert_string_equal(p.largest, names + largest->names);
            assert_string_equal(p.nearest, names + nearest->names);
        }
        found += largest != NULL;
    }
    assert_true(found > 200 && found < 400);
    free(all);
    free(names);
}

static bool holds(const scry_file *f, const char *query, scry_words_mode mode)
{
    scry_buf words = SCRY_BUF_INIT(SCRY_WORDS_LIMIT), wanted = SCRY_BUF_INIT(SCRY_WORDS_LIMIT);
    scry_words_of_file(&words, f, SCRY_FIELDS_ALL);
    scry_words_of_query(&wanted, query, mode);
    bool held = scry_words_hold(scry_buf_str(&words), scry_buf_str(&wanted), mode);
    scry_buf_dispose(&words);
    scry_buf_dispose(&wanted);
    return held;
}

static void words_of_places(void **state)
{
    scry_file f = { .relative = "Garden/a.jpg", .has_position = true, .latitude = 48.137, .longitude = 11.575 };
    assert_true(holds(&f, "munich germany", SCRY_WORDS_WHOLE) && holds(&f, "M\xC3\xBCnchen garden", SCRY_WORDS_NAMED));
    assert_true(holds(&f, "Munich", SCRY_WORDS_PLACE) && holds(&f, "мюнхен", SCRY_WORDS_PLACE));
    assert_false(holds(&f, "garden", SCRY_WORDS_PLACE));
    assert_false(holds(&f, "Berlin", SCRY_WORDS_PLACE));
    f.has_position = false;
    assert_false(holds(&f, "Munich", SCRY_WORDS_PLACE) || holds(&f, "munich", SCRY_WORDS_WHOLE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known),
        cmocka_unit_test(all_of_the_table),
        cmocka_unit_test(words_of_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
