#include "metadata/xmp.h"

#include "base/utf8.h"
#include "metadata/fields.h"
#include "metadata/text.h"
#include "metadata/xmp_encoding.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 64, MAX_PREFIXES = 64, RAW = 4096, MAX_CONVERTED = 4 << 20 };

typedef enum { NO_SPACE, RDF, DC, XMP, EXIF, EXIF_EX, TIFF, PHOTOSHOP, AUX, XML, MICROSOFT, LIGHTROOM, DIGIKAM, ACDSEE } space;

static const struct { const char *prefix, *uri; } spaces[] = {
    [NO_SPACE] = { "", "" },
    [RDF] = { "rdf", "http://www.w3.org/1999/02/22-rdf-syntax-ns#" },
    [DC] = { "dc", "http://purl.org/dc/elements/1.1/" },
    [XMP] = { "xmp", "http://ns.adobe.com/xap/1.0/" },
    [EXIF] = { "exif", "http://ns.adobe.com/exif/1.0/" },
    [EXIF_EX] = { "exifEX", "http://cipa.jp/exif/1.0/" },
    [TIFF] = { "tiff", "http://ns.adobe.com/tiff/1.0/" },
    [PHOTOSHOP] = { "photoshop", "http://ns.adobe.com/photoshop/1.0/" },
    [AUX] = { "aux", "http://ns.adobe.com/exif/1.0/aux/" },
    [MICROSOFT] = { "MicrosoftPhoto", "http://ns.microsoft.com/photo/1.0/" },
    [LIGHTROOM] = { "lr", "http://ns.adobe.com/lightroom/1.0/" },
    [DIGIKAM] = { "digiKam", "http://www.digikam.org/ns/1.0/" },
    [ACDSEE] = { "acdsee", "http://ns.acdsee.com/iptc/1.0/" },
    [XML] = { "xml", "http://www.w3.org/XML/1998/namespace" },
};

/* Values as texts, until all are known. */
typedef struct values {
    char original[48], created[48], digitized[48], create[48], modified[48];
    char gps_time[48], gps_day[48];
    char latitude[48], latitude_ref[8], longitude[48], longitude_ref[8];
    char make[64], model[64], lens[96], aux_lens[96], orientation[8], rating[16], percent[16];
    char title[256], headline[256], description[2048], comment[2048], keywords[1024], programs_keywords[1024];
} values;

typedef struct property {
    space space;
    const char *name;
    size_t at, capacity;     /* of its field in values */
} property;

#define FIELD(f) offsetof(values, f), sizeof((values *)NULL)->f
static const property properties[] = {
    { EXIF, "DateTimeOriginal", FIELD(original) },
    { PHOTOSHOP, "DateCreated", FIELD(created) },
    { EXIF, "DateTimeDigitized", FIELD(digitized) },
    { XMP, "CreateDate", FIELD(create) },
    { XMP, "ModifyDate", FIELD(modified) },
    { TIFF, "DateTime", FIELD(modified) },
    { EXIF, "GPSTimeStamp", FIELD(gps_time) },
    { EXIF, "GPSDateTime", FIELD(gps_time) },
    { EXIF, "GPSDateStamp", FIELD(gps_day) },
    { EXIF, "GPSLatitude", FIELD(latitude) },
    { EXIF, "GPSLatitudeRef", FIELD(latitude_ref) },
    { EXIF, "GPSLongitude", FIELD(longitude) },
    { EXIF, "GPSLongitudeRef", FIELD(longitude_ref) },
    { TIFF, "Make", FIELD(make) },
    { TIFF, "Model", FIELD(model) },
    { TIFF, "Orientation", FIELD(orientation) },
    { EXIF_EX, "LensModel", FIELD(lens) },
    { AUX, "LensModel", FIELD(lens) },
    { EXIF, "LensModel", FIELD(lens) },
    { AUX, "Lens", FIELD(aux_lens) },
    { XMP, "Rating", FIELD(rating) },
    { ACDSEE, "rating", FIELD(rating) },
    { MICROSOFT, "Rating", FIELD(percent) },
    { DC, "title", FIELD(title) },
    { PHOTOSHOP, "Headline", FIELD(headline) },
    { DC, "description", FIELD(description) },
    { TIFF, "ImageDescription", FIELD(description) },
    { EXIF, "UserComment", FIELD(comment) },
    { ACDSEE, "caption", FIELD(comment) },
    { DC, "subject", FIELD(keywords) },
    { MICROSOFT, "LastKeywordXMP", FIELD(programs_keywords) },
    { LIGHTROOM, "hierarchicalSubject", FIELD(programs_keywords) },
    { DIGIKAM, "TagsList", FIELD(programs_keywords) },
    { ACDSEE, "keywords", FIELD(programs_keywords) },
};

