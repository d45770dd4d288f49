/* local_search.c - the nearest contents, and the files that show them. */
#include "store/local_internal.h"

#include "base/alloc.h"
#include "base/log.h"
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

/* The scan, with the team of threads when no other search has it. */
static int scan_codes(query_state *q, const float *queries, size_t n, const uint64_t *bits,
                      scry_near_list *lists, scry_error *err)
{
    scry_local *s = q->s;
    const scry_view *v = q->v;
    scry_scan_input in = { (size_t)s->base.dim, (size_t)v->head.slots, v->codes.blocks,
                           v->segment->data + SCRY_SEGMENT_HEADER, s->row_bytes, bits, NULL, q };
    size_t k;
    if (!scry_add_size(q->search->offset, q->search->limit, &k) || !scry_add_size(k, 1, &k))
        k = SIZE_MAX;
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

static uint64_t count_bits(const uint64_t *bits, int64_t slots)
{
    uint64_t n = 0;
    for (int64_t w = 0; w * 64 < slots; w++)
        n += (uint64_t)__builtin_popcountll(bits[w]);
    return n;
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
    scry_near_list *lists = scry_alloc(n * sizeof *lists);
    if (result == 0)
        result = scan_codes(q, queries, n, used, lists, err);
    uint64_t scanned = count_bits(used, q->v->head.slots);
    for (size_t i = 0; i < n; i++) {
        if (result == 0) {
            out[i] = scry_results_new();
            out[i]->scanned = scanned;
            result = show(q, lists[i].items, lists[i].count, out[i], err);
        }
        free(lists[i].items);
    }
    free(lists);
    free(bits);
    return result;
}

int scry_local_search_many(scry_store *base, const float *queries, size_t n, const scry_search *search,
                           scry_results **out, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    query_state q = { .s = s, .search = search };
    int result = scry_reader_view_take(s, &q.r, &q.v, err);
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
