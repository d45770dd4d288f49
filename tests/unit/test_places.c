/* Places: known ones, the table's edges and order, a search of the whole table for random positions, and names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/crc32c.h"
#include "store/place_names.h"
#include "store/places.h"
#include "store/predicates.h"
#include "store/words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE_CRC = 0xe485cbca, LANGUAGES = 9 };

static void known(void **state)
{
    static const struct { double latitude, longitude; const char *text, *around; } places[] = {
        { 48.137, 11.575, "Munich, Germany", "Bavaria" }, { 48.8584, 2.2945, "Paris, France", "\xC3\x8Ele-de-France" },
        { 41.4036, 2.1744, "Barcelona, Spain", "Catalonia" }, { 55.7539, 37.6208, "Moscow, Russia", "Moscow" },
        { 47.5576, 10.7498, "F\xC3\xBCssen, Germany", "Bavaria" }, { -33.8568, 151.2153, "Sydney, Australia", "New South Wales" },
        { -18.1416, 178.4419, "Suva, Fiji", "Central" }, { 40.6892, -74.0445, "New York City, United States", "New York" },
        { 33.6609, -95.5555, "Paris, United States", "Texas" }, { 43.6615, -70.2553, "Portland, Maine, United States", "Maine" },
        { 1.29, 103.85, "Singapore, Singapore", "Singapore" }, { 65.6, -17.5, "Akureyri, Iceland", "Northeastern" },
        { 36.06, -112.14, "United States", "United States" },   /* the Grand Canyon, over 100 km from any city */
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        scry_places p = scry_places_near(places[i].latitude, places[i].longitude);
        char *text = scry_place_text(places[i].latitude, places[i].longitude);
        const char *around = p.around == SCRY_NO_PLACE ? "" : scry_place_names(p.around);
        size_t n = strlen(places[i].around);
        if (!text || strcmp(text, places[i].text) != 0 || strncmp(around, places[i].around, n) != 0 || !strchr("\n", around[n]))
            fail_msg("%g, %g is %s in %.40s", places[i].latitude, places[i].longitude, text ? text : "nowhere", around);
        free(text);
    }
    static const double nowhere[][2] = {
        { 0, -30 }, { 90, 0 }, { -90, 180 }, { 91, 0 }, { 0, 181 }, { NAN, 0 }, { 0, INFINITY }, { 0, -180 },
    };
    for (size_t i = 0; i < sizeof nowhere / sizeof *nowhere; i++) {
        scry_places p = scry_places_near(nowhere[i][0], nowhere[i][1]);
        assert_true(p.largest == SCRY_NO_PLACE && p.nearest == SCRY_NO_PLACE && p.around == SCRY_NO_PLACE);
        assert_null(scry_place_text(nowhere[i][0], nowhere[i][1]));
    }
}

typedef struct {
    int32_t latitude, longitude;
    uint32_t names;
    uint16_t metre_pairs, around;
} record;

typedef struct {
    uint32_t magic[2], countries, regions, cities, name_bytes, names, zero;
} header;

/* places.bin; the caller frees it. */
static char *read_table(header *h, size_t *size)
{
    const char *top = getenv("SCRY_TOP");
    char *path = scry_asprintf("%s/places/places.bin", top ? top : "."), *all = scry_alloc(4 << 20);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    *size = fread(all, 1, 4 << 20, f);   /* no larger */
    assert_int_equal(fgetc(f), EOF);
    fclose(f);
    free(path);
    memcpy(h, all, sizeof *h);
    return all;
}

/* Words that were stored hold numbers of places. */
static void another_table_is_another_version(void **state)
{
    header h;
    size_t size;
    char *all = read_table(&h, &size);
    assert_string_equal(SCRY_WORDS_VERSION, "5");
    assert_int_equal(scry_crc32c(0, all, size), TABLE_CRC);
    assert_true(scry_places_count() == h.countries + h.regions + h.cities && scry_places_count() < 65536);
    assert_int_equal(size, sizeof h + scry_places_count() * (sizeof(record) + LANGUAGES) + h.names * 4ull + h.name_bytes);
    free(all);
}