/* What an element is, by its place. */
typedef enum {
    OUTSIDE,      /* x:xmpmeta and whatever is around the RDF */
    ROOT,         /* rdf:RDF */
    NODE,         /* rdf:Description below it */
    PROPERTY,     /* below a node */
    ITEMS,        /* rdf:Alt, rdf:Seq, rdf:Bag below a property */
    ITEM,         /* rdf:li, or rdf:value where a value has qualifiers */
    STRANGE       /* and whatever is in it */
} place;

typedef struct element {
    place place;
    const property *property;   /* of PROPERTY, ITEMS, ITEM; NULL for one that is not wanted */
} element;

typedef struct slice {
    const char *p;
    size_t n;
} slice;

typedef struct reader {
    const char *p, *end;
    element stack[MAX_DEPTH];
    int depth;
    struct { slice prefix; space space; } prefixes[MAX_PREFIXES];
    int prefix_count;
    char raw[RAW];               /* of the value that is being read */
    size_t raw_bytes;
    bool is_default;             /* its language is x-default */
    values *v;
} reader;

static bool equals(slice s, const char *text)
{
    return s.n == strlen(text) && memcmp(s.p, text, s.n) == 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* ---- names ---------------------------------------------------------------------- */

/* Programs do not agree on the last slash: of MicrosoftPhoto's Windows writes it, exiftool does not. */
static bool is_space(slice uri, const char *known)
{
    size_t n = strlen(known), slash = n && known[n - 1] == '/';
    uri.n -= uri.n && uri.p[uri.n - 1] == '/';
    return uri.n == n - slash && memcmp(uri.p, known, uri.n) == 0;
}

static void declare(reader *r, slice prefix, slice uri)
{
    if (r->prefix_count == MAX_PREFIXES)
        return;
    space found = NO_SPACE;
    for (size_t i = 1; i < sizeof spaces / sizeof *spaces; i++)
        if (is_space(uri, spaces[i].uri))
            found = (space)i;
    r->prefixes[r->prefix_count].prefix = prefix;
    r->prefixes[r->prefix_count++].space = found;
}

/* The namespace of a name, which is left without its prefix. The last declaration counts, wherever it
 * stands; a prefix without one is taken for the usual. */
static space resolve(const reader *r, slice *name)
{
    const char *colon = memchr(name->p, ':', name->n);
    if (!colon)
        return NO_SPACE;
    slice prefix = { name->p, (size_t)(colon - name->p) };
    name->n -= prefix.n + 1;
    name->p = colon + 1;
    for (int i = r->prefix_count - 1; i >= 0; i--) {
        slice known = r->prefixes[i].prefix;
        if (known.n == prefix.n && memcmp(known.p, prefix.p, prefix.n) == 0)
            return r->prefixes[i].space;
    }
    for (size_t i = 1; i < sizeof spaces / sizeof *spaces; i++)
        if (equals(prefix, spaces[i].prefix))
            return (space)i;
    return NO_SPACE;
}

static const property *find_property(space s, slice name)
{
    for (size_t i = 0; s != NO_SPACE && i < sizeof properties / sizeof *properties; i++)
        if (properties[i].space == s && equals(name, properties[i].name))
            return &properties[i];
    return NULL;
}

/* ---- values --------------------------------------------------------------------- */

/* An entity or character reference at s, "&" included; *n gets its length. 0 for an unknown one. */
static uint32_t read_reference(const char *s, const char *end, size_t *n)
{
    static const struct { const char *name; char c; } named[] = {
        { "&lt;", '<' }, { "&gt;", '>' }, { "&amp;", '&' }, { "&quot;", '"' }, { "&apos;", '\'' }
    };
    size_t left = (size_t)(end - s);
    const char *stop = memchr(s, ';', left < 12 ? left : 12);
    *n = 1;
    if (!stop)
        return '&';
    *n = (size_t)(stop - s) + 1;
    for (size_t i = 0; i < sizeof named / sizeof *named; i++)
        if (equals((slice){ s, *n }, named[i].name))
            return (uint32_t)named[i].c;
    if (s[1] != '#')
        return 0;
    bool hex = s[2] == 'x' || s[2] == 'X';
    char digits[12] = "";
    memcpy(digits, s + 2 + hex, *n - 3 - hex);
    unsigned long v = strtoul(digits, NULL, hex ? 16 : 10);
    return v < 0x110000 && (v < 0xd800 || v >= 0xe000) ? (uint32_t)v : 0;
}

/* Appends to the value; what it is too long for is left out. */
static void add_text(reader *r, slice s, bool references)
{
    for (size_t i = 0; i < s.n;) {
        char bytes[4] = { s.p[i] };
        size_t taken = 1, n = 1;
        if (references && s.p[i] == '&') {
            uint32_t rune = read_reference(s.p + i, s.p + s.n, &taken);
            n = rune ? scry_utf8_put(bytes, rune) : 0;
        }
        i += taken;
        if (r->raw_bytes + n > RAW)
            return;
        memcpy(r->raw + r->raw_bytes, bytes, n);
        r->raw_bytes += n;
    }
}

/* Programs write keywords with what they belong to: "Places|Germany|Munich", "People/Anna". */
static const char *last_part(const property *p, const char *keyword)
{
    if (p->at == offsetof(values, keywords))
        return keyword;
    const char *sign = strrchr(keyword, p->space == LIGHTROOM ? '|' : '/');
    return sign ? sign + 1 : keyword;
}

/* Note the value of a property; of several languages the default counts, else the first. */
static void end_value(reader *r, const property *p)
{
    char *field = (char *)r->v + p->at;
    char text[sizeof r->v->description];
    if (scry_text_put(text, p->capacity < sizeof text ? p->capacity : sizeof text, r->raw, r->raw_bytes)) {
        if (p->at == offsetof(values, keywords) || p->at == offsetof(values, programs_keywords))
            scry_text_add_keyword(field, p->capacity, last_part(p, text));
        else if (!field[0] || r->is_default)
            memcpy(field, text, strlen(text) + 1);
    }
    r->raw_bytes = 0;
    r->is_default = false;
}

/* ---- elements ------------------------------------------------------------------- */

static element child_of(const reader *r, slice name)
{
    element up = r->depth > 0 ? r->stack[r->depth - 1] : (element){ OUTSIDE, NULL };
    space s = resolve(r, &name);
    bool rdf = s == RDF;
    switch (up.place) {
    case OUTSIDE:
        return (element){ rdf && equals(name, "RDF") ? ROOT : OUTSIDE, NULL };
    case ROOT:
        return (element){ NODE, NULL };
    case NODE:
        return (element){ PROPERTY, find_property(s, name) };
    case PROPERTY:
    case ITEM:
        if (rdf && (equals(name, "Alt") || equals(name, "Seq") || equals(name, "Bag")))
            return (element){ up.place == PROPERTY ? ITEMS : STRANGE, up.property };
        if (rdf && equals(name, "Description"))
            return (element){ ITEMS, up.property };
        return (element){ rdf && equals(name, "value") ? ITEM : STRANGE, up.property };
    case ITEMS:
        return (element){ rdf && (equals(name, "li") || equals(name, "value")) ? ITEM : STRANGE, up.property };
    case STRANGE:
        break;
    }
    return (element){ STRANGE, NULL };
}

static void open_element(reader *r, slice name)
{
    r->raw_bytes = 0;
    if (r->depth < MAX_DEPTH)   /* what is deeper is counted only */
        r->stack[r->depth] = child_of(r, name);
    r->depth++;
}

static void close_element(reader *r)
{
    if (r->depth == 0)
        return;
    r->depth--;
    if (r->depth >= MAX_DEPTH)
        return;
    element e = r->stack[r->depth];
    if ((e.place == PROPERTY || e.place == ITEM) && e.property)
        end_value(r, e.property);
    r->raw_bytes = 0;
}

/* What an attribute says of the element that was opened. */
static void take_attribute(reader *r, slice name, slice value)
{
    if (r->depth == 0 || r->depth > MAX_DEPTH)
        return;
    element e = r->stack[r->depth - 1];
    space s = resolve(r, &name);
    if (e.place == NODE) {
        const property *p = find_property(s, name);
        if (!p)
            return;
        r->raw_bytes = 0;
        add_text(r, value, true);
        end_value(r, p);
    } else if (e.place == ITEM && s == XML && equals(name, "lang")) {
        r->is_default = equals(value, "x-default");
    }
}

/* The next attribute of a start tag; false at its end. */
static bool next_attribute(const char **p, const char *end, slice *name, slice *value)
{
    const char *s = *p;
    while (s < end && (is_blank(*s) || *s == '/'))
        s++;
    name->p = s;
    while (s < end && *s != '=' && !is_blank(*s) && *s != '/')
        s++;
    name->n = (size_t)(s - name->p);
    while (s < end && is_blank(*s))
        s++;
    if (s == end || *s != '=')
        return false;
    s++;
    while (s < end && is_blank(*s))
        s++;
    if (s == end || (*s != '"' && *s != '\''))
        return false;
    const char *close = memchr(s + 1, *s, (size_t)(end - s - 1));
    if (!close)
        return false;
    *value = (slice){ s + 1, (size_t)(close - s - 1) };
    *p = close + 1;
    return true;
}

/* A start tag between its angle brackets. Declarations count for the tag itself. */
static void start_tag(reader *r, slice tag)
{
    const char *end = tag.p + tag.n, *s = tag.p;
    while (s < end && !is_blank(*s) && *s != '/')
        s++;
    slice name = { tag.p, (size_t)(s - tag.p) }, attribute, value;
    for (const char *at = s; next_attribute(&at, end, &attribute, &value);)
        if (attribute.n > 6 && memcmp(attribute.p, "xmlns:", 6) == 0)
            declare(r, (slice){ attribute.p + 6, attribute.n - 6 }, value);
    open_element(r, name);
    for (const char *at = s; next_attribute(&at, end, &attribute, &value);)
        take_attribute(r, attribute, value);
    if (tag.n && end[-1] == '/')
        close_element(r);
}

/* Past `text`, which ends a comment and its like; to the end when it is missing. */
static void skip_to(reader *r, const char *text)
{
    const char *at = memmem(r->p, (size_t)(r->end - r->p), text, strlen(text));
    r->p = at ? at + strlen(text) : r->end;
}

static bool starts(const reader *r, const char *text)
{
    size_t n = strlen(text);
    return (size_t)(r->end - r->p) >= n && memcmp(r->p, text, n) == 0;
}

/* The '>' of a tag, which may stand in the quotes of an attribute as well. */
static const char *end_of_tag(const char *p, const char *end)
{
    for (char quote = 0; p < end; p++) {
        if (quote)
            quote = *p == quote ? 0 : quote;
        else if (*p == '"' || *p == '\'')
            quote = *p;
        else if (*p == '>')
            return p;
    }
    return NULL;
}

static void markup(reader *r)
{
    if (starts(r, "<!--")) {
        skip_to(r, "-->");
    } else if (starts(r, "<![CDATA[")) {
        slice s = { r->p + 9, 0 };
        skip_to(r, "]]>");
        if (r->p - s.p >= 3)
            add_text(r, (slice){ s.p, (size_t)(r->p - s.p) - 3 }, false);
    } else if (starts(r, "<?")) {
        skip_to(r, "?>");
    } else if (starts(r, "</")) {
        skip_to(r, ">");
        close_element(r);
    } else {
        const char *close = end_of_tag(r->p + 1, r->end);
        if (close && r->p[1] != '!')
            start_tag(r, (slice){ r->p + 1, (size_t)(close - r->p) - 1 });
        r->p = close ? close + 1 : r->end;
    }
}

/* ---- what the values say -------------------------------------------------------- */

/* Past what stands between degrees, minutes and seconds: a comma, or the signs of them. */
static const char *past_unit(const char *s)
{
    static const char *const units[] = { "deg", "\xc2\xb0", "\xe2\x80\xb2", "\xe2\x80\xb3", ",", "'", "\"", " ", ":" };
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strncmp(s, units[i], strlen(units[i])) == 0)
            return past_unit(s + strlen(units[i]));
    return s;
}

