/* query.c - parts of a query: added as values, or parsed by the grammar of query.h. */
#include "scry/query.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/required.h"
#include "base/sha256.h"
#include "base/unicode.h"
#include "base/utf8.h"
#include "engine/path_forms.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct scry_query {
    scry_query_part parts[SCRY_MAX_QUERY_PARTS];
    char *owned[SCRY_MAX_QUERY_PARTS];   /* what parts[i].text points to */
    bool weighed[SCRY_MAX_QUERY_PARTS];  /* the part was written with a weight in front */
    size_t count;
};

scry_query *scry_query_new(void)
{
    return scry_alloc(sizeof(scry_query));
}

void scry_query_free(scry_query *q)
{
    if (!q)
        return;
    for (size_t i = 0; i < q->count; i++)
        free(q->owned[i]);
    free(q);
}

size_t scry_query_parts(const scry_query *q, const scry_query_part **out)
{
    *out = q->parts;
    return q->count;
}

bool scry_query_is_weighed(const scry_query *q, size_t i)
{
    return i < q->count && q->weighed[i];
}

bool scry_query_needs_decoder(const scry_query *q)
{
    for (size_t i = 0; i < q->count; i++)
        if (q->parts[i].kind == SCRY_PART_PICTURE || q->parts[i].kind == SCRY_PART_UPLOADED || q->parts[i].region[2])
            return true;
    return false;
}

enum { MAX_REGION = 1 << 24 };   /* pixels of its left edge, top edge, width and height */

int scry_parse_region(const char *text, int out[4], scry_error *err)
{
    const char *p = text;
    int required = scry_required(text, "a region", err);
    if (required < 0)
        return required;
    for (int i = 0; i < 4; i++) {
        char *end;
        errno = 0;
        long v = strtol(p, &end, 10);
        bool last = i == 3;
        if (end == p || errno || v < 0 || v > MAX_REGION || *end != (last ? '\0' : ',') || !isdigit((unsigned char)*p))
            return scry_fail(err, SCRY_EINVALID, "the region \"%s\" is not x,y,w,h in whole pixels", text);
        out[i] = (int)v;
        p = end + 1;
    }
    if (out[2] == 0 || out[3] == 0)
        return scry_fail(err, SCRY_EINVALID, "the region \"%s\" is empty: its width and height must be above 0", text);
    return 0;
}

static int check_part(const scry_query *q, const scry_query_part *part, scry_error *err)
{
    const int *r = part->region;
    if (q->count == SCRY_MAX_QUERY_PARTS)
        return scry_fail(err, SCRY_ELIMIT, "the query has more than %d parts", SCRY_MAX_QUERY_PARTS);
    if (!(fabs(part->weight) > 0 && fabs(part->weight) <= 100))
        return scry_fail(err, SCRY_EINVALID, "a weight of %g: it is from -100 to 100, and not 0", part->weight);
    if (r[2] == 0 && r[3] == 0)
        return 0;   /* the whole picture */
    for (int i = 0; i < 4; i++)
        if (r[i] < i / 2 || r[i] > MAX_REGION)
            return scry_fail(err, SCRY_EINVALID, "a region of %d,%d,%d,%d: x and y are 0 or more, width and height 1 or more", r[0],
                             r[1], r[2], r[3]);
    return 0;
}

static int add_part(scry_query *q, scry_query_part part, char *owned, scry_error *err)
{
    int r = check_part(q, &part, err);
    if (r < 0) {
        free(owned);
        return r;
    }
    part.text = owned;
    q->owned[q->count] = owned;
    q->parts[q->count++] = part;
    return 0;
}

/* Whether nothing of a valid text can be seen: white space, control and format characters, as a zero-width space is one. */
static bool is_blank(const char *text, size_t n)
{
    uint32_t rune;
    for (size_t i = 0; i < n;) {
        i += scry_utf8_next(text + i, n - i, &rune);
        unicode_category c = scry_unicode_category(rune);
        if (c != UNICODE_CC && c != UNICODE_CF && !scry_rune_is_space(rune))
            return false;
    }
    return true;
}

int scry_query_add_text(scry_query *q, const char *text, double weight, scry_error *err)
{
    int required = scry_required(text, "a text", err);
    if (required < 0)
        return required;
    size_t n = strlen(text);
    if (n > SCRY_MAX_QUERY_BYTES)
        return scry_fail(err, SCRY_ELIMIT, "a text of the query is longer than %d bytes", SCRY_MAX_QUERY_BYTES);
    if (!scry_utf8_valid(text, n))
        return scry_fail(err, SCRY_EINVALID, "a text of the query is not valid UTF-8: write it in a terminal whose "
                         "encoding is UTF-8, or convert it");
    if (is_blank(text, n))
        return scry_fail(err, SCRY_EINVALID, "the query has an empty text: say what to look for");
    return add_part(q, (scry_query_part){ .kind = SCRY_PART_TEXT, .weight = weight }, scry_strdup(text), err);
}