/* The same from the file, with every city looked at. */
static void all_of_the_table(void **state)
{
    header h;
    size_t size;
    char *file = read_table(&h, &size);
    record *all = scry_alloc(scry_places_count() * sizeof *all), *cities = all + h.countries + h.regions;
    memcpy(all, file + sizeof h, scry_places_count() * sizeof *all);
    free(file);
    for (size_t i = 0; i < scry_places_count(); i++) {
        scry_place_kind kind = scry_place_kind_of((uint32_t)i), around = scry_place_kind_of(all[i].around);
        assert_true(kind == SCRY_PLACE_COUNTRY ? all[i].around == i : around < kind);
        assert_true(all[i].names < h.name_bytes && (i == 0 || all[i - 1].names < all[i].names));
        assert_true(kind != SCRY_PLACE_CITY || all[i].metre_pairs < 60000);
        assert_true(kind != SCRY_PLACE_CITY || &all[i] == cities || all[i - 1].latitude <= all[i].latitude);
    }
    srand(3);
    size_t found = 0;
    for (int run = 0; run < 400; run++) {
        const record *near = &cities[(size_t)rand() % h.cities], *largest = NULL, *nearest = NULL, *around = NULL;
        double latitude = fmin(fmax(near->latitude / 1e4 + (rand() % 2000 - 1000) / 2e3, -90), 90), best = INFINITY, closest = 200;
        double longitude = remainder(near->longitude / 1e4 + (rand() % 2000 - 1000) / 2e3, 360);
        for (const record *c = cities; c < cities + h.cities; c++) {
            double km = scry_distance_km(latitude, longitude, c->latitude / 1e4, c->longitude / 1e4);
            bool there = km * 500 <= c->metre_pairs;
            if (there && (!largest || c->metre_pairs > largest->metre_pairs))
                largest = c;
            if ((there || km <= 30) && km < best) {
                nearest = c;
                best = km;
            }
            if (km < closest) {
                around = c;
                closest = km;
            }
        }
        largest = largest ? largest : nearest;
        scry_places p = scry_places_near(latitude, longitude);
        assert_int_equal(p.largest, largest ? (uint32_t)(largest - all) : SCRY_NO_PLACE);
        assert_int_equal(p.nearest, nearest ? (uint32_t)(nearest - all) : SCRY_NO_PLACE);
        assert_int_equal(p.around, around ? closest <= 100 ? around->around : all[around->around].around : SCRY_NO_PLACE);
        found += largest != NULL;
    }
    assert_true(found > 200 && found < 400);
    free(all);
}

/* Every name is found, as it is and in the form of a query: so the keys are in order, as C has them. */
static void every_name_is_found(void **state)
{
    scry_buf places = SCRY_BUF_INIT(1 << 20);
    size_t seen = 0;
    for (size_t i = 0; i < scry_place_names_count(); i += 7) {
        char *name = scry_strndup(scry_place_name(i), strcspn(scry_place_name(i), "\n"));
        uint32_t wanted = scry_place_named(i);
        scry_buf words = SCRY_BUF_INIT(SCRY_WORDS_LIMIT);
        bool held = false;
        scry_words_of_text(&words, name, strlen(name));
        size_t run = words.size ? scry_places_of_words(&places, scry_buf_str(&words)) : 0;
        for (size_t k = 0; k < places.size / sizeof wanted; k++)
            held |= memcmp(places.data + k * sizeof wanted, &wanted, sizeof wanted) == 0;
        if (words.size && (!run || !held))
            fail_msg("%s is not found", name);
        seen += held;
        scry_buf_dispose(&words);
        free(name);
    }
    assert_true(seen > 15000);
    scry_buf_dispose(&places);
}

