#include "scry/duplicates.h"

#include "base/alloc.h"
#include "base/table.h"
#include "scry/marks.h"
#include "store/results.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH = 64, NEAR = 256, MANY_NEAR = 100000, MAX_FILES = 1 << 30, NONE = -1, SHAPE_PERCENT = 10 };

/* One place of a content, in a list of them that begins with the best. */
typedef struct {
    uint8_t id[SCRY_ID_BYTES];
    int64_t mtime_ns, size;
    uint32_t path_length;
    int32_t next;              /* NONE: the last */
} place;

/* An entry of the table of contents. */
typedef struct {
    uint8_t hash[SCRY_HASH_BYTES];
    int64_t pixels, size;
    int width, height;
    int32_t first;             /* of its places */
    bool dated, grouped;
} content;

typedef struct {
    size_t first, count;       /* in `members` */
    uint64_t saved;
} group;

struct scry_duplicates {
    scry_duplicates_options options;
    scry_table contents;
    place *places;
    size_t place_count, place_capacity;
    scry_duplicate *members;
    size_t member_count, member_capacity;
    group *groups;
    size_t group_count, group_capacity;
    uint32_t *shown;           /* [shown_count] of the groups; NULL: all */
    size_t shown_count;
    scry_error *err;
    int result;
};

/* Room for one more item of an array. */
#define GROW(array, count, capacity) \
    do { \
        if ((count) == (capacity)) { \
            (capacity) = (capacity) ? 2 * (capacity) : 256; \
            (array) = scry_realloc((array), (capacity) * sizeof *(array)); \
        } \
    } while (0)

/* ---- all files ---- */

static bool is_better_place(const place *a, const place *b)
{
    return a->mtime_ns != b->mtime_ns ? a->mtime_ns < b->mtime_ns : a->path_length < b->path_length;
}

static void insert_place(scry_duplicates *d, content *c, const place *p)
{
    int32_t at = (int32_t)d->place_count, *link = &c->first;
    GROW(d->places, d->place_count, d->place_capacity);
    if (c->first != NONE && !is_better_place(p, &d->places[c->first]))
        link = &d->places[c->first].next;   /* only the best has a place of its own: the others are in no order */
    d->places[d->place_count++] = *p;
    d->places[at].next = *link;
    *link = at;
}

static int check_cancel(const scry_duplicates *d)
{
    const scry_cancel *cancel = d->options.cancel;
    return cancel && atomic_load(cancel) ? scry_fail(d->err, SCRY_ECANCELLED, "stopped") : 0;
}

static int add_file(void *arg, const scry_file *f)
{
    scry_duplicates *d = arg;
    size_t before = d->contents.count;
    if (check_cancel(d) < 0)
        return d->result = SCRY_ECANCELLED;
    int64_t number = d->place_count < MAX_FILES ? scry_table_add(&d->contents, f->content, d->err)
                                                : scry_fail(d->err, SCRY_ELIMIT, "more than %d files", MAX_FILES);
    if (number < 0)
        return d->result = (int)number;
    content *c = scry_table_at(&d->contents, (size_t)number);
    if (d->contents.count > before)
        *c = (content){ .pixels = (int64_t)f->width * f->height, .size = f->size, .width = f->width, .height = f->height,
                        .first = NONE, .dated = f->has_time && f->taken_source < SCRY_TAKEN_SIDECAR };
    memcpy(c->hash, f->content, sizeof c->hash);
    place p = { .mtime_ns = f->mtime_ns, .size = f->size, .path_length = (uint32_t)strlen(f->path), .next = NONE };
    memcpy(p.id, f->id, sizeof p.id);
    insert_place(d, c, &p);
    return 0;
}

/* ---- groups ---- */

static content *content_at(const scry_duplicates *d, size_t i)
{
    return scry_table_at(&d->contents, i);
}

static void add_members(scry_duplicates *d, group *g, const content *c, double cosine, bool same)
{
    for (int32_t at = c->first; at != NONE; at = d->places[at].next) {
        const place *p = &d->places[at];
        GROW(d->members, d->member_count, d->member_capacity);
        scry_duplicate m = { .cosine = cosine, .same_bytes = same, .size = p->size };
        memcpy(m.id, p->id, sizeof m.id);
        memcpy(m.content, c->hash, sizeof m.content);
        d->members[d->member_count++] = m;
        g->saved += g->count++ ? (uint64_t)p->size : 0;
    }
}

/* A group that began with one file and stayed so is none. */
static void end_group(scry_duplicates *d, const group *g)
{
    if (g->count < 2) {
        d->member_count = g->first;
        return;
    }
    GROW(d->groups, d->group_count, d->group_capacity);
    d->groups[d->group_count++] = *g;
}

/* To a model, pages of text look alike; two copies of one picture also have the same shape, or nearly, where little was cut off. */
static bool have_one_shape(const content *a, const content *b)
{
    int64_t x = (int64_t)a->width * b->height, y = (int64_t)b->width * a->height, difference = x > y ? x - y : y - x;
    return 100 * difference <= SHAPE_PERCENT * (x > y ? x : y);
}

