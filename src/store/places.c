#include "store/places.h"

#include "base/alloc.h"
#include "store/predicates.h"

#include <math.h>
#include <stdint.h>
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
    int32_t latitude, longitude;   /* 1/10000 degree */
    uint32_t metres, names;
} city;

enum { HEADER = 16 };
static const double nearby_km = 30, largest_km = 120;   /* no city is larger */

static const city *cities(size_t *count)
{
    uint32_t n;
    memcpy(&n, scry_places_table + 8, sizeof n);
    *count = n;
    return (const city *)(const void *)(scry_places_table + HEADER);
}

/* The first city from this latitude on. */
static size_t first_from(const city *all, size_t count, double latitude)
{
    size_t first = 0, end = count;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (all[middle].latitude < latitude * 1e4)
            first = middle + 1;
        else
            end = middle;
    }
    return first;
}

/* How far in longitude a city may be that is `reach` degrees away, in 1/10000 degree: more towards the poles. */
static double reach_across(double latitude, double reach)
{
    double farthest = fmin(fabs(latitude) + reach, 90), radian = 3.14159265358979323846 / 180;
    return reach / fmax(cos(farthest * radian), 0.01) * 1e4;
}

typedef struct {
    const city *largest, *nearest;
    double nearest_km;
} choice;

static void consider(choice *c, const city *candidate, double km)
{
    bool there = km * 1000 <= candidate->metres;
    if (there && (!c->largest || candidate->metres > c->largest->metres))
        c->largest = candidate;
    if ((there || km <= nearby_km) && km < c->nearest_km) {
        c->nearest = candidate;
        c->nearest_km = km;
    }
}

scry_places scry_places_near(double latitude, double longitude)
{
    size_t count;
    const city *all = cities(&count);
    choice c = { NULL, NULL, INFINITY };
    double reach = largest_km / 111, across = reach_across(latitude, reach);
    if (!(fabs(latitude) <= 90 && fabs(longitude) <= 180))
        return (scry_places){ NULL, NULL };
    for (size_t i = first_from(all, count, latitude - reach); i < count && all[i].latitude <= (latitude + reach) * 1e4; i++) {
        double apart = fabs(all[i].longitude - longitude * 1e4);
        if (apart <= across || apart >= 3600000 - across)
            consider(&c, &all[i], scry_distance_km(latitude, longitude, all[i].latitude / 1e4, all[i].longitude / 1e4));
    }
    const char *names = (const char *)(all + count);
    if (!c.largest)
        c.largest = c.nearest;
    return (scry_places){ c.largest ? names + c.largest->names : NULL, c.nearest ? names + c.nearest->names : NULL };
}

char *scry_place_text(double latitude, double longitude)
{
    const char *names = scry_places_near(latitude, longitude).largest;
    if (!names)
        return NULL;
    size_t first = strcspn(names, "\n"), second = strcspn(names + first + 1, "\n");
    return scry_asprintf("%.*s, %.*s", (int)first, names, (int)second, names + first + 1);
}
