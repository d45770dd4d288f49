/* eval.c - scry_eval_run: embeds a set, ranks the answers to all its questions, computes the figures.
 *
 * A question is a row of one matrix ranked against all rows of another:
 *
 *     captions   caption -> pictures      one right picture; clusters for the interval: pictures
 *                picture -> captions      its own captions are right
 *     labels     picture -> labels        its label is right (zero-shot classification)
 *                label   -> pictures      all pictures of the label are right
 *                picture -> pictures      the others of its label are right
 */
#include "base/alloc.h"
#include "base/log.h"
#include "base/pool.h"
#include "engine/eval_set.h"
#include "engine/ranking.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { TIMED_QUERIES = 200, PROJECT_ROWS = 256, RANKED_CALL = 64 };

/* Unit (or raw) vectors, and for Euclidean ranking the bias of each row. */
typedef struct {
    float *rows;          /* [count, dim] */
    float *bias;          /* [count]; NULL: rank by dot product */
    size_t count;
} matrix;

typedef struct {
    const scry_model *model;
    const scry_eval_set *set;
    const scry_eval_options *options;
    size_t dim;
    matrix pictures, texts;
    uint32_t *place;      /* [set's pictures]: row of `pictures`, or REMOVED */
    uint32_t *group;      /* labels: [pictures] label; captions: [texts] picture */
    uint32_t *number;     /* 0, 1, 2 ... for questions that are their own group */
    double pictures_per_s;
    pthread_mutex_t ranked_lock;
    size_t ranked, questions;   /* of all tasks: done, and how many there are */
    scry_error *err;
} evaluation;

#define REMOVED UINT32_MAX

typedef struct {
    evaluation *e;
    const matrix *questions, *answers;
    const uint32_t *group_of;       /* [answers] */
    const uint32_t *group;          /* [questions]: which group is right for it */
    const uint32_t *cluster_of;     /* [questions]: what the confidence interval is drawn over */
    size_t clusters;
    bool exclude_self;
    ranking_outcome *out;           /* [questions] */
} task;

static bool is_stopped(const evaluation *e)
{
    return e->options->embed.cancel && atomic_load(e->options->embed.cancel);
}

static int stopped(const evaluation *e)
{
    return is_stopped(e) ? scry_fail(e->err, SCRY_ECANCELLED, "stopped before the evaluation was done") : 0;
}

/* ---- vectors ---- */

/* Remove the pictures that could not be read: their rows are NaN. */
static void drop_failed(evaluation *e, scry_eval_report *report)
{
    size_t n = e->pictures.count, kept = 0;
    e->place = scry_alloc(n * sizeof *e->place);
    for (size_t i = 0; i < n; i++) {
        bool bad = isnan(e->pictures.rows[i * e->dim]);
        e->place[i] = bad ? REMOVED : (uint32_t)kept;
        if (!bad)
            memmove(e->pictures.rows + kept++ * e->dim, e->pictures.rows + i * e->dim, e->dim * sizeof(float));
    }
    e->pictures.count = kept;
    report->skipped = n - kept;
}

static int embed_pictures(evaluation *e, scry_error *err)
{
    size_t failures, n = e->set->files.count;
    e->pictures.rows = scry_try_alloc(n * e->dim, sizeof(float));
    e->pictures.count = n;
    if (!e->pictures.rows)
        return scry_fail(err, SCRY_ENOMEM, "not enough memory for the vectors of %zu pictures", n);
    if (e->options->store) {
        int found = eval_stored_vectors(e->options->store, e->set, &e->options->embed, e->pictures.rows, &failures, err);
        e->pictures_per_s = NAN;
        return found == 0 && failures == n ? scry_fail(err, SCRY_EINVALID, "none of the %zu pictures is in the collection: index "
                                                       "their folder, or name it with --pictures", n) : found;
    }
    double start = scry_now_ms();
    int r = scry_embed_files(e->model, (const char *const *)e->set->paths, n, &e->options->embed, e->pictures.rows,
                             &failures, err);
    if (r == 0 && failures == n)
        return scry_fail(err, SCRY_EINVALID, "none of the %zu pictures can be read: name their folder with --pictures", n);
    e->pictures_per_s = (double)n / (scry_now_ms() - start) * 1000;
    return r;
}

static int embed_texts(evaluation *e, scry_error *err)
{
    const scry_eval_set *s = e->set;
    const scry_eval_options *o = e->options;
    size_t n = s->labelled ? s->labels.count : s->caption_count;
    scry_embed_options quiet = o->embed;
    quiet.progress = NULL;
    e->texts.rows = scry_try_alloc(n * e->dim, sizeof(float));
    e->texts.count = n;
    if (!e->texts.rows)
        return scry_fail(err, SCRY_ENOMEM, "not enough memory for the vectors of %zu texts", n);
    if (s->labelled)
        return scry_embed_labels(e->model, scry_table_at(&s->labels, 0), n, o->templates, o->template_count,
                                 &quiet, e->texts.rows, err);
    return scry_embed_lines(e->model, (const char *const *)s->captions, n, &quiet, e->texts.rows, NULL, err);
}

