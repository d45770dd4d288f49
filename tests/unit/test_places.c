/* Places: known ones, the table's edges and order, a search of the whole table for random positions, and names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/crc32c.h"
#include "store/outlines.h"
#include "store/place_groups.h"
#include "store/place_names.h"
#include "store/places.h"
#include "store/predicates.h"
#include "store/words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TABLE_CRC = 0xbc857b7e, LANGUAGES = 9, MOST_BYTES = 4000000 };

static void known(void **state)
{
    static const struct { double latitude, longitude; const char *text, *around; } places[] = {
        { 48.137, 11.575, "Munich, Germany", "Bavaria" }, { 48.8584, 2.2945, "Paris, France", "\xC3\x8Ele-de-France" },
        { 41.4036, 2.1744, "Barcelona, Spain", "Catalonia" }, { 55.7539, 37.6208, "Moscow, Russia", "Moscow" },
        { 47.5576, 10.7498, "F\xC3\xBCssen, Germany", "Bavaria" }, { -33.8568, 151.2153, "Sydney, Australia", "New South Wales" },
        { -18.1416, 178.4419, "Suva, Fiji", "Central" }, { 40.7484, -73.9857, "New York City, United States", "New York" },
        { 33.6609, -95.5555, "Paris, United States", "Texas" }, { 43.6615, -70.2553, "Portland, Maine, United States", "Maine" },
        { 1.29, 103.85, "Singapore, Singapore", "Singapore" }, { 65.6, -17.5, "Akureyri, Iceland", "Northeastern" },
        { 36.06, -112.14, "Arizona, United States", "Arizona" },
        { 31.62, 74.8765, "Amritsar, India", "Punjab" },   /* in reach of Lahore, 50 km away in Pakistan */
        { 42.31, -83.03, "Windsor, Canada", "Ontario" }, { 42.3314, -83.0458, "Detroit, United States", "Michigan" },
        { 36.6, -113.4, "Arizona, United States", "Arizona" },   /* over 30 km from any settlement */
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
        { 0, -30 }, { 90, 0 }, { 91, 0 }, { 0, 181 }, { NAN, 0 }, { 0, INFINITY }, { 0, -180 },
    };
    for (size_t i = 0; i < sizeof nowhere / sizeof *nowhere; i++) {
        scry_places p = scry_places_near(nowhere[i][0], nowhere[i][1]);
        assert_true(p.largest == SCRY_NO_PLACE && p.nearest == SCRY_NO_PLACE);
        assert_true(p.across == SCRY_NO_PLACE && p.around == SCRY_NO_PLACE);
        assert_null(scry_place_text(nowhere[i][0], nowhere[i][1]));
    }
}

typedef struct {
    int32_t latitude, longitude;
    uint32_t names;
    uint16_t metre_pairs, around;
} record;

typedef struct {
    uint32_t magic[2], countries, regions, cities, names, codes, outlines, outline_bytes, name_bytes;
    char languages[12][3];
} header;

/* places.bin; the caller frees it. */
static char *read_table(header *h, size_t *size)
{
    const char *top = getenv("SCRY_TOP");
    char *path = scry_asprintf("%s/places/places.bin", top ? top : "."), *all = scry_alloc(MOST_BYTES);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    *size = fread(all, 1, MOST_BYTES, f);   /* no larger */
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
    size_t size, languages = 0;
    char *all = read_table(&h, &size);
    for (; scry_place_language(languages); languages++)
        assert_string_equal(scry_place_language(languages), h.languages[languages]);
    assert_int_equal(languages, LANGUAGES);
    assert_string_equal(SCRY_WORDS_VERSION, "6");
    assert_int_equal(scry_crc32c(0, all, size), TABLE_CRC);
    assert_true(scry_places_count() == h.countries + h.regions + h.cities);
    assert_true(scry_places_count() < 1 << 20 && h.countries + h.regions < 65535);
    assert_int_equal(size, sizeof h + scry_places_count() * sizeof(record) + h.codes * 8ull + h.outlines * 16ull + h.outline_bytes +
                               h.names * 3ull + h.name_bytes);
    free(all);
}

static uint32_t country_of(const record *all, uint32_t place)
{
    while (place != SCRY_NO_PLACE && all[place].around != place)
        place = all[place].around;
    return place;
}

