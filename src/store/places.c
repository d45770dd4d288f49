#include "store/places.h"

#include "base/alloc.h"
#include "store/predicates.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* places/places.bin, as tools/places/make.py describes it. */
__asm__(".section .rodata\n"
        ".balign 16\n"
        ".hidden scry_places_table\n"
        ".global scry_places_table\n"
        "scry_places_table: .incbin \"places/places.bin\"\n"
        ".byte 0\n"
        ".previous\n");
extern const uint8_t scry_places_table[] __attribute__((visibility("hidden")));

typedef struct {
    int32_t latitude, longitude;   /* 1/10000 degree; of cities */
    uint32_t names;
    uint16_t metre_pairs, around;
} record;

typedef struct {
    char magic[8];
    uint32_t countries, regions, cities, name_bytes, names, zero;
} header;

/* As tools/places/make.py orders them. */
enum { LANGUAGES = 9 };
static const char languages[LANGUAGES][3] = { "en", "ru", "de", "es", "fr", "zh", "it", "pt", "ja" };

static const double nearby_km = 30, region_km = 100, around_km = 200;   /* no city is as large */

static const header *head(void)
{
    return (const header *)(const void *)scry_places_table;
}

static const record *records(void)
{
    return (const record *)(const void *)(head() + 1);
}

static const uint32_t *name_offsets(void)
{
    return (const uint32_t *)(const void *)(records() + scry_places_count());
}

/* [places, LANGUAGES] */
static const uint8_t *shown_names(void)
{
    return (const uint8_t *)(name_offsets() + head()->names);
}

static const char *name_bytes(void)
{
    return (const char *)(shown_names() + LANGUAGES * scry_places_count());
}

/* ---- one place ---- */

size_t scry_places_count(void)
{
    return (size_t)head()->countries + head()->regions + head()->cities;
}

scry_place_kind scry_place_kind_of(uint32_t place)
{
    uint32_t countries = head()->countries;
    return place < countries ? SCRY_PLACE_COUNTRY : place - countries < head()->regions ? SCRY_PLACE_REGION : SCRY_PLACE_CITY;
}

uint32_t scry_place_around(uint32_t place)
{
    return records()[place].around;
}

const char *scry_place_names(uint32_t place)
{
    return name_bytes() + records()[place].names;
}

uint32_t scry_place_metres(uint32_t place)
{
    return 2u * records()[place].metre_pairs;
}

bool scry_place_is_in(uint32_t place, uint32_t around)
{
    while (place != around && scry_place_kind_of(place) != SCRY_PLACE_COUNTRY)
        place = scry_place_around(place);
    return place == around;
}

/* ---- all names ---- */

size_t scry_place_names_count(void)
{
    return head()->names;
}

const char *scry_place_name(size_t i)
{
    return name_bytes() + name_offsets()[i];
}

/* The last place whose names begin at this one or before. */
uint32_t scry_place_named(size_t i)
{
    const record *all = records();
    size_t first = 0, end = scry_places_count();
    while (end - first > 1) {
        size_t middle = first + (end - first) / 2;
        if (all[middle].names <= name_offsets()[i])
            first = middle;
        else
            end = middle;
    }
    return (uint32_t)first;
}

/* ---- positions ---- */

