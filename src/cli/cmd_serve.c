/* cmd_serve.c - `scry serve`: the web page and the HTTP API, from the plugin scry-serve.so. */
#include "cli/cli.h"
#include "cli/commands.h"
#include "cli/desktop.h"
#include "cli/index_words.h"
#include "cli/watch_child.h"

#include "base/alloc.h"
#include "base/plugin.h"
#include "scry/registry.h"
#include "scry/serve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const cli_option options[] = {
    { "listen", "HOST:PORT", "address to listen on (default: 127.0.0.1:8080; port 0: any free one)", 'l', NULL },
    { "port", "N", "port to listen on at 127.0.0.1: short for --listen 127.0.0.1:N", 'p', NULL },
    { "public-url", "URL", "address at which a proxy shows the server, e.g. https://example.org/photos/", 0, NULL },
    { "token-file", "FILE", "require the token in FILE; needed to listen on other addresses than loopback", 0, NULL },
    { "no-auth", NULL, "listen on other addresses without a token: everybody on that network sees the pictures", 0, NULL },
    { "host", "NAME", "also accept this Host name (may be repeated)", 0, NULL },
    { "cert", "FILE", "certificate (PEM) for HTTPS, with --key", 0, NULL },
    { "key", "FILE", "key (PEM) of the certificate", 0, NULL },
    { "allow-index", NULL, "allow index runs from the page and the API", 0, NULL },
    { "allow-upload", NULL, "allow adding pictures by the API", 0, NULL },
    { "allow-remove", NULL, "allow removing pictures from the index by the API", 0, NULL },
    { "allow-marks", NULL, "with --no-auth: allow setting favourites and saved searches; without, they always may be", 0, NULL },
    { "watch", NULL, "also index what changes in the folders of the collection, as scry watch does", 'w', NULL },
    { "open", NULL, "open the page in the desktop's browser", 'o', NULL },
    { "workers", "N", "threads for decoding and embedding (default: one per processor)", 0, NULL },
    { "max-connections", "N", "open connections (default: 256)", 0, NULL },
    { "max-queue", "N", "waiting requests; further ones get status 503 (default: 128)", 0, NULL },
    { "time-limit", "SECONDS", "time limit for decoding a picture (default: 30)", 0, NULL },
    { "client-timeout", "SECONDS", "time limit for a request's headers; bodies get one more second per 64 kB (default: 30)", 0, NULL },
    { "no-words", NULL, "with --allow-index or --watch: do not read the words in pictures in the background", 0, NULL },
    { "check-interval", "SECONDS", "time between checks of the store's files in the background (default: 86400; 0: no checks)", 0, NULL },
    { 0 },
};

enum { MAX_HOSTS = 32, LOCAL_SIZE = 24 };

static bool take_number(scry_serve_options *o, const char *name, const char *value)
{
    const struct { const char *name; int *value; long long least, most; } numbers[] = {
        { "workers", &o->workers, 1, 4096 }, { "max-connections", &o->max_connections, 1, 4096 },
        { "max-queue", &o->max_queue, 1, 4096 }, { "time-limit", &o->time_limit_s, 1, 4096 },
        { "client-timeout", &o->client_timeout_s, 1, 4096 }, { "check-interval", &o->check_interval_s, 0, 1000000000 },
    };
    size_t i = 0;
    long long n;
    while (strcmp(name, numbers[i].name) != 0)
        i++;
    if (!cli_int(name, value, numbers[i].least, numbers[i].most, &n))
        return false;
    *numbers[i].value = n ? (int)n : -1;   /* 0 is the default there */
    return true;
}

/* What the command itself does. */
typedef struct {
    bool open, watch;
    watch_child child;
} serve_extras;

