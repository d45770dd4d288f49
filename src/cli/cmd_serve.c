/* cmd_serve.c - `scry serve`: the web page and the HTTP API, from the part scry-serve.so. */
#include "cli/cli.h"
#include "cli/commands.h"

#include "base/alloc.h"
#include "base/part.h"
#include "scry/registry.h"
#include "scry/serve.h"

#include <stdlib.h>
#include <string.h>

static const cli_option options[] = {
    { "listen", "HOST:PORT", "address to listen on (default: 127.0.0.1:8080; port 0: any free one)", 'l', NULL },
    { "token-file", "FILE", "ask for the token in FILE; needed off loopback", 0, NULL },
    { "no-auth", NULL, "listen off loopback without a token: everybody there sees the pictures", 0, NULL },
    { "host", "NAME", "answer to this Host name too (may be repeated)", 0, NULL },
    { "cert", "FILE", "certificate (PEM) for HTTPS, with --key", 0, NULL },
    { "key", "FILE", "key (PEM) of the certificate", 0, NULL },
    { "allow-index", NULL, "let the page and the API start index runs", 0, NULL },
    { "allow-upload", NULL, "let the API add pictures", 0, NULL },
    { "allow-remove", NULL, "let the API forget pictures", 0, NULL },
    { "workers", "N", "threads for decoding and embedding (default: one a processor)", 0, NULL },
    { "max-connections", "N", "connections at a time (default: 256)", 0, NULL },
    { "max-queue", "N", "requests that may wait; the next is told to come again (default: 128)", 0, NULL },
    { "time-limit", "SECONDS", "for decoding a picture (default: 30)", 0, NULL },
    { "client-timeout", "SECONDS", "for a request's headers; bodies get a second per 64 kB more (default: 30)", 0, NULL },
    { 0 },
};

enum { MAX_HOSTS = 32 };

static bool take_option(scry_serve_options *o, const char **hosts, const char *name, const char *value)
{
    long long n = 0;
    if (strcmp(name, "listen") == 0)
        o->listen = value;
    else if (strcmp(name, "token-file") == 0)
        o->token_file = value;
    else if (strcmp(name, "no-auth") == 0)
        o->no_auth = true;
    else if (strcmp(name, "cert") == 0)
        o->cert = value;
    else if (strcmp(name, "key") == 0)
        o->key = value;
    else if (strcmp(name, "allow-index") == 0)
        o->allow_index = true;
    else if (strcmp(name, "allow-upload") == 0)
        o->allow_upload = true;
    else if (strcmp(name, "allow-remove") == 0)
        o->allow_remove = true;
    else if (strcmp(name, "host") == 0) {
        if (o->host_count == MAX_HOSTS)
            return cli_usage("more than %d --host", MAX_HOSTS), false;
        hosts[o->host_count++] = value;
    } else if (!cli_int(name, value, 1, 4096, &n)) {
        return false;
    }
    const struct { const char *name; int *value; } numbers[] = {
        { "workers", &o->workers }, { "max-connections", &o->max_connections }, { "max-queue", &o->max_queue },
        { "time-limit", &o->time_limit_s }, { "client-timeout", &o->client_timeout_s },
    };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strcmp(name, numbers[i].name) == 0)
            *numbers[i].value = (int)n;
    return true;
}

/* The model that an existing collection was built with, unless another one is named; owned. */
static char *model_name(const cli_common *c)
{
    const char *given = c->model ? c->model : getenv("SCRY_MODEL");
    scry_store *store;
    scry_store_info info;
    char *name = NULL;
    if (given && given[0])
        return scry_strdup(given);
    if (cli_open_store(&store, c, SCRY_STORE_READ, NULL) == 0) {
        if (scry_store_get_info(store, &info, NULL) == 0)
            name = scry_strdup(info.model_name);
        scry_store_close(store, NULL);
    }
    return name ? name : scry_strdup(SCRY_STARTER_MODEL);
}

static int serve(const cli_common *c, scry_serve_options *o)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_serve_fn *run;
    char *place = cli_store_place(c), *model = model_name(c);
    int r = cli_milvus_choice(&o->milvus, c, &err);
    if (r == 0)
        r = scry_part_symbol((void **)&run, "serve", SCRY_SERVE_SYMBOL, &err);
    if (r == 0)
        r = run(o, place, c->collection, model, c->precision, &err);
    cli_milvus_choice_dispose(&o->milvus);
    free(model);
    free(place);
    return r < 0 ? cli_fail(&err) : CLI_OK;
}

static int run_serve(int argc, char **argv)
{
    cli_args a;
    const char *name, *value, *hosts[MAX_HOSTS];
    scry_serve_options o = SCRY_SERVE_OPTIONS_INIT;
    cli_begin(&a, &cmd_serve, argc, argv);
    while ((name = cli_next(&a, &value)))
        if (!take_option(&o, hosts, name, value)) {
            a.status = CLI_ERROR;
            break;
        }
    o.hosts = hosts;
    int status = a.status;
    if (status < 0 && !o.cert != !o.key)
        status = cli_usage("--cert and --key belong together");
    if (status < 0)
        status = serve(&a.common, &o);
    cli_end(&a);
    return status;
}

const cli_command cmd_serve = {
    .name = "serve",
    .usage = "[OPTION]...",
    .summary = "Serve the web page and the HTTP API",
    .details = "Open http://127.0.0.1:8080/ in a browser; the API is described at /docs.\n\n"
               "Example:\n  scry serve --listen 0.0.0.0:8080 --token-file ~/.config/scry/token\n",
    .options = options,
    .common = CLI_STORE | CLI_MODEL,
    .run = run_serve,
};
