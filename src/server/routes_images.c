/* routes_images.c - pictures by id: records, texts, thumbnails, files. */
#include "server/router.h"

#include "base/alloc.h"
#include "base/sha256.h"
#include "engine/file_json.h"
#include "server/away.h"
#include "server/pictures.h"
#include "server/request.h"
#include "server/server.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { VIEW_SIDE = 2560, MAX_JPEG_BYTES = 64 << 20, TAG_SIZE = 64 };

static void image_get(request *r, worker_tools *tools)
{
    const char *language;
    scry_results *found = request_language(r, &language) ? picture_find(r, r->param[0]) : NULL;
    if (!found)
        return;
    scry_buf b = SCRY_BUF_INIT(1 << 20);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    mark_away(r->server->away, found);
    scry_json_begin(&w, '{');
    scry_json_put_file_in(&w, &found->hits[0].file, language);
    scry_json_end(&w, '}');
    respond_json(r, 200, &b);
    scry_results_free(found);
}

/* What was read in it. */
static void text_get(request *r, worker_tools *tools)
{
    scry_picture_text *text = NULL;
    scry_error err = SCRY_ERROR_INIT;
    scry_results *found = picture_find(r, r->param[0]);
    if (!found)
        return;
    pthread_rwlock_rdlock(&r->server->store_lock);
    int result = scry_store_get_text(r->server->store, found->hits[0].file.content, &text, &err);
    pthread_rwlock_unlock(&r->server->store_lock);
    scry_buf b = SCRY_BUF_INIT(8 << 20);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    if (result == 0)
        scry_json_put_picture_text(&w, text, request_arg(r, "q"));
    respond_result(r, result, &err, &b);
    scry_picture_text_free(text);
    scry_results_free(found);
}

static void put_tag(request *r, const char *version, int variant)
{
    if (version[0])
        respond_header(r, "ETag", "\"%s-%d\"", version, variant);
    respond_header(r, "Cache-Control", "private, no-cache");
}

/* true: the client has this version already, a 304 was made. */
static bool not_modified(request *r, const char *version, int variant)
{
    char tag[TAG_SIZE];
    snprintf(tag, sizeof tag, "\"%s-%d\"", version, variant);
    if (!version[0] || !request_has_tag(r, tag))
        return false;
    put_tag(r, version, variant);
    respond_bytes(r, 304, NULL, "", 0);
    return true;
}

static void send_jpeg(request *r, worker_tools *tools, const scry_file *f, int side)
{
    open_picture p;
    if (!picture_open(r, f, &p))
        return;
    scry_buf jpeg = SCRY_BUF_INIT(MAX_JPEG_BYTES);
    if (!not_modified(r, p.version, side) && picture_jpeg(r, tools, &p, side, &jpeg) == 0) {
        put_tag(r, p.version, side);
        respond_bytes(r, 200, "image/jpeg", jpeg.data, jpeg.size);
    }
    scry_buf_dispose(&jpeg);
    close(p.fd);
}

/* In place of the answer that its disk is away, if there is one. Without a tag, so that the browser asks again. */
static void send_cached(request *r, const scry_file *f, int side)
{
    scry_buf jpeg = SCRY_BUF_INIT(MAX_JPEG_BYTES);
    if (picture_cached(f, side, &jpeg)) {
        respond_header(r, "Cache-Control", "private, no-cache");
        respond_bytes(r, 200, "image/jpeg", jpeg.data, jpeg.size);
    }
    scry_buf_dispose(&jpeg);
}

static void thumbnail_get(request *r, worker_tools *tools)
{
    const char *size = request_arg(r, "size");
    int side = !size || strcmp(size, "320") == 0 ? 320 : strcmp(size, "160") == 0 ? 160 : strcmp(size, "640") == 0 ? 640 : 0;
    if (side == 0) {
        respond_problem(r, 400, "size must be 160, 320 or 640");
        return;
    }
    scry_results *found = picture_find(r, r->param[0]);
    if (found)
        send_jpeg(r, tools, &found->hits[0].file, side);
    if (found && r->status == 404 && is_away(r->server->away, found->hits[0].file.path))
        send_cached(r, &found->hits[0].file, side);
    scry_results_free(found);
}

static const char *browser_type(const char *format)
{
    static const char *const shown[][2] = { { "jpeg", "image/jpeg" }, { "png", "image/png" }, { "webp", "image/webp" },
                                            { "gif", "image/gif" }, { "avif", "image/avif" } };
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++)
        if (strcmp(shown[i][0], format) == 0)
            return shown[i][1];
    return NULL;
}

typedef enum { RANGE_WHOLE, RANGE_PART, RANGE_OUTSIDE } range_kind;

