/* routes_uploads.c - pictures uploaded to search with. */
#include "server/router.h"

#include "base/alloc.h"
#include "base/sha256.h"
#include "server/cache.h"
#include "server/pictures.h"
#include "server/request.h"

#include <fcntl.h>
#include <stdlib.h>

enum { MAX_UPLOAD_BYTES = 64 << 20, THUMB_SIDE = 320 };

/* The loaded picture as a small JPEG; false: it cannot be decoded, a 415 was made. */
static bool shrink(request *r, worker_tools *tools, scry_decode_result *out)
{
    scry_decode_request wanted = { .kind = SCRY_DECODE_JPEG, .max_side = THUMB_SIDE };
    scry_error err = SCRY_ERROR_INIT;
    int result = scry_decoder_run(tools->decoder, &wanted, out, &err);
    if (result < 0)
        respond_undecoded(r, 415, "the upload cannot be used", result, &err);
    return result == 0;
}

static void upload_post(request *r, worker_tools *tools)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_decode_result picture;
    uint8_t id[16];
    char hex[33];
    if (scry_decoder_load_bytes(tools->decoder, (const uint8_t *)scry_buf_str(&r->body), r->body.size, &err) < 0) {
        respond_error(r, &err);
        return;
    }
    if (!shrink(r, tools, &picture))
        return;
    upload_keep(r->body.data, r->body.size, id);
    scry_hex(id, sizeof id, hex);
    scry_buf b = SCRY_BUF_INIT(4096);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    scry_json_begin(&w, '{');
    scry_json_add_str(&w, "picture", hex);
    scry_json_add_int(&w, "width", picture.width);
    scry_json_add_int(&w, "height", picture.height);
    scry_json_end(&w, '}');
    respond_json(r, 201, &b);
}

static void upload_thumbnail(request *r, worker_tools *tools)
{
    uint8_t id[16];
    const uint8_t *bytes;
    size_t size;
    struct stat st;
    scry_decode_result picture;
    scry_error err = SCRY_ERROR_INIT;
    char *path = scry_unhex(r->param[0], id, sizeof id) == 0 ? upload_path(id) : NULL;
    if (!path)
        respond_problem(r, 404, "there is no uploaded picture %.64s", r->param[0]);
    else if (scry_decoder_load(tools->decoder, path, &bytes, &size, &st, &err) < 0)
        respond_error(r, &err);
    else if (shrink(r, tools, &picture))
        respond_bytes(r, 200, "image/jpeg", picture.encoded, picture.encoded_bytes);
    free(path);
}

const route routes_uploads[] = {
    { "POST", "/api/v1/query-pictures", RUN_ON_WORKER, upload_post, MAX_UPLOAD_BYTES, false, "" },
    { "GET", "/api/v1/query-pictures/{picture}/thumbnail", RUN_ON_WORKER, upload_thumbnail, 0, false, "" },
    { 0 },
};