/* Assign the right answers; captions of pictures that could not be read are removed. */
static void group(evaluation *e)
{
    const scry_eval_set *s = e->set;
    size_t most = e->pictures.count > e->texts.count ? e->pictures.count : e->texts.count, kept = 0;
    e->group = scry_alloc(most * sizeof *e->group);
    e->number = scry_alloc(most * sizeof *e->number);
    for (size_t i = 0; i < most; i++)
        e->number[i] = (uint32_t)i;
    for (size_t i = 0; s->labelled && i < s->files.count; i++)
        if (e->place[i] != REMOVED)
            e->group[e->place[i]] = s->label_of[i];
    for (size_t i = 0; !s->labelled && i < s->caption_count; i++) {
        uint32_t place = e->place[s->caption_of[i]];
        if (place == REMOVED)
            continue;
        memmove(e->texts.rows + kept * e->dim, e->texts.rows + i * e->dim, e->dim * sizeof(float));
        e->group[kept++] = place;
    }
    if (!s->labelled)
        e->texts.count = kept;
}

static int project(evaluation *e, matrix *m, const float *projection, size_t to, scry_error *err)
{
    float *rows = scry_try_alloc(m->count * to, sizeof *rows);
    if (!rows)
        return scry_fail(err, SCRY_ENOMEM, "not enough memory to project %zu vectors", m->count);
    for (size_t i = 0; i < m->count && !is_stopped(e); i += PROJECT_ROWS) {
        size_t n = m->count - i < PROJECT_ROWS ? m->count - i : PROJECT_ROWS;
        ranking_project(rows + i * to, m->rows + i * e->dim, n, projection, e->dim, to);
    }
    if (!e->options->euclidean)
        ranking_normalize(rows, m->count, to);
    free(m->rows);
    m->rows = rows;
    return stopped(e);
}

static int project_all(evaluation *e, scry_error *err)
{
    size_t to = (size_t)e->options->project;
    if (to == 0)
        return 0;
    float *projection = ranking_projection(e->dim, to);
    int r = projection ? 0 : scry_fail(err, SCRY_ENOMEM, "not enough memory for a projection to %zu dimensions", to);
    if (r == 0)
        r = project(e, &e->pictures, projection, to, err);
    if (r == 0)
        r = project(e, &e->texts, projection, to, err);
    free(projection);
    e->dim = to;
    return r;
}

/* |q - p|^2 = |q|^2 - (2 q.p - |p|^2): the nearest has the highest value in parentheses. */
static void set_bias(const evaluation *e, matrix *m)
{
    m->bias = scry_alloc((m->count + 1) * sizeof *m->bias);
    for (size_t i = 0; i < m->count; i++)
        for (size_t d = 0; d < e->dim; d++)
            m->bias[i] -= m->rows[i * e->dim + d] * m->rows[i * e->dim + d];
}

/* ---- questions ---- */

static void count_ranked(evaluation *e)
{
    const scry_eval_options *o = e->options;
    pthread_mutex_lock(&e->ranked_lock);
    e->ranked++;
    if (o->ranked && (e->ranked % RANKED_CALL == 0 || e->ranked == e->questions))
        o->ranked(o->embed.arg, e->ranked, e->questions);
    pthread_mutex_unlock(&e->ranked_lock);
}

static void rank_share(void *arg, int index, int count)
{
    const task *t = arg;
    size_t D = t->e->dim;
    float *scores = scry_alloc((t->answers->count + 1) * sizeof *scores);
    for (size_t q = (size_t)index; q < t->questions->count && !is_stopped(t->e); q += (size_t)count) {
        ranking_right right = { t->group_of, t->group[q], t->exclude_self ? q : SIZE_MAX };
        ranking_scores(scores, t->questions->rows + q * D, t->answers->rows, t->answers->bias,
                       t->answers->count, D);
        ranking_of(&t->out[q], scores, t->answers->count, &right);
        count_ranked(t->e);
    }
    free(scores);
}

/* Makes `out`, which the caller frees. False: stopped before its end. */
static bool rank_all(task *t)
{
    scry_pool *pool = scry_pool_new(t->e->options->embed.workers);
    t->out = scry_alloc((t->questions->count + 1) * sizeof *t->out);
    scry_pool_run(pool, rank_share, t);
    scry_pool_free(pool);
    return !is_stopped(t->e);
}

/* ---- figures ---- */

