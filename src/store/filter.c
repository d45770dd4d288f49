/* filter.c - building filter trees, and what a filter means for one file.
 *
 * scry_filter_match is the reference: the compilers to bitmaps (filter_local.c) and to
 * Milvus expressions are tested against it.
 */
#include "scry/filter.h"

#include "base/alloc.h"
#include "scry/store.h"
#include "store/filter_internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

/* Formats are stored in lower case under one name each. */
static void canonical_format(char *text)
{
    for (char *c = text; *c; c++)
        *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
    if (strcmp(text, "jpg") == 0 || strcmp(text, "tif") == 0) {
        bool jpeg = text[0] == 'j';
        memcpy(text, jpeg ? "jpeg" : "tiff", 5);
    }
}

const scry_filter_node *scry_filter_text(scry_filter_pool *p, scry_filter_kind kind, const char *text)
{
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

const scry_filter_node *scry_filter_time(scry_filter_pool *p, scry_filter_kind kind, int64_t time_s)
{
    scry_filter_node *n = add(p, kind, NULL);
    n->time_s = time_s;
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

int64_t scry_file_time(const scry_file *f)
{
    if (f->has_time)
        return f->taken_at;
    int64_t s = f->mtime_ns / 1000000000;
    return f->mtime_ns % 1000000000 < 0 ? s - 1 : s;   /* before 1970 too: round down */
}

double scry_distance_km(double lat1, double lon1, double lat2, double lon2)
{
    const double radius_km = 6371.0088, degree = 3.14159265358979323846 / 180;
    double dlat = (lat2 - lat1) * degree, dlon = (lon2 - lon1) * degree;
    double a = sin(dlat / 2), b = sin(dlon / 2);
    double h = a * a + cos(lat1 * degree) * cos(lat2 * degree) * b * b;
    return 2 * radius_km * asin(sqrt(h < 1 ? h : 1));
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

static bool has_label(const scry_file *file, const char *label)
{
    for (size_t i = 0; i < file->label_count; i++)
        if (strcmp(file->labels[i], label) == 0)
            return true;
    return false;
}

static bool match_leaf(const scry_filter_node *f, const scry_file *file)
{
    switch (f->kind) {
    case SCRY_FILTER_IN:
        return file->path && scry_path_within(f->text, file->path);
    case SCRY_FILTER_AFTER:
        return scry_file_time(file) >= f->time_s;
    case SCRY_FILTER_BEFORE:
        return scry_file_time(file) < f->time_s;
    case SCRY_FILTER_CAMERA:
        return scry_text_contains(file->camera ? file->camera : "", f->text);
    case SCRY_FILTER_NEAR:
        return file->has_position &&
               scry_distance_km(f->latitude, f->longitude, file->latitude, file->longitude) <= f->km;
    case SCRY_FILTER_FORMAT:
        return strcmp(file->format ? file->format : "", f->text) == 0;
    case SCRY_FILTER_LABEL:
        return has_label(file, f->text);
    case SCRY_FILTER_KEY:
        return strcmp(file->key ? file->key : "", f->text) == 0;
    default:
        return true;   /* ALL */
    }
}

bool scry_filter_match(const scry_filter_node *f, const scry_file *file)
{
    if (!f)
        return true;
    switch (f->kind) {
    case SCRY_FILTER_AND:
        return scry_filter_match(f->left, file) && scry_filter_match(f->right, file);
    case SCRY_FILTER_OR:
        return scry_filter_match(f->left, file) || scry_filter_match(f->right, file);
    case SCRY_FILTER_NOT:
        return !scry_filter_match(f->left, file);
    default:
        return match_leaf(f, file);
    }
}
