#include "tune/data.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/sha256.h"
#include "engine/label_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_PAIRS = 8, MAX_PICTURE_BYTES = 512 << 20 };

/* ---- texts ---- */

static int number_texts(tune_data *t, scry_error *err)
{
    scry_table numbers = SCRY_TABLE_OF_TEXTS(sizeof(char *), 1 << 26);
    int64_t number = 0;
    t->text_number = scry_alloc((t->text_count + 1) * sizeof *t->text_number);
    for (size_t i = 0; i < t->text_count && number >= 0; i++) {
        number = scry_table_add(&numbers, t->texts[i], err);
        t->text_number[i] = (uint32_t)number;
    }
    scry_table_dispose(&numbers);
    return number < 0 ? (int)number : 0;
}

static int name_texts(tune_data *t, scry_error *err)
{
    t->texts = (const char *const *)t->set->captions;
    t->text_count = t->set->caption_count;
    if (t->set->labelled) {
        t->text_count = t->set->labels.count;
        t->label_texts = scry_label_texts(t->o->label_template, scry_table_at(&t->set->labels, 0), t->text_count, err);
        t->texts = (const char *const *)t->label_texts;
    }
    return t->texts ? number_texts(t, err) : SCRY_EINVALID;
}

/* ---- pairs ---- */

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

static void add_pair(tune_data *t, size_t text, size_t picture)
{
    if (isnan(t->pictures[picture * t->dim]))
        return;
    tune_pair p = { (uint32_t)text, (uint32_t)picture };
    if (t->held[picture])
        t->dev[t->dev_count++] = p;
    else
        t->train[t->train_count++] = p;
}

int tune_data_check_pictures(const tune_data *t, size_t failures, scry_error *err)
{
    t->report->skipped = failures;
    t->report->pictures = t->picture_count - failures;
    return failures < t->picture_count ? 0 : scry_fail(err, SCRY_EINVALID, "none of the %zu pictures can be read: name their folder with "
                                                       "--pictures", t->picture_count);
}

int tune_data_pair(tune_data *t, scry_error *err)
{
    const scry_eval_set *s = t->set;
    size_t n = s->labelled ? s->files.count : s->caption_count;
    bool one = true;
    t->held = scry_alloc(t->picture_count + 1);
    for (size_t i = 0; i < t->picture_count; i++)
        t->held[i] = is_held_out(s->paths[i]);
    t->train = scry_alloc((n + 1) * sizeof *t->train);
    t->dev = scry_alloc((n + 1) * sizeof *t->dev);
    for (size_t i = 0; i < n; i++)
        add_pair(t, s->labelled ? s->label_of[i] : i, s->labelled ? i : s->caption_of[i]);
    for (size_t i = 1; i < t->train_count; i++)
        one = one && t->text_number[t->train[i].text] == t->text_number[t->train[0].text];
    t->report->texts = n;
    t->report->held_out = t->dev_count;
    if (t->train_count < LEAST_PAIRS || t->dev_count < 2)
        return scry_fail(err, SCRY_EINVALID, "too few pictures: %zu pairs are left to train with and %zu to judge by; give at least 20 pictures",
                         t->train_count, t->dev_count);
    return !one ? 0 : scry_fail(err, SCRY_EINVALID, "all pictures have the same text: there is nothing to tell apart; give at least two %s",
                                s->labelled ? "labels" : "different captions");
}

/* ---- judging ---- */

static double product(const tune_data *t, const float *u, const float *v)
{
    double sum = 0;
    for (size_t k = 0; k < t->dim; k++)
        sum += (double)u[k] * (double)v[k];
    return sum;
}

/* Whether the own label of a held-out picture is the nearest. */
static bool label_is_right(const tune_data *t, const float *units, const float *pictures, tune_pair p)
{
    double own = product(t, units + p.text * t->dim, pictures + p.picture * t->dim);
    for (size_t i = 0; i < t->text_count; i++)
        if (i != p.text && product(t, units + i * t->dim, pictures + p.picture * t->dim) > own)
            return false;
    return true;
}

/* Whether a held-out caption's picture is among the first ten of those (the first, where there are few). */
static bool caption_finds(const tune_data *t, const float *units, const float *pictures, tune_pair p)
{
    const float *u = units + p.text * t->dim;
    double own = product(t, u, pictures + p.picture * t->dim);
    size_t before = 0, count = 0;
    for (size_t i = 0; i < t->set->files.count; i++)
        if (t->held[i] && !isnan(t->pictures[i * t->dim])) {
            count++;
            before += product(t, u, pictures + i * t->dim) > own;
        }
    return before < (count > 50 ? 10 : 1);
}

double tune_data_recall(const tune_data *t, const float *texts, const float *pictures)
{
    size_t right = 0;
    for (size_t i = 0; i < t->dev_count; i++)
        right += t->set->labelled ? label_is_right(t, texts, pictures, t->dev[i]) : caption_finds(t, texts, pictures, t->dev[i]);
    return (double)right / (double)t->dev_count;
}

/* ---- all of it ---- */

int tune_data_open(tune_data *t, const scry_tune_options *o, scry_tune_report *report, scry_error *err)
{
    scry_model_options raw = SCRY_MODEL_OPTIONS_INIT;
    raw.raw = true;
    raw.precision = SCRY_PRECISION_FP32;
    *t = (tune_data){ .o = o, .report = report };
    int r = scry_model_open(&t->model, o->model_dir, NULL, err);
    if (r < 0)
        return r;
    const scry_model_info *m = scry_model_get_info(t->model);
    t->dim = (size_t)m->dim;
    if (strcmp(m->pictures_dir, m->texts_dir) != 0)
        return scry_fail(err, SCRY_EINVALID, "%s reads texts with another checkpoint: tune a model that has both in one", m->name);
    r = scry_model_open(&t->raw, o->model_dir, &raw, err);
    if (r == 0)
        r = scry_checkpoint_open(&t->checkpoint, m->dir, err);
    if (r == 0)
        r = scry_eval_set_read(&t->set, &o->set, err);
    if (r < 0)
        return r;
    t->picture_count = t->set->files.count;
    t->pictures = scry_try_alloc(t->picture_count * t->dim + 1, sizeof *t->pictures);
    return t->pictures ? name_texts(t, err)
                       : scry_fail(err, SCRY_ENOMEM, "not enough memory for the vectors of %zu pictures", t->picture_count);
}

void tune_data_close(tune_data *t)
{
    scry_label_texts_free(t->label_texts, t->set ? t->set->labels.count : 0);
    scry_eval_set_free(t->set);
    scry_checkpoint_close(&t->checkpoint);
    scry_model_free(t->model);
    scry_model_free(t->raw);
    free(t->held);
    free(t->pictures);
    free(t->text_number);
    free(t->train);
    free(t->dev);
}