typedef enum { AP = -1, AP_MEAN = -2 } measure;   /* or k > 0: a right one among the first k */

static double measured(const ranking_outcome *o, int what)
{
    return what == AP ? o->ap : what == AP_MEAN ? o->ap_mean : o->rank && o->rank <= (size_t)what;
}

static void add_figure(scry_eval_report *r, const char *key, const char *title, scry_figure_kind kind, double value)
{
    r->figures[r->count++] = (scry_eval_figure){ key, title, kind, value, NAN, NAN };
}

/* The mean of a measure over the questions that have an answer, and its confidence interval over clusters. */
static void add_rate(scry_eval_report *r, const task *t, int what, const char *key, const char *title)
{
    double *sums = scry_alloc((t->clusters + 1) * sizeof *sums), *weights = scry_alloc((t->clusters + 1) * sizeof *weights);
    double sum = 0, weight = 0;
    size_t used = 0;
    for (size_t q = 0; q < t->questions->count; q++) {
        if (t->out[q].rank == 0)
            continue;
        sums[t->cluster_of[q]] += measured(&t->out[q], what);
        weights[t->cluster_of[q]] += 1;
    }
    for (size_t c = 0; c < t->clusters; c++) {
        sum += sums[c];
        weight += weights[c];
        if (weights[c] > 0) {   /* clusters without a question do not belong to the sample */
            sums[used] = sums[c];
            weights[used++] = weights[c];
        }
    }
    add_figure(r, key, title, SCRY_FIGURE_RATE, weight > 0 ? sum / weight : NAN);
    scry_eval_figure *f = &r->figures[r->count - 1];
    ranking_interval(sums, weights, used, &f->low, &f->high);
    free(sums);
    free(weights);
}

