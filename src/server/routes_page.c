/* routes_page.c - the page and its files, embedded in the program. */
#include "server/router.h"

#include "base/sha256.h"
#include "server/assets.h"
#include "server/auth.h"
#include "server/request.h"

#include <stdio.h>
#include <string.h>

static const char *type_of(const char *name)
{
    static const char *const types[][2] = {
        { ".html", "text/html; charset=utf-8" }, { ".css", "text/css; charset=utf-8" },
        { ".js", "text/javascript; charset=utf-8" }, { ".json", "application/json" }, { ".svg", "image/svg+xml" },
        { ".webmanifest", "application/manifest+json" }, { ".png", "image/png" },
    };
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof types / sizeof *types; i++)
        if (strcmp(types[i][0], dot) == 0)
            return types[i][1];
    return "application/octet-stream";
}

static void send_asset(request *r, const char *name)
{
    for (const web_asset *a = web_assets; a->name; a++) {
        if (strcmp(a->name, name) != 0)
            continue;
        size_t n = (size_t)(a->end - a->data);
        uint8_t digest[SCRY_SHA256_BYTES];
        char tag[2 * 16 + 3] = "\"";
        scry_sha256_of(a->data, n, digest);
        scry_hex(digest, 16, tag + 1);
        tag[33] = '"';
        tag[34] = '\0';
        respond_header(r, "ETag", "%s", tag);
        respond_header(r, "Cache-Control", "no-cache");
        if (request_has_tag(r, tag))
            respond_bytes(r, 304, NULL, "", 0);
        else
            respond_bytes(r, 200, type_of(name), a->data, n);
        return;
    }
    respond_problem(r, 404, "there is nothing at %.200s", r->path);
}

static void note_arg(void *arg, const char *name, const char *value, size_t size)
{
    *(bool *)arg = true;
}

/* Without a query the page shows all pictures: the first of them are asked for while its scripts come. The addresses are those of
 * firstRequests in web/library.js, from the page's own; tests/browser counts that each is asked for once. */
static void page_get(request *r, worker_tools *tools)
{
    static const char list[] = "sort=date&unique=1", as[] = "rel=preload; as=fetch; crossorigin";
    bool query = false;
    request_each_arg(r, note_arg, &query);
    send_asset(r, "index.html");
    if (!query)
        respond_header(r, "Link", "<api/v1/images?%s&offset=0&limit=100>; %s, <api/v1/timeline?%s>; %s", list, as, list, as);
}

static void docs_get(request *r, worker_tools *tools)
{
    send_asset(r, "docs.html");
}

static void openapi_get(request *r, worker_tools *tools)
{
    send_asset(r, "openapi.json");
}

/* At the root, since a service worker serves only what is below its own address. */
static void worker_get(request *r, worker_tools *tools)
{
    send_asset(r, "sw.js");
}

static void asset_get(request *r, worker_tools *tools)
{
    send_asset(r, r->param[0]);
}

static void nested_asset_get(request *r, worker_tools *tools)
{
    char name[256];
    snprintf(name, sizeof name, "%.100s/%.100s", r->param[0], r->param[1]);
    send_asset(r, name);
}

const route routes_page[] = {
    { "GET", "/", RUN_ON_LOOP, page_get, 0, true, ANY_QUERY },
    { "GET", "/docs", RUN_ON_LOOP, docs_get, 0, true, ANY_QUERY },
    { "GET", "/openapi.json", RUN_ON_LOOP, openapi_get, 0, true, ANY_QUERY },
    { "GET", "/sw.js", RUN_ON_LOOP, worker_get, 0, true, ANY_QUERY },
    { "GET", "/assets/{file}", RUN_ON_LOOP, asset_get, 0, true, ANY_QUERY },
    { "GET", "/assets/{folder}/{file}", RUN_ON_LOOP, nested_asset_get, 0, true, ANY_QUERY },
    { "POST", "/login", RUN_ON_LOOP, auth_login, 4096, true, ANY_QUERY },
    { "POST", "/logout", RUN_ON_LOOP, auth_logout, 0, true, ANY_QUERY },
    { 0 },
};
