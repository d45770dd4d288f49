/* local_search.c - the nearest contents, and the files that show them. */
#include "store/local_internal.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

typedef struct {
    double score;
    int64_t slot;
} found;

/* Best first. */
static int compare_found(const void *a, const void *b)
{
    const found *x = a, *y = b;
    return x->score > y->score ? -1 : x->score < y->score ? 1 : x->slot < y->slot ? -1 : x->slot > y->slot;
}

typedef struct {
    scry_local *s;
    scry_reader *r;
    scry_view *v;
    const scry_search *search;
    scry_row row;
} query_state;

/* Bits of the contents that some file passing the filter shows. */
static int filter_bits(query_state *q, uint64_t *bits, scry_error *err)
{
    sqlite3_stmt *st;
    int result = scry_db_start(&q->r->db, SCRY_SQL_FILES_SINCE, &st, err, "i", (int64_t)0);
    while (result == 0 && (result = scry_db_step(&q->r->db, st, err)) == 1) {
        result = scry_row_read(&q->row, st, &q->v->roots, q->s->db_path, err);
        if (result == 0 && q->row.slot >= 0 && q->row.slot < q->v->head.slots &&
            scry_filter_match(q->search->filter, &q->row.file))
            bits[q->row.slot / 64] |= 1ull << (q->row.slot % 64);
    }
    scry_db_end(st);
    return result;
}

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

/* Fold copies: of each content's files the first by path, the others counted. */
static int show(query_state *q, const found *list, size_t n, scry_results *out, scry_error *err)
{
    scry_results *all = scry_results_new();
    int result = 0;
    for (size_t i = 0; i < n && result == 0; i++) {
        scry_results *files = q->search->all_copies ? all : scry_results_new();
        result = files_of(q, list[i].slot, list[i].score, files, err);
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
    const scry_hit **order = scry_alloc(all->count * sizeof *order);
    for (size_t i = 0; i < all->count; i++)
        order[i] = &all->hits[i];
    if (all->count)
        qsort(order, all->count, sizeof *order, compare_hits);
    size_t end = q->search->offset + q->search->limit;
    for (size_t i = q->search->offset; i < all->count && i < end && result == 0; i++)
        scry_results_add(out, order[i]->score, &order[i]->file, order[i]->copies);
    out->has_more = all->count > end;
    free(order);
    scry_results_free(all);
    return result;
}

static int search_one(query_state *q, const float *query, const uint64_t *bits, scry_results *out,
                      scry_error *err)
{
    size_t slots = (size_t)q->v->head.slots, n = 0, dim = (size_t)q->s->base.dim;
    found *list = scry_try_alloc(slots, sizeof *list);
    if (!list)
        return scry_fail(err, SCRY_ENOMEM, "no memory for a search over %zu contents", slots);
    double norm = scry_float_norm(query, dim);
    for (size_t slot = 0; slot < slots; slot++) {
        if (!(bits[slot / 64] >> (slot % 64) & 1))
            continue;
        const void *row = scry_view_row(q->s, q->v, (int64_t)slot);
        double score = scry_half_cosine(query, norm, row, dim);
        out->scanned++;
        if (score >= q->search->min_score)
            list[n++] = (found){ score, (int64_t)slot };
    }
    if (n)
        qsort(list, n, sizeof *list, compare_found);
    size_t want = q->search->offset + q->search->limit + 1;
    if (n > want) {
        double last = list[want - 1].score;
        while (want < n && list[want].score >= last)
            want++;   /* ties are told apart by path */
        n = want;
    }
    int result = show(q, list, n, out, err);
    free(list);
    return result;
}

int scry_local_search_many(scry_store *base, const float *queries, size_t n, const scry_search *search,
                           scry_results **out, scry_error *err)
{
    scry_local *s = (scry_local *)base;
    query_state q = { .s = s, .search = search };
    uint64_t *bits = NULL;
    int result = scry_reader_take(s, &q.r, err);
    if (result < 0)
        return result;
    if ((result = scry_view_take(s, q.r, &q.v, err)) == 0 && search->filter) {
        bits = scry_try_alloc((size_t)q.v->head.slots / 64 + 1, sizeof *bits);
        result = bits ? filter_bits(&q, bits, err) : scry_fail(err, SCRY_ENOMEM, "no memory for a filter");
    }
    for (size_t i = 0; i < n && result == 0; i++) {
        out[i] = scry_results_new();
        result = search_one(&q, queries + i * (size_t)base->dim, bits ? bits : q.v->live, out[i], err);
    }
    for (size_t i = 0; i < n && result < 0; i++) {
        scry_results_free(out[i]);
        out[i] = NULL;
    }
    free(bits);
    scry_row_dispose(&q.row);
    scry_view_give(s, q.v);
    scry_reader_give(s, q.r);
    return result;
}
