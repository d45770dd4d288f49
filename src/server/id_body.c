#include "server/id_body.h"

#include "base/alloc.h"
#include "base/sha256.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The ids of out->json. */
static bool read_ids(request *r, const char *flag, id_body *out)
{
    char known[40];
    bool value;
    snprintf(known, sizeof known, "ids%s%s", flag ? " " : "", flag ? flag : "");
    if (!request_members(r, out->json, known) || (flag && !request_flag(r, out->json, flag, &value)))
        return false;
    const scry_json *list = scry_json_get(out->json, "ids");
    size_t n = scry_json_size(list);
    if (scry_json_type_of(list) != SCRY_JSON_ARRAY || n == 0 || n > MAX_BODY_IDS) {
        respond_problem(r, 400, "ids takes a list of 1 to %d ids of pictures", MAX_BODY_IDS);
        return false;
    }
    out->ids = scry_alloc(n * sizeof *out->ids);
    for (size_t i = 0; i < n; i++) {
        const char *hex = scry_json_str(scry_json_at(list, i), "");
        if (scry_unhex(hex, out->ids[i], SCRY_ID_BYTES) < 0) {
            respond_problem(r, 400, "ids[%zu] takes the 32 hexadecimal digits of a picture", i);
            return false;
        }
    }
    out->count = n;
    return true;
}

bool id_body_read(request *r, const char *flag, id_body *out)
{
    *out = (id_body){ NULL, NULL, 0 };
    return request_json(r, &out->json) && read_ids(r, flag, out);
}

bool id_body_parse(request *r, const char *text, size_t size, const char *flag, id_body *out)
{
    scry_error err = SCRY_ERROR_INIT;
    *out = (id_body){ NULL, NULL, 0 };
    if (scry_json_parse(&out->json, text, size, "the form", &err) < 0)
        respond_error(r, &err);
    return r->status == 0 && read_ids(r, flag, out);
}

void id_body_dispose(id_body *b)
{
    scry_json_free(b->json);
    free(b->ids);
}
