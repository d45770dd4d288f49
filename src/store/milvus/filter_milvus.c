#include "store/milvus/filter_milvus.h"

#include "base/alloc.h"
#include "base/utf8.h"
#include "store/keyword.h"
#include "store/milvus/filter_words.h"
#include "store/predicates.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char ESCAPE = '\x1a';

/* ---- text ---- */

static bool must_escape(uint32_t c)
{
    return c < 0x20 || c == 0x7f || c == '"' || c == '\'' || c == '\\';
}

void scry_milvus_escape(scry_buf *out, const char *text)
{
    size_t left = strlen(text);
    while (left) {
        uint32_t rune;
        size_t n = scry_utf8_next(text, left, &rune);
        if (rune == SCRY_RUNE_REPLACEMENT ? !scry_utf8_valid(text, n) : must_escape(rune)) {
            n = 1;   /* of an invalid sequence each byte separately */
            scry_buf_printf(out, "%c%02x", ESCAPE, (unsigned char)*text);
        } else {
            scry_buf_append(out, text, n);
        }
        text += n;
        left -= n;
    }
}

static int hex_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void scry_milvus_unescape(char *text)
{
    char *to = strchr(text, ESCAPE);
    if (!to)
        return;
    for (const char *from = to; *from;) {
        int high = from[0] == ESCAPE ? hex_value(from[1]) : -1;
        int low = high >= 0 ? hex_value(from[2]) : -1;
        if (low >= 0 && high + low > 0) {
            *to++ = (char)(high * 16 + low);
            from += 3;
        } else {
            *to++ = *from++;
        }
    }
    *to = '\0';
}

/* ---- expressions ----
 *
 * Negations are moved to the leaves first, since an expression that passes more rows than the filter
 * must not be negated. Each result is an owned string; "" passes every row, NULL none. The switches name every
 * kind and have no default, so that -Wswitch-enum finds a kind that was added and is missing here. */

typedef struct compiler {
    const scry_milvus_roots *roots;
    size_t limit;
    bool wider;
    bool no_field;   /* the filter asks for what the collection does not keep */
    bool too_long;   /* the expression would be */
} compiler;

static char *everything(void)
{
    return scry_strdup("");
}

static char *join(char *a, const char *operator, char *b)
{
    char *both = scry_asprintf("(%s) %s (%s)", a, operator, b);
    free(a);
    free(b);
    return both;
}

static char *both_of(char *a, char *b)
{
    if (!a || !b || !*a) {
        char *out = a && b ? b : NULL;
        free(a);
        if (!out)
            free(b);
        return out;
    }
    if (!*b) {
        free(b);
        return a;
    }
    return join(a, "and", b);
}

static char *either_of(char *a, char *b)
{
    if (!a || !b) {
        return a ? a : b;
    }
    if (!*a || !*b) {
        free(a);
        free(b);
        return everything();
    }
    return join(a, "or", b);
}

static char *negated(char *text)
{
    if (!text)
        return everything();
    char *out = *text ? scry_asprintf("not (%s)", text) : NULL;
    free(text);
    return out;
}

/* field OPERATOR "text" */
static char *compare(const compiler *c, const char *before, const char *text, const char *after)
{
    scry_buf b = SCRY_BUF_INIT(c->limit);
    scry_buf_puts(&b, before);
    scry_buf_putc(&b, '"');
    scry_milvus_escape(&b, text);
    scry_buf_printf(&b, "\"%s", after);
    return scry_buf_take(&b);
}

/* `folder` and the files below it, in the root that contains it. `folder` itself may be a
 * file; below it are the strings from "folder/" up to "folder0", since '0' follows '/'. */
static char *in_root(const compiler *c, const char *root_id, const char *relative)
{
    scry_buf escaped = SCRY_BUF_INIT(c->limit);
    scry_milvus_escape(&escaped, relative);
    const char *r = scry_buf_str(&escaped);
    char *out = scry_asprintf("root == \"%s\" and (path == \"%s\" or (path > \"%s/\" and path < \"%s0\"))", root_id, r, r, r);
    scry_buf_dispose(&escaped);
    return out;
}

static char *in_folder(const compiler *c, const char *folder)
{
    char *out = NULL;
    for (size_t i = 0; i < c->roots->count; i++) {
        const char *path = c->roots->paths[i], *id = c->roots->ids[i];
        size_t n = strlen(path);
        if (scry_path_within(folder, path))
            out = either_of(out, scry_asprintf("root == \"%s\"", id));
        else if (scry_path_within(path, folder))
            out = either_of(out, in_root(c, id, folder + n + (path[n - 1] == '/' ? 0 : 1)));
    }
    return out;
}

static char *at_time(const scry_filter_node *f, bool negate)
{
    /* Milvus parses the smallest int64 as the negation of a number out of range. */
    long long t = f->time_s == INT64_MIN ? INT64_MIN + 1 : f->time_s;
    return scry_asprintf("time %s %lld", (f->kind == SCRY_FILTER_AFTER) != negate ? ">=" : "<", t);
}