/* What scry_places_near says, with every city looked at. */
static scry_places places_by_all(const record *all, const header *h, double latitude, double longitude)
{
    const record *first = all + h->countries + h->regions, *around = NULL;
    const record *found[2][2] = { { NULL } };   /* [any, at home][largest, nearest] */
    scry_outline o = scry_outline_at(latitude, longitude, 25);
    double closest = 200;
    for (const record *c = first; c < first + h->cities; c++) {
        double km = scry_distance_km(latitude, longitude, c->latitude / 1e4, c->longitude / 1e4);
        if (km < closest) {
            around = c;
            closest = km;
        }
    }
    uint32_t theirs = around ? around->around : SCRY_NO_PLACE, place = o.inside != SCRY_NO_PLACE ? o.inside : o.next;
    bool lacks_outline = around && theirs >= h->countries && !all[theirs].latitude;
    if (place == SCRY_NO_PLACE)
        place = around && closest > 100 ? country_of(all, theirs) : theirs;
    else if (around && ((theirs == o.next && o.next_km <= 3 && closest <= 1) ||
                        (lacks_outline && closest <= 100 && country_of(all, theirs) == country_of(all, place))))
        place = theirs;
    uint32_t home = country_of(all, place);
    bool at_sea = home != country_of(all, o.inside) && home != country_of(all, o.next);
    double best[2] = { INFINITY, INFINITY };
    for (const record *c = first; c < first + h->cities; c++) {
        double km = scry_distance_km(latitude, longitude, c->latitude / 1e4, c->longitude / 1e4);
        bool there = km * 500 <= c->metre_pairs;
        for (int k = 0; k < 2; k++) {
            if (k == 1 && !at_sea && home != country_of(all, c->around))
                continue;
            if (there && (!found[k][0] || c->metre_pairs > found[k][0]->metre_pairs))
                found[k][0] = c;
            if ((there || km <= 30) && km < best[k]) {
                found[k][1] = c;
                best[k] = km;
            }
        }
    }
    const record *any = found[0][0] ? found[0][0] : found[0][1], *largest = found[1][0] ? found[1][0] : found[1][1];
    if (any && scry_distance_km(latitude, longitude, any->latitude / 1e4, any->longitude / 1e4) > 15)
        any = NULL;
    return (scry_places){ .largest = largest ? (uint32_t)(largest - all) : SCRY_NO_PLACE,
                          .nearest = found[1][1] ? (uint32_t)(found[1][1] - all) : SCRY_NO_PLACE,
                          .across = any && any != largest ? (uint32_t)(any - all) : SCRY_NO_PLACE, .around = place };
}

/* The same from the file. */
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
        const uint32_t names = all[i].names & 0x7FFFFFFF;
        assert_true(kind == SCRY_PLACE_COUNTRY ? all[i].around == i : around < kind);
        assert_true(names < h.name_bytes && (i == 0 || (all[i - 1].names & 0x7FFFFFFF) < names));
        assert_true(kind != SCRY_PLACE_CITY || all[i].metre_pairs < 60000);
        assert_true(kind != SCRY_PLACE_CITY || &all[i] == cities || all[i - 1].latitude <= all[i].latitude);
    }
    srand(3);
    size_t found = 0, across = 0;
    for (int run = 0; run < 400; run++) {
        const record *near = &cities[(size_t)rand() % h.cities];
        double latitude = fmin(fmax(near->latitude / 1e4 + (rand() % 2000 - 1000) / 2e3, -90), 90);
        double longitude = remainder(near->longitude / 1e4 + (rand() % 2000 - 1000) / 2e3, 360);
        scry_places p = scry_places_near(latitude, longitude), q = places_by_all(all, &h, latitude, longitude);
        if (p.largest != q.largest || p.nearest != q.nearest || p.across != q.across || p.around != q.around)
            fail_msg("%g, %g: %u %u %u %u, not %u %u %u %u", latitude, longitude, p.largest, p.nearest, p.across, p.around, q.largest, q.nearest,
                     q.across, q.around);
        found += p.largest != SCRY_NO_PLACE;
        across += p.across != SCRY_NO_PLACE;
    }
    if (found <= 200 || found == 400 || across == 0)
        fail_msg("%zu found, %zu across a border", found, across);
    free(all);
}

