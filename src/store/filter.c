/* filter.c - building filter trees, and what a filter means for one file.
 *
 * scry_filter_match is the reference: the compilers to bitmaps (local/filter_bitmap.c) and to
 * Milvus expressions are tested against it.
 */
#include "scry/filter.h"

#include "base/alloc.h"
#include "scry/store.h"
#include "store/keyword.h"
#include "store/predicates.h"
#include "store/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct pool_item {
    scry_filter_node node;   /* first: what callers hold points here */
    struct pool_item *next;
    char text[];
} pool_item;

struct scry_filter_pool {
    pool_item *items;
};

scry_filter_pool *scry_filter_pool_new(void)
{
    return scry_alloc(sizeof(scry_filter_pool));
}

void scry_filter_pool_free(scry_filter_pool *p)
{
    if (!p)
        return;
    for (pool_item *i = p->items, *next; i; i = next) {
        next = i->next;
        free(i);
    }
    free(p);
}

static scry_filter_node *add(scry_filter_pool *p, scry_filter_kind kind, const char *text)
{
    size_t n = text ? strlen(text) + 1 : 0;
    pool_item *i = scry_alloc(sizeof *i + n);
    i->node.kind = kind;
    if (text) {
        memcpy(i->text, text, n);
        i->node.text = i->text;
    }
    i->next = p->items;
    p->items = i;
    return &i->node;
}

static const scry_filter_node *join(scry_filter_pool *p, scry_filter_kind kind,
                                    const scry_filter_node *a, const scry_filter_node *b)
{
    scry_filter_node *n = add(p, kind, NULL);
    n->left = a;
    n->right = b;
    return n;
}

const scry_filter_node *scry_filter_and(scry_filter_pool *p, const scry_filter_node *a,
                                        const scry_filter_node *b)
{
    return !a ? b : !b ? a : join(p, SCRY_FILTER_AND, a, b);
}

/* NULL is every file, so that OR with it is every file too. */
const scry_filter_node *scry_filter_or(scry_filter_pool *p, const scry_filter_node *a,
                                       const scry_filter_node *b)
{
    return !a || !b ? add(p, SCRY_FILTER_ALL, NULL) : join(p, SCRY_FILTER_OR, a, b);
}

const scry_filter_node *scry_filter_not(scry_filter_pool *p, const scry_filter_node *a)
{
    return join(p, SCRY_FILTER_NOT, a ? a : add(p, SCRY_FILTER_ALL, NULL), NULL);
}

/* A to Z in lower case, in place. */
static void lower_ascii(char *text)
{
    for (char *c = text; *c; c++)
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 'a' - 'A' : *c);
}

/* Formats are stored in lower case under one name each. */
static void canonical_format(char *text)
{
    lower_ascii(text);
    if (strcmp(text, "jpg") == 0 || strcmp(text, "tif") == 0) {
        bool jpeg = text[0] == 'j';
        memcpy(text, jpeg ? "jpeg" : "tiff", 5);
    }
}

/* What a filter asks for; NODES are those that a function of their own makes. */
typedef enum { ASKS_NODES, ASKS_TEXT, ASKS_TIME, ASKS_NUMBER } asked;

static asked asked_by(scry_filter_kind kind)
{
    static const asked by[SCRY_FILTER_KINDS] = {
        [SCRY_FILTER_IN] = ASKS_TEXT, [SCRY_FILTER_CAMERA] = ASKS_TEXT, [SCRY_FILTER_FORMAT] = ASKS_TEXT,
        [SCRY_FILTER_LABEL] = ASKS_TEXT, [SCRY_FILTER_KEY] = ASKS_TEXT, [SCRY_FILTER_KEYWORD] = ASKS_TEXT,
        [SCRY_FILTER_AFTER] = ASKS_TIME, [SCRY_FILTER_BEFORE] = ASKS_TIME,
        [SCRY_FILTER_MIN_WIDTH] = ASKS_NUMBER, [SCRY_FILTER_MIN_RATING] = ASKS_NUMBER, [SCRY_FILTER_FAVOURITE] = ASKS_NUMBER
    };
    return (unsigned)kind < SCRY_FILTER_KINDS ? by[kind] : ASKS_NODES;
}

/* A node that every store refuses. */
static scry_filter_node *no_filter(scry_filter_pool *p)
{
    return add(p, SCRY_FILTER_KINDS, "");
}

const scry_filter_node *scry_filter_text(scry_filter_pool *p, scry_filter_kind kind, const char *text)
{
    if (!text || asked_by(kind) != ASKS_TEXT)
        return no_filter(p);
    size_t bytes = strlen(text) + 1;
    char *copy = scry_alloc(bytes + 1);   /* "jpg" grows by a letter */
    memcpy(copy, text, bytes);
    if (kind == SCRY_FILTER_FORMAT)
        canonical_format(copy);
    for (size_t n = strlen(copy); kind == SCRY_FILTER_IN && n > 1 && copy[n - 1] == '/'; n--)
        copy[n - 1] = '\0';
    const scry_filter_node *node = add(p, kind, copy);
    free(copy);
    return node;
}