/* "48,8.2333N", "48,8,14N", "48 deg 8' 14\" N", "48.137" with the letter elsewhere or a sign. NAN for none. */
static double degrees_of(const char *s, const char *reference)
{
    double degrees = 0, unit = 1;
    bool minus = s[strspn(s, " ")] == '-';
    for (int i = 0; i < 3; i++, unit *= 60) {
        char *end;
        double v = strtod(s, &end);
        if (end == s && i > 0)
            break;
        if (end == s || (i > 0 && v < 0))
            return NAN;
        degrees += fabs(v) / unit;
        s = past_unit(end);
    }
    if (*s && (!strchr("NnSsEeWw", *s) || *past_unit(s + 1)))
        return NAN;
    char letter = *s ? *s : reference[0];
    return (letter && strchr("SsWw", letter)) || minus ? -degrees : degrees;
}

/* XMP allows "1955" and "1955-06", which scans have: the first moment of it. */
static bool parse_date(scry_date *out, const char *s)
{
    char whole[16];
    size_t n = strlen(s);
    if (n == 4 || n == 7) {
        snprintf(whole, sizeof whole, "%s%s", s, n == 4 ? "-01-01" : "-01");
        s = whole;
    }
    return scry_date_parse(out, s);
}

/* XMP's GPSTimeStamp is a whole date; as EXIF has it, in two, it is written, too. */
static void put_gps_date(const values *v, scry_metadata *m)
{
    char both[sizeof v->gps_day + sizeof v->gps_time];
    scry_date d;
    snprintf(both, sizeof both, "%s %s", v->gps_day, v->gps_time);
    if (scry_date_parse(&d, v->gps_time) || scry_date_parse(&d, both))
        scry_metadata_put_gps_date(m, &d, strchr(v->gps_time, ':'));
    else if (scry_date_parse(&d, v->gps_day))
        scry_metadata_put_gps_date(m, &d, false);
}

