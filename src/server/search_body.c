/* search_body.c - searches that come as a body: JSON, or a form with picture files.
 *
 * Both are turned into the query line and the parameters that a GET has, so that there is one
 * meaning: {"q": "..."} or {"parts": [{"text"|"id"|"picture", "weight", "region"}]}, "filter":
 * {in, after, before, camera, near, format, label, key}, "limit", "cursor", "min_score",
 * "all_copies", "fold".
 */
#include "server/cache.h"
#include "server/multipart.h"
#include "server/server.h"

#include "base/alloc.h"
#include "base/sha256.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A text that means itself at the beginning of a part, whatever it begins with. */
static void put_text(scry_buf *line, const char *text)
{
    scry_buf_putc(line, '\\');
    for (const char *p = text + strspn(text, " \t\r\n"); *p;) {
        size_t n = strcspn(p, " \t\r\n");
        if (n == 1 && (*p == '+' || *p == '-') && line->data[line->size - 1] != '\\')
            scry_buf_putc(line, '\\');
        scry_buf_append(line, p, n);
        p += n;
        p += strspn(p, " \t\r\n");
        if (*p)
            scry_buf_putc(line, ' ');
    }
}

static bool put_part(request *r, const scry_json *part, bool first, scry_buf *line)
{
    const char *text = scry_json_str(scry_json_get(part, "text"), NULL), *id = scry_json_str(scry_json_get(part, "id"), NULL),
               *picture = scry_json_str(scry_json_get(part, "picture"), NULL);
    double weight = scry_json_num(scry_json_get(part, "weight"), 1);
    const scry_json *region = scry_json_get(part, "region");
    if (!!text + !!id + !!picture != 1 || !(weight >= -100 && weight <= 100) || weight == 0) {
        respond_problem(r, 400, "a part of the query has one of text, id and picture, and a weight from -100 to 100 that is not 0");
        return false;
    }
    if (text && !text[strspn(text, " \t\r\n")]) {
        respond_problem(r, 400, "a text of the query is empty");
        return false;
    }
    scry_buf_puts(line, weight < 0 ? " - " : first ? "" : " + ");
    if (weight != 1 && weight != -1)
        scry_buf_printf(line, "%.6f:", weight < 0 ? -weight : weight);
    if (text)
        put_text(line, text);
    else
        scry_buf_printf(line, "@%s:%s", id ? "id" : "p", id ? id : picture);
    if (!text && scry_json_size(region) == 4)
        for (size_t i = 0; i < 4; i++)
            scry_buf_printf(line, "%c%lld", i ? ',' : '#', (long long)scry_json_int(scry_json_at(region, i), 0));
    return true;
}

/* The parameters that a body may set; what else a form has is passed over. */
static const char *const known_args[] = { "in", "after", "before", "camera", "near", "format", "label", "key",
                                          "limit", "cursor", "min_score", "all_copies", "fold" };

/* With more than there is room for, a 400 is made: an answer to fewer would not be the one asked for. */
static void set_arg(request *r, const char *name, const char *value)
{
    size_t i = 0, n = sizeof known_args / sizeof *known_args;
    while (i < n && strcmp(known_args[i], name) != 0)
        i++;
    if (i == n || r->status != 0)
        return;
    if (r->kept_count == MAX_KEPT_ARGS) {
        respond_problem(r, 400, "more than %d filters and other parameters", MAX_KEPT_ARGS);
        return;
    }
    /* libmicrohttpd keeps both pointers: the name is static, the value is freed with the request. */
    char *copy = r->kept[r->kept_count++] = scry_strdup(value);
    MHD_set_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, known_args[i], copy);
}

