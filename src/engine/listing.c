#include "engine/listing.h"

#include "base/alloc.h"
#include "base/buf.h"
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

void scry_listed_id(const scry_file *f, uint8_t out[SCRY_ID_BYTES])
{
    if (scry_file_is_brief(f))
        scry_file_id(f->root, f->relative, out);
    else
        memcpy(out, f->id, SCRY_ID_BYTES);
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
    int64_t key, time_s;
    float latitude, longitude;   /* NAN: no position */
    size_t name;          /* in `names`: its id, then its name where that is sorted; or, `root` >= 0, its path below the root */
    size_t at;            /* place in the walk */
    scry_file *file;      /* NULL unless whole files are kept; owned, as `block` */
    void *block;
    uint32_t content;     /* its number in `contents` */
    int32_t root;         /* its number in `roots`; -1: `names` has the id */
    int32_t raw;          /* number of its stem in `leads` where it may be the RAW of a pair, else -1 */
    uint16_t base;        /* bytes of `names` before the name of the file */
    bool undated;         /* only its file's time is known */
} entry;

struct scry_listing {
    scry_list_options options;
    entry *items;
    size_t count, capacity;
    scry_buf names;
    scry_table roots;     /* their ids */
    uint64_t total, undated;
    bool brief;           /* the walk gives brief files, and does what `unique` says */
    bool asks_time;       /* the filter does */
    bool reverse_walk;    /* no order but the walk's, from its end */
    scry_table contents;  /* unique: hashes of the contents */
    scry_table stems;     /* unique: a stem of a pair: its id, and whether its lead was seen */
    scry_error *err;
    int result;
};

typedef struct {
    uint8_t id[SCRY_ID_BYTES];
    bool led;
} stem;

enum { MAX_FILES = 1 << 30, FEW_FILES = 1000 };

static void entry_dispose(entry *e)
{
    free(e->block);
    free(e->file);
}

static const char *entry_name(const scry_listing *l, const entry *e)
{
    return (const char *)l->names.data + e->name + e->base;
}

static int compare_entries(const void *a, const void *b, void *arg)
{
    const entry *x = a, *y = b;
    const scry_listing *l = arg;
    bool reverse = l->options.reverse, by_name = l->options.sort == SCRY_SORT_NAME;
    int order = by_name ? compare_names(entry_name(l, x), entry_name(l, y), reverse) : compare_keys(x->key, y->key, reverse);
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

/* Notes the stem of a file that can be part of a pair: *raw is its number where the file is the RAW. */
static int note_stem(scry_listing *l, const scry_file *f, int32_t *raw)
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
        *raw = (int32_t)number;
    return 0;
}

static void set_position(entry *e, const scry_file *f)
{
    bool known = f->has_position && fabs(f->latitude) <= 90 && fabs(f->longitude) <= 180;
    e->latitude = known ? (float)f->latitude : NAN;
    e->longitude = known ? (float)f->longitude : NAN;
}

/* What identifies it, and its name. */
static int note_name(scry_listing *l, entry *e, const scry_file *f)
{
    const char *slash = strrchr(f->relative, '/');
    size_t base = slash ? (size_t)(slash + 1 - f->relative) : 0;
    e->root = -1;
    e->name = l->names.size;
    if (!scry_file_is_brief(f) || base > UINT16_MAX) {
        uint8_t id[SCRY_ID_BYTES];
        scry_listed_id(f, id);
        scry_buf_append(&l->names, id, sizeof id);
        if (l->options.sort == SCRY_SORT_NAME)
            scry_buf_append(&l->names, name_of(f), strlen(name_of(f)) + 1);
        e->base = sizeof id;
    } else {
        int64_t number = scry_table_add(&l->roots, f->root, l->err);
        if (number < 0)
            return (int)number;
        e->root = (int32_t)number;
        e->base = (uint16_t)base;
        scry_buf_append(&l->names, f->relative, strlen(f->relative) + 1);
    }
    return l->names.failed ? scry_fail(l->err, SCRY_ENOMEM, "no memory for a list") : 0;
}

