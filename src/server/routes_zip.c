/* routes_zip.c - POST /api/v1/zip: the files of some pictures as one archive, streamed.
 *
 *     the loop sends what is in `out`; when that is empty it suspends the connection
 *     the downloads' thread fills `out` again, up to PIECE bytes, and resumes it
 *
 * So a download takes PIECE bytes of memory, no file on the disk and no worker, and a slow disk stops other downloads only. A file
 * that has gone, or may not be read, is left out and named in the archive's last entry. One that becomes shorter while it is read
 * ends the connection: its size was sent.
 */
#include "server/router.h"

#include "base/alloc.h"
#include "server/connections.h"
#include "server/downloads.h"
#include "server/form.h"
#include "server/id_body.h"
#include "server/pictures.h"
#include "server/queue.h"
#include "server/request.h"
#include "server/zip.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PIECE = 256 << 10, READ_BYTES = 64 << 10, MAX_QUEUE = 4096, MAX_MISSING_BYTES = 4 << 20 };
static const char missing_name[] = "missing files.txt";

typedef struct zip_download {
    request *request;
    id_body files;
    size_t next;              /* of the ids */
    zip_writer *zip;
    int fd;                   /* the file that is being read; -1: none */
    uint64_t left;            /* bytes of it */
    scry_buf missing;         /* text: the files that are left out */
    scry_buf out;
    size_t sent;              /* bytes of `out` */
    bool listed, ended, failed;
} zip_download;

static void download_free(void *arg)
{
    zip_download *d = arg;
    if (!d)
        return;
    if (d->fd >= 0)
        close(d->fd);
    id_body_dispose(&d->files);
    zip_free(d->zip);
    scry_buf_dispose(&d->missing);
    scry_buf_dispose(&d->out);
    free(d);
}

/* ---- on the downloads' thread ---- */

static void begin_entry(zip_download *d, const scry_file *f)
{
    open_picture p;
    const char *slash = strrchr(f->path, '/'), *why = picture_try_open(d->request->server, f, &p);
    if (why) {
        scry_buf_printf(&d->missing, "%s: %s\n", f->path, why);
        return;
    }
    d->fd = p.fd;
    d->left = p.bytes;
    d->failed |= zip_begin(d->zip, &d->out, slash ? slash + 1 : f->path, f->mtime_ns / 1000000000, p.bytes, NULL) < 0;
}

/* The next file; one that has left the collection since the request began is missing, too. */
static void next_file(zip_download *d)
{
    server *s = d->request->server;
    scry_results *found = NULL;
    scry_error err = SCRY_ERROR_INIT;
    pthread_rwlock_rdlock(&s->store_lock);
    int result = scry_store_get(s->store, d->files.ids[d->next++], &found, &err);
    pthread_rwlock_unlock(&s->store_lock);
    if (result == 0)
        begin_entry(d, &found->hits[0].file);
    else
        scry_buf_printf(&d->missing, "%s\n", err.message);
    scry_results_free(found);
}

static void read_file(zip_download *d)
{
    char bytes[READ_BYTES];
    ssize_t n = d->left ? read(d->fd, bytes, d->left < sizeof bytes ? (size_t)d->left : sizeof bytes) : 0;
    if (n < 0 && errno == EINTR)
        return;
    d->failed |= d->left && n <= 0;
    if (n > 0) {
        zip_data(d->zip, &d->out, bytes, (size_t)n);
        d->left -= (uint64_t)n;
    }
    if (d->left)
        return;
    zip_end(d->zip, &d->out);
    close(d->fd);
    d->fd = -1;
}

static void list_missing(zip_download *d)
{
    d->listed = true;
    if (!d->missing.size)
        return;
    d->failed |= zip_begin(d->zip, &d->out, missing_name, time(NULL), d->missing.size, NULL) < 0;
    zip_data(d->zip, &d->out, d->missing.data, d->missing.size);
    zip_end(d->zip, &d->out);
}

static void fill(zip_download *d)
{
    scry_buf_clear(&d->out);
    d->sent = 0;
    while (!d->failed && !d->ended && d->out.size < PIECE) {
        if (d->fd >= 0)
            read_file(d);
        else if (d->next < d->files.count)
            next_file(d);
        else if (!d->listed)
            list_missing(d);
        else
            d->ended = !zip_finish(d->zip, &d->out, PIECE);
        d->failed |= d->out.failed;
    }
}

static void *downloads_loop(void *arg)
{
    server *s = arg;
    request *r;
    while (queue_take(s->download_queue, &r, 1) == 1) {
        fill(r->download);
        MHD_resume_connection(r->connection);
    }
    return NULL;
}

int downloads_start(server *s, scry_error *err)
{
    s->download_queue = queue_new(MAX_QUEUE);
    s->downloading = pthread_create(&s->download_thread, NULL, downloads_loop, s) == 0;
    return s->downloading ? 0 : scry_fail(err, SCRY_ENOMEM, "cannot start the thread for downloads");
}