int scry_query_add_picture(scry_query *q, const char *path, const int region[4], double weight, scry_error *err)
{
    scry_query_part part = { .kind = SCRY_PART_PICTURE, .weight = weight };
    int required = scry_required(path, "the path of a picture", err);
    if (required < 0)
        return required;
    if (!path[0])
        return scry_fail(err, SCRY_EINVALID, "the path of a picture is empty");
    if (strncmp(path, "http://", 7) == 0 || strncmp(path, "https://", 8) == 0)
        return scry_fail(err, SCRY_EINVALID, "%.200s is an address, and scry opens none: download the picture, and give the file", path);
    if (region)
        memcpy(part.region, region, sizeof part.region);
    return add_part(q, part, scry_given_path(path), err);
}

int scry_query_add_id(scry_query *q, scry_part_kind kind, const char *hex, const int region[4], double weight, scry_error *err)
{
    scry_query_part part = { .kind = kind, .weight = weight };
    int required = scry_required(hex, "a picture's id", err);
    if (required < 0)
        return required;
    if (kind != SCRY_PART_STORED && kind != SCRY_PART_UPLOADED)
        return scry_fail(err, SCRY_EINVALID, "a part of a query with an id is a stored or an uploaded picture, not of kind %d", (int)kind);
    if (scry_unhex(hex, part.id, sizeof part.id) < 0)
        return scry_fail(err, SCRY_EINVALID, "\"@%s:%s\" is not a picture's id of 32 hexadecimal digits",
                         kind == SCRY_PART_STORED ? "id" : "p", hex);
    if (region)
        memcpy(part.region, region, sizeof part.region);
    return add_part(q, part, scry_strdup(hex), err);
}

/* Whether `text` begins with a weight: a number, a colon, and right behind it what it weighs. A digit there makes
 * it a time or a ratio ("5:30 pm", "16:9"), a space or the end a text ("5: the fifth"). Returns the length of the number. */
static size_t weight_length(const char *text)
{
    size_t n = strspn(text, "0123456789.");
    if (n == 0 || text[n] != ':' || strspn(text, ".") == n)
        return 0;
    char next = text[n + 1];
    return next == '\0' || isspace((unsigned char)next) || isdigit((unsigned char)next) ? 0 : n;
}

/* Read "NUMBER:" at the beginning of `*text` and move behind it; without one *weight is 1. */
static int parse_weight(const char **text, double *weight, bool *found, scry_error *err)
{
    size_t n = weight_length(*text);
    *weight = 1;
    *found = n > 0;
    if (n == 0)
        return 0;
    char *end;
    double w = strtod(*text, &end);
    if (end != *text + n || !(w > 0) || w > 100)
        return scry_fail(err, SCRY_EINVALID, "the weight in \"%s\" is not a number above 0 and up to 100 "
                         "(write \\%s to search for it as text)", *text, *text);
    *weight = w;
    *text += n + 1;
    return 0;
}

/* Read "#x,y,w,h" at the end of `spec`; *n is the length of what precedes it. A "#" belongs to a name unless a
 * region follows the last one: three commas among numbers, which may be wrong ones. */
static int parse_region_suffix(const char *spec, size_t *n, int region[4], scry_error *err)
{
    const char *hash = strrchr(spec, '#');
    *n = strlen(spec);
    if (!hash || hash[1 + strspn(hash + 1, "0123456789,.-% ")] != '\0' || !strchr(hash, ','))
        return 0;
    size_t commas = 0;
    for (const char *p = hash; *p; p++)
        commas += *p == ',';
    if (commas != 3 && hash[1 + strspn(hash + 1, "0123456789,")] != '\0')
        return 0;
    *n = (size_t)(hash - spec);
    return scry_parse_region(hash + 1, region, err);
}

/* What follows the "@": a path, "id:HEX" or "p:HEX", with or without a region. */
static int parse_picture(scry_query *q, const char *spec, double weight, bool paths_allowed, scry_error *err)
{
    int region[4] = { 0 };
    size_t n;
    int r = parse_region_suffix(spec, &n, region, err);
    if (r < 0)
        return r;
    bool stored = strncmp(spec, "id:", 3) == 0, uploaded = !paths_allowed && strncmp(spec, "p:", 2) == 0;
    size_t prefix = stored ? 3 : uploaded ? 2 : 0;
    if (!prefix && !paths_allowed)
        return scry_fail(err, SCRY_EINVALID, "a picture by path (\"@%s\") is not allowed here: upload it, or use @id:", spec);
    if (n == 0)
        return scry_fail(err, SCRY_EINVALID, "\"@\" without the name of a picture (write \\@ to search for it as text)");
    char *text = scry_strndup(spec + prefix, n - prefix);
    r = prefix ? scry_query_add_id(q, stored ? SCRY_PART_STORED : SCRY_PART_UPLOADED, text, region, weight, err)
               : scry_query_add_picture(q, text, region, weight, err);
    free(text);
    return r;
}