/* For drop_copies. */
static int note_content(scry_listing *l, entry *e, const scry_file *f)
{
    int64_t number = scry_table_add(&l->contents, f->content, l->err);
    e->content = (uint32_t)number;
    return number < 0 ? (int)number : note_stem(l, f, &e->raw);
}

static void keep_entry(scry_listing *l, const entry *e)
{
    if (l->count == l->capacity) {
        l->capacity = l->capacity ? 2 * l->capacity : 1024;
        l->items = scry_realloc(l->items, l->capacity * sizeof *l->items);
    }
    l->items[l->count++] = *e;
    l->undated += e->undated;
    l->total++;
}

static int add_file(void *arg, const scry_file *f)
{
    scry_listing *l = arg;
    const scry_list_options *o = &l->options;
    bool drops_copies = o->unique && !l->brief;
    entry e = { .key = key_of(o->sort, f), .time_s = scry_file_time(f), .at = (size_t)l->total, .raw = -1,
                .undated = !f->has_time };
    if (o->sort == SCRY_SORT_ADDED && !f->added)
        return l->result = refuse_added(l->err);
    if (drops_copies)
        l->result = note_content(l, &e, f);
    if (l->result == 0)
        l->result = note_name(l, &e, f);
    if (l->result < 0)
        return l->result;
    set_position(&e, f);
    if (o->whole && !l->brief) {
        e.file = scry_alloc(sizeof *e.file);
        *e.file = *f;
        e.block = scry_file_own_strings(e.file);
    }
    keep_entry(l, &e);
    if (o->first && !drops_copies && l->count >= 2 * o->first + 4096)
        sort_and_cut(l);
    return 0;
}

/* Without RAWs whose lead came by, too, then without further copies. In the order of the walk. */
static int drop_copies(scry_listing *l)
{
    size_t kept = 0;
    bool *seen = scry_try_alloc(l->contents.count + 1, sizeof *seen);
    if (!seen)
        return scry_fail(l->err, SCRY_ENOMEM, "no memory for a list");
    for (size_t i = 0; i < l->count; i++) {
        entry *e = &l->items[i];
        bool hidden = e->raw >= 0 && ((const stem *)scry_table_at(&l->stems, (size_t)e->raw))->led;
        if (hidden || seen[e->content]) {
            l->undated -= e->undated;
            entry_dispose(e);
        } else {
            seen[e->content] = true;
            l->items[kept++] = *e;
        }
    }
    free(seen);
    l->total -= l->count - kept;
    l->count = kept;
    return 0;
}

static int compare_ids(const void *a, const void *b)
{
    return memcmp(((const scry_hit *)a)->file.id, ((const scry_hit *)b)->file.id, SCRY_ID_BYTES);
}

/* The files of a list that was made of brief ones. Those that were removed since are left out. */
static int read_files(scry_listing *l, scry_store *s)
{
    uint8_t (*ids)[SCRY_ID_BYTES] = scry_alloc((l->count + 1) * sizeof *ids);
    scry_results *found = NULL;
    size_t kept = 0;
    for (size_t i = 0; i < l->count; i++)
        scry_listing_id(l, i, ids[i]);
    int result = scry_store_get_many(s, (const uint8_t (*)[SCRY_ID_BYTES])ids, l->count, &found, l->err);
    if (result == 0 && found->count)
        qsort((scry_hit *)found->hits, found->count, sizeof *found->hits, compare_ids);
    for (size_t i = 0; i < l->count && result == 0; i++) {
        entry *e = &l->items[i];
        scry_hit wanted = { .score = 0 };
        memcpy(wanted.file.id, ids[i], SCRY_ID_BYTES);
        const scry_hit *hit = found->count ? bsearch(&wanted, found->hits, found->count, sizeof wanted, compare_ids) : NULL;
        scry_results *one = NULL;
        if (!hit && (result = scry_store_get(s, ids[i], &one, l->err)) == 0)   /* removed, damaged, or just added again */
            hit = one->hits;
        result = result == SCRY_ENOTFOUND ? 0 : result;
        if (hit) {
            e->file = scry_alloc(sizeof *e->file);
            *e->file = hit->file;
            e->file->raw = NULL;
            e->block = scry_file_own_strings(e->file);
            l->items[kept++] = *e;
        }
        scry_results_free(one);
    }
    scry_results_free(found);
    free(ids);
    l->count = kept;
    return result;
}