void downloads_stop(server *s)
{
    if (!s->downloading)
        return;
    queue_close(s->download_queue);
    pthread_join(s->download_thread, NULL);
    s->downloading = false;
}

/* ---- on the loop ---- */

/* The time of the thread is not the client's; for each piece the client has its own. */
static ssize_t send_piece(void *arg, uint64_t position, char *to, size_t max)
{
    zip_download *d = arg;
    request *r = d->request;
    size_t n = d->out.size - d->sent;
    if (n == 0 && !d->ended && !d->failed) {
        connection_request_complete(r);
        MHD_suspend_connection(r->connection);
        if (queue_push(r->server->download_queue, r))
            return 0;
        MHD_resume_connection(r->connection);
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    if (n == 0)
        return d->failed ? MHD_CONTENT_READER_END_WITH_ERROR : MHD_CONTENT_READER_END_OF_STREAM;
    if (d->sent == 0)
        connection_response_began(r, d->out.size);
    n = n < max ? n : max;
    memcpy(to, d->out.data + d->sent, n);
    d->sent += n;
    return (ssize_t)n;
}

/* ---- the request ---- */

typedef struct {
    scry_buf *json;
    scry_error err;
} id_list;

/* ids=A&ids=B, or ids=A,B: what a page can send so that its browser saves the answer while it comes. */
static int add_ids(void *arg, const char *name, const char *value, size_t size)
{
    id_list *l = arg;
    size_t n;
    if (strcmp(name, "ids") != 0)
        return scry_fail(&l->err, SCRY_EINVALID, "the form has something else than ids=ID,ID...");
    for (const char *p = value; *p; p += n) {
        n = strcspn(p, ", ");
        if (n == 0) {
            n = 1;
            continue;
        }
        if (n != 2 * SCRY_ID_BYTES || strspn(p, "0123456789abcdefABCDEF") < n)
            return scry_fail(&l->err, SCRY_EINVALID, "the form has something else than ids=ID,ID...");
        scry_buf_printf(l->json, "%s\"%.*s\"", l->json->data[l->json->size - 1] == '[' ? "" : ",", (int)n, p);
    }
    return 0;
}

static bool read_ids(request *r, id_body *out)
{
    const char *body = scry_buf_str(&r->body);
    *out = (id_body){ NULL, NULL, 0 };
    if (!form_is(request_header(r, MHD_HTTP_HEADER_CONTENT_TYPE), body, r->body.size))
        return id_body_read(r, NULL, out);
    scry_buf json = SCRY_BUF_INIT(2 * MAX_JSON_BODY);
    id_list list = { &json, SCRY_ERROR_INIT };
    scry_buf_puts(&json, "{\"ids\":[");
    int result = form_read(body, r->body.size, add_ids, &list, &list.err);
    scry_buf_puts(&json, "]}");
    if (result < 0)
        respond_error(r, &list.err);
    bool good = result == 0 && id_body_parse(r, scry_buf_str(&json), json.size, NULL, out);
    scry_buf_dispose(&json);
    return good;
}

/* What never existed is refused before anything is sent. */
static bool check_ids(request *r, const id_body *b)
{
    scry_error err = SCRY_ERROR_INIT;
    int result = 0;
    pthread_rwlock_rdlock(&r->server->store_lock);
    for (size_t i = 0; i < b->count && result == 0; i++) {
        scry_results *found = NULL;
        result = scry_store_get(r->server->store, b->ids[i], &found, &err);
        scry_results_free(found);
    }
    pthread_rwlock_unlock(&r->server->store_lock);
    if (result < 0)
        respond_error(r, &err);
    return result == 0;
}

static void zip_post(request *r, worker_tools *tools)
{
    id_body files;
    if (!read_ids(r, &files) || !check_ids(r, &files)) {
        id_body_dispose(&files);
        return;
    }
    zip_download *d = scry_alloc(sizeof *d);
    char day[16] = "";
    time_t now = time(NULL);
    struct tm tm;
    *d = (zip_download){ .request = r, .files = files, .zip = zip_new(), .fd = -1, .missing = SCRY_BUF_INIT(MAX_MISSING_BYTES),
                         .out = SCRY_BUF_INIT(8 * PIECE + MAX_MISSING_BYTES) };
    if (localtime_r(&now, &tm))
        strftime(day, sizeof day, "-%Y-%m-%d", &tm);
    r->download = d;
    r->stream = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, READ_BYTES, send_piece, d, download_free);
    if (!r->stream) {
        download_free(d);
        respond_problem(r, 503, "no memory for a download");
        return;
    }
    r->status = 200;
    r->content_type = "application/zip";
    respond_header(r, "Content-Disposition", "attachment; filename=\"pictures%s.zip\"", day);
    respond_header(r, "Accept-Ranges", "none");   /* a part of it would be made like the whole */
}

const route routes_zip[] = {
    { "POST", "/api/v1/zip", RUN_ON_WORKER, zip_post, MAX_JSON_BODY, false, "" },
    { 0 },
};