/* The first city from this latitude on. */
static size_t first_from(double latitude)
{
    const record *all = records();
    size_t end = scry_places_count(), first = end - head()->cities;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (all[middle].latitude < latitude * 1e4)
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

/* Length of a degree of longitude, as a part of one of latitude, where it is shortest up to `reach` degrees from this latitude. */
static double shortest_across(double latitude, double reach)
{
    double farthest = fmin(fabs(latitude) + reach, 90), radian = 3.14159265358979323846 / 180;
    return fmax(cos(farthest * radian), 0.01);
}

typedef struct {
    const record *largest, *nearest, *around;
    double nearest_km, around_km;
} choice;

static void consider(choice *c, const record *candidate, double km)
{
    bool there = km * 1000 <= 2.0 * candidate->metre_pairs;
    if (there && (!c->largest || candidate->metre_pairs > c->largest->metre_pairs))
        c->largest = candidate;
    if ((there || km <= nearby_km) && km < c->nearest_km) {
        c->nearest = candidate;
        c->nearest_km = km;
    }
    if (km <= around_km && km < c->around_km) {
        c->around = candidate;
        c->around_km = km;
    }
}

/* Whether a city that is at least so far away changes nothing. */
static bool is_too_far(const choice *c, const record *candidate, double km)
{
    return km > 0.002 * candidate->metre_pairs && km > fmin(c->around_km, around_km);
}

static uint32_t number_of(const record *r)
{
    return r ? (uint32_t)(r - records()) : SCRY_NO_PLACE;
}

scry_places scry_places_near(double latitude, double longitude)
{
    const record *all = records();
    size_t count = scry_places_count();
    choice c = { NULL, NULL, NULL, INFINITY, INFINITY };
    if (!(fabs(latitude) <= 90 && fabs(longitude) <= 180))
        return (scry_places){ SCRY_NO_PLACE, SCRY_NO_PLACE, SCRY_NO_PLACE };
    const double reach = around_km / 111, shortest = shortest_across(latitude, reach);
    const int32_t last = (int32_t)((latitude + reach) * 1e4), here = (int32_t)lround(longitude * 1e4);
    const int32_t across = (int32_t)fmin(reach / shortest * 1e4 + 1, 1800000);
    for (size_t i = first_from(latitude - reach); i < count && all[i].latitude <= last; i++) {
        int32_t apart = abs(all[i].longitude - here);
        apart = apart < 1800000 ? apart : 3600000 - apart;
        if (apart <= across && !is_too_far(&c, &all[i], 110 * hypot(apart / 1e4 * shortest, all[i].latitude / 1e4 - latitude)))
            consider(&c, &all[i], scry_distance_km(latitude, longitude, all[i].latitude / 1e4, all[i].longitude / 1e4));
    }
    uint32_t around = c.around ? c.around->around : SCRY_NO_PLACE;
    if (c.around_km > region_km && c.around)
        around = scry_place_around(around);
    return (scry_places){ number_of(c.largest ? c.largest : c.nearest), number_of(c.nearest), around };
}

/* ---- texts ---- */

static size_t language_number(const char *tag)
{
    if (!tag || !tag[0] || !tag[1] || (tag[2] && tag[2] != '-' && tag[2] != '_'))
        return LANGUAGES;
    for (size_t i = 0; i < LANGUAGES; i++)
        if ((tag[0] | 0x20) == languages[i][0] && (tag[1] | 0x20) == languages[i][1])
            return i;
    return LANGUAGES;
}

bool scry_place_knows_language(const char *language)
{
    return language_number(language) < LANGUAGES;
}

static const char *name_in(uint32_t place, size_t language, size_t *size)
{
    const char *name = scry_place_names(place);
    for (uint8_t skipped = shown_names()[LANGUAGES * (size_t)place + language]; skipped; skipped--)
        name += strcspn(name, "\n") + 1;
    *size = strcspn(name, "\n");
    return name;
}

const char *scry_place_shown_name(uint32_t place, const char *language, size_t *size)
{
    size_t number = language_number(language);
    return name_in(place, number < LANGUAGES ? number : 0, size);
}

/* Whether a larger city of the same country is shown by the same name. */
static bool is_second(uint32_t city, size_t language)
{
    size_t n, other, count = scry_places_count();
    const char *name = name_in(city, language, &n);
    uint32_t country = scry_place_around(scry_place_around(city)), metres = scry_place_metres(city);
    for (uint32_t i = head()->countries + head()->regions; i < count; i++)
        if (scry_place_metres(i) > metres && scry_place_is_in(i, country) && strncmp(name_in(i, language, &other), name, n) == 0 &&
            other == n)
            return true;
    return false;
}

char *scry_place_title(uint32_t place, const char *language)
{
    uint32_t around = scry_place_around(place), country = scry_place_around(around);
    size_t number = language_number(language), n, region_size, country_size;
    number = number < LANGUAGES ? number : 0;
    const char *name = name_in(place, number, &n), *region = name_in(around, number, &region_size);
    const char *land = name_in(country, number, &country_size);
    if (around == place)
        return scry_strndup(name, n);
    if (around != country && is_second(place, number))
        return scry_asprintf("%.*s, %.*s, %.*s", (int)n, name, (int)region_size, region, (int)country_size, land);
    return scry_asprintf("%.*s, %.*s", (int)n, name, (int)country_size, land);
}

/* The largest city there, else what is around. */
char *scry_place_text_in(double latitude, double longitude, const char *language)
{
    scry_places p = scry_places_near(latitude, longitude);
    uint32_t place = p.largest != SCRY_NO_PLACE ? p.largest : p.around;
    return place == SCRY_NO_PLACE ? NULL : scry_place_title(place, language);
}

char *scry_place_text(double latitude, double longitude)
{
    return scry_place_text_in(latitude, longitude, NULL);
}
