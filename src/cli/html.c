#include "cli/html.h"

#include "base/alloc.h"
#include "base/base64.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "cli/write_file.h"
#include "image/image.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_PAGE_BYTES = 1 << 30, THUMB_SIDE = 320, THUMB_QUALITY = 78 };

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"generator\" content=\"scry "
    SCRY_VERSION "\">\n<style>\n"
    ":root { color-scheme: light dark; }\n"
    "body { font: 15px/1.4 system-ui, sans-serif; margin: 2rem auto; max-width: 80rem; padding: 0 1rem; }\n"
    "h1 { font-size: 1.4rem; margin: 0; overflow-wrap: anywhere; }\n"
    ".about { color: GrayText; margin: .3rem 0 1.5rem; }\n"
    "ol { display: grid; gap: 1.2rem; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)); list-style: none; margin: 0; padding: 0; }\n"
    "li { min-width: 0; }\n"
    "img, .absent { border-radius: 4px; display: block; height: 12rem; object-fit: contain; width: 100%; background: rgba(128,128,128,.12); }\n"
    ".absent { align-items: center; color: GrayText; display: flex; justify-content: center; }\n"
    "li p { margin: .3rem 0 0; overflow-wrap: anywhere; font-size: .85rem; }\n"
    ".facts { color: GrayText; }\n"
    ".line { border-top: 1px solid; color: GrayText; grid-column: 1 / -1; padding-top: .3rem; }\n"
    "</style>\n";

/* A text or an attribute's value: markup escaped, invalid bytes and control characters as U+FFFD. */
static void put_text(scry_buf *b, const char *s)
{
    for (size_t n = strlen(s); n;) {
        uint32_t rune;
        size_t taken = scry_utf8_next(s, n, &rune);
        char bytes[4];
        if (rune == '&' || rune == '<' || rune == '>' || rune == '"' || rune == '\'')
            scry_buf_printf(b, "&#%u;", rune);
        else {
            bool control = rune < 0x20 || (rune >= 0x7F && rune < 0xA0);
            scry_buf_append(b, bytes, scry_utf8_put(bytes, control ? SCRY_RUNE_REPLACEMENT : rune));
        }
        s += taken;
        n -= taken;
    }
}