/* The arguments of a text, joined; `first` is the first of them without weight and backslash. */
static int parse_text(scry_query *q, const char *first, const char *const *args, size_t n, double weight, scry_error *err)
{
    scry_buf text = SCRY_BUF_INIT(SCRY_MAX_QUERY_BYTES);
    for (size_t i = 0; i < n; i++) {
        const char *arg = i ? args[i] : first;
        if (i && (strcmp(arg, "\\+") == 0 || strcmp(arg, "\\-") == 0))
            arg++;
        if (text.size && arg[0])
            scry_buf_putc(&text, ' ');
        scry_buf_puts(&text, arg);
    }
    int r = text.failed ? scry_fail(err, SCRY_ELIMIT, "a text of the query is longer than %d bytes", SCRY_MAX_QUERY_BYTES)
                        : scry_query_add_text(q, scry_buf_str(&text), weight, err);
    scry_buf_dispose(&text);
    return r;
}

/* One part: `args[0..n)` are the arguments between two operators. */
static int parse_part(scry_query *q, const char *const *args, size_t n, double sign, bool paths_allowed,
                      scry_error *err)
{
    const char *first = args[0];
    double weight;
    bool weighed;
    int r = parse_weight(&first, &weight, &weighed, err);
    if (r < 0)
        return r;
    weight *= sign;
    if (first[0] == '@' && n > 1)
        return scry_fail(err, SCRY_EINVALID, "\"%s\" is a picture: put + or - between it and \"%s\"", first, args[1]);
    if (first[0] == '@')
        r = parse_picture(q, first + 1, weight, paths_allowed, err);
    else
        r = parse_text(q, first + (first[0] == '\\' && first[1]), args, n, weight, err);
    if (r == 0)
        q->weighed[q->count - 1] = weighed;
    return r;
}

static bool is_operator(const char *arg)
{
    return (arg[0] == '+' || arg[0] == '-') && arg[1] == '\0';
}

static int parse_all(scry_query *q, const char *const *args, size_t n, bool paths_allowed, scry_error *err)
{
    double sign = 1;
    size_t i = 0;
    if (n && is_operator(args[0]))
        sign = args[i++][0] == '-' ? -1 : 1;
    for (;;) {
        size_t end = i;
        while (end < n && !is_operator(args[end]))
            end++;
        if (end == i) {
            if (n == 0)
                return scry_fail(err, SCRY_EINVALID, "the query is empty: say what to look for");
            return scry_fail(err, SCRY_EINVALID, "a text or a picture is missing %s \"%s\"", end < n ? "before" : "after",
                             args[end < n ? end : n - 1]);
        }
        int r = parse_part(q, args + i, end - i, sign, paths_allowed, err);
        if (r < 0 || end == n)
            return r;
        sign = args[end][0] == '-' ? -1 : 1;
        i = end + 1;
    }
}

int scry_query_add_args(scry_query *q, const char *const *args, size_t n, scry_error *err)
{
    int required = scry_required_texts(args, n, "an argument", err);
    return required < 0 ? required : parse_all(q, args, n, true, err);
}

int scry_query_add_line(scry_query *q, const char *line, scry_error *err)
{
    int required = scry_required(line, "a query", err);
    if (required < 0)
        return required;
    if (strlen(line) > SCRY_MAX_QUERY_BYTES)
        return scry_fail(err, SCRY_ELIMIT, "the query is longer than %d bytes", SCRY_MAX_QUERY_BYTES);
    char *copy = scry_strdup(line), *save = NULL;
    const char **words = scry_alloc((strlen(line) / 2 + 1) * sizeof *words);
    size_t n = 0;
    for (char *w = strtok_r(copy, " \t\r\n", &save); w; w = strtok_r(NULL, " \t\r\n", &save))
        words[n++] = w;
    int r = parse_all(q, words, n, false, err);
    free(words);
    free(copy);
    return r;
}

static int parsed(scry_query **out, scry_query *q, int r)
{
    if (r < 0)
        scry_query_free(q);
    else
        *out = q;
    return r;
}

int scry_query_parse(scry_query **out, const char *const *args, size_t n, scry_error *err)
{
    scry_query *q = scry_query_new();
    return parsed(out, q, scry_query_add_args(q, args, n, err));
}

int scry_query_parse_line(scry_query **out, const char *line, scry_error *err)
{
    scry_query *q = scry_query_new();
    return parsed(out, q, scry_query_add_line(q, line, err));
}
