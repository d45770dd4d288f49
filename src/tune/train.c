#include "tune/train.h"

#include "base/alloc.h"
#include "base/log.h"
#include "tune/state.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HALF 0.5

enum {
    LEAST_BATCH = 16, PATIENCE = 5,
    STATE_SHARE = 20   /* the state is written when so many times as long has passed as writing took */
};

typedef struct {
    const tune_data *d;
    const tune_method *m;
    scry_tune_report *report;
    tune_pair *pairs;            /* [d->train_count] in this epoch's order */
    float *parameters, *best, *gradient, *moments;
    int step, steps, since;
    double best_recall;
    char *state_path;
    uint8_t key[SCRY_SHA256_BYTES];
    double written_ms, writing_ms;
} trainer;

/* ---- steps ---- */

static void shuffle(tune_pair *p, size_t n, uint64_t *random)
{
    for (size_t i = n; i > 1; i--) {
        *random = *random * 6364136223846793005u + 1442695040888963407u;
        size_t k = (size_t)((__uint128_t)*random * i >> 64);
        tune_pair swap = p[i - 1];
        p[i - 1] = p[k];
        p[k] = swap;
    }
}

static double rate_at(const trainer *x)
{
    double warm = fmax(1, x->steps / 10.0), done = x->step / warm;
    double rest = (x->step - warm) / fmax(1, x->steps - warm);
    return x->m->rate * (done < 1 ? done : 0.5 * (1 + cos(M_PI * fmin(1, rest))));
}

/* One step on the pairs [n]; the loss before it. */
static double step(trainer *x, const tune_pair *pairs, size_t n)
{
    double loss = x->m->loss(x->m->self, pairs, n, x->parameters, x->gradient);
    x->step++;
    if (isfinite(loss))
        x->m->update(x->m->self, x->parameters, x->gradient, x->moments, x->step, rate_at(x));
    return loss;
}

static bool stopped(const trainer *x)
{
    return x->d->o->embed.cancel && atomic_load(x->d->o->embed.cancel);
}

/* How many steps an epoch has: at least four, unless that leaves too few pairs to tell apart in each. */
static size_t batches_of(const trainer *x)
{
    size_t n = x->d->train_count, batch = x->m->batch;
    size_t most = (n + batch - 1) / batch, few = n / LEAST_BATCH < 4 ? n / LEAST_BATCH : 4;
    return most > few ? most : few;
}

/* Mean loss of an epoch; NAN when it was stopped or the loss is none. */
static double run_epoch(trainer *x)
{
    double sum = 0;
    size_t batches = batches_of(x), n = x->d->train_count;
    for (size_t i = 0; i < batches && isfinite(sum); i++) {
        size_t from = n * i / batches, to = n * (i + 1) / batches;
        sum = stopped(x) ? NAN : sum + step(x, x->pairs + from, to - from);
    }
    return sum / (double)batches;
}

/* ---- going on ---- */

/* A digest of all that decides what a run does. */
static void make_key(trainer *x)
{
    const tune_data *d = x->d;
    const scry_tune_options *o = d->o;
    scry_buf b = SCRY_BUF_INIT(SIZE_MAX);
    char *settings = scry_asprintf("%s %d %d %d %.9g %zu %zu\n", scry_model_get_info(d->model)->identity, o->depth, (int)o->side, o->epochs,
                                   x->m->rate, x->m->count, x->m->batch);
    scry_buf_puts(&b, settings);
    scry_buf_append(&b, d->train, d->train_count * sizeof *d->train);
    scry_buf_append(&b, d->dev, d->dev_count * sizeof *d->dev);
    for (size_t i = 0; i < d->text_count; i++)
        scry_buf_append(&b, d->texts[i], strlen(d->texts[i]) + 1);
    for (size_t i = 0; i < d->picture_count; i++)
        scry_buf_append(&b, d->set->paths[i], strlen(d->set->paths[i]) + 1);
    scry_sha256_of(b.data, b.size, x->key);
    scry_buf_dispose(&b);
    free(settings);
}

static tune_state state_of(trainer *x, int epoch)
{
    return (tune_state){ epoch, x->step, x->since, x->best_recall, x->parameters, x->best, x->moments, x->m->count };
}

/* After an epoch, or when the run was stopped. A failure is no reason to stop training: it is told of once. */
static void keep_state(trainer *x, int epoch, bool always)
{
    double now = scry_now_ms();
    tune_state s = state_of(x, epoch);
    scry_error err = SCRY_ERROR_INIT;
    if (!always && now - x->written_ms < STATE_SHARE * x->writing_ms)
        return;
    x->report->state_lost = tune_state_write(&s, x->state_path, x->key, &err) < 0;
    x->written_ms = scry_now_ms();
    x->writing_ms = x->written_ms - now;
}

static int take_state(trainer *x, int *epoch, scry_error *err)
{
    tune_state s = state_of(x, 0);
    int r = tune_state_read(&s, x->state_path, x->key, err);
    if (r < 0)
        return r == SCRY_ENOTFOUND ? 0 : r;
    *epoch = (int)s.epoch;
    x->step = (int)s.step;
    x->since = (int)s.since;
    x->best_recall = s.best;
    x->report->resumed = x->report->epochs = (int)s.epoch;
    return 0;
}

/* ---- mixing with the original ---- */