static bool is_named(uint32_t place, const char *text)
{
    scry_buf places = SCRY_BUF_INIT(1 << 20);
    bool held = false;
    scry_places_of_text(&places, text);
    for (size_t k = 0; k < places.size / sizeof place; k++)
        held |= memcmp(places.data + k * sizeof place, &place, sizeof place) == 0;
    scry_buf_dispose(&places);
    return held;
}

/* The country with this code in the table. */
static uint32_t country_with(const char *code)
{
    header h;
    size_t size;
    char *file = read_table(&h, &size);
    const char *at = file + sizeof h + scry_places_count() * sizeof(record);
    uint32_t found = SCRY_NO_PLACE;
    for (size_t i = 0; i < h.codes; i++, at += 8) {
        uint16_t place;
        memcpy(&place, at + 4, sizeof place);
        if (strncmp(at, code, 4) == 0 && place < h.countries)
            found = place;
    }
    free(file);
    return found;
}

static int name_size(uint32_t place)
{
    return place == SCRY_NO_PLACE ? 0 : (int)strcspn(scry_place_names(place), "\n");
}

/* tests/golden/make_places.py: written by hand, and by another program. */
static void regions_and_countries(void **state)
{
    const char *top = getenv("SCRY_TOP");
    char *path = scry_asprintf("%s/tests/golden/places.tsv", top ? top : "."), line[512];
    FILE *f = fopen(path, "r");
    size_t rows = 0, wrong = 0;
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        char country[8], region[128], *tab = strchr(strchr(strchr(line, '\t') + 1, '\t') + 1, '\t');
        double latitude, longitude;
        assert_int_equal(sscanf(line, "%lf\t%lf\t%7[^\t]", &latitude, &longitude, country), 3);
        snprintf(region, sizeof region, "%.*s, %s", (int)strcspn(tab + 1, "\t"), tab + 1, country);
        uint32_t around = scry_places_near(latitude, longitude).around, land = around;
        while (land != SCRY_NO_PLACE && scry_place_kind_of(land) != SCRY_PLACE_COUNTRY)
            land = scry_place_around(land);
        if (land == SCRY_NO_PLACE || land != country_with(country) || (region[0] != ',' && !is_named(around, region))) {
            print_message("%s: %.*s, %.*s\n", strtok(line, "\n"), name_size(around), around == SCRY_NO_PLACE ? "" : scry_place_names(around),
                          name_size(land), land == SCRY_NO_PLACE ? "" : scry_place_names(land));
            wrong++;
        }
        rows++;
    }
    fclose(f);
    free(path);
    assert_true(rows > 500);
    assert_int_equal(wrong, 0);
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
        { "Paris", "Paris, France", 2, 9 }, { "Paris, France", "Paris, France", 1, 1 }, { "paris, texas", "Paris, United States", 1, 1 },
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
        { "Koeln, Germany", "Cologne, Germany", 1, 1 }, { "Fuessen", "Füssen, Germany", 1, 1 }, { "Qamoe", NULL, 0, 0 },
        { "'s-Hertogenbosch", "'s-Hertogenbosch, The Netherlands", 1, 1 }, { "Frankfurt am Main, Hesse", "Frankfurt am Main, Germany", 1, 1 },
        { "Pariss", NULL, 0, 0 }, { "", NULL, 0, 0 }, { ",", NULL, 0, 0 }, { "a dog at the lake", NULL, 0, 0 }, { "Paris, ,France", "Paris, France", 1, 1 },
        { "Paris, TX", "Paris, United States", 1, 1 }, { "paris tx", "Paris, United States", 1, 1 }, { "Paris, TX, USA", "Paris, United States", 1, 1 },
        { "Springfield, IL", "Springfield, Illinois, United States", 1, 3 }, { "Portland, OR", "Portland, United States", 1, 1 },
        { "Portland, ME", "Portland, Maine, United States", 1, 1 }, { "Toronto, ON", "Toronto, Canada", 1, 3 }, { "Berlin, DE", "Berlin, Germany", 1, 30 },
        { "TX", "Texas, United States", 1, 1 }, { "nsw", "New South Wales, Australia", 1, 1 }, { "USA", "United States", 1, 1 },
        { "DEU", "Germany", 1, 1 }, { "NRW", "North Rhine-Westphalia, Germany", 1, 1 }, { "Köln, NRW", "Cologne, Germany", 1, 1 },
        { "Springfield, QQ", NULL, 0, 0 }, { "Arizona", "Arizona, United States", 1, 3 }, { "UAE", "United Arab Emirates", 1, 1 },
        { "США", "United States", 1, 1 }, { "Hallstatt", "Hallstatt, Austria", 1, 3 },
        { "Europe", "Germany", 50, 60 }, { "европа", "Russia", 50, 60 }, { "Afrika", "Egypt", 50, 60 }, { "Nordamerika", "Mexico", 35, 45 },
        { "South America", "Peru", 14, 14 }, { "skandinavien", "Norway", 3, 3 }, { "Rome, Europe", "Rome, Italy", 1, 1 }, { "Rome, Asia", NULL, 0, 0 },
        { "SF", "San Francisco, United States", 1, 1 }, { "Catalunya", "Catalonia, Spain", 1, 1 },
        { "Barcelona, Catalunya", "Barcelona, Spain", 1, 1 }, { "Großbritannien", "United Kingdom", 1, 1 }, { "Türkiye", "Turkey", 1, 2 },
        { "Teneriffa", "Santa Cruz de Tenerife, Spain", 5, 60 }, { "Mallorca", "Palma, Spain", 5, 90 }, { "Bodensee", "Konstanz, Germany", 5, 60 },
        { "Holland", "The Netherlands", 2, 2 }, { "Korea", "South Korea", 2, 2 }, { "Britain", "United Kingdom", 1, 1 },
        { "Emirates", "United Arab Emirates", 1, 1 }, { "Cracow", "Kraków, Poland", 1, 1 }, { "Крым", "Crimea, Ukraine", 1, 1 },
        { "Java", "Bandung, Indonesia", 200, 300 },
        { "Borneo", "Kuching, Malaysia", 80, 100 }, { "Florida Keys", "Key West, United States", 5, 8 }, { "Constantinople", "Istanbul, Turkey", 1, 3 },
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