static void empty(scry_listing *l)
{
    for (size_t i = 0; i < l->count; i++)
        entry_dispose(&l->items[i]);
    scry_buf_clear(&l->names);
    l->count = 0;
    l->total = l->undated = 0;
}

/* The walk for a list; *total is set where not all files come by. */
static scry_brief_walk brief_walk(const scry_listing *l, uint64_t *total)
{
    const scry_list_options *o = &l->options;
    unsigned wanted = (o->sort == SCRY_SORT_RATING ? SCRY_BRIEF_RATING : 0) | (o->sort == SCRY_SORT_SIZE ? SCRY_BRIEF_SIZE : 0);
    bool ordered = o->sort == SCRY_SORT_DATE || o->sort == SCRY_SORT_SIZE || (o->sort == SCRY_SORT_RATING && !o->reverse);
    return (scry_brief_walk){ .filter = o->filter, .unique = o->unique, .wanted = wanted, .order = wanted, .smallest = o->reverse,
                              .total = total, .first = ordered && !o->unique && !l->asks_time ? o->first : 0 };
}

/* By brief files; 1 where they have to be read. */
static int collect_brief(scry_listing *l, scry_store *s)
{
    const scry_list_options *o = &l->options;
    uint64_t total = UINT64_MAX;
    const scry_brief_walk brief = brief_walk(l, &total);
    if (o->whole && (!o->first || o->first > FEW_FILES))
        return 1;
    l->brief = true;
    int result = scry_store_each_brief(s, &brief, add_file, l, l->err);
    result = result == 0 ? l->result : result;
    l->total = total < UINT64_MAX ? total : l->total;
    if (result == 0)
        sort_and_cut(l);
    if (result == 0 && o->whole)
        result = read_files(l, s);
    if (result != SCRY_EDAMAGED)
        return result;
    empty(l);   /* as scry_store_each_file: without the damaged ones */
    l->result = 0;
    return 1;
}

static int add_first(void *arg, const scry_file *f)
{
    scry_listing *l = arg;
    return l->count == l->options.first || add_file(l, f);
}

/* The first files of the walk, and how many there are; 1 where that is not known without a walk. */
static int collect_first(scry_listing *l, scry_store *s)
{
    const scry_list_options *o = &l->options;
    uint64_t total;
    if (!o->first || o->sort != SCRY_SORT_NONE || l->reverse_walk || o->unique || l->asks_time)
        return 1;
    int result = scry_store_count_below(s, o->filter, &total, l->err);
    if (result != 0)
        return result;
    result = scry_store_each_file(s, o->filter, NULL, add_first, l, l->err);
    l->total = total;
    return result < 0 ? result : l->result;
}

static int collect(scry_listing *l, scry_store *s)
{
    int result = collect_first(l, s);
    if (result != 1)
        return result;
    result = collect_brief(l, s);
    if (result != 1)
        return result;
    l->brief = false;
    result = scry_store_each_file(s, l->options.filter, NULL, add_file, l, l->err);
    result = result == 0 ? l->result : result;
    if (result == 0 && l->options.unique)
        result = drop_copies(l);
    if (result == 0)
        sort_and_cut(l);
    return result;
}

bool scry_listing_gains_by_first(const scry_store *s)
{
    return scry_store_samples(s);
}