/* The group of a content and of what is near it, best first; `near` may be NULL. */
static void make_group(scry_duplicates *d, content *c, const scry_results *near)
{
    group g = { .first = d->member_count };
    add_members(d, &g, c, 1, true);
    c->grouped = true;
    for (size_t i = 0; near && i < near->count; i++) {
        int64_t number = scry_table_find(&d->contents, near->hits[i].file.content);
        content *other = number < 0 ? NULL : content_at(d, (size_t)number);
        if (!other || other->grouped || !have_one_shape(c, other))
            continue;
        add_members(d, &g, other, near->hits[i].score, false);
        other->grouped = true;
    }
    end_group(d, &g);
}

static int compare_quality(const void *a, const void *b, void *arg)
{
    const scry_duplicates *d = arg;
    const content *x = content_at(d, *(const uint32_t *)a), *y = content_at(d, *(const uint32_t *)b);
    if (x->pixels != y->pixels)
        return x->pixels < y->pixels ? 1 : -1;
    if (x->dated != y->dated)
        return x->dated ? -1 : 1;
    if (x->size != y->size)
        return x->size < y->size ? 1 : -1;
    return memcmp(x->hash, y->hash, sizeof x->hash);
}

/* Whether the content itself was found: a RAW is not where its JPEG stands for it. */
static bool has_itself(const scry_results *near, const content *c)
{
    for (size_t i = 0; i < near->count; i++)
        if (memcmp(near->hits[i].file.content, c->hash, sizeof c->hash) == 0)
            return true;
    return false;
}

/* What is near `query`, all of it. */
static int search_again(scry_duplicates *d, scry_store *s, const float *query, scry_results **near)
{
    scry_search search = SCRY_SEARCH_INIT;
    search.filter = d->options.filter;
    search.min_score = d->options.cosine;
    search.limit = MANY_NEAR;
    scry_results_free(*near);
    *near = NULL;
    return scry_store_search(s, query, &search, near, d->err);
}

/* The contents `chosen`, each with what is near it unless one before it has taken it in. */
static int group_batch(scry_duplicates *d, scry_store *s, float *queries, content *const *chosen, size_t n, int dim)
{
    scry_results *near[BATCH] = { NULL };
    scry_search search = SCRY_SEARCH_INIT;
    int result = 0;
    search.filter = d->options.filter;
    search.min_score = d->options.cosine;
    search.limit = NEAR;
    for (size_t i = 0; i < n && result == 0; i++)
        result = scry_store_vector(s, chosen[i]->hash, queries + i * (size_t)dim, d->err);
    if (result == 0)
        result = scry_store_search_many(s, queries, n, &search, near, d->err);
    for (size_t i = 0; i < n && result == 0; i++) {
        if (chosen[i]->grouped)
            continue;
        if (near[i]->has_more)
            result = search_again(d, s, queries + i * (size_t)dim, &near[i]);
        if (result == 0)
            make_group(d, chosen[i], has_itself(near[i], chosen[i]) ? near[i] : NULL);
    }
    for (size_t i = 0; i < n; i++)
        scry_results_free(near[i]);
    return result;
}

static int group_all(scry_duplicates *d, scry_store *s, const uint32_t *order, size_t n)
{
    scry_store_info info;
    content *chosen[BATCH];
    int result = 0;
    scry_store_describe(s, &info);
    float *queries = scry_alloc(BATCH * (size_t)info.dim * sizeof *queries);
    for (size_t i = 0; i < n && result == 0;) {
        size_t count = 0;
        for (; i < n && count < BATCH; i++)
            if (!content_at(d, order[i])->grouped)
                chosen[count++] = content_at(d, order[i]);
        if (d->options.cosine > 0)
            result = count ? group_batch(d, s, queries, chosen, count, info.dim) : 0;
        else
            for (size_t k = 0; k < count; k++)
                make_group(d, chosen[k], NULL);
        if (result == 0 && d->options.progress)
            d->options.progress(d->options.arg, i, n);
        if (result == 0)
            result = check_cancel(d);
    }
    free(queries);
    return result;
}

static int compare_groups(const void *a, const void *b)
{
    const group *x = a, *y = b;
    return x->saved != y->saved ? (x->saved < y->saved ? 1 : -1) : (x->first > y->first) - (x->first < y->first);
}

