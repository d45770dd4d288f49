/* router.h - which handler answers a method and a path. */
#ifndef SCRY_SERVER_ROUTER_H
#define SCRY_SERVER_ROUTER_H

#include "server/request.h"

/* All route tables, ended by NULL; each table ends with a NULL method. */
extern const route *const route_tables[];
extern const route routes_page[], routes_search[], routes_images[], routes_uploads[], routes_lists[], routes_embed[],
    routes_change[], routes_status[], routes_index[], routes_tutorial[], routes_marks[], routes_zip[], routes_duplicates[],
    routes_ready[], routes_places[], routes_folders[];

/* The route for the request's method and path. NULL when there is none: *status is 404, or 405 and `allow` lists
 * the methods of the path. */
const route *route_find(request *r, int *status, char allow[64]);

#endif
