/* places_dump.c - "latitude longitude" a line on stdin to "region country": numbers of the table of places, -1 for none. For
 * tools/places/measure.py. */
#include "store/places.h"

#include <stdio.h>

int main(void)
{
    double latitude, longitude;
    while (scanf("%lf %lf", &latitude, &longitude) == 2) {
        uint32_t region = scry_places_near(latitude, longitude).around, country = region;
        while (country != SCRY_NO_PLACE && scry_place_kind_of(country) != SCRY_PLACE_COUNTRY)
            country = scry_place_around(country);
        printf("%d %d\n", (int)region, (int)country);
    }
    return 0;
}
