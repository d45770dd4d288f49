/* local_search.c - the nearest contents, and the files that show them. */
#include "store/local_internal.h"

#include "base/alloc.h"
#include "base/log.h"
#include "vector/fold.h"
#include "vector/scan.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

typedef struct {
    scry_local *s;
    scry_reader *r;
    scry_view *v;
    const scry_search *search;
    scry_row row;
} query_state;

/* Files of one slot that pass the filter, each a hit. */
static int files_of(query_state *q, int64_t slot, double score, scry_results *out, scry_error *err)
{
    sqlite3_stmt *st;
    int result = scry_db_start(&q->r->db, SCRY_SQL_FILES_OF_SLOT, &st, err, "i", slot);
    while (result == 0 && (result = scry_db_step(&q->r->db, st, err)) == 1) {
        result = scry_row_read(&q->row, st, &q->v->roots, q->s->db_path, err);
        if (result == 0 && scry_filter_match(q->search->filter, &q->row.file))
            scry_results_add(out, score, &q->row.file, 0);
    }
    scry_db_end(st);
    return result;
}

static int compare_hits(const void *a, const void *b)
{
    const scry_hit *x = *(const scry_hit *const *)a, *y = *(const scry_hit *const *)b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return strcmp(x->file.path, y->file.path);
}

/* Hits of the contents in `list`: every copy, or of each content's files the first by path,
 * the others counted. */
static int hits_of(query_state *q, const scry_near *list, size_t n, scry_results *all, scry_error *err)
{
    int result = 0;
    for (size_t i = 0; i < n && result == 0; i++) {
        scry_results *files = q->search->all_copies ? all : scry_results_new();
        result = files_of(q, list[i].row, list[i].score, files, err);
        if (files == all)
            continue;
        const scry_hit *first = files->count ? &files->hits[0] : NULL;
        for (size_t k = 1; k < files->count; k++)
            if (strcmp(files->hits[k].file.path, first->file.path) < 0)
                first = &files->hits[k];
        if (first)
            scry_results_add(all, first->score, &first->file, files->count - 1);
        scry_results_free(files);
    }
    return result;
}

/* How many of the list come before the page for sure: each content is one hit, and only
 * those with equal scores are told apart by path. Their files need not be looked up. */
static size_t before_page(const query_state *q, const scry_near *list, size_t n)
{
    size_t skip = q->search->offset < n ? q->search->offset : n;
    if (q->search->all_copies)
        return 0;
    while (skip && skip < n && list[skip - 1].score == list[skip].score)
        skip--;
    return skip;
}

/* The page of `list` that was asked for. */
static int show(query_state *q, const scry_near *list, size_t n, scry_results *out, scry_error *err)
{
    scry_results *all = scry_results_new();
    size_t skip = before_page(q, list, n), from = q->search->offset - skip, end;
    int result = hits_of(q, list + skip, n - skip, all, err);
    const scry_hit **order = scry_alloc(all->count * sizeof *order);
    for (size_t i = 0; i < all->count; i++)
        order[i] = &all->hits[i];
    if (all->count)
        qsort(order, all->count, sizeof *order, compare_hits);
    if (!scry_add_size(from, q->search->limit, &end))
        end = SIZE_MAX;
    for (size_t i = from; i < all->count && i < end && result == 0; i++)
        scry_results_add(out, order[i]->score, &order[i]->file, order[i]->copies);
    out->has_more = all->count > end;
    free(order);
    scry_results_free(all);
    return result;
}

/* ---- near duplicates folded ---- */

typedef struct {
    scry_near near;
    scry_results *hit;   /* none or one */
} tied;

static int compare_tied(const void *a, const void *b)
{
    const scry_results *x = ((const tied *)a)->hit, *y = ((const tied *)b)->hit;
    return strcmp(x->count ? x->hits[0].file.path : "", y->count ? y->hits[0].file.path : "");
}

/* Entries of one score in the order of their paths, as everywhere. */
static int order_tied(query_state *q, scry_near *list, size_t n, scry_error *err)
{
    int result = 0;
    tied *t = scry_alloc(n * sizeof *t);
    for (size_t i = 0; i < n; i++) {
        t[i] = (tied){ list[i], scry_results_new() };
        if (result == 0)
            result = hits_of(q, &list[i], 1, t[i].hit, err);
    }
    if (result == 0)
        qsort(t, n, sizeof *t, compare_tied);
    for (size_t i = 0; i < n; i++) {
        list[i] = t[i].near;
        scry_results_free(t[i].hit);
    }
    free(t);
    return result;
}

