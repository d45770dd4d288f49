#include "engine/listing.h"

#include "base/alloc.h"
#include "base/table.h"
#include "store/file_list.h"
#include "store/pairs.h"
#include "store/predicates.h"
#include "store/results.h"
#include "store/store_kind.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

scry_sort scry_sort_from_name(const char *name)
{
    static const char *const names[] = { "", "date", "name", "size", "added", "rating" };
    for (size_t i = 1; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0)
            return (scry_sort)i;
    return SCRY_SORT_NONE;
}

int64_t scry_sort_time(const scry_file *f)
{
    return scry_file_time(f);
}

static const char *name_of(const scry_file *f)
{
    const char *slash = strrchr(f->path, '/');
    return slash ? slash + 1 : f->path;
}

/* What an order compares, so that the larger comes first. */
static int64_t key_of(scry_sort sort, const scry_file *f)
{
    switch (sort) {
    case SCRY_SORT_DATE: return scry_file_time(f);
    case SCRY_SORT_SIZE: return f->size;
    case SCRY_SORT_ADDED: return f->added;
    case SCRY_SORT_RATING: return f->has_rating ? f->rating : INT64_MIN;
    case SCRY_SORT_NONE: case SCRY_SORT_NAME: break;
    }
    return 0;
}

static int compare_keys(int64_t a, int64_t b, bool reverse)
{
    int order = (a < b) - (a > b);
    return reverse ? -order : order;
}

static int compare_names(const char *a, const char *b, bool reverse)
{
    int order = strverscmp(a, b);
    return reverse ? -order : order;
}

int scry_sort_compare(scry_sort sort, bool reverse, const scry_file *a, const scry_file *b)
{
    if (sort == SCRY_SORT_NAME)
        return compare_names(name_of(a), name_of(b), reverse);
    return compare_keys(key_of(sort, a), key_of(sort, b), reverse);
}

static int refuse_added(scry_error *err)
{
    return scry_fail(err, SCRY_EINVALID, "a store on Milvus does not know in which order pictures were added: sort by date, name, "
                     "size or rating");
}

/* ---- hits ---- */

typedef struct {
    const scry_hit *hit;
    size_t at;
    scry_sort sort;
    bool reverse;
} ranked;

static int compare_ranked(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    int order = scry_sort_compare(x->sort, x->reverse, &x->hit->file, &y->hit->file);
    return order ? order : (x->at > y->at) - (x->at < y->at);
}

int scry_sort_hits(size_t *out, const scry_hit *hits, size_t n, scry_sort sort, bool reverse, scry_error *err)
{
    ranked *list = scry_alloc((n + 1) * sizeof *list);
    bool known = true;
    for (size_t i = 0; i < n; i++) {
        list[i] = (ranked){ &hits[i], i, sort, reverse };
        known &= sort != SCRY_SORT_ADDED || hits[i].file.added;
    }
    if (sort != SCRY_SORT_NONE)
        qsort(list, n, sizeof *list, compare_ranked);
    for (size_t i = 0; i < n; i++)
        out[i] = list[sort == SCRY_SORT_NONE && reverse ? n - 1 - i : i].at;
    free(list);
    return known ? 0 : refuse_added(err);
}

/* ---- lists ---- */

typedef struct {
    uint8_t id[SCRY_ID_BYTES];
    int64_t key, time_s;
    float latitude, longitude;   /* NAN: no position */
    char *name;           /* of the file; NULL unless sorted by it; owned */
    scry_file *file;      /* NULL unless whole files are kept; owned, as `block` */
    void *block;
    size_t at;            /* place in the walk */
    bool undated;         /* only its file's time is known */
    int64_t raw;          /* number of its stem in `leads` where it may be the RAW of a pair, else -1 */
} entry;

