#include "store/places.h"

#include "base/alloc.h"
#include "store/outlines.h"
#include "store/places_table.h"
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

typedef scry_places_record record;

static const double nearby_km = 30, region_km = 100, around_km = 200;   /* no city is as large */
static const double coast_km = 25;                  /* at sea, and where outlines leave out a beach or an island */
static const double across_km = 15;                 /* a city of another country that is as near is one of two */
static const double border_km = 3, at_home_km = 1;  /* how exact outlines are; so near a settlement is on the same side of them */

static const scry_places_header *head(void)
{
    return scry_places_head();
}

static const record *records(void)
{
    return scry_places_records();
}

static const char *name_bytes(void)
{
    return (const char *)(scry_places_outline_points() + head()->outline_bytes + 3 * (size_t)head()->names);
}

static uint32_t name_offset(size_t i)
{
    const uint8_t *at = scry_places_outline_points() + head()->outline_bytes + 3 * i;
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16;
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
    return name_bytes() + (records()[place].names & ~SCRY_PLACE_HAS_SHOWN);
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
    return name_bytes() + name_offset(i);
}

/* The last place whose names begin at this one or before. */
uint32_t scry_place_named(size_t i)
{
    const record *all = records();
    size_t first = 0, end = scry_places_count();
    while (end - first > 1) {
        size_t middle = first + (end - first) / 2;
        if ((all[middle].names & ~SCRY_PLACE_HAS_SHOWN) <= name_offset(i))
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
    uint32_t country;   /* of the cities that are considered; SCRY_NO_PLACE: all */
    const record *largest, *nearest, *around;
    double nearest_km, around_km;
} choice;

static choice choice_in(uint32_t country)
{
    return (choice){ country, NULL, NULL, NULL, INFINITY, INFINITY };
}

static uint32_t country_of(uint32_t place)
{
    while (place != SCRY_NO_PLACE && scry_place_kind_of(place) != SCRY_PLACE_COUNTRY)
        place = scry_place_around(place);
    return place;
}

static void consider(choice *c, const record *candidate, double km)
{
    bool there = km * 1000 <= 2.0 * candidate->metre_pairs;
    if (c->country != SCRY_NO_PLACE && country_of(candidate->around) != c->country)
        return;
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

/* Whether a city that is at least so far away changes nothing in any choice. */
static bool is_too_far(const choice *all, const record *candidate, double km)
{
    return km > 0.002 * candidate->metre_pairs && km > nearby_km && km > fmin(all->around_km, around_km);
}

static uint32_t number_of(const record *r)
{
    return r ? (uint32_t)(r - records()) : SCRY_NO_PLACE;
}

typedef struct {
    double latitude, longitude, shortest;
    int32_t here, across;   /* 1/10000 degree */
    choice *choices;
} looking;

static void look_at(const looking *l, const record *city)
{
    int32_t apart = abs(city->longitude - l->here);
    apart = apart < 1800000 ? apart : 3600000 - apart;
    double least_km = 110 * hypot(apart / 1e4 * l->shortest, city->latitude / 1e4 - l->latitude);
    if (apart > l->across || is_too_far(&l->choices[0], city, least_km))
        return;
    double km = scry_distance_km(l->latitude, l->longitude, city->latitude / 1e4, city->longitude / 1e4);
    for (int k = 0; k < 3; k++)
        consider(&l->choices[k], city, km);
}

/* Of all cities, and of those in the countries that two places are in; from here to the north, then to the south, so that near
 * ones come first. */
static void choose(choice choices[3], double latitude, double longitude)
{
    const double reach = around_km / 111, shortest = shortest_across(latitude, reach);
    const int32_t here = (int32_t)lround(longitude * 1e4), across = (int32_t)fmin(reach / shortest * 1e4 + 1, 1800000);
    const looking l = { latitude, longitude, shortest, here, across, choices };
    const record *all = records(), *cities = all + head()->countries + head()->regions, *middle = all + first_from(latitude);
    for (const record *c = middle; c < cities + head()->cities && c->latitude <= (latitude + reach) * 1e4; c++)
        look_at(&l, c);
    for (const record *c = middle; c > cities && c[-1].latitude >= (latitude - reach) * 1e4; c--)
        look_at(&l, c - 1);
}

/* By the outlines, unless a settlement near by says on which side of a border it is; regions without an outline are around their
 * settlements. */
static uint32_t region_at(const scry_outline *o, const record *city, double km)
{
    uint32_t inside = o->inside != SCRY_NO_PLACE ? o->inside : o->next, theirs = city ? city->around : SCRY_NO_PLACE;
    if (inside == SCRY_NO_PLACE)
        return city && km > region_km ? country_of(theirs) : theirs;
    if (!city)
        return inside;
    if (theirs == o->next && o->next_km <= border_km && km <= at_home_km)
        return theirs;
    bool has_outline = scry_place_kind_of(theirs) == SCRY_PLACE_COUNTRY || records()[theirs].latitude;
    return !has_outline && km <= region_km && country_of(theirs) == country_of(inside) ? theirs : inside;
}

scry_places scry_places_near(double latitude, double longitude)
{
    if (!(fabs(latitude) <= 90 && fabs(longitude) <= 180))
        return (scry_places){ SCRY_NO_PLACE, SCRY_NO_PLACE, SCRY_NO_PLACE, SCRY_NO_PLACE };
    scry_outline o = scry_outline_at(latitude, longitude, coast_km);
    choice choices[3] = { choice_in(SCRY_NO_PLACE), choice_in(country_of(o.inside)), choice_in(country_of(o.next)) };
    choose(choices, latitude, longitude);
    uint32_t around = region_at(&o, choices[0].around, choices[0].around_km);
    const choice *c = &choices[0];
    for (int k = 1; k < 3; k++)
        if (around != SCRY_NO_PLACE && choices[k].country == country_of(around))
            c = &choices[k];
    const record *largest = c->largest ? c->largest : c->nearest;
    const record *any = choices[0].largest ? choices[0].largest : choices[0].nearest;
    if (any && (any == largest || scry_distance_km(latitude, longitude, any->latitude / 1e4, any->longitude / 1e4) > across_km))
        any = NULL;
    return (scry_places){ number_of(largest), number_of(c->nearest), number_of(any), around };
}

/* ---- texts ---- */

const char *scry_place_language(size_t i)
{
    const size_t room = sizeof head()->languages / sizeof *head()->languages;
    return i < room && head()->languages[i][0] ? head()->languages[i] : NULL;
}

/* SIZE_MAX: there are no names in it. */
static size_t language_number(const char *tag)
{
    const char *language;
    if (!tag || !tag[0] || !tag[1] || (tag[2] && tag[2] != '-' && tag[2] != '_'))
        return SIZE_MAX;
    for (size_t i = 0; (language = scry_place_language(i)); i++)
        if ((tag[0] | 0x20) == language[0] && (tag[1] | 0x20) == language[1])
            return i;
    return SIZE_MAX;
}

bool scry_place_knows_language(const char *language)
{
    return language_number(language) != SIZE_MAX;
}

static const char *name_in(uint32_t place, size_t language, size_t *size)
{
    const char *name = scry_place_names(place);
    uint8_t skipped = records()[place].names & SCRY_PLACE_HAS_SHOWN ? (uint8_t)name[strlen(name) + 1 + language] : 0;
    for (; skipped; skipped--)
        name += strcspn(name, "\n") + 1;
    *size = strcspn(name, "\n");
    return name;
}

const char *scry_place_shown_name(uint32_t place, const char *language, size_t *size)
{
    size_t number = language_number(language);
    return name_in(place, number != SIZE_MAX ? number : 0, size);
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
    number = number != SIZE_MAX ? number : 0;
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