/* "bytes=FIRST-LAST", "bytes=FIRST-", "bytes=-LENGTH"; several ranges get the whole file (RFC 9110, 14.2). */
static range_kind parse_range(const char *text, uint64_t size, uint64_t *first, uint64_t *count)
{
    unsigned long long from = 0, to = 0;
    int end = 0;
    if (strncmp(text, "bytes=", 6) != 0 || strlen(text) > 40 || text[6 + strspn(text + 6, "0123456789-")])
        return RANGE_WHOLE;
    text += 6;
    if (sscanf(text, "-%llu%n", &to, &end) == 1 && !text[end]) {
        *first = to < size ? size - to : 0;
        *count = size - *first;
        return to && size ? RANGE_PART : RANGE_OUTSIDE;
    }
    bool open = sscanf(text, "%llu-%n", &from, &end) == 1 && end && !text[end];
    if (!open && (sscanf(text, "%llu-%llu%n", &from, &to, &end) != 2 || text[end] || to < from))
        return RANGE_WHOLE;
    if (from >= size)
        return RANGE_OUTSIDE;
    *first = from;
    *count = (open || to >= size ? size : to + 1) - from;
    return RANGE_PART;
}

/* The requested range of the file. */
static void choose_range(request *r, uint64_t size, const char *tag)
{
    const char *range = request_header(r, MHD_HTTP_HEADER_RANGE), *only = request_header(r, MHD_HTTP_HEADER_IF_RANGE);
    uint64_t first = 0, count = size;
    respond_header(r, "Accept-Ranges", "bytes");
    if (!range || (only && strcmp(only, tag) != 0))
        return;
    switch (parse_range(range, size, &first, &count)) {
    case RANGE_WHOLE: break;
    case RANGE_PART:
        r->status = 206;
        r->file_offset = first;
        r->file_bytes = count;
        respond_header(r, "Content-Range", "bytes %llu-%llu/%llu", (unsigned long long)first,
                       (unsigned long long)(first + count - 1), (unsigned long long)size);
        break;
    case RANGE_OUTSIDE:
        close(r->file);
        r->file = -1;
        respond_problem(r, 416, "the file has %llu bytes", (unsigned long long)size);
        respond_header(r, "Content-Range", "bytes */%llu", (unsigned long long)size);
        break;
    }
}

/* The file as it is; false: a 304 or an error was made. */
static bool send_file(request *r, const scry_file *f, const char *type, int variant)
{
    open_picture p;
    char tag[TAG_SIZE];
    if (!picture_open(r, f, &p))
        return false;
    if (not_modified(r, p.version, variant)) {
        close(p.fd);
        return false;
    }
    put_tag(r, p.version, variant);
    snprintf(tag, sizeof tag, "\"%s-%d\"", p.version, variant);
    r->status = 200;
    r->content_type = type;
    r->file = p.fd;
    r->file_bytes = p.bytes;
    choose_range(r, p.bytes, tag);
    return r->file >= 0;
}

/* The type of the file by what its bytes are now, where browsers show that format. */
static const char *type_to_show(request *r, const scry_file *f)
{
    open_picture p;
    uint8_t head[64];
    if (!picture_open(r, f, &p))
        return NULL;
    ssize_t n = pread(p.fd, head, sizeof head, 0);
    close(p.fd);
    return browser_type(scry_format_name(scry_sniff_format(head, n > 0 ? (size_t)n : 0)));
}

/* The file itself where browsers show its format, else a JPEG. */
static void view_get(request *r, worker_tools *tools)
{
    scry_results *found = picture_find(r, r->param[0]);
    if (!found)
        return;
    const scry_file *f = &found->hits[0].file;
    const char *type = type_to_show(r, f);
    if (type)
        send_file(r, f, type, VIEW_SIDE);
    else if (r->status == 0)
        send_jpeg(r, tools, f, VIEW_SIDE);
    scry_results_free(found);
}

/* A name for Content-Disposition in the encoding of RFC 8187, which needs no quoting. */
static void attach(request *r, const scry_file *f)
{
    const char *slash = strrchr(f->path, '/'), *name = slash ? slash + 1 : f->path;
    scry_buf b = SCRY_BUF_INIT(900);
    for (const unsigned char *p = (const unsigned char *)name; *p; p++) {
        if ((*p >= '0' && *p <= '9') || ((*p | 32) >= 'a' && (*p | 32) <= 'z') || *p == '.' || *p == '-' || *p == '_')
            scry_buf_putc(&b, (char)*p);
        else
            scry_buf_printf(&b, "%%%02X", *p);
    }
    respond_header(r, "Content-Disposition", "attachment; filename*=UTF-8''%s", scry_buf_str(&b));
    scry_buf_dispose(&b);
}

static void file_get(request *r, worker_tools *tools)
{
    scry_results *found = picture_find(r, r->param[0]);
    if (!found)
        return;
    const scry_file *f = &found->hits[0].file;
    if (send_file(r, f, "application/octet-stream", 0))
        attach(r, f);
    scry_results_free(found);
}

const route routes_images[] = {
    { "GET", "/api/v1/images/{id}", RUN_ON_WORKER, image_get, 0, false, "language" },
    { "GET", "/api/v1/images/{id}/text", RUN_ON_WORKER, text_get, 0, false, "q" },
    { "GET", "/api/v1/images/{id}/thumbnail", RUN_ON_WORKER, thumbnail_get, 0, false, "size" },
    { "GET", "/api/v1/images/{id}/view", RUN_ON_WORKER, view_get, 0, false, "" },
    { "GET", "/api/v1/images/{id}/file", RUN_ON_WORKER, file_get, 0, false, "" },
    { 0 },
};