struct scry_listing {
    scry_list_options options;
    entry *items;
    size_t count, capacity;
    uint64_t total, undated;
    bool asks_time;       /* the filter does */
    bool reverse_walk;    /* no order but the walk's, from its end */
    scry_table contents;  /* unique: hashes of the contents seen */
    scry_table stems;     /* unique: a stem of a pair: its id, and whether its lead was seen */
    scry_error *err;
    int result;
};

typedef struct {
    uint8_t id[SCRY_ID_BYTES];
    bool led;
} stem;

enum { MAX_FILES = 1 << 30 };

static void entry_dispose(entry *e)
{
    free(e->name);
    free(e->block);
    free(e->file);
}

static int compare_entries(const void *a, const void *b, void *arg)
{
    const entry *x = a, *y = b;
    const scry_listing *l = arg;
    bool reverse = l->options.reverse, by_name = l->options.sort == SCRY_SORT_NAME;
    int order = by_name ? compare_names(x->name, y->name, reverse) : compare_keys(x->key, y->key, reverse);
    if (order == 0)
        order = (x->at > y->at) - (x->at < y->at);
    return l->reverse_walk ? -order : order;
}

static void sort_and_cut(scry_listing *l)
{
    if (l->count && (l->options.sort != SCRY_SORT_NONE || l->reverse_walk))
        qsort_r(l->items, l->count, sizeof *l->items, compare_entries, l);
    while (l->options.first && l->count > l->options.first)
        entry_dispose(&l->items[--l->count]);
}

/* Whether the content was not seen before. */
static int is_first_copy(scry_listing *l, const scry_file *f)
{
    size_t before = l->contents.count;
    int64_t number = scry_table_add(&l->contents, f->content, l->err);
    return number < 0 ? (int)number : l->contents.count > before;
}

/* Notes the stem of a file that can be part of a pair: *raw is its number where the file is the RAW. */
static int note_stem(scry_listing *l, const scry_file *f, int64_t *raw)
{
    size_t size;
    uint8_t id[SCRY_ID_BYTES];
    scry_pair_part part = scry_pair_part_of(f->relative, strlen(f->relative), &size);
    if (part == SCRY_PAIR_NONE || (part == SCRY_PAIR_RAW && !scry_is_raw(f)))
        return 0;
    char *name = scry_strndup(f->relative, size);
    scry_file_id(f->root, name, id);
    free(name);
    int64_t number = scry_table_add(&l->stems, id, l->err);
    if (number < 0)
        return (int)number;
    stem *s = scry_table_at(&l->stems, (size_t)number);
    if (part == SCRY_PAIR_LEAD)
        s->led = true;
    else
        *raw = number;
    return 0;
}

static void set_position(entry *e, const scry_file *f)
{
    bool known = f->has_position && fabs(f->latitude) <= 90 && fabs(f->longitude) <= 180;
    e->latitude = known ? (float)f->latitude : NAN;
    e->longitude = known ? (float)f->longitude : NAN;
}

static int add_file(void *arg, const scry_file *f)
{
    scry_listing *l = arg;
    const scry_list_options *o = &l->options;
    int64_t raw = -1;
    if (o->sort == SCRY_SORT_ADDED && !f->added)
        return l->result = refuse_added(l->err);
    if (o->unique) {
        int result = note_stem(l, f, &raw), first = result < 0 ? result : is_first_copy(l, f);
        if (first <= 0)
            return l->result = first;
    }
    if (l->count == l->capacity) {
        l->capacity = l->capacity ? 2 * l->capacity : 1024;
        l->items = scry_realloc(l->items, l->capacity * sizeof *l->items);
    }
    entry *e = &l->items[l->count++];
    *e = (entry){ .key = key_of(o->sort, f), .time_s = scry_file_time(f), .at = (size_t)l->total++, .raw = raw,
                  .undated = !f->has_time };
    set_position(e, f);
    l->undated += e->undated;
    memcpy(e->id, f->id, sizeof e->id);
    if (o->sort == SCRY_SORT_NAME)
        e->name = scry_strdup(name_of(f));
    if (o->whole) {
        e->file = scry_alloc(sizeof *e->file);
        *e->file = *f;
        e->block = scry_file_own_strings(e->file);
    }
    if (o->first && !o->unique && l->count >= 2 * o->first + 4096)
        sort_and_cut(l);
    return 0;
}

