/* place_cache.h - the places of the collection's pictures, kept between requests: routes_places.c. */
#ifndef SCRY_SERVER_PLACE_CACHE_H
#define SCRY_SERVER_PLACE_CACHE_H

struct place_cache;

struct place_cache *place_cache_new(void);
void place_cache_free(struct place_cache *c);   /* NULL is legal; no request may use it any more */

#endif
