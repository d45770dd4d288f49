#include "engine/watched_embed.h"

static void show(void *arg, size_t done, size_t total)
{
    const scry_long_options *o = arg;
    o->progress(o->arg, done, total);
}

scry_embed_options scry_watched_embed(const scry_long_options *o)
{
    scry_embed_options e = SCRY_EMBED_OPTIONS_INIT;
    if (o) {
        e.cancel = o->cancel;
        e.progress = o->progress ? show : NULL;
        e.arg = (void *)o;
    }
    return e;
}