typedef struct {
    size_t names;
    const char *without;   /* a name that finds nothing */
} checked_names;

static void check_name(void *arg, const char *name)
{
    checked_names *c = arg;
    scry_buf places = SCRY_BUF_INIT(1 << 20), words = SCRY_BUF_INIT(1 << 16);
    size_t n = scry_places_of_text(&places, name), most = n;
    if (n == 0)
        c->without = name;
    scry_words_of_text(&words, name, strlen(name));
    (void)scry_places_of_words(&places, scry_buf_str(&words));   /* in a query the same places, and of other forms of the name */
    if (places.size / sizeof(uint32_t) < most)
        c->without = name;
    for (size_t i = 0; i < places.size / sizeof(uint32_t); i++) {
        uint32_t place;
        memcpy(&place, places.data + i * sizeof place, sizeof place);
        assert_true(place < scry_places_count());
    }
    c->names++;
    scry_buf_dispose(&places);
    scry_buf_dispose(&words);
}

/* Every name of a group of places finds some. */
static void groups(void **state)
{
    checked_names c = { .names = 0 };
    scry_place_group_names(check_name, &c);
    assert_true(c.names > 100);
    if (c.without)
        fail_msg("%s finds nothing", c.without);
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
    scry_file windsor = { .relative = "a.jpg", .has_position = true, .latitude = 42.31, .longitude = -83.03 };
    scry_file amritsar = { .relative = "a.jpg", .has_position = true, .latitude = 31.62, .longitude = 74.8765 };
    assert_true(holds(&windsor, "Windsor, ON", SCRY_WORDS_PLACE) && holds(&windsor, "Detroit", SCRY_WORDS_PLACE));
    assert_false(holds(&windsor, "USA", SCRY_WORDS_PLACE) || holds(&amritsar, "Lahore", SCRY_WORDS_PLACE));
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
        cmocka_unit_test(regions_and_countries),
        cmocka_unit_test(every_name_is_found),
        cmocka_unit_test(texts),
        cmocka_unit_test(groups), cmocka_unit_test(titles),
        cmocka_unit_test(languages),
        cmocka_unit_test(words_of_places),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
