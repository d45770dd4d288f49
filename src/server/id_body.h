/* id_body.h - a JSON body that names pictures: {"ids": ["0123...", ...], ...}. */
#ifndef SCRY_SERVER_ID_BODY_H
#define SCRY_SERVER_ID_BODY_H

#include "scry/store.h"
#include "server/request.h"

enum { MAX_BODY_IDS = 10000 };

typedef struct id_body {
    scry_json *json;                  /* the whole body */
    uint8_t (*ids)[SCRY_ID_BYTES];
    size_t count;                     /* 1 or more */
} id_body;

/* Read it; other members than "ids" and `flag` (NULL: none) are refused. false: a 4xx was made. Dispose of it in both cases. */
bool id_body_read(request *r, const char *flag, id_body *out);

/* The same from a JSON text. */
bool id_body_parse(request *r, const char *text, size_t size, const char *flag, id_body *out);
void id_body_dispose(id_body *b);

#endif