/* keep * original + (1 - keep) * b to `out`. */
static void mix(const trainer *x, double keep, const float *b, float *out)
{
    for (size_t k = 0; k < x->m->count; k++)
        out[k] = (float)(keep * (double)x->m->origin[k] + (1 - keep) * (double)b[k]);
}

/* Held-out recall of such a mixture; x->gradient has it then. */
static double recall_of(trainer *x, double keep, const float *b)
{
    mix(x, keep, b, x->gradient);
    return x->m->recall(x->m->self, x->gradient);
}

/* ---- epochs ---- */

/* `now` is the recall of a mixture, half of which is the original: of the kind that is written, and less moved by chance than that
 * of the state alone. Of states that are as good the last one is taken, which the falling rate has left steadier. docs/tune.md. */
static void judge(trainer *x, double now)
{
    x->since = now > x->best_recall ? 0 : x->since + 1;
    if (now < x->best_recall)
        return;
    x->best_recall = now;
    memcpy(x->best, x->parameters, x->m->count * sizeof(float));
}

static void train(trainer *x, int epoch)
{
    const scry_tune_options *o = x->d->o;
    uint64_t random = 20240519;
    double start = scry_now_ms();
    int first = epoch, patience = o->epochs / 3 > PATIENCE ? o->epochs / 3 : PATIENCE;   /* epochs without a gain */
    x->steps = o->epochs * (int)batches_of(x);
    for (int i = 0; i < epoch; i++)
        shuffle(x->pairs, x->d->train_count, &random);
    while (++epoch <= o->epochs && x->since < patience) {
        shuffle(x->pairs, x->d->train_count, &random);
        double loss = run_epoch(x);
        x->report->stopped = !isfinite(loss) && stopped(x);
        x->report->diverged = !isfinite(loss) && !x->report->stopped;
        if (x->report->stopped)
            keep_state(x, epoch - 1, true);
        if (!isfinite(loss))
            return;
        double now = recall_of(x, HALF, x->parameters);
        judge(x, now);
        x->report->epochs = epoch;
        keep_state(x, epoch, false);
        if (o->progress)
            o->progress(o->arg, epoch, o->epochs, loss, now,
                        (scry_now_ms() - start) / 1000 / (epoch - first) * (o->epochs - epoch));
    }
}

/* ---- the result ---- */

/* The best state, mixed with the original: of the shares that are tried, the largest whose recall is no more than a standard error
 * below the best one's, as recall of a few held-out pictures says no more than that. Less than half of that error is no gain. */
static void choose_keep(trainer *x)
{
    static const double shares[] = { 0.75, HALF, 0.25, 0 };
    enum { SHARES = sizeof shares / sizeof *shares };
    scry_tune_report *report = x->report;
    bool given = !isnan(x->d->o->keep);
    double now[SHARES], best = report->before;
    size_t tried = given ? 1 : SHARES;
    report->after = report->before;
    report->keep = 1;
    for (size_t i = 0; i < tried; i++) {
        now[i] = recall_of(x, given ? x->d->o->keep : shares[i], x->best);
        best = fmax(best, now[i]);
    }
    double error = sqrt(best * (1 - fmin(best, 1)) / (double)x->d->dev_count);
    double least = report->before + (given ? 0 : error / 2);
    for (size_t i = 0; i < tried && !report->saved; i++)
        if (now[i] > least && now[i] >= best - error) {
            report->keep = given ? x->d->o->keep : shares[i];
            report->after = now[i];
            report->saved = report->keep < 1;
        }
    if (report->saved)
        mix(x, report->keep, x->best, x->parameters);
}

static int run(trainer *x, scry_error *err)
{
    int epoch = 0, r;
    make_key(x);
    x->report->before = x->best_recall = x->m->recall(x->m->self, x->m->origin);
    r = take_state(x, &epoch, err);
    if (r < 0)
        return r;
    train(x, epoch);
    choose_keep(x);
    return 0;
}

int tune_train(float **best, const tune_data *d, const tune_method *m, scry_error *err)
{
    size_t n = m->count;
    trainer x = { .d = d, .m = m, .report = d->report, .parameters = scry_try_alloc_aligned(n, sizeof(float)),
                  .best = scry_try_alloc_aligned(n, sizeof(float)), .gradient = scry_try_alloc_aligned(n, sizeof(float)),
                  .moments = scry_try_alloc_aligned(2 * n, sizeof(float)), .state_path = tune_state_path(d->o->out),
                  .pairs = scry_alloc((d->train_count + 1) * sizeof *x.pairs) };
    int r = SCRY_ENOMEM;
    *best = NULL;
    if (x.parameters && x.best && x.gradient && x.moments) {
        memcpy(x.pairs, d->train, d->train_count * sizeof *x.pairs);
        memcpy(x.parameters, m->origin, n * sizeof(float));
        memcpy(x.best, m->origin, n * sizeof(float));
        r = run(&x, err);
    } else {
        scry_fail(err, SCRY_ENOMEM, "not enough memory to train %zu numbers", n);
    }
    if (r == 0 && d->report->saved) {
        *best = x.parameters;
        x.parameters = NULL;
    }
    free(x.parameters);
    free(x.best);
    free(x.gradient);
    free(x.moments);
    free(x.pairs);
    free(x.state_path);
    return r;
}
