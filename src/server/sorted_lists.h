/* sorted_lists.h - lists of pictures in an order of their own, with random access to their pages.
 *
 * A list is made by one walk over the store (a second for 200,000 pictures) and kept until the collection changes, so that
 * a page that scrolls asks for any part of it at once; a list that does not ask for favourites is kept when one is set. The last
 * few lists are kept, 80 bytes for each of their pictures.
 */
#ifndef SCRY_SERVER_SORTED_LISTS_H
#define SCRY_SERVER_SORTED_LISTS_H

#include "engine/search_request.h"
#include "server/server.h"

struct list_cache *list_cache_new(void);
void list_cache_free(struct list_cache *c);   /* NULL is legal; no request may use it any more */

/* Whether the request asks for more than the order of the store: sort, reverse, unique or offset. */
bool is_sorted_list(const scry_search_request *q);

/* On a worker: {"total", "results", "cursor"}, a page of the list. */
void respond_sorted_list(request *r, const scry_search_request *q);

/* On a worker: {"total", "days"}: how many pictures each day has, in the order of sort=date. */
void respond_timeline(request *r, const scry_search_request *q);

/* On a worker: {"total", "cell_degrees", "cells"}: where pictures were taken, counted in cells of a grid. */
void respond_map(request *r, const scry_search_request *q);

/* On a worker: {"offset", "total", "before", "after"}: the pictures taken just before and after one, nearest first. */
void respond_neighbours(request *r, const scry_search_request *q, const uint8_t id[SCRY_ID_BYTES]);

#endif