/* Milvus 2.3 has no `like "%x%"`: the cameras that match, by name. */
static char *with_camera(compiler *c, const char *text, bool negate)
{
    if (scry_text_contains("", text))
        return negate ? NULL : everything();
    if (!c->roots->cameras) {
        c->wider = true;
        return everything();
    }
    scry_buf b = SCRY_BUF_INIT(c->limit);
    for (size_t i = 0; i < c->roots->camera_count; i++) {
        if (!scry_text_contains(c->roots->cameras[i], text))
            continue;
        scry_buf_puts(&b, b.size ? ", \"" : "camera in [\"");
        scry_milvus_escape(&b, c->roots->cameras[i]);
        scry_buf_putc(&b, '"');
    }
    if (b.size)
        scry_buf_putc(&b, ']');
    char *out = b.size ? scry_buf_take(&b) : NULL;
    scry_buf_dispose(&b);
    return negate ? negated(out) : out;
}

static char *is_favourite(compiler *c)
{
    const size_t each = 70;   /* bytes of a hash in hex, quoted */
    if (!c->roots->favourite_count)
        return NULL;
    c->too_long |= c->roots->favourite_count > c->limit / each;
    if (c->too_long)
        return NULL;
    scry_buf b = SCRY_BUF_INIT(2 * c->limit);
    for (size_t i = 0; i < c->roots->favourite_count; i++)
        scry_buf_printf(&b, "%s\"%s\"", i ? ", " : "content in [", c->roots->favourites[i]);
    scry_buf_putc(&b, ']');
    return scry_buf_take(&b);
}

/* "rating" is -2 where there is none, which passes no filter on ratings, so that a negation lets it pass. */
static char *at_rating(int64_t least, bool negate)
{
    long long from = least < -1 ? -1 : least > 6 ? 6 : least;
    return scry_asprintf("rating %s %lld", negate ? "<" : ">=", from);
}

/* Rows that an earlier scry put have keywords with A to Z in lower case and all else as it was. */
static char *with_keyword(const compiler *c, const char *keyword)
{
    static const char has[] = "array_contains(keyword_terms, ";
    char *form = scry_keyword_form(keyword, strlen(keyword)), *lower = scry_ascii_lower(keyword);
    char *out = compare(c, has, form, ")");
    if (strcmp(form, lower) != 0)
        out = either_of(out, compare(c, has, lower, ")"));
    free(form);
    free(lower);
    return out;
}

/* In a collection without words every row is compared. */
static char *with_words(compiler *c, const scry_filter_node *f, bool negate)
{
    bool wider = c->roots->words == SCRY_MILVUS_NO_WORDS, mixed = c->roots->words == SCRY_MILVUS_WORDS_MIXED;
    char *out = wider ? everything() : scry_milvus_words_expression(f->text, (scry_words_mode)f->number, mixed, &wider);
    c->wider |= wider;
    if (!negate)
        return out;
    if (!wider)
        return negated(out);
    free(out);
    return everything();
}

/* A box around the circle. Its half width in longitude is where a meridian touches the
 * circle; beyond a pole, all longitudes. Rounded outwards. */
static char *near_place(compiler *c, const scry_filter_node *f, bool negate)
{
    const double degree = 3.14159265358979323846 / 180, earth_km = 6371.0088, margin = 1e-6;
    c->wider = true;
    if (negate)
        return everything();
    double angle = f->km / earth_km, south = f->latitude - angle / degree - margin, north = f->latitude + angle / degree + margin;
    char *box = scry_asprintf("has_position == true and latitude >= %.9f and latitude <= %.9f", south, north);
    if (south <= -90 || north >= 90)
        return box;
    double half = asin(sin(angle) / cos(f->latitude * degree)) / degree + margin;
    double west = f->longitude - half, east = f->longitude + half;
    const char *how = "longitude >= %.9f and longitude <= %.9f";
    if (west < -180 || east > 180) {
        how = "longitude >= %.9f or longitude <= %.9f";   /* across the date line */
        west += west < -180 ? 360 : 0;
        east -= east > 180 ? 360 : 0;
    }
    char *sides = scry_asprintf(how, west, east);
    return both_of(box, sides);
}

/* With 17 decimals, so that the server compares with the same number. */
static char *in_box(const scry_filter_node *f)
{
    double west = f->longitude, east = f->east;
    char *rows = scry_asprintf("has_position == true and latitude >= %.17f and latitude <= %.17f", f->latitude, f->north);
    char *sides = scry_asprintf(west > east ? "longitude >= %.17f or longitude <= %.17f" : "longitude >= %.17f and longitude <= %.17f",
                                west, east);
    if (west <= east && (west == -180 || east == 180))
        sides = either_of(sides, scry_strdup("longitude <= -180.0 or longitude >= 180.0"));   /* one meridian */
    return both_of(rows, sides);
}