typedef struct {
    const query_state *q;
    const scry_near *list;
} folding;

static void stored_row(void *arg, size_t i, float *out)
{
    const folding *f = arg;
    scry_half_to_float(out, (const uint16_t *)(const void *)scry_view_row(f->q->s, f->q->v, f->list[i].row),
                       (size_t)f->q->s->base.dim);
}

/* Who is folded into whom: leader [n]; *shown are not. */
static int find_leaders(query_state *q, scry_near *list, size_t n, size_t *leader, size_t *shown, scry_error *err)
{
    folding f = { q, list };
    int result = 0;
    for (size_t from = 0, to; from < n && result == 0; from = to) {
        for (to = from + 1; to < n && list[to].score == list[from].score; to++)
            continue;
        if (to - from > 1)
            result = order_tied(q, list + from, to - from, err);
    }
    if (result == 0 && scry_fold(leader, n, (size_t)q->s->base.dim, q->search->fold, stored_row, &f) < 0)
        result = scry_fail(err, SCRY_ENOMEM, "no memory to fold results");
    *shown = 0;
    for (size_t i = 0; i < n && result == 0; i++)
        *shown += leader[i] == i;
    return result;
}

/* The page that was asked for, each hit with what is folded into it. */
static int show_leaders(query_state *q, const scry_near *list, size_t n, const size_t *leader, scry_results *out,
                        scry_error *err)
{
    size_t rank = 0, *place = scry_alloc(n * sizeof *place);   /* [n]: hit of an entry that is on the page */
    int result = 0;
    for (size_t i = 0; i < n && result == 0; i++) {
        place[i] = SIZE_MAX;
        if (leader[i] == i && rank++ >= q->search->offset && out->count < q->search->limit) {
            size_t before = out->count;
            result = hits_of(q, list + i, 1, out, err);
            place[i] = out->count > before ? before : SIZE_MAX;
        } else if (leader[i] != i && place[leader[i]] != SIZE_MAX) {
            scry_results *hit = scry_results_new();
            result = hits_of(q, list + i, 1, hit, err);
            if (hit->count)
                scry_results_fold(out, place[leader[i]], hit->hits[0].file.id);
            scry_results_free(hit);
        }
    }
    free(place);
    return result;
}

/* `list` folded into `out`; *enough says whether it reaches past the page. */
static int show_folded(query_state *q, scry_near *list, size_t n, scry_results *out, bool *enough, scry_error *err)
{
    size_t *leader = scry_alloc(n * sizeof *leader), shown, end;
    int result = find_leaders(q, list, n, leader, &shown, err);
    if (!scry_add_size(q->search->offset, q->search->limit, &end))
        end = SIZE_MAX;
    *enough = shown > end;
    if (result == 0)
        result = show_leaders(q, list, n, leader, out, err);
    out->has_more = shown > end;
    free(leader);
    return result;
}

/* ---- the scan ---- */

/* Most processes search once. Until a second search the codes that were read are let go of
 * (they stay in the system's cache), so that 100,000 pictures do not make it 50 MiB larger. */
static void let_go(void *arg, void *block)
{
    const query_state *q = arg;
    const scry_shared_map *m = q->v->codes.map;
    uint8_t *p = block;
    if (m && p >= m->data && p < m->data + m->size)
        madvise(p, scry_block_bytes((size_t)q->s->base.dim), MADV_DONTNEED);
}

static uint64_t count_bits(const uint64_t *bits, int64_t slots)
{
    uint64_t n = 0;
    for (int64_t w = 0; w * 64 < slots; w++)
        n += (uint64_t)__builtin_popcountll(bits[w]);
    return n;
}

/* The part of the contents that an approximate search looks at; 0, all of them, where that is
 * nearly as quick. Deep in the ranking scores lie close together: more are taken for each hit. */
static double part_to_keep(const query_state *q, size_t k, const uint64_t *bits)
{
    if (!q->search->approximate)
        return 0;
    double contents = (double)count_bits(bits, q->v->head.slots), part = 0.01 + 100 * (double)k / contents;
    return contents >= 65536 && part < 0.25 ? part : 0;
}

