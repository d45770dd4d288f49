/* remote_search.c - search: more rows are asked for than hits are wanted, since files of one
 * content are folded here and what a filter's expression cannot say is refined here.
 *
 * A search is complete when the hits that are wanted all score above the last row that
 * came: no further file of theirs, and no equal score, can follow. Else it is repeated
 * with four times the rows, up to Milvus's limit of 16,384.
 */
#include "store/remote_internal.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/sha256.h"
#include "store/remote_foreign.h"
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
    const char **partitions;     /* that the filter leaves; NULL: all */
    size_t partition_count;
} query;

/* ---- asking ---- */

static const char *search_params(const scry_remote *s, int64_t rows, char out[64])
{
    out[0] = '\0';
    if (strcmp(s->index_type, "HNSW") == 0)   /* Milvus refuses ef below the rows asked for */
        snprintf(out, 64, "{\"ef\":%lld}", (long long)(s->ef > rows ? s->ef : rows));
    else if (strncmp(s->index_type, "IVF", 3) == 0)
        snprintf(out, 64, "{\"nprobe\":%d}", s->nprobe);
    return out;
}

static int ask(const query *q, const float *vectors, size_t n, int64_t rows, scry_milvus_rows **out, scry_error *err)
{
    scry_remote *s = q->s;
    scry_milvus *m;
    char params[64];
    int result = scry_remote_take(s, &m, err);
    if (result < 0)
        return result;
    const char *fields[SCRY_REMOTE_FILE_FIELDS + 1];
    size_t field_count = s->foreign ? 0 : SCRY_REMOTE_FILE_FIELDS;
    memcpy(fields, scry_remote_file_fields, field_count * sizeof *fields);
    if (q->search->fold > 0)
        fields[field_count++] = s->vector_field;
    scry_milvus_search search = {
        .field = s->vector_field, .metric = s->metric, .params = search_params(s, rows, params), .vectors = vectors,
        .queries = n, .dim = (size_t)s->base.dim, .limit = rows, .filter = q->filter,
        .fields = fields, .field_count = field_count,
        .consistency = s->consistency == SCRY_MILVUS_BOUNDED ? scry_remote_freshness(s) : s->consistency,
    };
    double deadline = scry_now_ms() + s->options.patience_ms;
    do
        result = scry_milvus_search_rows(m, s->name, &search, out, err);
    while (result < 0 && scry_remote_revived(s, m, deadline));
    scry_remote_give(s, m);
    return result;
}

/* Milvus's squared distance of unit vectors as their cosine. */
static double score_of(const scry_remote *s, float score)
{
    return strcmp(s->metric, "L2") == 0 ? 1 - (double)score / 2 : (double)score;
}

/* ---- folding ---- */

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

/* Best first; ties by path. Servers give one vector scores that differ in the last bits. */
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
static size_t fold(scry_hit **hits, size_t n)
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

/* Rows [from, to) of an answer that pass as hits of `all`; row_of [to - from] is where each came from. */
static int read_rows(const query *q, const scry_milvus_rows *rows, size_t from, size_t to, scry_results *all,
                     size_t *row_of, scry_error *err)
{
    scry_remote *s = q->s;
    scry_remote_row row = { .rows = NULL };
    int result = 0;
    for (size_t i = from; i < to && result == 0; i++) {
        double score = score_of(s, rows->scores[i]);
        if (score < q->search->min_score)
            continue;
        result = s->foreign ? scry_remote_foreign_row(s, &row, rows, i, err) : scry_remote_row_read(s, &row, rows, i, err);
        if (result == 0 && (!q->refine || scry_filter_match(q->search->filter, &row.file))) {
            row_of[all->count] = i;
            scry_results_add(all, score, &row.file, 0);
        }
    }
    scry_remote_row_dispose(s, &row);
    return result;
}

/* ---- near duplicates ---- */

typedef struct {
    const float *vectors;        /* [rows, dim] */
    size_t dim;
    scry_hit *const *hits;       /* in order */
    const scry_hit *first;       /* of the hits as they came */
    const size_t *row_of;
} folding;

static void row_vector(void *arg, size_t i, float *out)
{
    const folding *f = arg;
    memcpy(out, f->vectors + f->row_of[f->hits[i] - f->first] * f->dim, f->dim * sizeof *out);
}

/* leader [n]: which of the ranked hits each is folded into; *shown are not. */
static int find_leaders(const query *q, const scry_milvus_rows *rows, folding *f, size_t n, size_t *leader, size_t *shown,
                        scry_error *err)
{
    for (size_t i = 0; i < n; i++)
        leader[i] = i;
    *shown = n;
    if (q->search->fold == 0 || n == 0)
        return 0;
    const scry_milvus_column *c = scry_milvus_find_column(rows, q->s->vector_field, SCRY_MILVUS_FLOAT_VECTOR);
    if (!c || (size_t)c->dim != f->dim)
        return scry_fail(err, SCRY_EREMOTE, "Milvus answered without the vectors that were asked for");
    f->vectors = c->floats;
    if (scry_fold(leader, n, f->dim, q->search->fold, row_vector, f) < 0)
        return scry_fail(err, SCRY_ENOMEM, "no memory to fold results");
    for (size_t i = 0; i < n; i++)
        *shown -= leader[i] != i;
    return 0;
}

