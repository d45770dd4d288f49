/* local_search.c - the nearest contents, and their files. */
#include "store/local/local.h"

#include "base/alloc.h"
#include "base/bits.h"
#include "base/crc32c.h"
#include "base/log.h"
#include "store/local/damage_mark.h"
#include "store/local/db_reader.h"
#include "store/local/raw_pairs.h"
#include "store/local/view.h"
#include "store/pairs.h"
#include "store/predicates.h"
#include "store/results.h"
#include "vector/fold.h"
#include "vector/scan.h"
#include "vector/vector.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef struct {
    scry_local *s;
    scry_reader *r;
    scry_view *v;
    const scry_search *search;
    const uint64_t *bits;    /* contents to search: one bit for each slot */
    uint64_t *own;           /* where they belong to this search alone; owned */
    uint64_t scanned;        /* how many */
    size_t k;                /* how many of the ranking are looked at first */
    bool has_undated;
    uint64_t undated;        /* of them, those without a time but their file's */
    bool may_have_raws;
    scry_row row;
} query_state;

/* Whether the file in q->row, which passes the filter, is shown: 1, unless its lead stands for it. Of a lead *raw gets the RAW's
 * name, owned. */
static int is_shown(query_state *q, char **raw, scry_error *err)
{
    bool is_raw = scry_is_raw(&q->row.file);
    scry_beside b = { q->s, q->r, &q->v->roots, is_raw ? q->search->filter : NULL };
    if (!q->may_have_raws || (is_raw && q->search->all_copies))
        return 1;
    int paired = scry_raw_pair_of(&b, &q->row, is_raw ? NULL : raw, err);
    return paired < 0 ? paired : !(paired && is_raw);
}

/* A stored vector that is not what was written has a wrong score: the collection is marked, so that the answer says so. */
static void check_vector(query_state *q, int64_t slot, uint32_t crc)
{
    scry_error damage = SCRY_ERROR_INIT;
    if (scry_view_check_vector(q->s, q->v, slot, crc, &damage) < 0 && scry_view_check(q->s, q->v, NULL) == 0)
        scry_damage_found(q->s, damage.message);   /* of a file that was cut short the search says it */
}

/* A row that is not as it was written is not shown, and the collection is marked. */
static bool check_row(query_state *q)
{
    scry_error damage = SCRY_ERROR_INIT;
    if (scry_row_check(&q->row, q->s->db_path, &damage) == 0)
        return true;
    scry_damage_found(q->s, damage.message);
    return false;
}

/* Whether the file in q->row passes. A content takes part if one of its files does, so that this is known where it has one: the
 * words of a hundred pages of text are not cut again for each search. Without a text, which may have been lost, or where columns
 * are not compared with their sums, they are. */
static bool passes(const query_state *q, bool only_file)
{
    const char *text = q->row.file.text;
    return (only_file && text && text[0] && scry_crc32c_is_fast()) || scry_filter_match(q->search->filter, &q->row.file);
}

/* The file in q->row as a hit, if it is shown. */
static int add_file(query_state *q, double score, bool only_file, scry_results *out, scry_error *err)
{
    char *raw = NULL;
    int shown = passes(q, only_file) ? is_shown(q, &raw, err) : 0;
    q->row.file.raw = raw;
    if (shown == 1)
        scry_results_add(out, score, &q->row.file, 0);
    free(raw);
    return shown < 0 ? shown : 0;
}

