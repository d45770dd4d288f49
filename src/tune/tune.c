#include "tune/tune.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/sha256.h"
#include "engine/eval_set.h"
#include "engine/label_text.h"
#include "engine/score_threshold.h"
#include "tune/publish.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* AdamW's highest rate, reached after a tenth of the steps, from where it falls as a cosine; docs/tune.md. */
#define RATE 1e-3
#define ANCHOR 3.0

enum { BATCH = 256, LEAST_BATCH = 16, PATIENCE = 5, LEAST_PAIRS = 8, MAX_PICTURE_BYTES = 512 << 20 };

/* A text and a picture that belong together. */
typedef struct {
    uint32_t text, picture;
} pair;

typedef struct {
    const scry_tune_options *o;
    scry_tune_report *report;
    scry_eval_set *set;
    scry_model *model;                /* of pictures, and of anchors */
    scry_checkpoint checkpoint;
    tune_shape shape;
    float *pictures;                  /* [pictures, dim], unit; NaN: could not be read */
    bool *held;                       /* [pictures] held out */
    char **label_texts;               /* labelled: [labels] */
    float *texts;                     /* [texts, dim] */
    size_t text_count, anchors;
    float *anchor_texts, *anchor_units;
    pair *train, *dev;
    size_t train_count, dev_count;
    uint32_t *text_number;            /* [texts] equal for equal texts */
} tuning;

/* ---- data ---- */

static int embed_texts(tuning *t, scry_error *err)
{
    scry_model *raw;
    scry_model_options options = SCRY_MODEL_OPTIONS_INIT;
    options.raw = true;   /* without taught names, which are not the model's */
    options.precision = SCRY_PRECISION_FP32;
    const char *const *texts = (const char *const *)t->set->captions;
    t->text_count = t->set->caption_count;
    if (t->set->labelled) {
        t->text_count = t->set->labels.count;
        t->label_texts = scry_label_texts(t->o->label_template, scry_table_at(&t->set->labels, 0), t->text_count, err);
        if (!t->label_texts)
            return SCRY_EINVALID;
        texts = (const char *const *)t->label_texts;
    }
    scry_table numbers = SCRY_TABLE_OF_TEXTS(sizeof(char *), 1 << 26);
    t->text_number = scry_alloc((t->text_count + 1) * sizeof *t->text_number);
    int64_t number = 0;
    for (size_t i = 0; i < t->text_count && number >= 0; i++) {
        number = scry_table_add(&numbers, texts[i], err);
        t->text_number[i] = (uint32_t)number;
    }
    scry_table_dispose(&numbers);
    t->texts = scry_try_alloc(t->text_count * t->shape.dim + 1, sizeof *t->texts);
    int r = number < 0 ? (int)number : t->texts ? scry_model_open(&raw, t->o->model_dir, &options, err)
                                                : scry_fail(err, SCRY_ENOMEM, "not enough memory for %zu texts", t->text_count);
    if (r < 0)
        return r;
    scry_embed_options quiet = t->o->embed;
    quiet.progress = NULL;
    r = scry_embed_lines(raw, texts, t->text_count, &quiet, t->texts, NULL, err);
    scry_model_free(raw);
    return r;
}

/* A fifth of the pictures, by their bytes: copies of a picture are on one side. */
static bool is_held_out(const char *path)
{
    scry_buf bytes = SCRY_BUF_INIT(MAX_PICTURE_BYTES);
    uint8_t digest[SCRY_SHA256_BYTES] = { 0 };
    if (scry_read_file(path, &bytes, NULL) == 0)
        scry_sha256_of(bytes.data, bytes.size, digest);
    scry_buf_dispose(&bytes);
    return digest[0] % 5 == 0;
}

static int embed_pictures(tuning *t, scry_error *err)
{
    size_t n = t->set->files.count, failures = 0;
    t->pictures = scry_try_alloc(n * t->shape.dim + 1, sizeof *t->pictures);
    t->held = scry_alloc(n + 1);
    if (!t->pictures)
        return scry_fail(err, SCRY_ENOMEM, "not enough memory for the vectors of %zu pictures", n);
    int r = scry_embed_files(t->model, (const char *const *)t->set->paths, n, &t->o->embed, t->pictures, &failures, err);
    if (r == 0 && failures == n)
        return scry_fail(err, SCRY_EINVALID, "none of the %zu pictures can be read: name their folder with --pictures", n);
    for (size_t i = 0; i < n && r == 0; i++)
        t->held[i] = is_held_out(t->set->paths[i]);
    return r;
}

