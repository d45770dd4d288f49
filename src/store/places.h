/* places.h - the names of the places at a position: a table of cities (tools/places/make.py, from GeoNames).
 *
 *     scry_places p = scry_places_near(48.137, 11.575);
 *     p.largest       // "Munich\nGermany\nMünchen\nМюнхен...": city, country, other names of the city
 *
 * A city is at a position that is as near to its middle as the table says for its size. The table is part of the library and read
 * where it is asked. Any thread.
 */
#ifndef SCRY_STORE_PLACES_H
#define SCRY_STORE_PLACES_H

/* Names, separated by newlines; they live as long as the program. */
typedef struct scry_places {
    const char *largest;   /* the largest city there, else the nearest one within 30 km; NULL: none */
    const char *nearest;   /* the nearest city, or part of one, that is there or within 30 km; NULL: none */
} scry_places;

scry_places scry_places_near(double latitude, double longitude);

/* The largest city there and its country, for people: "Munich, Germany", owned by the caller; NULL: none. */
char *scry_place_text(double latitude, double longitude);

#endif