static void texts(void **state)
{
    static const struct { const char *text, *first; size_t least, most; } cases[] = {
        { "Paris", "Paris, France", 2, 5 }, { "Paris, France", "Paris, France", 1, 1 }, { "paris, texas", "Paris, United States", 1, 1 },
        { "Paris Texas", "Paris, United States", 1, 1 }, { "Paris, Texas, United States", "Paris, United States", 1, 1 }, { "Paris, Germany", NULL, 0, 0 },
        { "Париж", "Paris, France", 1, 2 }, { "Россия", "Russia", 1, 1 }, { "России", "Russia", 1, 2 }, { "Бавария", "Bavaria, Germany", 1, 1 },
        { "BAVARIA", "Bavaria, Germany", 1, 1 }, { "Bayern", "Bavaria, Germany", 1, 1 }, { "Italien", "Italy", 1, 1 }, { "Italia", "Italy", 1, 1 },
        { "Milano", "Milan, Italy", 1, 2 }, { "Mailand", "Milan, Italy", 1, 1 }, { "巴黎", "Paris, France", 1, 3 }, { "意大利", "Italy", 1, 1 },
        { "New York", "New York, United States", 2, 4 }, { "Германия", "Germany", 1, 1 },
        { "US", "United States", 1, 2 }, { "UK", "United Kingdom", 1, 2 }, { "羅馬", "Rome, Italy", 1, 3 },
        { "Prag", "Prague, Czechia", 1, 3 },
        { "Giessen", "Gießen, Germany", 1, 1 }, { "Men-yüan-hui-tsu-tzu-chih-hsien", "Haomen, China", 1, 1 }, { "Lodz", "Łódź, Poland", 1, 2 },
        { "NYC", "New York City, United States", 1, 1 }, { "СПб", "Saint Petersburg, Russia", 1, 1 }, { "St. Petersburg", "Saint Petersburg, Russia", 2, 2 },
        { "U.S.A.", "United States", 1, 1 }, { "Muenchen", "Munich, Germany", 1, 1 }, { "Duesseldorf", "Düsseldorf, Germany", 1, 1 },
        { "Koeln, Germany", "Cologne, Germany", 1, 1 }, { "Fuessen", "Füssen, Germany", 1, 1 }, { "Samoe", NULL, 0, 0 },
        { "'s-Hertogenbosch", "'s-Hertogenbosch, The Netherlands", 1, 1 }, { "Frankfurt am Main, Hesse", "Frankfurt am Main, Germany", 1, 1 },
        { "Pariss", NULL, 0, 0 }, { "", NULL, 0, 0 }, { ",", NULL, 0, 0 }, { "a dog at the lake", NULL, 0, 0 }, { "Paris, ,France", "Paris, France", 1, 1 },
        { "France, Paris", NULL, 0, 0 }, { "Germany, Germany", NULL, 0, 0 }, { "Singapore, Singapore", "Singapore, Singapore", 1, 1 },
    };
    scry_buf places = SCRY_BUF_INIT(1 << 20);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n = scry_places_of_text(&places, cases[i].text);
        char *title = NULL;
        bool held = n == 0 && !cases[i].first;
        for (size_t k = 0; k < n && cases[i].first; k++) {
            uint32_t place;
            memcpy(&place, places.data + k * sizeof place, sizeof place);
            free(title);
            title = scry_place_title(place, NULL);
            held |= strcmp(title, cases[i].first) == 0;
        }
        if (!held || n < cases[i].least || n > cases[i].most)
            fail_msg("\"%s\": %zu places, the last is %s", cases[i].text, n, title ? title : "none");
        free(title);
    }
    scry_buf_dispose(&places);
    char *near = scry_place_nearest("Pariss"), *russian = scry_place_nearest("Мюнхенн"), *none = scry_place_nearest("qqqqqqqq");
    assert_string_equal(near, "Paris");
    assert_string_equal(russian, "Мюнхен");
    assert_null(none);
    free(near);
    free(russian);
}

/* What is shown of a place, in any language, is a name that finds it. */
static void titles(void **state)
{
    static const char *const languages[LANGUAGES] = { NULL, "ru", "de", "es", "fr", "zh", "it", "pt", "ja" };
    scry_buf places = SCRY_BUF_INIT(1 << 20);
    for (uint32_t i = 0, place = 0; place < scry_places_count(); place += i < 300 * LANGUAGES ? i % LANGUAGES == 0 : 17, i++) {
        char *title = scry_place_title(place, languages[i % LANGUAGES]);
        size_t n = scry_places_of_text(&places, title);
        bool held = false;
        for (size_t k = 0; k < n; k++)
            held |= memcmp(places.data + k * sizeof place, &place, sizeof place) == 0;
        if (!held)
            fail_msg("%s is not found", title);
        free(title);
    }
    scry_buf_dispose(&places);
}