static void put_values(const values *v, scry_taken_source source, scry_metadata *m)
{
    const char *const dates[] = { v->original, v->created, v->digitized, v->create, v->modified };
    for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
        scry_date d;
        if (parse_date(&d, dates[i])) {
            scry_metadata_put_date(m, &d, source);
            break;
        }
    }
    put_gps_date(v, m);
    scry_metadata_put_position(m, degrees_of(v->latitude, v->latitude_ref), degrees_of(v->longitude, v->longitude_ref));
    scry_metadata_put_camera(m, v->make, v->model);
    if (v->rating[0])
        scry_metadata_put_rating(m, atof(v->rating));
    if (v->percent[0])
        scry_metadata_put_rating_percent(m, atof(v->percent));
    scry_metadata more = { .orientation = atoi(v->orientation) };
    if (more.orientation < 1 || more.orientation > 8)
        more.orientation = 0;
    memcpy(more.lens, v->lens[0] ? v->lens : v->aux_lens, sizeof more.lens);
    memcpy(more.title, v->title[0] ? v->title : v->headline, sizeof more.title);
    memcpy(more.description, v->description[0] ? v->description : v->comment, sizeof more.description);
    memcpy(more.keywords, v->keywords[0] ? v->keywords : v->programs_keywords, sizeof more.keywords);
    scry_metadata_merge(m, &more);
}