static int compare_sizes(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

static double median_rank(const task *t)
{
    size_t *ranks = scry_alloc((t->questions->count + 1) * sizeof *ranks), n = 0;
    for (size_t q = 0; q < t->questions->count; q++)
        if (t->out[q].rank)
            ranks[n++] = t->out[q].rank;
    qsort(ranks, n, sizeof *ranks, compare_sizes);
    double median = n ? (double)(ranks[(n - 1) / 2] + ranks[n / 2]) / 2 : NAN;
    free(ranks);
    return median;
}

static void captions_figures(evaluation *e, scry_eval_report *r)
{
    task t = { .e = e, .questions = &e->texts, .answers = &e->pictures, .group_of = e->number, .group = e->group,
               .cluster_of = e->group, .clusters = e->pictures.count };
    if (rank_all(&t)) {
        add_rate(r, &t, 1, "recall_at_1", "R@1");
        add_rate(r, &t, 5, "recall_at_5", "R@5");
        add_rate(r, &t, 10, "recall_at_10", "R@10");
        add_figure(r, "median_rank", "median", SCRY_FIGURE_RANK, median_rank(&t));
        add_rate(r, &t, AP, "map_at_10", "mAP@10");
        add_rate(r, &t, AP_MEAN, "map_at_10_tutorial", "mAP@10t");
    }
    free(t.out);
    if (!e->options->picture_to_text)
        return;
    task back = { .e = e, .questions = &e->pictures, .answers = &e->texts, .group_of = e->group, .group = e->number,
                  .cluster_of = e->number, .clusters = e->pictures.count };
    if (rank_all(&back)) {
        add_rate(r, &back, 1, "picture_to_text_recall_at_1", "p>t R@1");
        add_rate(r, &back, 5, "picture_to_text_recall_at_5", "p>t R@5");
        add_rate(r, &back, 10, "picture_to_text_recall_at_10", "p>t R@10");
    }
    free(back.out);
}

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* The threshold above which nine of ten labels have a right picture, and the share of labels that have no wrong
 * picture above it: what a search for something absent would find. */
static void threshold_figures(const task *t, scry_eval_report *r)
{
    size_t n = 0, absent = 0;
    float *right = scry_alloc((t->questions->count + 1) * sizeof *right);
    for (size_t q = 0; q < t->questions->count; q++)
        if (t->out[q].rank)
            right[n++] = t->out[q].right_score;
    qsort(right, n, sizeof *right, compare_floats);
    float threshold = n ? right[n / 10] : 0;
    for (size_t q = 0; q < t->questions->count; q++)
        absent += t->out[q].rank && t->out[q].wrong_score < threshold;
    add_figure(r, "line_at_90_answered", "threshold", SCRY_FIGURE_SCORE, n ? threshold : NAN);
    add_figure(r, "absent_at_that_line", "absent below", SCRY_FIGURE_RATE, n ? (double)absent / (double)n : NAN);
    free(right);
}

static void labels_figures(evaluation *e, scry_eval_report *r)
{
    task t = { .e = e, .questions = &e->pictures, .answers = &e->texts, .group_of = e->number, .group = e->group,
               .cluster_of = e->number, .clusters = e->pictures.count };
    if (rank_all(&t)) {
        add_rate(r, &t, 1, "top_1", "top-1");
        add_rate(r, &t, 5, "top_5", "top-5");
    }
    free(t.out);
    t = (task){ .e = e, .questions = &e->texts, .answers = &e->pictures, .group_of = e->group, .group = e->number,
                .cluster_of = e->number, .clusters = e->texts.count };
    if (rank_all(&t)) {
        add_rate(r, &t, AP, "map_at_10", "mAP@10");
        add_rate(r, &t, AP_MEAN, "map_at_10_tutorial", "mAP@10t");
        if (!e->options->euclidean)
            threshold_figures(&t, r);
    }
    free(t.out);
    t = (task){ .e = e, .questions = &e->pictures, .answers = &e->pictures, .group_of = e->group, .group = e->group,
                .cluster_of = e->number, .clusters = e->pictures.count, .exclude_self = true };
    if (rank_all(&t)) {
        add_rate(r, &t, AP, "picture_map_at_10", "p>p mAP@10");
        add_rate(r, &t, AP_MEAN, "picture_map_at_10_tutorial", "p>p mAP@10t");
    }
    free(t.out);
}

/* Whole queries a second, one after the other: text to vector, exact scan, the first ten. */
static int time_queries(const evaluation *e, scry_eval_report *r, scry_error *err)
{
    const scry_table *labels = &e->set->labels;
    const char *const *texts = e->set->labelled ? scry_table_at(labels, 0) : e->set->captions;
    size_t n = e->set->labelled ? labels->count : e->set->caption_count, native = (size_t)scry_model_get_info(e->model)->dim;
    float *vector = scry_alloc(native * sizeof *vector), *scores = scry_alloc(e->pictures.count * sizeof *scores);
    ranking_right right = { NULL, 0, SIZE_MAX };
    ranking_outcome outcome;
    scry_session *session = NULL;
    if (n > TIMED_QUERIES)
        n = TIMED_QUERIES;
    int result = stopped(e);
    if (result == 0)
        result = scry_session_new(&session, e->model, 0, err);
    if (result == 0)   /* the first one prepares the tower */
        result = scry_embed_texts(session, texts, 1, vector, NULL, err);
    double start = scry_now_ms();
    for (size_t i = 0; result == 0 && i < n && (result = stopped(e)) == 0; i++) {
        result = scry_embed_texts(session, texts + i, 1, vector, NULL, err);
        ranking_scores(scores, e->dim == native ? vector : e->texts.rows, e->pictures.rows, NULL, e->pictures.count, e->dim);
        ranking_of(&outcome, scores, e->pictures.count, &right);
    }
    if (result == 0) {
        add_figure(r, "queries_per_s", "queries/s", SCRY_FIGURE_SPEED, (double)n / (scry_now_ms() - start) * 1000);
        add_figure(r, "pictures_per_s", "pictures/s", SCRY_FIGURE_SPEED, e->pictures_per_s);
    }
    scry_session_free(session);
    free(vector);
    free(scores);
    return result;
}

int scry_eval_run(const scry_model *model, const scry_eval_set *set, const scry_eval_options *options,
                  scry_eval_report *out, scry_error *err)
{
    static const scry_eval_options defaults = SCRY_EVAL_OPTIONS_INIT;
    options = options ? options : &defaults;
    evaluation e = { .model = model, .set = set, .options = options, .dim = (size_t)scry_model_get_info(model)->dim,
                     .ranked_lock = PTHREAD_MUTEX_INITIALIZER, .err = err };
    *out = (scry_eval_report){ 0 };
    int r = embed_pictures(&e, err);
    if (r == 0)
        r = embed_texts(&e, err);
    if (r == 0) {
        drop_failed(&e, out);
        group(&e);
        r = project_all(&e, err);
    }
    if (r == 0 && options->euclidean) {
        set_bias(&e, &e.pictures);
        set_bias(&e, &e.texts);
    }
    if (r == 0) {
        e.questions = e.texts.count + (set->labelled ? 2 : options->picture_to_text ? 1 : 0) * e.pictures.count;
        if (set->labelled)
            labels_figures(&e, out);
        else
            captions_figures(&e, out);
        r = time_queries(&e, out, err);
    }
    pthread_mutex_destroy(&e.ranked_lock);
    out->pictures = e.pictures.count;
    out->texts = e.texts.count;
    out->dim = (int)e.dim;
    free(e.pictures.rows);
    free(e.pictures.bias);
    free(e.texts.rows);
    free(e.texts.bias);
    free(e.place);
    free(e.group);
    free(e.number);
    return r;
}