static void add_pair(tuning *t, size_t text, size_t picture)
{
    if (isnan(t->pictures[picture * t->shape.dim]))
        return;
    pair p = { (uint32_t)text, (uint32_t)picture };
    if (t->held[picture])
        t->dev[t->dev_count++] = p;
    else
        t->train[t->train_count++] = p;
}

static int make_pairs(tuning *t, scry_error *err)
{
    const scry_eval_set *s = t->set;
    size_t n = s->labelled ? s->files.count : s->caption_count;
    bool one = true;
    t->train = scry_alloc((n + 1) * sizeof *t->train);
    t->dev = scry_alloc((n + 1) * sizeof *t->dev);
    for (size_t i = 0; i < n; i++)
        add_pair(t, s->labelled ? s->label_of[i] : i, s->labelled ? i : s->caption_of[i]);
    for (size_t i = 1; i < t->train_count; i++)
        one = one && t->text_number[t->train[i].text] == t->text_number[t->train[0].text];
    t->report->pictures = s->files.count;
    t->report->texts = n;
    t->report->held_out = t->dev_count;
    if (t->train_count < LEAST_PAIRS || t->dev_count < 2)
        return scry_fail(err, SCRY_EINVALID, "too few pictures: %zu pairs are left to train with and %zu to judge by; give at least 20 pictures",
                         t->train_count, t->dev_count);
    return !one ? 0 : scry_fail(err, SCRY_EINVALID, "all pictures have the same text: there is nothing to tell apart; give at least two %s",
                                s->labelled ? "labels" : "different captions");
}

static int make_anchors(tuning *t, scry_error *err)
{
    float *identity = scry_alloc(tune_parameters(&t->shape) * sizeof *identity);
    int r = scry_score_text_vectors(&t->anchor_texts, &t->anchors, t->model, err);
    if (r == 0) {
        tune_identity(&t->shape, identity);
        t->anchor_units = scry_alloc((t->anchors + 1) * t->shape.dim * sizeof *t->anchor_units);
        tune_apply(&t->shape, identity, t->anchor_texts, t->anchors, t->anchor_units);
    } else {
        t->anchor_texts = NULL;
    }
    free(identity);
    return r;
}

/* ---- judging ---- */

static double product(const tuning *t, const float *u, size_t picture)
{
    double sum = 0;
    for (size_t k = 0; k < t->shape.dim; k++)
        sum += (double)u[k] * (double)t->pictures[picture * t->shape.dim + k];
    return sum;
}

/* Whether the own label of a held-out picture is the nearest. */
static bool label_is_right(const tuning *t, const float *units, pair p)
{
    double own = product(t, units + p.text * t->shape.dim, p.picture);
    for (size_t i = 0; i < t->text_count; i++)
        if (i != p.text && product(t, units + i * t->shape.dim, p.picture) > own)
            return false;
    return true;
}

/* Whether a held-out caption's picture is among the first ten of those (the first, where there are few). */
static bool caption_finds(const tuning *t, const float *units, pair p)
{
    const float *u = units + p.text * t->shape.dim;
    double own = product(t, u, p.picture);
    size_t before = 0, pictures = 0;
    for (size_t i = 0; i < t->set->files.count; i++)
        if (t->held[i] && !isnan(t->pictures[i * t->shape.dim])) {
            pictures++;
            before += product(t, u, i) > own;
        }
    return before < (pictures > 50 ? 10 : 1);
}

static double recall(const tuning *t, const float *b)
{
    size_t right = 0;
    float *units = scry_alloc((t->text_count + 1) * t->shape.dim * sizeof *units);
    tune_apply(&t->shape, b, t->texts, t->text_count, units);
    for (size_t i = 0; i < t->dev_count; i++)
        right += t->set->labelled ? label_is_right(t, units, t->dev[i]) : caption_finds(t, units, t->dev[i]);
    free(units);
    return (double)right / (double)t->dev_count;
}

/* ---- training ---- */

static void shuffle(pair *p, size_t n, uint64_t *random)
{
    for (size_t i = n; i > 1; i--) {
        *random = *random * 6364136223846793005u + 1442695040888963407u;
        size_t k = (size_t)((__uint128_t)*random * i >> 64);
        pair swap = p[i - 1];
        p[i - 1] = p[k];
        p[k] = swap;
    }
}

