#include "store/outlines.h"

#include "store/places.h"
#include "store/places_table.h"

#include <math.h>
#include <stdbool.h>
#include <stddef.h>

static const double degree_km = 111.2, radian = 3.14159265358979323846 / 180;

typedef struct {
    double latitude, longitude;
    double across;                 /* a degree of longitude here, as a part of one of latitude */
    double reach, reach_across;    /* degrees */
    double crossing;               /* the longitude of the nearest line to the west */
    scry_outline found;
} search;

static uint32_t place_of(uint16_t side)
{
    return side == SCRY_OUTLINE_NOWHERE ? SCRY_NO_PLACE : side;
}

/* From -180 to 180. */
static double turned(double longitude)
{
    return longitude > 180 ? longitude - 360 : longitude < -180 ? longitude + 360 : longitude;
}

static int32_t next_number(const uint8_t **at)
{
    uint32_t n = 0;
    int shift = 0;
    for (; **at & 0x80; ++*at, shift += 7)
        n |= (uint32_t)(**at & 0x7F) << shift;
    n |= (uint32_t)*(*at)++ << shift;
    return n & 1 ? -(int32_t)((n + 1) / 2) : (int32_t)(n / 2);
}

typedef struct {
    double latitude, longitude;
} point;

static void look_west(search *s, const scry_places_outline *o, point a, point b)
{
    if ((a.latitude <= s->latitude) == (b.latitude <= s->latitude))
        return;
    double longitude = a.longitude + (s->latitude - a.latitude) / (b.latitude - a.latitude) * (b.longitude - a.longitude);
    if (longitude > s->longitude || longitude <= s->crossing)
        return;
    s->crossing = longitude;
    s->found.inside = place_of(a.latitude < b.latitude ? o->right : o->left);
}

/* How far a line between two points is, as on a plane. */
static double distance_km(const search *s, point a, point b)
{
    double ax = turned(a.longitude - s->longitude) * s->across, ay = a.latitude - s->latitude;
    double dx = (b.longitude - a.longitude) * s->across, dy = b.latitude - a.latitude, length = dx * dx + dy * dy;
    double t = length > 0 ? fmin(fmax(-(ax * dx + ay * dy) / length, 0), 1) : 0;
    return degree_km * hypot(ax + t * dx, ay + t * dy);
}

static bool is_west(const search *s, const scry_places_outline *o)
{
    return o->south <= s->latitude * 100 && o->north >= s->latitude * 100 && o->west <= s->longitude * 100 &&
           o->east >= s->crossing * 100;
}

static bool is_near(const search *s, const scry_places_outline *o)
{
    double middle = (o->west + o->east) / 200.0, half = (o->east - o->west) / 200.0;
    return o->south / 100.0 <= s->latitude + s->reach && o->north / 100.0 >= s->latitude - s->reach &&
           fabs(turned(middle - s->longitude)) <= half + s->reach_across;
}

/* Calls fn for each part of a piece. */
static void each_part(search *s, const scry_places_outline *o,
                      void (*fn)(search *s, const scry_places_outline *o, point a, point b))
{
    const scry_places_outline *last = scry_places_outlines() + scry_places_head()->outlines - 1;
    const uint8_t *at = scry_places_outline_points() + o->points;
    const uint8_t *end = scry_places_outline_points() + (o == last ? scry_places_head()->outline_bytes : o[1].points);
    int32_t latitude = o->south * (SCRY_OUTLINE_UNIT / 100), longitude = o->west * (SCRY_OUTLINE_UNIT / 100);
    point a = { 0, 0 };
    for (bool first = true; at < end; first = false) {
        latitude += next_number(&at);
        longitude += next_number(&at);
        point b = { (double)latitude / SCRY_OUTLINE_UNIT, (double)longitude / SCRY_OUTLINE_UNIT };
        if (!first)
            fn(s, o, a, b);
        a = b;
    }
}

/* The side that is not where the position is; of a line of which both sides are others, either. */
static void look_around(search *s, const scry_places_outline *o, point a, point b)
{
    uint32_t left = place_of(o->left), right = place_of(o->right);
    uint32_t other = left != SCRY_NO_PLACE && left != s->found.inside ? left : right;
    if (other == SCRY_NO_PLACE || other == s->found.inside)
        return;
    double km = distance_km(s, a, b);
    if (km < s->found.next_km) {
        s->found.next = other;
        s->found.next_km = km;
    }
}

/* The first piece whose box begins at this latitude or north of it. */
static const scry_places_outline *first_from(double latitude)
{
    const scry_places_outline *all = scry_places_outlines();
    size_t first = 0, end = scry_places_head()->outlines;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (all[middle].south < latitude * 100)
            first = middle + 1;
        else
            end = middle;
    }
    return all + first;
}

scry_outline scry_outline_at(double latitude, double longitude, double most_km)
{
    const scry_places_outline *end = scry_places_outlines() + scry_places_head()->outlines;
    search s = { .latitude = fmin(fmax(latitude, -89.9), 89.9), .longitude = longitude, .crossing = -INFINITY,
                 .found = { SCRY_NO_PLACE, SCRY_NO_PLACE, most_km } };
    s.across = cos(s.latitude * radian);
    s.reach = most_km / degree_km;
    s.reach_across = s.reach / fmax(cos(fmin(fabs(s.latitude) + s.reach, 89.9) * radian), 0.001);
    const double height = SCRY_OUTLINE_HEIGHT / 100.0, north = (s.latitude + s.reach) * 100;
    for (const scry_places_outline *o = first_from(s.latitude - height); o < end && o->south <= s.latitude * 100; o++)
        if (is_west(&s, o))
            each_part(&s, o, look_west);
    for (const scry_places_outline *o = first_from(s.latitude - height - s.reach); o < end && o->south <= north; o++)
        if (is_near(&s, o))
            each_part(&s, o, look_around);
    return s.found;
}