/* A file:// address, with every byte escaped that is not a plain path character. */
static void put_file_url(scry_buf *b, const char *path)
{
    scry_buf_puts(b, "file://");
    for (const unsigned char *p = (const unsigned char *)path; *p; p++)
        if (strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/", *p))
            scry_buf_putc(b, (char)*p);
        else
            scry_buf_printf(b, "%%%02X", *p);
}

/* Fails only if no decoder can be started. */
static int put_thumb(scry_buf *b, scry_decoder *decoder, const scry_file *f, scry_error *err)
{
    const uint8_t *bytes;
    size_t size;
    struct stat st;
    scry_decode_result r;
    scry_error why = SCRY_ERROR_INIT;
    scry_decode_request request = { .kind = SCRY_DECODE_JPEG, .max_side = THUMB_SIDE, .quality = THUMB_QUALITY };
    int loaded = scry_decoder_load(decoder, f->path, &bytes, &size, &st, &why);
    int result = loaded < 0 ? loaded : scry_decoder_run(decoder, &request, &r, &why);
    if (loaded == 0 && result == SCRY_EIO)
        return scry_fail(err, result, "%s", why.message);
    if (result < 0) {
        scry_buf_puts(b, "<span class=\"absent\">");
        put_text(b, why.code == SCRY_ENOTFOUND ? "the file does not exist" : "cannot be shown");
        scry_buf_puts(b, "</span>");
        return 0;
    }
    scry_buf_puts(b, "<img alt=\"");
    put_text(b, f->relative ? f->relative : f->path);
    scry_buf_puts(b, "\" loading=\"lazy\" src=\"data:image/jpeg;base64,");
    scry_base64_append(b, r.encoded, r.encoded_bytes);
    scry_buf_puts(b, "\">");
    return 0;
}

static void put_facts(scry_buf *b, const scry_hit *h, bool scored)
{
    const scry_file *f = &h->file;
    char day[32];
    time_t t = (time_t)f->taken_at;
    struct tm tm;
    scry_buf_puts(b, "<p class=\"facts\">");
    if (scored)
        scry_buf_printf(b, "%.3f &middot; ", h->score);
    scry_buf_printf(b, "%d &times; %d", f->width, f->height);
    if (f->has_time && gmtime_r(&t, &tm) && strftime(day, sizeof day, "%Y-%m-%d", &tm))
        scry_buf_printf(b, " &middot; %s", day);
    if (f->camera && f->camera[0]) {
        scry_buf_puts(b, " &middot; ");
        put_text(b, f->camera);
    }
    for (size_t i = 0; i < f->label_count; i++) {
        scry_buf_puts(b, " &middot; ");
        put_text(b, f->labels[i]);
    }
    if (f->raw && f->raw[0]) {
        scry_buf_puts(b, " &middot; ");
        put_text(b, f->raw);
    }
    if (h->copies)
        scry_buf_printf(b, " &middot; and %llu cop%s", (unsigned long long)h->copies, h->copies == 1 ? "y" : "ies");
    scry_buf_puts(b, "</p>");
}

static int put_hit(scry_buf *b, const cli_output *o, scry_decoder *decoder, size_t i, scry_error *err)
{
    size_t rank;
    const scry_hit *h = cli_output_hit(o, i, &rank);
    scry_buf_puts(b, "<li><a href=\"");
    put_file_url(b, h->file.path);
    scry_buf_puts(b, "\">");
    int r = put_thumb(b, decoder, &h->file, err);
    scry_buf_printf(b, "</a><p>%zu. ", rank);
    put_text(b, h->file.path);
    scry_buf_puts(b, "</p>");
    put_facts(b, h, !o->listed && o->scores);
    scry_buf_puts(b, "</li>\n");
    return r;
}

static int put_page(scry_buf *b, const cli_output *o, scry_decoder *decoder, scry_error *err)
{
    const char *title = o->title ? o->title : o->listed ? "Pictures" : scry_buf_str(&o->request->shown);
    scry_buf_puts(b, head);
    scry_buf_puts(b, "<title>");
    put_text(b, title);
    scry_buf_puts(b, "</title>\n</head>\n<body>\n<h1>");
    put_text(b, title);
    scry_buf_printf(b, "</h1>\n<p class=\"about\">%zu picture%s", o->results->count, o->results->count == 1 ? "" : "s");
    if (!o->listed) {
        scry_buf_puts(b, " &middot; model ");
        put_text(b, o->model->name);
    }
    scry_buf_puts(b, "</p>\n<ol>\n");
    const char *group = NULL;
    int r = 0;
    for (size_t i = 0; r == 0 && i < o->results->count; i++) {
        size_t rank;
        const scry_hit *h = cli_output_hit(o, i, &rank);
        const char *heading = o->order ? NULL : scry_groups_next(&o->groups, &group, o->results, rank, h);
        if (o->headings)
            heading = o->headings[i];
        if (heading)
            scry_buf_printf(b, "<li class=\"line\">%s</li>\n", heading);
        r = put_hit(b, o, decoder, i, err);
    }
    scry_buf_puts(b, "</ol>\n</body>\n</html>\n");
    return r;
}

int cli_write_html(const char *path, const cli_output *o, scry_error *err)
{
    scry_decoder *decoder;
    scry_decoder_options d = SCRY_DECODER_OPTIONS_INIT;
    scry_buf page = SCRY_BUF_INIT(MAX_PAGE_BYTES);
    d.formats = scry_formats_all();
    int r = scry_decoder_new(&decoder, &d, err);
    if (r < 0)
        return r;
    r = put_page(&page, o, decoder, err);
    scry_decoder_free(decoder);
    if (r == 0 && page.failed)
        r = scry_fail(err, SCRY_ELIMIT, "the page of %zu pictures would be larger than %d MiB: take a smaller --limit",
                      o->results->count, MAX_PAGE_BYTES >> 20);
    else if (r == 0)
        r = cli_write_file(path, &(struct iovec){ page.data, page.size }, 1, err);
    scry_buf_dispose(&page);
    return r;
}
