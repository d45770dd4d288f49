#include "server/router.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <stdio.h>
#include <string.h>

const route *const route_tables[] = { routes_search, routes_images, routes_uploads, routes_lists, routes_embed, routes_change,
                                      routes_marks, routes_zip, routes_duplicates, routes_ready, routes_places, routes_page,
                                      routes_status, routes_index, routes_folders, routes_tutorial, NULL };

/* Match `path`; the segments at {x} are stored in r->param. */
static bool matches(request *r, const char *pattern, const char *path)
{
    size_t n = 0;
    for (size_t i = 0; i < MAX_PATH_PARAMS; i++) {
        free(r->param[i]);
        r->param[i] = NULL;
    }
    while (*pattern && *path) {
        if (*pattern == '{') {
            size_t len = strcspn(path, "/");
            if (len == 0 || n == MAX_PATH_PARAMS)
                return false;
            r->param[n++] = scry_strndup(path, len);
            path += len;
            pattern = strchr(pattern, '}') + 1;
        } else if (*pattern++ != *path++) {
            return false;
        }
    }
    return !*pattern && !*path;
}

const route *route_find(request *r, int *status, char allow[64])
{
    *status = 404;
    allow[0] = '\0';
    bool head = strcmp(r->method, "HEAD") == 0;
    for (size_t t = 0; route_tables[t]; t++)
        for (const route *c = route_tables[t]; c->method; c++) {
            if (!matches(r, c->pattern, r->path))
                continue;
            if (strcmp(c->method, r->method) == 0 || (head && strcmp(c->method, "GET") == 0))
                return c;
            *status = 405;
            if (strlen(allow) + strlen(c->method) + 3 < 64 && !strstr(allow, c->method)) {
                size_t n = strlen(allow);
                snprintf(allow + n, 64 - n, "%s%s", n ? ", " : "", c->method);
            }
        }
    return NULL;
}