static void read_packet(scry_bytes xmp, values *v)
{
    reader r;
    r.p = (const char *)xmp.p;
    r.end = r.p + xmp.n;
    r.depth = r.prefix_count = 0;
    r.raw_bytes = 0;
    r.is_default = false;
    r.v = v;
    while (r.p < r.end) {
        const char *next = memchr(r.p, '<', (size_t)(r.end - r.p));
        if (!next)
            break;
        element e = r.depth > 0 && r.depth <= MAX_DEPTH ? r.stack[r.depth - 1] : (element){ OUTSIDE, NULL };
        if (e.property && (e.place == PROPERTY || e.place == ITEM))
            add_text(&r, (slice){ r.p, (size_t)(next - r.p) }, true);
        r.p = next;
        markup(&r);
    }
}

void scry_xmp_read(scry_bytes xmp, scry_taken_source source, scry_metadata *m)
{
    values v = { 0 };
    scry_buf utf8 = SCRY_BUF_INIT(MAX_CONVERTED);
    if (xmp.n == 0)
        return;
    if (scry_xmp_convert(xmp, &utf8))
        xmp = (scry_bytes){ (const uint8_t *)scry_buf_str(&utf8), utf8.size };
    read_packet(xmp, &v);
    scry_buf_dispose(&utf8);
    put_values(&v, source, m);
}