const scry_filter_node *scry_filter_words(scry_filter_pool *p, const char *text, scry_words_mode mode)
{
    scry_buf words = SCRY_BUF_INIT(SCRY_WORDS_LIMIT);
    scry_filter_node *n = NULL;
    if (text)
        scry_words_of_query(&words, text, mode);
    if (words.size) {
        n = add(p, SCRY_FILTER_WORDS, scry_buf_str(&words));
        n->number = mode;
    }
    scry_buf_dispose(&words);
    return n;
}

const scry_filter_node *scry_filter_time(scry_filter_pool *p, scry_filter_kind kind, int64_t time_s)
{
    if (asked_by(kind) != ASKS_TIME)
        return no_filter(p);
    scry_filter_node *n = add(p, kind, NULL);
    n->time_s = time_s;
    return n;
}

const scry_filter_node *scry_filter_number(scry_filter_pool *p, scry_filter_kind kind, int64_t number)
{
    if (asked_by(kind) != ASKS_NUMBER)
        return no_filter(p);
    scry_filter_node *n = add(p, kind, NULL);
    n->number = number;
    return n;
}

const scry_filter_node *scry_filter_near(scry_filter_pool *p, double latitude, double longitude,
                                         double km)
{
    scry_filter_node *n = add(p, SCRY_FILTER_NEAR, NULL);
    n->latitude = latitude;
    n->longitude = longitude;
    n->km = km;
    return n;
}

const scry_filter_node *scry_filter_box(scry_filter_pool *p, double west, double south, double east, double north)
{
    scry_filter_node *n = add(p, SCRY_FILTER_BOX, NULL);
    n->latitude = south;
    n->longitude = west;
    n->north = north;
    n->east = east;
    return n;
}

char *scry_ascii_lower(const char *text)
{
    char *lower = scry_strdup(text);
    lower_ascii(lower);
    return lower;
}

static void prefer(const char **text, const char *noted)
{
    if (noted && noted[0])
        *text = noted;
}

void scry_file_merge_notes(scry_file *f)
{
    const scry_file_notes *n = f->notes;
    if (!n)
        return;
    if ((!f->has_time || f->taken_source == SCRY_TAKEN_GPS) && n->taken_source != SCRY_TAKEN_UNKNOWN) {
        f->has_time = true;
        f->taken_at = n->taken_at;
        f->taken_source = n->taken_source;
        f->has_taken_offset = n->has_taken_offset;
        f->taken_offset_min = n->taken_offset_min;
    }
    if (!f->has_position && n->has_position) {
        f->has_position = true;
        f->latitude = n->latitude;
        f->longitude = n->longitude;
    }
    if (n->has_rating) {
        f->has_rating = true;
        f->rating = n->rating;
    }
    prefer(&f->title, n->title);
    prefer(&f->description, n->description);
    prefer(&f->keywords, n->keywords);
}

int64_t scry_file_time(const scry_file *f)
{
    if (f->has_time)
        return f->taken_at;
    int64_t s = f->mtime_ns / 1000000000;
    return f->mtime_ns % 1000000000 < 0 ? s - 1 : s;   /* before 1970 too: round down */
}

bool scry_filter_asks(const scry_filter_node *f, scry_filter_kind kind)
{
    if (f && (f->kind == SCRY_FILTER_AND || f->kind == SCRY_FILTER_OR || f->kind == SCRY_FILTER_NOT))
        return scry_filter_asks(f->left, kind) || scry_filter_asks(f->right, kind);
    return f && f->kind == kind;
}

bool scry_filter_asks_time(const scry_filter_node *f)
{
    return scry_filter_asks(f, SCRY_FILTER_AFTER) || scry_filter_asks(f, SCRY_FILTER_BEFORE);
}

bool scry_filter_asks_words(const scry_filter_node *f)
{
    return scry_filter_asks(f, SCRY_FILTER_WORDS);
}

double scry_distance_km(double lat1, double lon1, double lat2, double lon2)
{
    const double radius_km = 6371.0088, degree = 3.14159265358979323846 / 180;
    double dlat = (lat2 - lat1) * degree, dlon = (lon2 - lon1) * degree;
    double a = sin(dlat / 2), b = sin(dlon / 2);
    double h = a * a + cos(lat1 * degree) * cos(lat2 * degree) * b * b;
    return 2 * radius_km * asin(sqrt(h < 1 ? h : 1));
}

bool scry_box_has(const scry_filter_node *box, double latitude, double longitude)
{
    double west = box->longitude, east = box->east;
    if (!(latitude >= box->latitude && latitude <= box->north))
        return false;
    if (fabs(longitude) == 180)
        return west > east || west == -180 || east == 180;
    return west > east ? longitude >= west || longitude <= east : longitude >= west && longitude <= east;
}

