/* remote_search.c - search: requests more rows than hits are wanted, since files of one
 * content are merged here, and hits are checked here if the expression passes more than the filter.
 *
 * A search is complete when all wanted hits score above the last row of the answer: then no
 * further file of theirs, and no equal score, can follow. Otherwise it is repeated with four
 * times the rows, up to Milvus's limit of 16,384.
 */
#include "store/milvus/remote_external.h"
#include "store/milvus/remote_pairs.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/sha256.h"
#include "store/predicates.h"
#include "vector/fold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double TIE = 1e-6;   /* scores of fp32 that differ by less are equal */

typedef struct query {
    scry_remote *s;
    const scry_search *search;
    const char *filter;
    bool refine;
    size_t want;                 /* offset + limit + 1 */
    const char **partitions;     /* that can have files which pass; NULL: all */
    size_t partition_count;
} query;

/* ---- asking ---- */

enum { PARAMS_BYTES = 96 };

static int64_t at_least(int value, int64_t rows)
{
    return value > rows ? value : rows;
}

/* Milvus refuses ef, reorder_k and search_list below the rows asked for. */
static const char *search_params(const scry_remote *s, int64_t rows, char out[PARAMS_BYTES])
{
    out[0] = '\0';
    if (strncmp(s->index_type, "HNSW", 4) == 0)
        snprintf(out, PARAMS_BYTES, "{\"ef\":%lld}", (long long)at_least(s->ef, rows));
    else if (strcmp(s->index_type, "SCANN") == 0 && s->reorder_k)
        snprintf(out, PARAMS_BYTES, "{\"nprobe\":%d,\"reorder_k\":%lld}", s->nprobe, (long long)at_least(s->reorder_k, rows));
    else if (strncmp(s->index_type, "IVF", 3) == 0 || strcmp(s->index_type, "SCANN") == 0)
        snprintf(out, PARAMS_BYTES, "{\"nprobe\":%d}", s->nprobe);
    else if (strcmp(s->index_type, "DISKANN") == 0)
        snprintf(out, PARAMS_BYTES, "{\"search_list\":%lld}", (long long)at_least(s->search_list, rows));
    return out;
}

static int ask(const query *q, const float *vectors, size_t n, int64_t rows, scry_milvus_rows **out, scry_error *err)
{
    scry_remote *s = q->s;
    scry_milvus *m;
    char params[PARAMS_BYTES];
    int result = scry_remote_take(s, &m, err);
    if (result < 0)
        return result;
    const char *fields[SCRY_REMOTE_FILE_FIELDS + 2];
    const scry_remote_fields own = s->external ? (scry_remote_fields){ s->fields, s->field_count, 0, SCRY_MILVUS_STRONG }
                                               : scry_remote_filter_fields(s, q->search->filter);
    size_t field_count = own.count;
    for (size_t i = 0; i < field_count; i++)   /* none of a collection that another program made */
        fields[i] = own.names[i];
    if (q->search->fold > 0)
        fields[field_count++] = s->vector_field;
    scry_milvus_search search = {
        .field = s->vector_field, .metric = s->metric, .params = search_params(s, rows, params), .vectors = vectors,
        .queries = n, .dim = (size_t)s->base.dim, .half = s->half, .limit = rows, .filter = q->filter,
        .fields = fields, .field_count = field_count,
        .partitions = q->partitions, .partition_count = q->partition_count,
        .consistency = s->consistency == SCRY_MILVUS_BOUNDED ? scry_remote_freshness(s) : s->consistency,
    };
    double deadline = scry_remote_deadline(s);
    do
        result = scry_milvus_search_rows(m, s->name, &search, out, err);
    while (result < 0 && scry_remote_revived(s, m, deadline, err));
    scry_remote_give(s, m);
    if (result == 0 && s->external && (*out)->str_ids)
        scry_remote_remember_keys(s, (*out)->str_ids, (*out)->rows);
    return result;
}

/* Milvus's squared distance of unit vectors as their cosine. */
static double score_of(const scry_remote *s, float score)
{
    return strcmp(s->metric, "L2") == 0 ? 1 - (double)score / 2 : (double)score;
}

/* ---- order, and copies ---- */

static int compare_contents(const void *a, const void *b)
{
    const scry_hit *x = *(const scry_hit *const *)a, *y = *(const scry_hit *const *)b;
    int order = memcmp(x->file.content, y->file.content, SCRY_HASH_BYTES);
    return order ? order : strcmp(x->file.path, y->file.path);
}

static int compare_hits(const void *a, const void *b)
{
    const scry_hit *x = *(const scry_hit *const *)a, *y = *(const scry_hit *const *)b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return strcmp(x->file.path, y->file.path);
}

