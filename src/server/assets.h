/* assets.h - the files of web/, embedded when the program is built (tools/embed.sh). */
#ifndef SCRY_SERVER_ASSETS_H
#define SCRY_SERVER_ASSETS_H

#include <stddef.h>

typedef struct web_asset {
    const char *name;              /* "app.js", "strings/ru.json" */
    const unsigned char *data;     /* ended by a zero byte that `end` points to */
    const unsigned char *end;
} web_asset;

extern const web_asset web_assets[];   /* ended by a NULL name */

#endif