typedef struct {
    float *b, *best, *gradient, *moments;
    float *texts, *pictures;            /* [BATCH, dim] */
    uint32_t text_of[BATCH], picture_of[BATCH];
    int step, steps;
} trainer;

static double rate_at(const trainer *x)
{
    double warm = fmax(1, x->steps / 10.0), done = x->step / warm;
    double rest = (x->step - warm) / fmax(1, x->steps - warm);
    return RATE * (done < 1 ? done : 0.5 * (1 + cos(M_PI * fmin(1, rest))));
}

/* One step on the pairs [n]; the loss before it. */
static double step(const tuning *t, trainer *x, const pair *pairs, size_t n)
{
    size_t dim = t->shape.dim;
    for (size_t i = 0; i < n; i++) {
        memcpy(x->texts + i * dim, t->texts + pairs[i].text * dim, dim * sizeof(float));
        memcpy(x->pictures + i * dim, t->pictures + pairs[i].picture * dim, dim * sizeof(float));
        x->text_of[i] = t->text_number[pairs[i].text];
        x->picture_of[i] = pairs[i].picture;
    }
    tune_batch batch = { n, x->texts, x->pictures, x->text_of, x->picture_of, scry_model_get_info(t->model)->logit_scale,
                         t->anchors, t->anchor_texts, t->anchor_units, ANCHOR };
    double loss = tune_loss(&t->shape, x->b, &batch, x->gradient);
    x->step++;
    if (isfinite(loss))
        tune_adamw(&t->shape, x->b, x->gradient, x->moments, x->step, rate_at(x));
    return loss;
}

static bool stopped(const tuning *t)
{
    return t->o->embed.cancel && atomic_load(t->o->embed.cancel);
}

/* How many steps an epoch has: at least four, unless that leaves too few pairs to tell apart in each. */
static size_t batches_of(const tuning *t)
{
    size_t n = t->train_count, most = (n + BATCH - 1) / BATCH, few = n / LEAST_BATCH < 4 ? n / LEAST_BATCH : 4;
    return most > few ? most : few;
}

/* Mean loss of an epoch; NAN when it was stopped or the loss is none. */
static double run_epoch(tuning *t, trainer *x)
{
    double sum = 0;
    size_t batches = batches_of(t);
    for (size_t i = 0; i < batches && isfinite(sum); i++) {
        size_t from = t->train_count * i / batches, to = t->train_count * (i + 1) / batches;
        sum = stopped(t) ? NAN : sum + step(t, x, t->train + from, to - from);
    }
    return sum / (double)batches;
}

static void train(tuning *t, trainer *x)
{
    size_t bytes = tune_parameters(&t->shape) * sizeof(float);
    uint64_t random = 20240519;
    double best = t->report->before, start = scry_now_ms();
    int since = 0, patience = t->o->epochs / 3 > PATIENCE ? t->o->epochs / 3 : PATIENCE;   /* epochs without a gain */
    x->steps = t->o->epochs * (int)batches_of(t);
    for (int epoch = 1; epoch <= t->o->epochs && since < patience; epoch++) {
        shuffle(t->train, t->train_count, &random);
        double loss = run_epoch(t, x);
        t->report->stopped = stopped(t);
        t->report->diverged = !t->report->stopped && !isfinite(loss);
        if (!isfinite(loss))
            return;
        double now = recall(t, x->b);
        since = now > best ? 0 : since + 1;
        if (now > best) {
            best = now;
            memcpy(x->best, x->b, bytes);
        }
        t->report->epochs = epoch;
        if (t->o->progress)
            t->o->progress(t->o->arg, epoch, t->o->epochs, loss, now,
                           (scry_now_ms() - start) / 1000 / epoch * (t->o->epochs - epoch));
    }
}

/* The best state, mixed with the original: B = keep I + (1 - keep) best. Of the shares that are tried, the largest with the best
 * recall. */
static void choose_keep(tuning *t, trainer *x)
{
    static const double shares[] = { 0.75, 0.5, 0.25, 0 };
    size_t n = tune_parameters(&t->shape);
    bool given = !isnan(t->o->keep);
    float *identity = x->gradient, *mixed = x->moments;
    tune_identity(&t->shape, identity);
    t->report->after = t->report->before;
    t->report->keep = 1;
    for (size_t i = 0; i < (given ? 1 : sizeof shares / sizeof *shares); i++) {
        double keep = given ? t->o->keep : shares[i];
        for (size_t k = 0; k < n; k++)
            mixed[k] = (float)(keep * (double)identity[k] + (1 - keep) * (double)x->best[k]);
        double now = recall(t, mixed);
        if (now > t->report->after) {
            t->report->after = now;
            t->report->keep = keep;
            memcpy(x->b, mixed, n * sizeof *mixed);
        }
    }
}