static int compare_paths(const void *a, const void *b)
{
    return strcmp((*(const scry_hit *const *)a)->file.path, (*(const scry_hit *const *)b)->file.path);
}

/* Best first; ties by path. A server returns scores for one vector that differ in the last bits. */
static void rank(scry_hit **hits, size_t n)
{
    if (n)
        qsort(hits, n, sizeof *hits, compare_hits);
    for (size_t from = 0, to; from < n; from = to) {
        for (to = from + 1; to < n && hits[from]->score - hits[to]->score <= TIE; to++)
            continue;
        qsort(hits + from, to - from, sizeof *hits, compare_paths);
    }
}

/* Of each content the first file by path; the others are counted in its `copies`. */
static size_t merge_copies(scry_hit **hits, size_t n)
{
    size_t kept = 0;
    if (n)
        qsort(hits, n, sizeof *hits, compare_contents);
    for (size_t i = 0; i < n; i++) {
        scry_hit *last = kept ? hits[kept - 1] : NULL;
        if (last && memcmp(last->file.content, hits[i]->file.content, SCRY_HASH_BYTES) == 0) {
            last->copies++;
            if (hits[i]->score > last->score)
                last->score = hits[i]->score;
        } else {
            hits[kept++] = hits[i];
        }
    }
    return kept;
}

/* ---- one query's rows as its result ---- */

typedef struct {
    const query *q;
    const scry_milvus_rows *rows;
    size_t from, to;             /* its rows */
    scry_results *all;           /* those that pass, in the order of the rows */
    size_t *row_of;              /* the row of each of `all` */
    scry_hit **hits;             /* [n] of `all`: one for each content unless all copies are shown, ranked */
    size_t n;
    size_t *leader;              /* [n]: the hit that each is folded into, itself where it is shown */
} ranking;

static int read_rows(ranking *r, scry_error *err)
{
    const query *q = r->q;
    scry_remote *s = q->s;
    scry_remote_row row = { .answer = 0 };
    int result = 0;
    for (size_t i = r->from; i < r->to && result == 0; i++) {
        double score = score_of(s, r->rows->scores[i]);
        if (score < q->search->min_score)
            continue;
        result = s->read_row(s, &row, r->rows, i, err);
        if (result == 0 && (!q->refine || scry_filter_match(q->search->filter, &row.file))) {
            r->row_of[r->all->count] = i;
            scry_results_add(r->all, score, &row.file, 0);
        }
    }
    scry_remote_row_dispose(s, &row);
    return result;
}

static int rank_hits(ranking *r, scry_error *err)
{
    const query *q = r->q;
    size_t n = r->all->count;
    bool *hidden = scry_alloc(n + 1);
    scry_remote_leads leads = { q->s, q->filter, q->refine ? q->search->filter : NULL };
    int result = q->search->all_copies ? 0 : scry_remote_hide_raws(&leads, r->all, hidden, err);
    r->hits = scry_alloc((n + 1) * sizeof *r->hits);
    for (size_t k = 0; k < n; k++)
        if (!hidden[k])
            r->hits[r->n++] = (scry_hit *)&r->all->hits[k];
    if (!q->search->all_copies)
        r->n = merge_copies(r->hits, r->n);
    rank(r->hits, r->n);
    free(hidden);
    return result;
}

typedef struct {
    const ranking *r;
    const scry_milvus_column *column;
} stored_vectors;

static void row_vector(void *arg, size_t i, float *out)
{
    const stored_vectors *v = arg;
    size_t dim = (size_t)v->column->dim, row = v->r->row_of[v->r->hits[i] - v->r->all->hits];
    memcpy(out, v->column->floats + row * dim, dim * sizeof *out);
}

static int find_leaders(ranking *r, scry_error *err)
{
    scry_remote *s = r->q->s;
    for (size_t i = 0; i < r->n; i++)
        r->leader[i] = i;
    if (r->q->search->fold == 0 || r->n == 0)
        return 0;
    stored_vectors v = { r, scry_milvus_find_column(r->rows, s->vector_field, SCRY_MILVUS_FLOAT_VECTOR) };
    if (!v.column || v.column->dim != s->base.dim)
        return scry_fail(err, SCRY_EREMOTE, "Milvus answered without the vectors that were asked for");
    if (scry_fold(r->leader, r->n, (size_t)s->base.dim, r->q->search->fold, row_vector, &v) < 0)
        return scry_fail(err, SCRY_ENOMEM, "no memory to fold results");
    return 0;
}

/* The page that was asked for, each hit with what is folded into it. Returns the score of the last of the hits that
 * the search wants (`want`), or -2 where there are fewer. */