/* RAWs whose lead came by, too. */
static void drop_raws(scry_listing *l)
{
    size_t kept = 0;
    for (size_t i = 0; i < l->count; i++) {
        entry *e = &l->items[i];
        if (e->raw >= 0 && ((const stem *)scry_table_at(&l->stems, (size_t)e->raw))->led) {
            l->undated -= e->undated;
            entry_dispose(e);
        } else {
            l->items[kept++] = *e;
        }
    }
    l->total -= l->count - kept;
    l->count = kept;
}

static void forget_names(scry_listing *l)
{
    for (size_t i = 0; i < l->count; i++) {
        free(l->items[i].name);
        l->items[i].name = NULL;
    }
}

int scry_listing_new(scry_listing **out, scry_store *s, const scry_list_options *options, scry_error *err)
{
    scry_listing *l = scry_alloc(sizeof *l);
    l->options = *options;
    l->err = err;
    l->asks_time = scry_filter_asks_time(options->filter);
    l->reverse_walk = options->sort == SCRY_SORT_NONE && options->reverse;
    l->options.reverse = options->reverse && !l->reverse_walk;
    l->contents = (scry_table)SCRY_TABLE_OF_BYTES(SCRY_HASH_BYTES, SCRY_HASH_BYTES, MAX_FILES);
    l->stems = (scry_table)SCRY_TABLE_OF_BYTES(SCRY_ID_BYTES, sizeof(stem), MAX_FILES);
    int result = scry_store_each_file(s, options->filter, NULL, add_file, l, err);
    if (result == 0)
        result = l->result;
    drop_raws(l);
    sort_and_cut(l);
    forget_names(l);
    scry_table_dispose(&l->contents);
    scry_table_dispose(&l->stems);
    l->err = NULL;
    if (result < 0) {
        scry_listing_free(l);
        return result;
    }
    *out = l;
    return 0;
}

int scry_list_sample(scry_store *s, uint64_t most, int (*each)(void *arg, const scry_file *file), void *arg, double *share,
                     scry_error *err)
{
    return scry_store_each_sampled(s, most, each, arg, share, err);
}

void scry_listing_free(scry_listing *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->count; i++)
        entry_dispose(&l->items[i]);
    free(l->items);
    free(l);
}

size_t scry_listing_count(const scry_listing *l)
{
    return l->count;
}

uint64_t scry_listing_total(const scry_listing *l)
{
    return l->total;
}

const uint8_t *scry_listing_id(const scry_listing *l, size_t i)
{
    return l->items[i].id;
}

int64_t scry_listing_time(const scry_listing *l, size_t i)
{
    return l->items[i].time_s;
}

bool scry_listing_position(const scry_listing *l, size_t i, double *latitude, double *longitude)
{
    *latitude = l->items[i].latitude;
    *longitude = l->items[i].longitude;
    return !isnan(*latitude);
}

scry_results *scry_listing_results(const scry_listing *l, size_t from)
{
    scry_results *r = scry_results_new();
    for (size_t i = from; i < l->count; i++)
        scry_results_add(r, 0, l->items[i].file, 0);
    r->has_more = l->total > l->count;
    r->has_undated = l->asks_time;
    r->undated = l->asks_time ? l->undated : 0;
    return r;
}

size_t scry_listing_find(const scry_listing *l, const uint8_t id[SCRY_ID_BYTES])
{
    for (size_t i = 0; i < l->count; i++)
        if (memcmp(l->items[i].id, id, SCRY_ID_BYTES) == 0)
            return i;
    return SIZE_MAX;
}
