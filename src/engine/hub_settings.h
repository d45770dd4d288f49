/* hub_settings.h - the environment variables of Hugging Face's own programs, with the meaning they have there.
 *
 *     HF_ENDPOINT                     the hub's address; SCRY_HUB_URL comes before it
 *     HF_TOKEN, HF_TOKEN_PATH         the token, or the file with it (default $HF_HOME/token)
 *     HF_HOME                         default $XDG_CACHE_HOME/huggingface, else ~/.cache/huggingface
 *     HF_HUB_CACHE                    the cache of repositories, default $HF_HOME/hub
 *     HF_HUB_OFFLINE                  1, ON, YES or TRUE: no network
 *     HF_HUB_DISABLE_IMPLICIT_TOKEN   the same values: no token
 */
#ifndef SCRY_ENGINE_HUB_SETTINGS_H
#define SCRY_ENGINE_HUB_SETTINGS_H

#include "scry/error.h"

#include <stdbool.h>

/* The hub's address without a final slash, owned. SCRY_EINVALID when it is no URL of HTTP. */
int hub_url(char **out, scry_error *err) SCRY_NODISCARD;

/* The token to send to `hub`, owned; NULL when there is none, or when it would cross a network unencrypted. */
char *hub_token(const char *hub);

bool hub_is_offline(void);

/* The folder of the cache; owned. */
char *hub_cache(void);

#endif