static char *compile(compiler *c, const scry_filter_node *f, bool negate)
{
    char *a = NULL, *b;
    switch (f->kind) {
    case SCRY_FILTER_ALL:
        return negate ? NULL : everything();
    case SCRY_FILTER_NOT:
        return compile(c, f->left, !negate);
    case SCRY_FILTER_AND: case SCRY_FILTER_OR:
        a = compile(c, f->left, negate);
        b = compile(c, f->right, negate);
        return (f->kind == SCRY_FILTER_AND) != negate ? both_of(a, b) : either_of(a, b);
    case SCRY_FILTER_AFTER: case SCRY_FILTER_BEFORE:
        return at_time(f, negate);
    case SCRY_FILTER_CAMERA:
        return with_camera(c, f->text, negate);
    case SCRY_FILTER_MIN_WIDTH:
        return scry_asprintf("width %s %lld", negate ? "<" : ">=", (long long)f->number);
    case SCRY_FILTER_MIN_RATING:
        c->no_field |= !c->roots->has_details;
        return at_rating(f->number, negate);
    case SCRY_FILTER_NEAR:
        return near_place(c, f, negate);
    case SCRY_FILTER_BOX:
        a = in_box(f);
        break;
    case SCRY_FILTER_IN:
        a = in_folder(c, f->text);
        break;
    case SCRY_FILTER_FORMAT:
        a = compare(c, "format == ", f->text, "");
        break;
    case SCRY_FILTER_LABEL:
        a = compare(c, "array_contains(labels, ", f->text, ")");
        break;
    case SCRY_FILTER_KEY:
        a = compare(c, "key == ", f->text, "");
        break;
    case SCRY_FILTER_KEYWORD:
        c->no_field |= !c->roots->has_details;
        a = with_keyword(c, f->text);
        break;
    case SCRY_FILTER_WORDS:
        return with_words(c, f, negate);
    case SCRY_FILTER_FAVOURITE:
        a = is_favourite(c);
        break;
    case SCRY_FILTER_KINDS:
        break;
    }
    if ((unsigned)f->kind >= SCRY_FILTER_KINDS)
        return NULL;   /* not known here: no row passes, negated or not */
    return negate ? negated(a) : a;
}

int scry_filter_to_milvus(const scry_filter_node *f, const scry_milvus_roots *roots, scry_buf *out,
                          scry_milvus_cover *cover, scry_error *err)
{
    compiler c = { .roots = roots, .limit = out->limit };
    *cover = SCRY_MILVUS_EXACT;
    if (!f)
        return 0;
    char *text = compile(&c, f, false);
    if (c.no_field) {
        free(text);
        return scry_fail(err, SCRY_EINVALID, "this collection was made by an earlier scry, without fields for ratings and keywords: "
                         SCRY_STORE_DETAILS_ADVICE);
    }
    if (c.too_long) {
        free(text);
        return scry_fail(err, SCRY_ELIMIT, "%zu favourites are too many for a filter on Milvus", roots->favourite_count);
    }
    *cover = !text ? SCRY_MILVUS_NOTHING : c.wider ? SCRY_MILVUS_WIDER : SCRY_MILVUS_EXACT;
    if (text)
        scry_buf_puts(out, text);
    free(text);
    if (out->failed)
        return scry_fail(err, SCRY_ELIMIT, "the filter is too long for Milvus: more than %zu bytes", out->limit);
    return 0;
}

static bool may_pass(const scry_filter_node *f, const char *root, bool negate)
{
    bool a, b;
    switch (f->kind) {
    case SCRY_FILTER_NOT:
        return may_pass(f->left, root, !negate);
    case SCRY_FILTER_AND: case SCRY_FILTER_OR:
        a = may_pass(f->left, root, negate);
        b = may_pass(f->right, root, negate);
        return (f->kind == SCRY_FILTER_AND) != negate ? a && b : a || b;
    case SCRY_FILTER_IN:
        return negate ? !scry_path_within(f->text, root)
                      : scry_path_within(f->text, root) || scry_path_within(root, f->text);
    case SCRY_FILTER_ALL: case SCRY_FILTER_AFTER: case SCRY_FILTER_BEFORE: case SCRY_FILTER_CAMERA: case SCRY_FILTER_NEAR:
    case SCRY_FILTER_BOX: case SCRY_FILTER_FORMAT: case SCRY_FILTER_MIN_WIDTH: case SCRY_FILTER_MIN_RATING:
    case SCRY_FILTER_KEYWORD: case SCRY_FILTER_WORDS: case SCRY_FILTER_LABEL: case SCRY_FILTER_KEY: case SCRY_FILTER_FAVOURITE:
    case SCRY_FILTER_KINDS:
        break;   /* does not restrict roots */
    }
    return true;
}

void scry_filter_may_pass(const scry_filter_node *f, const scry_milvus_roots *roots, bool *may)
{
    for (size_t i = 0; i < roots->count; i++)
        may[i] = !f || may_pass(f, roots->paths[i], false);
}
