/* places_table.h - places/places.bin as it lies in memory (tools/places/make.py), for places.c and outlines.c. */
#ifndef SCRY_STORE_PLACES_TABLE_H
#define SCRY_STORE_PLACES_TABLE_H

#include <stdint.h>

typedef struct {
    char magic[8];
    uint32_t countries, regions, cities, names, codes, outlines, outline_bytes, name_bytes;
    char languages[12][3];   /* "en"; "" behind the last */
} scry_places_header;

/* Of names that another than the first one is shown of in some language. */
#define SCRY_PLACE_HAS_SHOWN 0x80000000u

typedef struct {
    int32_t latitude, longitude;   /* 1/10000 degree, of cities; of regions 1, 0 if they have outlines */
    uint32_t names;                /* and SCRY_PLACE_HAS_SHOWN */
    uint16_t metre_pairs, around;
} scry_places_record;

/* Of a region or a country: "TX", "NSW", "US", "USA", with zero bytes behind. */
typedef struct {
    char code[4];
    uint16_t place, alone;   /* whether it is a name by itself; others stand behind that of a city */
} scry_places_code;

#define SCRY_OUTLINE_NOWHERE 0xFFFF
enum { SCRY_OUTLINE_UNIT = 1000,       /* points per degree */
       SCRY_OUTLINE_HEIGHT = 200 };    /* of a box, at most */

/* A piece of a line, in the order of `south`: where its points are, a box around it in 1/100 degree, the places on its sides. */
typedef struct {
    uint32_t points;
    int16_t south, west, north, east;
    uint16_t left, right;
} scry_places_outline;

extern const uint8_t scry_places_table[] __attribute__((visibility("hidden")));

static inline const scry_places_header *scry_places_head(void)
{
    return (const scry_places_header *)(const void *)scry_places_table;
}

static inline const scry_places_record *scry_places_records(void)
{
    return (const scry_places_record *)(const void *)(scry_places_head() + 1);
}

static inline const scry_places_code *scry_places_codes(void)
{
    const scry_places_header *h = scry_places_head();
    return (const scry_places_code *)(const void *)(scry_places_records() + h->countries + h->regions + h->cities);
}

/* All pieces; the points behind them, and behind these the names. */
static inline const scry_places_outline *scry_places_outlines(void)
{
    return (const scry_places_outline *)(const void *)(scry_places_codes() + scry_places_head()->codes);
}

static inline const uint8_t *scry_places_outline_points(void)
{
    return (const uint8_t *)(scry_places_outlines() + scry_places_head()->outlines);
}

#endif