/* The scan, with the team of threads when no other search has it. */
static int scan_codes(query_state *q, const float *queries, size_t n, size_t k, const uint64_t *bits,
                      scry_near_list *lists, scry_error *err)
{
    scry_local *s = q->s;
    const scry_view *v = q->v;
    scry_scan_input in = { (size_t)s->base.dim, (size_t)v->head.slots, v->codes.blocks,
                           v->segment->data + SCRY_SEGMENT_HEADER, s->row_bytes, bits, NULL, q,
                           part_to_keep(q, k, bits) };
    double start = scry_now_ms();
    bool team = pthread_mutex_trylock(&s->pool_lock) == 0;
    if (team && !s->searched)
        in.done = let_go;
    if (team && !s->pool)
        s->pool = scry_pool_new(s->threads);
    int result = scry_scan(&in, queries, n, k, q->search->min_score, team ? s->pool : NULL, lists);
    if (team) {
        s->searched = true;
        pthread_mutex_unlock(&s->pool_lock);
    }
    scry_trace("scan", start);
    return result == 0 ? 0 : scry_fail(err, SCRY_ENOMEM, "no memory for a search over %lld contents",
                                       (long long)v->head.slots);
}

/* How many of the ranking a search takes at first. */
static size_t first_depth(const scry_search *search)
{
    size_t end;
    if (!scry_add_size(search->offset, search->limit, &end))
        end = SIZE_MAX;
    return search->fold > 0 ? scry_fold_depth(end) : end < SIZE_MAX ? end + 1 : end;
}

/* One query whose folded list was too short: deeper and deeper. */
static int search_deeper(query_state *q, const float *query, size_t k, const uint64_t *bits, scry_results *out,
                         scry_error *err)
{
    int result = 0;
    for (bool enough = false; result == 0 && !enough;) {
        scry_near_list list;
        k = k < SCRY_FOLD_RANKED / 4 ? 4 * k : SCRY_FOLD_RANKED;
        result = scan_codes(q, query, 1, k, bits, &list, err);
        if (result < 0)
            return result;
        size_t n = list.count < SCRY_FOLD_RANKED ? list.count : SCRY_FOLD_RANKED;
        scry_results_clear(out);
        result = show_folded(q, list.items, n, out, &enough, err);
        enough |= k == SCRY_FOLD_RANKED || n < k;
        free(list.items);
    }
    return result;
}

static int answer(query_state *q, const float *query, scry_near_list *list, size_t k, const uint64_t *bits,
                  scry_results *out, scry_error *err)
{
    bool enough = true;
    if (q->search->fold == 0)
        return show(q, list->items, list->count, out, err);
    size_t n = list->count < SCRY_FOLD_RANKED ? list->count : SCRY_FOLD_RANKED;
    int result = show_folded(q, list->items, n, out, &enough, err);
    enough |= k == SCRY_FOLD_RANKED || n < k;
    return result < 0 || enough ? result : search_deeper(q, query, k, bits, out, err);
}

static int search_all(query_state *q, const float *queries, size_t n, scry_results **out, scry_error *err)
{
    uint64_t *bits = NULL;
    int result = 0;
    if (q->search->filter) {
        double start = scry_now_ms();
        bits = scry_try_alloc((size_t)q->v->head.slots / 64 + 1, sizeof *bits);
        result = bits ? scry_filter_bits(q->s, q->r, q->v, q->search->filter, bits, err) :
                        scry_fail(err, SCRY_ENOMEM, "no memory for a filter");
        scry_trace("filter", start);
    }
    const uint64_t *used = bits ? bits : q->v->live;
    size_t k = first_depth(q->search);
    scry_near_list *lists = scry_alloc(n * sizeof *lists);
    if (result == 0)
        result = scan_codes(q, queries, n, k, used, lists, err);
    uint64_t scanned = count_bits(used, q->v->head.slots);
    double start = scry_now_ms();
    for (size_t i = 0; i < n; i++) {
        if (result == 0) {
            out[i] = scry_results_new();
            out[i]->scanned = scanned;
            result = answer(q, queries + i * (size_t)q->s->base.dim, &lists[i], k, used, out[i], err);
        }
        free(lists[i].items);
    }
    scry_trace("look the files up", start);
    free(lists);
    free(bits);
    return result;
}

int scry_local_search_many(scry_store *base, const float *queries, size_t n, const scry_search *search,
                           scry_results **out, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    query_state q = { .s = s, .search = search };
    double start = scry_now_ms();
    int result = scry_reader_view_take(s, &q.r, &q.v, err);
    scry_trace("map the store", start);
    if (result < 0)
        return result;
    result = search_all(&q, queries, n, out, err);
    for (size_t i = 0; i < n && result < 0; i++) {
        scry_results_free(out[i]);
        out[i] = NULL;
    }
    scry_row_dispose(&q.row);
    scry_view_give(s, q.v);
    scry_reader_give(s, q.r);
    return result;
}