int scry_listing_new(scry_listing **out, scry_store *s, const scry_list_options *options, scry_error *err)
{
    scry_listing *l = scry_alloc(sizeof *l);
    l->options = *options;
    l->err = err;
    l->asks_time = scry_filter_asks_time(options->filter);
    l->reverse_walk = options->sort == SCRY_SORT_NONE && options->reverse;
    l->options.reverse = options->reverse && !l->reverse_walk;
    l->names = (scry_buf)SCRY_BUF_INIT((size_t)1 << 40);
    l->roots = (scry_table)SCRY_TABLE_OF_BYTES(SCRY_ID_BYTES, SCRY_ID_BYTES, INT32_MAX);
    l->contents = (scry_table)SCRY_TABLE_OF_BYTES(SCRY_HASH_BYTES, SCRY_HASH_BYTES, MAX_FILES);
    l->stems = (scry_table)SCRY_TABLE_OF_BYTES(SCRY_ID_BYTES, sizeof(stem), MAX_FILES);
    int result = collect(l, s);
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

void scry_listing_free(scry_listing *l)
{
    if (!l)
        return;
    empty(l);
    free(l->items);
    scry_buf_dispose(&l->names);
    scry_table_dispose(&l->roots);
    free(l);
}

bool scry_listing_is_of_files(const scry_filter_node *filter)
{
    return !scry_filter_asks(filter, SCRY_FILTER_FAVOURITE) && !scry_filter_asks(filter, SCRY_FILTER_IN) &&
           !scry_filter_asks_words(filter);
}

size_t scry_listing_count(const scry_listing *l)
{
    return l->count;
}

uint64_t scry_listing_total(const scry_listing *l)
{
    return l->total;
}

void scry_listing_id(const scry_listing *l, size_t i, uint8_t out[SCRY_ID_BYTES])
{
    const entry *e = &l->items[i];
    const char *name = (const char *)l->names.data + e->name;
    if (e->root < 0)
        memcpy(out, name, SCRY_ID_BYTES);
    else
        scry_file_id(scry_table_at(&l->roots, (size_t)e->root), name, out);
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

int scry_listing_page(const scry_listing *l, scry_store *s, size_t from, size_t end, scry_results **out, scry_error *err)
{
    size_t n = end > from ? end - from : 0;
    uint8_t (*ids)[SCRY_ID_BYTES] = scry_alloc((n + 1) * sizeof *ids);
    scry_results *found = NULL;
    for (size_t i = 0; i < n; i++)
        scry_listing_id(l, from + i, ids[i]);
    int result = n ? scry_store_get_many(s, (const uint8_t (*)[SCRY_ID_BYTES])ids, n, &found, err) : 0;
    if (result == 0)
        *out = scry_results_new();
    for (size_t i = 0, k; i < n && result == 0; i++) {
        for (k = 0; k < found->count && memcmp(found->hits[(i + k) % found->count].file.id, ids[i], SCRY_ID_BYTES) != 0; k++)
            continue;
        if (k < found->count)
            scry_results_add(*out, 0, &found->hits[(i + k) % found->count].file, 0);
    }
    scry_results_free(found);
    free(ids);
    return result;
}

/* Whether it is the file of this id, which is at `f`, if the store has it. */
static bool is_file(const scry_listing *l, const entry *e, const uint8_t *id, const scry_file *f)
{
    const char *name = (const char *)l->names.data + e->name;
    if (e->root < 0)
        return memcmp(name, id, SCRY_ID_BYTES) == 0;
    return f && strcmp(name, f->relative) == 0 && memcmp(scry_table_at(&l->roots, (size_t)e->root), f->root, SCRY_ID_BYTES) == 0;
}

size_t scry_listing_find(const scry_listing *l, scry_store *s, const uint8_t id[SCRY_ID_BYTES])
{
    scry_results *found = NULL;
    const scry_file *f = scry_store_get(s, id, &found, NULL) == 0 ? &found->hits[0].file : NULL;
    size_t at = 0;
    while (at < l->count && !is_file(l, &l->items[at], id, f))
        at++;
    scry_results_free(found);
    return at < l->count ? at : SIZE_MAX;
}