static double show(const ranking *r, scry_results *out)
{
    const scry_search *search = r->q->search;
    size_t shown = 0, *place = scry_alloc((r->n + 1) * sizeof *place);   /* of each leader in `out` */
    double last = -2;
    for (size_t i = 0; i < r->n; i++) {
        const scry_hit *hit = r->hits[i];
        place[i] = SIZE_MAX;
        if (r->leader[i] != i) {
            if (place[r->leader[i]] < out->count)
                scry_results_fold(out, place[r->leader[i]], hit->file.id);
        } else {
            if (shown == 0) {
                out->top_score = hit->score;
                memcpy(out->top_content, hit->file.content, SCRY_HASH_BYTES);
            }
            if (shown >= search->offset && out->count < search->limit) {
                place[i] = out->count;
                scry_results_add(out, hit->score, &hit->file, hit->copies);
            }
            if (++shown == r->q->want)
                last = hit->score;
        }
    }
    out->has_more = shown > search->offset + search->limit;
    free(place);
    return last;
}

/* The result of query `i` of an answer, which had `asked` rows at most for each: 1 when further rows could not change it,
 * 0 when they could. */
static int make_result(const query *q, const scry_milvus_rows *rows, size_t i, int64_t asked, scry_results *out,
                       scry_error *err)
{
    size_t from = rows->first[i], to = rows->first[i + 1], *numbers = scry_alloc(2 * (to - from + 1) * sizeof *numbers);
    ranking r = { .q = q, .rows = rows, .from = from, .to = to, .all = scry_results_new(),
                  .row_of = numbers, .leader = numbers + (to - from) + 1 };
    int result = read_rows(&r, err);
    if (result == 0)
        result = rank_hits(&r, err);
    if (result == 0)
        result = find_leaders(&r, err);
    if (result == 0) {
        double wanted = show(&r, out), least = to > from ? score_of(q->s, rows->scores[to - 1]) : -2;
        out->scanned = to - from;
        int named = scry_remote_name_raws(q->s, out, err);
        result = named < 0 ? named : (int64_t)(to - from) < asked || least < q->search->min_score || wanted > least + 2 * TIE;
    }
    free(r.hits);
    free(numbers);
    scry_results_free(r.all);
    return result;
}

/* ---- one query, with more and more rows ---- */

static int64_t deeper(int64_t rows)
{
    return 4 * rows < SCRY_MILVUS_MAX_TOPK ? 4 * rows : SCRY_MILVUS_MAX_TOPK;
}

static int too_few(const query *q, scry_error *err)
{
    const scry_remote *s = q->s;
    bool old = scry_filter_asks_words(q->search->filter) && (!s->has_words || s->words_mixed);
    return scry_fail(err, SCRY_ELIMIT, "Milvus gives at most %d rows a search, which hold too few results after the filter and the "
                     "copies: %s", SCRY_MILVUS_MAX_TOPK, old ? "the collection was made by an earlier scry, without words: "
                     SCRY_STORE_WORDS_ADVICE : "ask for fewer, or filter more");
}

static int search_deep(const query *q, const float *vector, int64_t rows, scry_results **out, scry_error *err)
{
    for (int complete = 0; !complete;) {
        scry_milvus_rows *answer;
        int result = ask(q, vector, 1, rows, &answer, err);
        if (result < 0)
            return result;
        scry_results_free(*out);
        *out = scry_results_new();
        complete = make_result(q, answer, 0, rows, *out, err);
        scry_milvus_rows_free(answer);
        if (complete < 0)
            return complete;
        if (!complete && rows == SCRY_MILVUS_MAX_TOPK && q->search->fold == 0 && (*out)->count < q->search->limit)
            return too_few(q, err);
        complete |= rows == SCRY_MILVUS_MAX_TOPK;
        rows = deeper(rows);
    }
    return 0;
}

/* Several queries in one request; those that need more rows are repeated one by one. */
static int search_some(const query *q, const float *vectors, size_t n, int64_t rows, scry_results **out, scry_error *err)
{
    scry_milvus_rows *answer;
    int result = ask(q, vectors, n, rows, &answer, err);
    if (result < 0)
        return result;
    for (size_t i = 0; i < n && result >= 0; i++) {
        out[i] = scry_results_new();
        result = make_result(q, answer, i, rows, out[i], err);
        if (result == 0)
            result = search_deep(q, vectors + i * (size_t)q->s->base.dim, deeper(rows), &out[i], err);
    }
    scry_milvus_rows_free(answer);
    return result < 0 ? result : 0;
}