bool scry_path_within(const char *folder, const char *path)
{
    size_t n = strlen(folder);
    if (n && folder[n - 1] == '/')
        return strncmp(folder, path, n) == 0;
    return strncmp(folder, path, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

bool scry_text_contains(const char *text, const char *part)
{
    for (;; text++) {
        size_t i = 0;
        while (part[i] && lower(text[i]) == lower(part[i]))
            i++;
        if (!part[i])
            return true;
        if (!*text)
            return false;
    }
}

static const char *or_empty(const char *s)
{
    return s ? s : "";
}

static bool known(scry_filter_kind kind)
{
    return (unsigned)kind < SCRY_FILTER_KINDS;
}

static bool has_label(const scry_file *file, const char *label)
{
    for (size_t i = 0; i < file->label_count; i++)
        if (file->labels[i][0] == label[0] && strcmp(file->labels[i], label) == 0)
            return true;
    return false;
}

static bool has_words(const scry_filter_node *f, const scry_file *file, const char *known)
{
    scry_words_mode mode = (scry_words_mode)f->number;
    return known ? scry_words_hold(known, f->text, mode) : scry_words_in_file(file, SCRY_FIELDS_ALL, f->text, mode);
}

/* In the circle or the box. */
static bool is_there(const scry_filter_node *f, double latitude, double longitude)
{
    return f->kind == SCRY_FILTER_BOX ? scry_box_has(f, latitude, longitude)
                                      : scry_distance_km(f->latitude, f->longitude, latitude, longitude) <= f->km;
}

/* Negations are pushed to the leaves, so that a kind unknown here lets no file pass, negated or not. */
static bool match(const scry_filter_node *f, const scry_file *file, const char *words, bool negate)
{
    bool passes = false;
    switch (f->kind) {
    case SCRY_FILTER_ALL:
        passes = true;
        break;
    case SCRY_FILTER_AND: case SCRY_FILTER_OR:
        if ((f->kind == SCRY_FILTER_AND) != negate)
            return match(f->left, file, words, negate) && match(f->right, file, words, negate);
        return match(f->left, file, words, negate) || match(f->right, file, words, negate);
    case SCRY_FILTER_NOT:
        return match(f->left, file, words, !negate);
    case SCRY_FILTER_IN:
        passes = file->path && scry_path_within(f->text, file->path);
        break;
    case SCRY_FILTER_AFTER:
        passes = scry_file_time(file) >= f->time_s;
        break;
    case SCRY_FILTER_BEFORE:
        passes = scry_file_time(file) < f->time_s;
        break;
    case SCRY_FILTER_CAMERA:
        passes = scry_text_contains(or_empty(file->camera), f->text);
        break;
    case SCRY_FILTER_NEAR: case SCRY_FILTER_BOX:
        passes = file->has_position && is_there(f, file->latitude, file->longitude);
        break;
    case SCRY_FILTER_FORMAT:
        passes = strcmp(or_empty(file->format), f->text) == 0;
        break;
    case SCRY_FILTER_LABEL:
        passes = has_label(file, f->text);
        break;
    case SCRY_FILTER_KEY:
        passes = strcmp(or_empty(file->key), f->text) == 0;
        break;
    case SCRY_FILTER_MIN_WIDTH:
        passes = file->width >= f->number;
        break;
    case SCRY_FILTER_MIN_RATING:
        passes = file->has_rating && file->rating >= f->number;
        break;
    case SCRY_FILTER_KEYWORD:
        passes = scry_keyword_among(file->keywords, f->text);
        break;
    case SCRY_FILTER_WORDS:
        passes = has_words(f, file, words);
        break;
    case SCRY_FILTER_FAVOURITE:
        passes = file->favourite;
        break;
    case SCRY_FILTER_KINDS:
        return false;
    }
    return known(f->kind) && passes != negate;
}

bool scry_filter_match(const scry_filter_node *f, const scry_file *file)
{
    return scry_filter_match_words(f, file, NULL);
}

bool scry_filter_match_words(const scry_filter_node *f, const scry_file *file, const char *words)
{
    return !f || match(f, file, words, false);
}

static bool lacks_operand(const scry_filter_node *f)
{
    bool two = f->kind == SCRY_FILTER_AND || f->kind == SCRY_FILTER_OR;
    return (two && (!f->left || !f->right)) || (f->kind == SCRY_FILTER_NOT && !f->left);
}

int scry_filter_check(const scry_filter_node *f, scry_error *err)
{
    if (!f)
        return 0;
    if (!known(f->kind))
        return scry_fail(err, SCRY_EINVALID, "the filter has a node of unknown kind %d", (int)f->kind);
    if (f->kind == SCRY_FILTER_WORDS && (!f->text || f->text[0] != '\n'))
        return scry_fail(err, SCRY_EINVALID, "a filter on words is made by scry_filter_words");
    bool two = f->kind == SCRY_FILTER_AND || f->kind == SCRY_FILTER_OR;
    if (lacks_operand(f))
        return scry_fail(err, SCRY_EINVALID, "the filter lacks an operand of and, or or not");
    int result = two || f->kind == SCRY_FILTER_NOT ? scry_filter_check(f->left, err) : 0;
    return result == 0 && two ? scry_filter_check(f->right, err) : result;
}