int scry_duplicates_find(scry_duplicates **out, scry_store *s, const scry_duplicates_options *options, scry_error *err)
{
    static const scry_duplicates_options defaults = SCRY_DUPLICATES_OPTIONS_INIT;
    const scry_duplicates_options *o = options ? options : &defaults;
    if (!(o->cosine >= 0 && o->cosine <= 1))
        return scry_fail(err, SCRY_EINVALID, "the cosine from which pictures are nearly the same is from 0 to 1");
    scry_duplicates *d = scry_alloc(sizeof *d);
    d->options = *o;
    d->err = err;
    d->contents = (scry_table)SCRY_TABLE_OF_BYTES(SCRY_HASH_BYTES, sizeof(content), MAX_FILES);
    int result = scry_store_each_file(s, o->filter, NULL, add_file, d, err);
    if (result >= 0)
        result = d->result;
    size_t n = d->contents.count;
    uint32_t *order = scry_alloc((n + 1) * sizeof *order);
    for (size_t i = 0; i < n; i++)
        order[i] = (uint32_t)i;
    if (n)
        qsort_r(order, n, sizeof *order, compare_quality, d);
    if (result == 0)
        result = group_all(d, s, order, n);
    if (d->group_count)
        qsort(d->groups, d->group_count, sizeof *d->groups, compare_groups);
    free(order);
    d->err = NULL;
    if (result < 0) {
        scry_duplicates_free(d);
        return result;
    }
    *out = d;
    return 0;
}

void scry_duplicates_free(scry_duplicates *d)
{
    if (!d)
        return;
    scry_table_dispose(&d->contents);
    free(d->places);
    free(d->members);
    free(d->groups);
    free(d->shown);
    free(d);
}

static const group *group_at(const scry_duplicates *d, size_t i)
{
    return &d->groups[d->shown ? d->shown[i] : i];
}

size_t scry_duplicates_count(const scry_duplicates *d)
{
    return d->shown ? d->shown_count : d->group_count;
}

size_t scry_duplicates_group(const scry_duplicates *d, size_t i, const scry_duplicate **out)
{
    if (i >= scry_duplicates_count(d))
        return 0;
    const group *g = group_at(d, i);
    *out = d->members + g->first;
    return g->count;
}

/* ---- what is to be kept ---- */

typedef struct {
    uint8_t hash[SCRY_HASH_BYTES];
    uint64_t burst;            /* hash of the mark's value */
} kept_content;

static int add_kept(void *arg, const scry_mark *m)
{
    scry_table *t = arg;
    int64_t number = m->key_size == SCRY_HASH_BYTES ? scry_table_add(t, m->key, NULL) : -1;
    if (number >= 0)
        ((kept_content *)scry_table_at(t, (size_t)number))->burst = scry_hash_bytes(m->value, strlen(m->value));
    return number < 0;
}

static bool is_kept(const scry_duplicates *d, const group *g, const scry_table *kept)
{
    uint64_t burst = 0;
    for (size_t i = 0; i < g->count; i++) {
        const scry_duplicate *m = &d->members[g->first + i];
        int64_t number = scry_table_find(kept, m->content);
        const kept_content *k = number < 0 ? NULL : scry_table_at(kept, (size_t)number);
        if (!k || (i > 0 && k->burst != burst) || (i > 0 && memcmp(m->content, m[-1].content, sizeof m->content) == 0))
            return false;
        burst = k->burst;
    }
    return true;
}

int scry_duplicates_hide_kept(scry_duplicates *d, scry_store *s, scry_error *err)
{
    scry_table kept = SCRY_TABLE_OF_BYTES(SCRY_HASH_BYTES, sizeof(kept_content), MAX_FILES);
    scry_store_info info = { 0 };
    scry_duplicates_show_kept(d);
    scry_store_describe(s, &info);
    int result = info.keeps_marks ? scry_store_each_mark(s, SCRY_MARK_KEPT, add_kept, &kept, err) : 0;
    if (result >= 0 && kept.count) {
        d->shown = scry_alloc((d->group_count + 1) * sizeof *d->shown);
        for (size_t i = 0; i < d->group_count; i++)
            if (!is_kept(d, &d->groups[i], &kept))
                d->shown[d->shown_count++] = (uint32_t)i;
    }
    scry_table_dispose(&kept);
    return result < 0 ? result : 0;
}

void scry_duplicates_show_kept(scry_duplicates *d)
{
    free(d->shown);
    d->shown = NULL;
    d->shown_count = 0;
}

uint64_t scry_duplicates_rest(const scry_duplicates *d, uint64_t *bytes)
{
    uint64_t files = 0, saved = 0;
    for (size_t i = 0; i < scry_duplicates_count(d); i++) {
        files += group_at(d, i)->count - 1;
        saved += group_at(d, i)->saved;
    }
    if (bytes)
        *bytes = saved;
    return files;
}

int scry_duplicates_results(scry_results **out, scry_store *s, const scry_duplicates *d, size_t from, size_t n, scry_error *err)
{
    scry_results *all = scry_results_new();
    int result = 0;
    for (size_t i = from, end = scry_duplicates_count(d); i < end && i - from < n && result == 0; i++) {
        const scry_duplicate *members;
        size_t count = scry_duplicates_group(d, i, &members);
        for (size_t k = 0; k < count && result == 0; k++) {
            scry_results *one;
            result = scry_store_get(s, members[k].id, &one, err);
            if (result == 0) {
                scry_results_add(all, members[k].cosine, &one->hits[0].file, 0);
                scry_results_free(one);
            }
        }
    }
    if (result < 0)
        scry_results_free(all);
    else
        *out = all;
    return result;
}