/* Where each root has a partition: only those that can have something that passes. */
static void choose_partitions(query *q)
{
    scry_remote_roots *roots = scry_remote_roots_hold(q->s);
    bool *may = scry_alloc((roots->count + 1) * sizeof *may);
    size_t n = scry_remote_filter_roots(roots, q->search->filter, may), at = 0;
    if (n && n < roots->count) {
        q->partitions = scry_alloc(n * (sizeof *q->partitions + SCRY_REMOTE_PARTITION));
        char (*names)[SCRY_REMOTE_PARTITION] = (void *)(q->partitions + n);
        for (size_t i = 0; i < roots->count && at < n; i++)
            if (may[i]) {
                q->partitions[at] = scry_remote_partition(roots->ids[i], names[at]);
                at++;
            }
        q->partition_count = n;
    }
    free(may);
    scry_remote_roots_release(q->s, roots);
}

/* Of the files that pass, those that have only their own time, where the filter asks for it. An expression that passes more
 * than the filter counts too many. */
static int count_undated(const query *q, bool none_passes, scry_results *const *out, size_t n, scry_error *err)
{
    scry_remote *s = q->s;
    scry_milvus *m;
    scry_buf filter = SCRY_BUF_INIT(SCRY_REMOTE_FILTER_BYTES);
    int64_t found = 0;
    if (q->refine || s->external || !scry_filter_asks_time(q->search->filter))
        return 0;
    int result = none_passes ? 0 : scry_remote_take(s, &m, err);
    if (result == 0 && !none_passes) {
        scry_buf_printf(&filter, "has_time == false");
        if (q->filter[0])
            scry_buf_printf(&filter, " and (%s)", q->filter);
        result = scry_remote_count(s, m, scry_buf_str(&filter),
                                   s->consistency == SCRY_MILVUS_BOUNDED ? scry_remote_freshness(s) : s->consistency, &found, err);
        scry_remote_give(s, m);
    }
    scry_buf_dispose(&filter);
    for (size_t i = 0; i < n && result == 0; i++) {
        out[i]->has_undated = true;
        out[i]->undated = (uint64_t)found;
    }
    return result;
}

int scry_remote_search_many(scry_store *base, const float *queries, size_t n, const scry_search *search,
                            scry_results **out, scry_error *err)
{
    enum { ROWS_AT_ONCE = 32768 };   /* of all queries of a request: some 20 MB with their fields */
    scry_remote *s = (scry_remote *)base;
    scry_milvus *m;
    scry_milvus_cover cover;
    scry_buf filter = SCRY_BUF_INIT(SCRY_REMOTE_FILTER_BYTES);
    if (search->limit > SCRY_MILVUS_MAX_TOPK || search->offset > SCRY_MILVUS_MAX_TOPK ||
        search->offset + search->limit > SCRY_MILVUS_MAX_TOPK)
        return scry_fail(err, SCRY_ELIMIT, "Milvus finds at most %d results of a search (offset and limit together): ask "
                         "for fewer, or filter more", SCRY_MILVUS_MAX_TOPK);
    int result = scry_remote_take(s, &m, err);
    if (result < 0)
        return result;
    result = scry_remote_filter(s, m, search->filter, &filter, &cover, err);
    scry_remote_give(s, m);
    query q = { s, search, scry_buf_str(&filter), cover == SCRY_MILVUS_WIDER, search->offset + search->limit + 1,
                NULL, 0 };
    if (s->partitions && search->filter)
        choose_partitions(&q);
    size_t end = search->offset + search->limit;
    int64_t rows = (int64_t)(search->fold > 0 ? scry_fold_depth(end) : q.want + q.want / 2 + 16);
    if (rows > SCRY_MILVUS_MAX_TOPK)
        rows = SCRY_MILVUS_MAX_TOPK;
    size_t at_once = ROWS_AT_ONCE / (search->fold > 0 ? 4 : 1) / (size_t)rows + 1;   /* vectors weigh more than fields */
    for (size_t i = 0; i < n && result == 0; i += at_once) {
        size_t count = n - i < at_once ? n - i : at_once;
        if (cover != SCRY_MILVUS_NOTHING)
            result = search_some(&q, queries + i * (size_t)base->dim, count, rows, out + i, err);
        for (size_t k = i; k < i + count && cover == SCRY_MILVUS_NOTHING; k++)
            out[k] = scry_results_new();
    }
    if (result == 0)
        result = count_undated(&q, cover == SCRY_MILVUS_NOTHING, out, n, err);
    for (size_t i = 0; i < n && result < 0; i++) {
        scry_results_free(out[i]);
        out[i] = NULL;
    }
    free(q.partitions);
    scry_buf_dispose(&filter);
    return result;
}
