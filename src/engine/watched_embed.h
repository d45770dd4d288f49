/* watched_embed.h - embedding as a part of a long call that has only progress and a flag. */
#ifndef SCRY_ENGINE_WATCHED_EMBED_H
#define SCRY_ENGINE_WATCHED_EMBED_H

#include "scry/cancel.h"
#include "scry/embed.h"

/* Options whose progress and cancellation are those of `o`, which outlives them and may be NULL. */
scry_embed_options scry_watched_embed(const scry_long_options *o);

#endif
