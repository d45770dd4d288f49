/* serve_run.c - scry_serve_run: loads the plugin that has the server. */
#include "scry/serve.h"

#include "base/plugin.h"
#include "scry/registry.h"

int scry_serve_run(const scry_serve_options *options, const char *store, const char *collection, const char *model,
                   scry_precision precision, scry_error *err)
{
    int (*run)(const scry_serve_options *, const char *, const char *, const char *, scry_precision, scry_error *);
    scry_serve_options o = SCRY_SERVE_OPTIONS_INIT;
    if (options)
        o = *options;
    if (!o.listen)
        o.listen = "127.0.0.1:8080";
    if (!store || !store[0])
        return scry_fail(err, SCRY_EINVALID, "no store to serve: give a folder or milvus://HOST:PORT");
    int r = scry_plugin_symbol((void **)&run, "serve", "scry_serve_plugin", err);
    return r < 0 ? r : run(&o, store, collection, model && model[0] ? model : SCRY_STARTER_MODEL, precision, err);
}