static bool take_option(scry_serve_options *o, const char **hosts, char *local, serve_extras *extras, const char *name,
                        const char *value)
{
    const struct { const char *name, **text; } texts[] = {
        { "listen", &o->listen }, { "public-url", &o->public_url }, { "token-file", &o->token_file }, { "cert", &o->cert }, { "key", &o->key },
    };
    const struct { const char *name; bool *flag; } flags[] = {
        { "no-auth", &o->no_auth }, { "allow-index", &o->allow_index }, { "allow-upload", &o->allow_upload },
        { "allow-remove", &o->allow_remove },
        { "allow-marks", &o->allow_marks }, { "open", &extras->open }, { "watch", &extras->watch }, { "no-words", &o->no_words },
    };
    long long n = 0;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(name, texts[i].name) == 0)
            return *texts[i].text = value, true;
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (strcmp(name, flags[i].name) == 0)
            return *flags[i].flag = true;
    if (strcmp(name, "host") == 0) {
        if (o->host_count == MAX_HOSTS)
            return cli_usage("more than %d --host", MAX_HOSTS), false;
        hosts[o->host_count++] = value;
        return true;
    }
    if (strcmp(name, "port") != 0)
        return take_number(o, name, value);
    if (!cli_int(name, value, 0, 65535, &n))
        return false;
    snprintf(local, LOCAL_SIZE, "127.0.0.1:%lld", n);
    o->listen = local;
    return true;
}

/* The model named by the options, else the one that the collection was built with; owned. */
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
            name = cli_recorded_model(&info);
        scry_store_close(store, NULL);
    }
    return name ? name : scry_strdup(SCRY_STARTER_MODEL);
}

/* An address that stands for all of this machine's is opened as the loopback one. */
static void open_page(const char *url)
{
    static const struct { const char *all, *own; } hosts[] = { { "://0.0.0.0:", "://127.0.0.1:" }, { "://[::]:", "://[::1]:" } };
    scry_error err = SCRY_ERROR_INIT;
    char *address = scry_strdup(url);
    for (size_t i = 0; i < sizeof hosts / sizeof *hosts; i++) {
        const char *at = strstr(url, hosts[i].all);
        if (at) {
            free(address);
            address = scry_asprintf("%.*s%s%s", (int)(at - url), url, hosts[i].own, at + strlen(hosts[i].all));
        }
    }
    if (cli_desktop_open(address, &err) < 0)
        cli_warn("%s", err.message);
    free(address);
}

/* The collection is there now, made by the server if need be. */
static void begin_extras(void *arg, const char *url)
{
    serve_extras *extras = arg;
    if (extras->watch)
        watch_child_start(&extras->child);
    if (extras->open)
        open_page(url);
}

static int serve(const cli_common *c, scry_serve_options *o, serve_extras *extras)
{
    scry_error err = SCRY_ERROR_INIT;
    int r = extras->watch ? watch_child_fork(&extras->child, c, !o->no_words, &err) : 0;   /* before there are threads */
    o->no_words |= extras->watch;   /* the child reads them */
    char *place = cli_store_place(c), *model = model_name(c);
    o->language = c->language;
    o->ready = begin_extras;
    o->ready_arg = extras;
    if (r == 0)
        r = cli_milvus_choice(&o->milvus, c, &err);
    if (r == 0)
        r = scry_serve_run(o, place, c->collection, model, c->precision, &err);
    watch_child_stop(&extras->child);
    cli_milvus_choice_dispose(&o->milvus);
    free(model);
    free(place);
    return r < 0 ? cli_fail(&err) : CLI_OK;
}

static int run_serve(int argc, char **argv)
{
    cli_args a;
    const char *name, *value, *hosts[MAX_HOSTS];
    char local[LOCAL_SIZE];
    serve_extras extras = { .open = false };
    scry_serve_options o = SCRY_SERVE_OPTIONS_INIT;
    cli_begin(&a, &cmd_serve, argc, argv);
    while ((name = cli_next(&a, &value)))
        if (!take_option(&o, hosts, local, &extras, name, value)) {
            a.status = CLI_ERROR;
            break;
        }
    o.no_words |= cli_words_unwanted();
    o.hosts = hosts;
    int status = a.status;
    if (status < 0 && !o.cert != !o.key)
        status = cli_usage("--cert and --key are required together");
    if (status < 0)
        status = serve(&a.common, &o, &extras);
    cli_end(&a);
    return status;
}

const cli_command cmd_serve = {
    .name = "serve",
    .usage = "[OPTION]...",
    .no_operands = "it serves the whole collection; `scry index PATH` adds pictures to it",
    .summary = "Serve the web page and the HTTP API",
    .details = "Open http://127.0.0.1:8080/ in a browser, or give --open; the API is described at /docs.\n\n"
               "Examples:\n  scry serve --open --watch\n  scry serve --listen 0.0.0.0:8080 --token-file ~/.config/scry/token\n",
    .options = options,
    .common = CLI_STORE | CLI_MODEL,
    .run = run_serve,
};