/* A string, number, boolean, or list of them, as one or more parameters. */
static void set_json_arg(request *r, const char *name, const scry_json *v)
{
    char number[32];
    switch (scry_json_type_of(v)) {
    case SCRY_JSON_STRING: set_arg(r, name, scry_json_str(v, "")); break;
    case SCRY_JSON_BOOL: set_arg(r, name, scry_json_bool(v, false) ? "1" : "0"); break;
    case SCRY_JSON_INT:
        snprintf(number, sizeof number, "%lld", (long long)scry_json_int(v, 0));
        set_arg(r, name, number);
        break;
    case SCRY_JSON_REAL:
        snprintf(number, sizeof number, "%.9g", scry_json_num(v, 0));
        set_arg(r, name, number);
        break;
    case SCRY_JSON_ARRAY:
        for (size_t i = 0; i < scry_json_size(v); i++)
            set_json_arg(r, name, scry_json_at(v, i));
        break;
    default: break;
    }
}

static void set_filter(request *r, const scry_json *filter)
{
    static const char *const names[] = { "in", "after", "before", "camera", "format", "label", "key" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        set_json_arg(r, names[i], scry_json_get(filter, names[i]));
    const scry_json *near = scry_json_get(filter, "near");
    if (scry_json_size(near) == 3) {
        char text[128];
        snprintf(text, sizeof text, "%.9g,%.9g,%.9g", scry_json_num(scry_json_at(near, 0), 1e9),
                 scry_json_num(scry_json_at(near, 1), 1e9), scry_json_num(scry_json_at(near, 2), -1));
        set_arg(r, "near", text);
    } else {
        set_json_arg(r, "near", near);
    }
}

/* The line and the parameters are taken from the body; false: an answer was made, now or before. */
static bool parse_line(request *r, search_job *j, const scry_buf *line)
{
    scry_error err = SCRY_ERROR_INIT;
    if (r->status != 0)
        return false;
    if (line->failed) {
        respond_problem(r, 413, "a query may have at most %d bytes", SCRY_MAX_QUERY_BYTES);
        return false;
    }
    if (scry_query_parse_line(&j->query, scry_buf_str(line), &err) < 0) {
        respond_error(r, &err);
        return false;
    }
    j->shown = scry_strdup(scry_buf_str(line));
    return search_read_args(r, j);
}

bool search_read_json(request *r, search_job *j)
{
    scry_json *root = NULL;
    if (!request_json(r, &root))
        return false;
    static const char *const names[] = { "limit", "cursor", "min_score", "all_copies", "fold" };
    scry_buf line = SCRY_BUF_INIT(SCRY_MAX_QUERY_BYTES);
    const scry_json *parts = scry_json_get(root, "parts");
    bool ok = true;
    for (size_t i = 0; ok && i < scry_json_size(parts); i++)
        ok = put_part(r, scry_json_at(parts, i), i == 0, &line);
    if (ok && !line.size)
        scry_buf_puts(&line, scry_json_str(scry_json_get(root, "q"), ""));
    set_filter(r, scry_json_get(root, "filter"));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        set_json_arg(r, names[i], scry_json_get(root, names[i]));
    ok = parse_line(r, j, &line);
    scry_buf_dispose(&line);
    scry_json_free(root);
    return ok;
}

typedef struct {
    request *request;
    scry_buf line;
} form;

static int read_field(void *arg, const multipart_part *part)
{
    form *f = arg;
    if (strcmp(part->name, "image") == 0) {
        uint8_t id[16];
        char hex[33];
        upload_keep(part->data, part->size, id);
        scry_hex(id, sizeof id, hex);
        scry_buf_printf(&f->line, "%s@p:%s", f->line.size ? " + " : "", hex);
        return 0;
    }
    char *value = scry_strndup(part->data, part->size);
    if (strcmp(part->name, "q") == 0 && value[0])
        scry_buf_printf(&f->line, "%s%s", f->line.size ? " + " : "", value);
    else
        set_arg(f->request, part->name, value);
    free(value);
    return 0;
}

bool search_read_form(request *r, search_job *j, const char *content_type)
{
    form f = { r, SCRY_BUF_INIT(SCRY_MAX_QUERY_BYTES) };
    scry_error err = SCRY_ERROR_INIT;
    if (multipart_read(content_type, scry_buf_str(&r->body), r->body.size, read_field, &f, &err) < 0)
        respond_error(r, &err);
    bool ok = parse_line(r, j, &f.line);
    scry_buf_dispose(&f.line);
    return ok;
}