static void languages(void **state)
{
    static const struct { double latitude, longitude; const char *language, *text; } cases[] = {
        { 50.94, 6.96, NULL, "Cologne, Germany" }, { 50.94, 6.96, "en", "Cologne, Germany" }, { 50.94, 6.96, "de", "Köln, Deutschland" },
        { 50.94, 6.96, "DE-at", "Köln, Deutschland" }, { 50.94, 6.96, "de_CH", "Köln, Deutschland" }, { 50.94, 6.96, "ru", "Кёльн, Германия" },
        { 50.94, 6.96, "tlh", "Cologne, Germany" }, { 50.94, 6.96, "", "Cologne, Germany" }, { 50.94, 6.96, "d", "Cologne, Germany" },
        { 48.137, 11.575, "es", "Múnich, Alemania" }, { 48.137, 11.575, "fr", "Munich, Allemagne" }, { 48.137, 11.575, "zh", "慕尼黑, 德国" },
        { 48.137, 11.575, "it", "Monaco di Baviera, Germania" }, { 48.137, 11.575, "ja", "ミュンヘン, ドイツ" },
        { 43.6615, -70.2553, "de", "Portland, Maine, Vereinigte Staaten" }, { 65.6, -17.5, "ru", "Акюрейри, Исландия" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = scry_place_text_in(cases[i].latitude, cases[i].longitude, cases[i].language);
        if (!text || strcmp(text, cases[i].text) != 0)
            fail_msg("in %s: %s", cases[i].language ? cases[i].language : "none", text ? text : "nowhere");
        free(text);
    }
    assert_true(scry_place_knows_language("en") && scry_place_knows_language("ja") && scry_place_knows_language("zh-Hans-CN"));
    assert_false(scry_place_knows_language(NULL) || scry_place_knows_language("") || scry_place_knows_language("d") ||
                 scry_place_knows_language("deutsch") || scry_place_knows_language("ko") || scry_place_knows_language("\x04\x05"));
}

static bool holds(const scry_file *f, const char *query, scry_words_mode mode)
{
    scry_buf words = SCRY_BUF_INIT(SCRY_WORDS_LIMIT), wanted = SCRY_BUF_INIT(SCRY_WORDS_LIMIT);
    scry_words_of_file(&words, f, SCRY_FIELDS_ALL);
    scry_words_of_query(&wanted, query, mode);
    bool held = wanted.size && scry_words_hold(scry_buf_str(&words), scry_buf_str(&wanted), mode);
    scry_buf_dispose(&words);
    scry_buf_dispose(&wanted);
    return held;
}

static void words_of_places(void **state)
{
    scry_file f = { .relative = "Garden/a.jpg", .has_position = true, .latitude = 48.137, .longitude = 11.575 };
    assert_true(holds(&f, "munich germany", SCRY_WORDS_WHOLE) && holds(&f, "M\xC3\xBCnchen garden", SCRY_WORDS_NAMED));
    assert_true(holds(&f, "garden in Bavaria", SCRY_WORDS_NAMED) && holds(&f, "garden в Германии", SCRY_WORDS_NAMED));
    assert_true(holds(&f, "Munich", SCRY_WORDS_PLACE) && holds(&f, "мюнхен", SCRY_WORDS_PLACE) && holds(&f, "Munich, Germany", SCRY_WORDS_PLACE));
    assert_true(holds(&f, "Bavaria", SCRY_WORDS_PLACE) && holds(&f, "Deutschland", SCRY_WORDS_PLACE));
    assert_true(holds(&f, "munich", SCRY_WORDS_PARTS) && holds(&f, "unic", SCRY_WORDS_PARTS));
    assert_false(holds(&f, "garden", SCRY_WORDS_PLACE) || holds(&f, "Berlin", SCRY_WORDS_PLACE) || holds(&f, "Munich, Texas", SCRY_WORDS_PLACE));
    assert_false(holds(&f, "garden in Italy", SCRY_WORDS_NAMED) || holds(&f, "new munich", SCRY_WORDS_NAMED));
    assert_false(holds(&f, "000", SCRY_WORDS_PARTS) || holds(&f, "@", SCRY_WORDS_PARTS) || holds(&f, "!!!!", SCRY_WORDS_PARTS));
    f.has_position = false;
    assert_false(holds(&f, "Munich", SCRY_WORDS_PLACE) || holds(&f, "munich", SCRY_WORDS_WHOLE));
    f = (scry_file){ .relative = "New York/a.jpg" };   /* a place's name that is a text */
    assert_true(holds(&f, "new york", SCRY_WORDS_NAMED) && holds(&f, "york", SCRY_WORDS_NAMED));
    assert_false(holds(&f, "New York", SCRY_WORDS_PLACE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known),
        cmocka_unit_test(another_table_is_another_version),
        cmocka_unit_test(all_of_the_table),
        cmocka_unit_test(every_name_is_found),
        cmocka_unit_test(texts),
        cmocka_unit_test(titles),
        cmocka_unit_test(languages),
        cmocka_unit_test(words_of_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
