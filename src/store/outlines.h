/* outlines.h - the region or country that a position is in, by the outlines of the table of places (tools/places/outlines.py).
 *
 *     scry_outline o = scry_outline_at(36.06, -112.14, 25);   // o.inside is Arizona
 *
 * Outlines are pieces of lines with a place on either side. The first line to the west of a position says where it is. Any thread.
 */
#ifndef SCRY_STORE_OUTLINES_H
#define SCRY_STORE_OUTLINES_H

#include <stdint.h>

typedef struct scry_outline {
    uint32_t inside;   /* a region, or a country; SCRY_NO_PLACE: none, as at sea */
    uint32_t next;     /* the nearest other one; SCRY_NO_PLACE: none within the distance that was asked for */
    double next_km;
} scry_outline;

/* Of a position on the globe. Some 20 us. */
scry_outline scry_outline_at(double latitude, double longitude, double most_km);

#endif
