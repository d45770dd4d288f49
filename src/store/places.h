/* places.h - the places of the world: a table of countries, regions and cities (tools/places/make.py, from GeoNames).
 *
 *     scry_places p = scry_places_near(48.137, 11.575);
 *     scry_place_names(p.largest)       // "Munich\nМюнхен\nMünchen...": the main name, then others
 *     char *text = scry_place_title(p.largest, "de");   // "München, Deutschland"
 *     for (uint32_t at = p.around; ...; at = scry_place_around(at))   // Bavaria, Germany
 *
 * A place is a number, below scry_places_count(); countries come first, then regions (the first level below a country), then
 * cities. A city is at a position that is as near to its middle as the table says for its size. The table is part of the
 * library and read where it is asked. Any thread.
 */
#ifndef SCRY_STORE_PLACES_H
#define SCRY_STORE_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCRY_NO_PLACE UINT32_MAX

typedef enum { SCRY_PLACE_COUNTRY, SCRY_PLACE_REGION, SCRY_PLACE_CITY } scry_place_kind;

/* SCRY_NO_PLACE: there is none. */
typedef struct scry_places {
    uint32_t largest;   /* the largest city there, else the nearest one within 30 km, both of the country that the position is in */
    uint32_t nearest;   /* the nearest city, or part of one, that is there or within 30 km, of that country */
    uint32_t across;    /* the largest city there, else the nearest one, if it is another one of another country, within 15 km */
    uint32_t around;    /* the region, else the country, that the position is in, or at most 25 km from; far from all outlines the
                           region, else the country, of the nearest city within 100 km, its country within 200 */
} scry_places;

scry_places scry_places_near(double latitude, double longitude);

size_t scry_places_count(void);

/* Of a place, which is below scry_places_count(). */
scry_place_kind scry_place_kind_of(uint32_t place);
uint32_t scry_place_around(uint32_t place);       /* of a city the region or else country, of others the country */
const char *scry_place_names(uint32_t place);     /* separated by newlines, the main one first; they live as long as the program */
uint32_t scry_place_metres(uint32_t place);       /* how far a city reaches; 0 of others */

/* Whether `place` is `around` or lies in it. */
bool scry_place_is_in(uint32_t place, uint32_t around);

/* The names of all places in the order of their keys (tools/places/make.py): how many; each, which a newline or a zero byte ends;
 * and whose it is. */
size_t scry_place_names_count(void);
const char *scry_place_name(size_t i);
uint32_t scry_place_named(size_t i);

/* The languages of names: "en", which is the first, and others; NULL from the end on. tools/places/make.py says which. */
const char *scry_place_language(size_t i);

/* The name of a place in a language: `*size` bytes, of scry_place_names. A language is a tag whose first two letters are one of
 * these; it is English for any other and for NULL, and where the table has no name in it. */
const char *scry_place_shown_name(uint32_t place, const char *language, size_t *size);

/* Whether there are names in this language: "de", "de-AT", not "deutsch". */
bool scry_place_knows_language(const char *language);

/* For people, owned by the caller: "Germany", "Bavaria, Germany", "Munich, Germany"; "Paris, Texas, United States" where a larger
 * city of that country has the name. In a language as above. */
char *scry_place_title(uint32_t place, const char *language);

/* scry_place_text in a language: the title of the largest city at a position, else of what is around; NULL: of neither. */
char *scry_place_text_in(double latitude, double longitude, const char *language);

#endif