static int save(const tuning *t, const float *b, scry_error *err)
{
    const scry_model_info *m = scry_model_get_info(t->model);
    scry_buf record = SCRY_BUF_INIT(1 << 16);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&record);
    scry_json_begin(&w, '{');
    scry_json_add_str(&w, "tuned_from", m->dir);
    scry_json_add_str(&w, "identity", m->identity);
    scry_json_add_str(&w, "depth", "heads");
    scry_json_add_int(&w, "pictures", (int64_t)t->report->pictures);
    scry_json_add_int(&w, "texts", (int64_t)t->report->texts);
    scry_json_add_num(&w, "keep", t->report->keep, 4);
    scry_json_add_num(&w, "recall_before", t->report->before, 4);
    scry_json_add_num(&w, "recall_after", t->report->after, 4);
    scry_json_end(&w, '}');
    scry_buf_putc(&record, '\n');
    int r = tune_publish(&t->checkpoint, &t->shape, b, scry_buf_str(&record), t->o->out, err);
    scry_buf_dispose(&record);
    return r;
}

static int train_and_save(tuning *t, scry_error *err)
{
    size_t n = tune_parameters(&t->shape), dim = t->shape.dim;
    trainer x = { .b = scry_alloc(n * sizeof(float)), .best = scry_alloc(n * sizeof(float)),
                  .gradient = scry_alloc(n * sizeof(float)), .moments = scry_alloc(2 * n * sizeof(float)),
                  .texts = scry_alloc(BATCH * dim * sizeof(float)), .pictures = scry_alloc(BATCH * dim * sizeof(float)) };
    tune_identity(&t->shape, x.b);
    tune_identity(&t->shape, x.best);
    t->report->before = recall(t, x.b);
    train(t, &x);
    choose_keep(t, &x);
    t->report->saved = t->report->keep < 1;
    int r = t->report->saved ? save(t, x.b, err) : 0;
    free(x.b);
    free(x.best);
    free(x.gradient);
    free(x.moments);
    free(x.texts);
    free(x.pictures);
    return r;
}

/* ---- all of it ---- */

static int check(const tuning *t, scry_error *err)
{
    struct stat st;
    const scry_model_info *m = scry_model_get_info(t->model);
    if (lstat(t->o->out, &st) == 0)
        return scry_fail(err, SCRY_EINVALID, "%s exists already: --out names a folder that is made", t->o->out);
    return strcmp(m->pictures_dir, m->texts_dir) == 0 ? 0 : scry_fail(err, SCRY_EINVALID, "%s reads texts with another checkpoint: tune a model "
                                                                        "that has both in one", m->name);
}

static void dispose(tuning *t)
{
    scry_label_texts_free(t->label_texts, t->set ? t->set->labels.count : 0);
    scry_eval_set_free(t->set);
    scry_checkpoint_close(&t->checkpoint);
    scry_model_free(t->model);
    free(t->pictures);
    free(t->held);
    free(t->texts);
    free(t->text_number);
    free(t->anchor_texts);
    free(t->anchor_units);
    free(t->train);
    free(t->dev);
}

int scry_tune_run(const scry_tune_options *o, scry_tune_report *report, scry_error *err)
{
    tuning t = { .o = o, .report = report };
    *report = (scry_tune_report){ 0 };
    int r = scry_model_open(&t.model, o->model_dir, NULL, err);
    if (r == 0)
        r = check(&t, err);
    if (r == 0)
        r = scry_checkpoint_open(&t.checkpoint, scry_model_get_info(t.model)->dir, err);
    if (r == 0)
        r = tune_shape_of(&t.shape, &t.checkpoint, err);
    report->same_pictures = t.shape.mapped;
    if (r == 0)
        r = scry_eval_set_read(&t.set, &o->set, err);
    if (r == 0)
        r = embed_pictures(&t, err);
    if (r == 0)
        r = embed_texts(&t, err);
    if (r == 0)
        r = make_pairs(&t, err);
    if (r == 0)
        r = make_anchors(&t, err);
    if (r == 0)
        r = train_and_save(&t, err);
    dispose(&t);
    return r;
}