/* Files of one slot that are shown, each a hit. */
static int files_of(query_state *q, int64_t slot, double score, scry_results *out, scry_error *err)
{
    sqlite3_stmt *st;
    bool checked = false;
    int result = scry_db_start(&q->r->db, SCRY_SQL_FILES_OF_SLOT, &st, err, "i", slot);
    while (result == 0 && (result = scry_db_step(&q->r->db, st, err)) == 1) {
        result = scry_row_read(&q->row, st, &q->v->roots, q->s->db_path, err);
        if (result == 0 && !check_row(q))
            continue;
        if (result == 0 && !checked)
            check_vector(q, slot, q->row.vector_crc);
        checked = true;
        if (result == 0)
            result = add_file(q, score, !sqlite3_column_int(st, SCRY_COLUMN_HAS_COPIES), out, err);
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

/* Whether `a` is shown rather than `b`: the one that exists, then the first by path. A folder that was renamed leaves
 * its old paths in the store until they are pruned. */
static bool shown_before(const scry_hit *a, const scry_hit *b)
{
    bool first = strcmp(a->file.path, b->file.path) < 0;
    bool a_exists = access(a->file.path, F_OK) == 0;
    return a_exists == (access(b->file.path, F_OK) == 0) ? first : a_exists;
}

/* Hits of the contents in `list`: every copy, or of each content's files the first by path that exists,
 * the others counted. */
static int hits_of(query_state *q, const scry_near *list, size_t n, scry_results *all, scry_error *err)
{
    scry_results *files = q->search->all_copies ? all : scry_results_new();
    int result = 0;
    for (size_t i = 0; i < n && result == 0; i++) {
        result = files_of(q, list[i].row, list[i].score, files, err);
        if (files == all || result < 0 || files->count == 0)
            continue;
        size_t first = 0;
        for (size_t k = 1; k < files->count; k++)
            if (shown_before(&files->hits[k], &files->hits[first]))
                first = k;
        scry_results_move(all, files, first, files->count - 1);
        scry_results_clear(files);
    }
    if (files != all)
        scry_results_free(files);
    return result;
}

/* How many of the list are certainly before the page, so that their files need not be looked up: each
 * content is one hit, and only equal scores are ordered by path. */
static size_t before_page(const query_state *q, const scry_near *list, size_t n)
{
    size_t skip = q->search->offset < n ? q->search->offset : n;
    if (q->search->all_copies)
        return 0;
    while (skip && skip < n && list[skip - 1].score == list[skip].score)
        skip--;
    return skip;
}

/* How many of the list can be on the page: what scores less than its last entry needs no looking up. */
static size_t end_of_page(const query_state *q, const scry_near *list, size_t n)
{
    size_t end;
    if (q->search->all_copies || !scry_add_size(q->search->offset, q->search->limit, &end) || end == 0 || end >= n)
        return n;
    while (end < n && list[end].score == list[end - 1].score)
        end++;
    return end;
}

/* The requested page of `list`. */
static int show(query_state *q, const scry_near *list, size_t n, scry_results *out, scry_error *err)
{
    scry_results *all = scry_results_new();
    size_t skip = before_page(q, list, n), until = end_of_page(q, list, n), from = q->search->offset - skip, end;
    int result = until > skip ? hits_of(q, list + skip, until - skip, all, err) : 0;
    const scry_hit **order = scry_alloc(all->count * sizeof *order);
    for (size_t i = 0; i < all->count; i++)
        order[i] = &all->hits[i];
    if (all->count)
        qsort(order, all->count, sizeof *order, compare_hits);
    if (!scry_add_size(from, q->search->limit, &end))
        end = SIZE_MAX;
    for (size_t i = from; i < all->count && i < end && result == 0; i++)
        scry_results_move(out, all, (size_t)(order[i] - all->hits), order[i]->copies);
    out->has_more = all->count > end || until < n;
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

/* Order entries of one score by path, as everywhere. */
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
    scry_half_to_float(out, scry_view_vector(f->q->s, f->q->v, f->list[i].row),
                       (size_t)f->q->s->base.dim);
}

/* Map each entry to the leader of its group: leader [n]; *shown counts the leaders. */
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

/* The requested page, each hit with what is folded into it. */
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

/* Most processes search once. Until a second search the pages of codes are unmapped after use
 * (they stay in the page cache), so that 100,000 pictures do not make the process 50 MiB larger. */
static void unmap_block(void *arg, void *block)
{
    const query_state *q = arg;
    const scry_shared_map *m = q->v->codes.map;
    uint8_t *p = block;
    if (m && p >= m->data && p < m->data + m->size)
        madvise(p, scry_block_bytes((size_t)q->s->base.dim), MADV_DONTNEED);
}

static void *codes_block(void *arg, size_t block, size_t rows)
{
    const query_state *q = arg;
    return scry_codes_block(q->s, q->v, block, rows);
}

static size_t contents_to_search(const query_state *q)
{
    return scry_bits_count(q->bits, ((size_t)q->v->head.slots + 63) / 64);
}

/* The part of the contents that an approximate search scores; 0, all of them, where that is
 * nearly as fast. Deep in the ranking scores are close together, so each hit adds a hundred contents. */
static double part_to_score(const query_state *q, size_t k)
{
    if (!q->search->approximate)
        return 0;
    double contents = (double)contents_to_search(q), part = 0.01 + 100 * (double)k / contents;
    return contents >= 65536 && part < 0.25 ? part : 0;
}

/* The scan, with the pool of threads unless another search is using it. `part`: scry_scan_input's. */
static int scan_codes(query_state *q, const float *queries, size_t n, size_t k, const scry_scan_part *part, scry_near_list *lists,
                      scry_error *err)
{
    scry_local *s = q->s;
    const scry_view *v = q->v;
    scry_scan_input in = { .dim = (size_t)s->base.dim, .rows = (size_t)v->head.slots, .blocks = v->codes.blocks,
                           .vectors = v->segment->data + SCRY_SEGMENT_HEADER, .row_bytes = s->row_bytes, .bits = q->bits,
                           .done_arg = q, .codes_arg = q, .keep = part ? 0 : part_to_score(q, k), .k = k,
                           .min_score = q->search->min_score, .part = part };
    if (in.keep == 0)   /* an approximate search may miss results anyway, and reads little */
        in.codes = codes_block;
    double start = scry_now_ms();
    bool team = pthread_mutex_trylock(&s->pool_lock) == 0;
    if (team && !s->searched)
        in.done = unmap_block;
    if (team && !s->pool)
        s->pool = scry_pool_new(s->threads);
    int result = scry_scan(&in, queries, n, team ? s->pool : NULL, lists);
    if (team) {
        s->searched = true;
        pthread_mutex_unlock(&s->pool_lock);
    }
    scry_trace("scan", start);
    return result == 0 ? 0 : scry_fail(err, SCRY_ENOMEM, "no memory for a search over %lld contents",
                                       (long long)v->head.slots);
}

/* How many of the ranking a search looks at first. */
static size_t first_depth(const scry_search *search)
{
    size_t end;
    if (!scry_add_size(search->offset, search->limit, &end))
        end = SIZE_MAX;
    return search->fold > 0 ? scry_fold_depth(end) : end < SIZE_MAX ? end + 1 : end;
}

/* One query whose folded list was too short: search again for four times as many, until it is not. */
static int search_deeper(query_state *q, const float *query, size_t k, scry_results *out, scry_error *err)
{
    int result = 0;
    for (bool enough = false; result == 0 && !enough;) {
        scry_near_list list;
        k = k < SCRY_FOLD_RANKED / 4 ? 4 * k : SCRY_FOLD_RANKED;
        result = scan_codes(q, query, 1, k, NULL, &list, err);
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

/* What the first hit of the ranking is, which may be on an earlier page. */
static int note_top(query_state *q, scry_near top, scry_results *out, scry_error *err)
{
    scry_results *first = scry_results_new();
    bool shown = out->count && out->hits[0].score == top.score;
    int result = shown ? 0 : files_of(q, (int64_t)top.row, top.score, first, err);
    const scry_results *from = shown ? out : first;
    out->top_score = top.score;
    if (from->count)
        memcpy(out->top_content, from->hits[0].file.content, SCRY_HASH_BYTES);
    scry_results_free(first);
    return result;
}

static int show_all(query_state *q, const float *query, scry_near_list *list, size_t k, scry_results *out, scry_error *err)
{
    bool enough = true;
    if (q->search->fold == 0)
        return show(q, list->items, list->count, out, err);
    size_t n = list->count < SCRY_FOLD_RANKED ? list->count : SCRY_FOLD_RANKED;
    int result = show_folded(q, list->items, n, out, &enough, err);
    enough |= k == SCRY_FOLD_RANKED || n < k;
    return result < 0 || enough ? result : search_deeper(q, query, k, out, err);
}

static int answer(query_state *q, const float *query, scry_near_list *list, size_t k, scry_results *out, scry_error *err)
{
    int result = show_all(q, query, list, k, out, err);   /* which puts ties in order */
    return result == 0 && list->count ? note_top(q, list->items[0], out, err) : result;
}

/* With view_lock held. */
static int find_raws(query_state *q, scry_error *err)
{
    scry_view *v = q->v;
    if (v->raws_known)
        return 0;
    scry_columns *c = scry_view_columns(q->s, v, SCRY_COLUMNS_FOR_TERMS);
    int may = scry_may_have_raws(q->r, c, v->head.columns_last, err);
    v->raws_known = may >= 0;
    v->may_have_raws = may == 1;
    return may < 0 ? may : 0;
}

/* The contents that pass the filter; where that asks for the time, counts those that have none. */
static int filter_contents(query_state *q, scry_error *err)
{
    size_t words = (size_t)q->v->head.slots / 64 + 1;
    q->has_undated = scry_filter_asks_time(q->search->filter);
    scry_passing_contents passing = { .all = scry_try_alloc(words, sizeof *q->own) };
    if (q->has_undated)
        passing.undated = scry_try_alloc(words, sizeof *passing.undated);
    q->own = passing.all;
    if (!passing.all || (q->has_undated && !passing.undated)) {
        free(passing.undated);
        return scry_fail(err, SCRY_ENOMEM, "no memory for a filter");
    }
    int result = scry_filter_bits(q->s, q->r, q->v, q->search, &passing, err);
    q->undated = result == 0 && passing.undated ? scry_bits_count(passing.undated, words) : 0;
    free(passing.undated);
    return result;
}

/* Sets q->bits. */
static int choose_contents(query_state *q, scry_error *err)
{
    scry_local *s = q->s;
    scry_view *v = q->v;
    pthread_mutex_lock(&s->view_lock);
    int result = find_raws(q, err);
    q->may_have_raws = v->may_have_raws;
    bool all = !q->search->filter && (q->search->all_copies || !v->may_have_raws);
    q->bits = all ? v->live : q->search->filter || q->search->all_copies ? NULL : v->shown;
    pthread_mutex_unlock(&s->view_lock);
    if (result < 0 || q->bits)
        return result;
    result = filter_contents(q, err);
    q->bits = q->own;
    if (result < 0 || q->search->filter)
        return result;
    pthread_mutex_lock(&s->view_lock);
    if (!v->shown) {
        v->shown = q->own;
        q->own = NULL;
    }
    pthread_mutex_unlock(&s->view_lock);
    return 0;
}

static int start_search(query_state *q, scry_error *err)
{
    double start = scry_now_ms();
    int result = choose_contents(q, err);
    scry_trace("filter", start);
    q->k = first_depth(q->search);
    q->scanned = result == 0 ? contents_to_search(q) : 0;
    return result;
}

/* Results from the lists [n] of the scan, which are freed. out[i] is NULL, or to be freed, after an error. */
static int answer_all(query_state *q, const float *queries, size_t n, scry_near_list *lists, scry_results **out, scry_error *err)
{
    double start = scry_now_ms();
    int result = 0;
    for (size_t i = 0; i < n; i++) {
        if (result == 0) {
            out[i] = scry_results_new();
            out[i]->scanned = q->scanned;
            out[i]->has_undated = q->has_undated;
            out[i]->undated = q->undated;
            result = answer(q, queries + i * (size_t)q->s->base.dim, &lists[i], q->k, out[i], err);
        }
        free(lists[i].items);
    }
    scry_trace("look the files up", start);
    return result;
}

static int search_all(query_state *q, const float *queries, size_t n, scry_results **out, scry_error *err)
{
    scry_near_list *lists = scry_alloc(n * sizeof *lists);
    int result = start_search(q, err);
    if (q->scanned)   /* most queries have no picture with their words */
        result = scan_codes(q, queries, n, q->k, NULL, lists, err);
    if (result == 0)
        result = answer_all(q, queries, n, lists, out, err);
    free(lists);
    return result;
}

static query_state state_of(scry_local *s, const scry_search *search)
{
    return (query_state){ .s = s, .search = search, .row = { .wants_text = scry_filter_asks_words(search->filter) } };
}

static void state_dispose(query_state *q)
{
    scry_row_dispose(&q->row);
    free(q->own);
}

static void drop_results(scry_results **out, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        scry_results_free(out[i]);
        out[i] = NULL;
    }
}

int scry_local_search_many(scry_store *base, const float *queries, size_t n, const scry_search *search,
                           scry_results **out, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    query_state q = state_of(s, search);
    double start = scry_now_ms();
    int result = scry_reader_view_acquire(s, &q.r, &q.v, err);
    scry_trace("map the store", start);
    if (result < 0)
        return result;
    result = scry_reader_view_release(s, q.r, q.v, search_all(&q, queries, n, out, err), err);
    if (result < 0)
        drop_results(out, n);
    state_dispose(&q);
    return result;
}

/* ---- two rankings of one query ---- */

/* What an approximate search scores depends on its contents: then the two are scanned one after the other. */
static int scan_two(query_state *q, query_state *also, const float *query, scry_near_list lists[2], scry_error *err)
{
    scry_scan_part part = { also->bits, also->k, also->search->min_score, &lists[1] };
    if (part_to_score(q, q->k) == 0 && part_to_score(also, also->k) == 0)
        return scan_codes(q, query, 1, q->k, &part, &lists[0], err);
    int result = scan_codes(q, query, 1, q->k, NULL, &lists[0], err);
    return result < 0 ? result : scan_codes(also, query, 1, also->k, NULL, &lists[1], err);
}

static int search_two(query_state *q, query_state *also, const float *query, scry_results *out[2], scry_error *err)
{
    scry_near_list lists[2] = { { .items = NULL } };
    int result = start_search(also, err);
    if (result < 0 || also->scanned == 0)
        return result;
    result = start_search(q, err);
    if (result == 0)
        result = scan_two(q, also, query, lists, err);
    if (result == 0)
        result = answer_all(q, query, 1, &lists[0], &out[0], err);
    else
        free(lists[0].items);
    if (result == 0)
        result = answer_all(also, query, 1, &lists[1], &out[1], err);
    else
        free(lists[1].items);
    return result;
}

int scry_local_search_two(scry_store *base, const float *query, const scry_search search[2], scry_results *out[2], scry_error *err)
{
    scry_local *s = (scry_local *)base;
    query_state q = state_of(s, &search[0]), also = state_of(s, &search[1]);
    int result = scry_reader_view_acquire(s, &q.r, &q.v, err);
    if (result < 0)
        return result;
    also.r = q.r;
    also.v = q.v;
    result = scry_reader_view_release(s, q.r, q.v, search_two(&q, &also, query, out, err), err);
    if (result < 0)
        drop_results(out, 2);
    state_dispose(&q);
    state_dispose(&also);
    return result;
}