/* The page that was asked for, each hit with what is folded into it. `place` [n] is scratch. */
static void show(const query *q, scry_hit *const *hits, size_t n, const size_t *leader, size_t *place, scry_results *out)
{
    size_t rank = 0;
    for (size_t i = 0; i < n; i++) {
        place[i] = SIZE_MAX;
        if (leader[i] != i) {
            if (place[leader[i]] < out->count)
                scry_results_fold(out, place[leader[i]], hits[i]->file.id);
        } else if (rank++ >= q->search->offset && out->count < q->search->limit) {
            place[i] = out->count;
            scry_results_add(out, hits[i]->score, &hits[i]->file, hits[i]->copies);
        }
    }
}

/* The last of the `want` best that are shown; NULL when there are fewer. */
static const scry_hit *last_wanted(scry_hit *const *hits, size_t n, const size_t *leader, size_t want)
{
    for (size_t i = 0; i < n; i++)
        if (leader[i] == i && --want == 0)
            return hits[i];
    return NULL;
}

/* One query's rows as its result; *complete says whether more rows could change it. */
static int make_result(const query *q, const scry_milvus_rows *rows, size_t i, int64_t asked, scry_results *out,
                       bool *complete, scry_error *err)
{
    size_t from = rows->first[i], to = rows->first[i + 1], shown = 0;
    scry_results *all = scry_results_new();
    size_t *row_of = scry_alloc(3 * (to - from + 1) * sizeof *row_of), *leader = row_of + (to - from) + 1,
           *place = leader + (to - from) + 1;
    int result = read_rows(q, rows, from, to, all, row_of, err);
    scry_hit **hits = scry_alloc((all->count + 1) * sizeof *hits);
    for (size_t k = 0; k < all->count; k++)
        hits[k] = (scry_hit *)&all->hits[k];
    size_t n = q->search->all_copies ? all->count : fold(hits, all->count);
    rank(hits, n);
    folding f = { NULL, (size_t)q->s->base.dim, hits, all->hits, row_of };
    if (result == 0)
        result = find_leaders(q, rows, &f, n, leader, &shown, err);
    if (result == 0) {
        const scry_hit *wanted = last_wanted(hits, n, leader, q->want);
        double last = to > from ? score_of(q->s, rows->scores[to - 1]) : -2;
        *complete = (int64_t)(to - from) < asked || last < q->search->min_score || (wanted && wanted->score > last + 2 * TIE);
        show(q, hits, n, leader, place, out);
        out->has_more = shown > q->search->offset + q->search->limit;
        out->scanned = to - from;
    }
    free(hits);
    free(row_of);
    scry_results_free(all);
    return result;
}

/* ---- one query, deeper and deeper ---- */

static int64_t deeper(int64_t rows)
{
    return 4 * rows < SCRY_MILVUS_MAX_TOPK ? 4 * rows : SCRY_MILVUS_MAX_TOPK;
}

static int search_deep(const query *q, const float *vector, int64_t rows, scry_results **out, scry_error *err)
{
    for (bool complete = false; !complete;) {
        scry_milvus_rows *answer;
        int result = ask(q, vector, 1, rows, &answer, err);
        if (result < 0)
            return result;
        scry_results_free(*out);
        *out = scry_results_new();
        result = make_result(q, answer, 0, rows, *out, &complete, err);
        scry_milvus_rows_free(answer);
        if (result < 0)
            return result;
        if (!complete && rows == SCRY_MILVUS_MAX_TOPK && q->search->fold == 0 && (*out)->count < q->search->limit)
            return scry_fail(err, SCRY_ELIMIT, "Milvus gives at most %d rows a search, which hold too few results after the "
                             "filter and the copies: ask for fewer, or filter more", SCRY_MILVUS_MAX_TOPK);
        complete |= rows == SCRY_MILVUS_MAX_TOPK;
        rows = deeper(rows);
    }
    return 0;
}

/* Some queries at once; those that need more rows one by one. */
static int search_some(const query *q, const float *vectors, size_t n, int64_t rows, scry_results **out, scry_error *err)
{
    scry_milvus_rows *answer;
    int result = ask(q, vectors, n, rows, &answer, err);
    if (result < 0)
        return result;
    for (size_t i = 0; i < n && result == 0; i++) {
        bool complete;
        out[i] = scry_results_new();
        result = make_result(q, answer, i, rows, out[i], &complete, err);
        if (result == 0 && !complete)
            result = search_deep(q, vectors + i * (size_t)q->s->base.dim, deeper(rows), &out[i], err);
    }
    scry_milvus_rows_free(answer);
    return result;
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
    if (s->foreign && search->filter)
        return scry_remote_check_native(s, "a filter", err);
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
    for (size_t i = 0; i < n && result < 0; i++) {
        scry_results_free(out[i]);
        out[i] = NULL;
    }
    free(q.partitions);
    scry_buf_dispose(&filter);
    return result;
}
