/* test_tune_train.c - training with a method made for the test: a parabola whose minimum is found, losses that become none, and
 * runs that are stopped and go on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "tune/state.h"
#include "tune/train.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PARAMETERS = 3, PAIRS = 40, EPOCHS = 12 };

typedef struct {
    int steps;               /* so far */
    int nan_at, stop_at;     /* the step whose loss is none, at which the run is cancelled; 0: never */
    double low, high;        /* recall below 0.2 and above it; 0: see `recall` */
    scry_cancel cancel;
} method;

static char dir[64], *out, *state;
static scry_model *model;

/* The loss depends on the pairs, so that their order matters. */
static double loss(void *self, const tune_pair *pairs, size_t n, const float *p, float *gradient)
{
    method *m = self;
    double sum = 0;
    m->steps++;
    for (size_t k = 0; k < PARAMETERS; k++) {
        double d = (double)p[k] - 1 - 0.1 * (double)pairs[k % n].picture / PAIRS;
        gradient[k] = (float)(2 * d);
        sum += d * d;
    }
    if (m->steps == m->stop_at)
        atomic_store(&m->cancel, 1);
    return m->steps == m->nan_at ? NAN : sum;
}

static void update(void *self, float *p, float *gradient, float *moments, int step, double rate)
{
    for (size_t k = 0; k < PARAMETERS; k++) {
        moments[k] = 0.5f * moments[k] + gradient[k];
        p[k] -= (float)rate * moments[k];
    }
}

/* Best half-way between the original and the minimum of the loss, about 1.05. */
static double recall(void *self, const float *p)
{
    const method *m = self;
    if (m->high > 0)
        return (double)p[0] > 0.2 ? m->high : m->low;
    return 1 / (1 + fabs((double)p[0] - 0.525));
}

typedef struct {
    tune_data data;
    scry_tune_options options;
    scry_tune_report report;
    scry_eval_set set;
    tune_pair train[PAIRS], dev[2];
    char *paths[1];
    const char *texts[1];
} run;

static void begin(run *r, method *m, double keep)
{
    *r = (run){ .options = { .out = out, .epochs = EPOCHS, .keep = keep, .rate = 0.05 }, .paths = { "a.jpg" }, .texts = { "a" } };
    for (uint32_t i = 0; i < PAIRS; i++)
        r->train[i] = (tune_pair){ i, i };
    r->set.paths = r->paths;
    r->options.embed.cancel = &m->cancel;
    r->data = (tune_data){ .o = &r->options, .report = &r->report, .set = &r->set, .model = model, .dim = 1, .picture_count = 1,
                           .text_count = 1, .texts = r->texts, .train = r->train, .dev = r->dev, .train_count = PAIRS,
                           .dev_count = 2 };
}

static const float origin[PARAMETERS] = { 0 };

static float *train(run *r, method *m, double keep, int wanted)
{
    const tune_method t = { PARAMETERS, origin, 8, 0.05, m, loss, update, recall };
    float *best = NULL;
    scry_error err = SCRY_ERROR_INIT;
    begin(r, m, keep);
    int got = tune_train(&best, &r->data, &t, &err);
    if (got != wanted)
        fail_msg("%d: %s", got, err.message);
    assert_true(got < 0 || r->report.state_lost || r->report.epochs == 0 || access(state, F_OK) == 0);
    if (got == 0 && !r->report.stopped)
        unlink(state);       /* as who wrote the model does */
    return best;
}

static void test_to_the_end(void **unused)
{
    method m = { 0 };
    run r;
    float *best = train(&r, &m, NAN, 0);
    assert_non_null(best);
    assert_true(fabs((double)best[0] - 0.525) < 0.1);
    assert_true(r.report.saved && r.report.after > r.report.before && r.report.keep == 0.5);
    assert_false(r.report.stopped || r.report.diverged || r.report.state_lost);
    free(best);
}

/* Of shares that are as good the largest is kept; a gain that is less than chance is none. */
static void test_share_that_is_kept(void **unused)
{
    method m = { .low = 0.1, .high = 0.9 };
    run r;
    free(train(&r, &m, NAN, 0));
    assert_true(r.report.saved && r.report.keep == 0.75 && r.report.after == 0.9);
    m = (method){ .low = 0.5, .high = 0.6 };   /* of two held-out pairs: a standard error of 0.35 */
    assert_null(train(&r, &m, NAN, 0));
    assert_false(r.report.saved);
    m = (method){ .low = 0.5, .high = 0.6 };
    free(train(&r, &m, 0.5, 0));               /* who names the share wants it */
    assert_true(r.report.saved && r.report.keep == 0.5 && r.report.after == 0.6);
}

/* The best state before it is taken. */
static void test_loss_that_is_none(void **unused)
{
    method m = { .nan_at = 33 };   /* in the seventh epoch of five steps */
    run r;
    float *best = train(&r, &m, NAN, 0);
    assert_non_null(best);
    assert_true(r.report.diverged && r.report.saved);
    assert_int_equal(r.report.epochs, 6);
    for (size_t k = 0; k < PARAMETERS; k++)
        assert_true(isfinite(best[k]));
    free(best);
    m = (method){ .nan_at = 1 };
    assert_null(train(&r, &m, NAN, 0));   /* at once: nothing is gained */
    assert_true(r.report.diverged);
    assert_false(r.report.saved);
}

/* Stopped between two epochs and continued is as if never stopped. */
static void test_goes_on(void **unused)
{
    method whole = { 0 }, first = { .stop_at = 20 }, second = { 0 };
    run r;
    float *want = train(&r, &whole, 0.5, 0);
    free(train(&r, &first, 0.5, 0));
    assert_true(r.report.stopped);
    assert_int_equal(access(state, F_OK), 0);
    float *got = train(&r, &second, 0.5, 0);
    assert_int_equal(r.report.resumed, 4);
    assert_int_equal(r.report.epochs, EPOCHS);
    assert_int_equal(second.steps, whole.steps - 20);
    assert_memory_equal(got, want, PARAMETERS * sizeof *want);
    free(want);
    free(got);
}

/* Other settings, a file cut short. */
static void test_state_of_another_run(void **unused)
{
    method m = { .stop_at = 20 };
    run r;
    free(train(&r, &m, 0.5, 0));
    const tune_method other = { PARAMETERS, origin, 8, 0.01, &m, loss, update, recall };
    float *best;
    scry_error err = SCRY_ERROR_INIT;
    begin(&r, &m, 0.5);
    assert_int_equal(tune_train(&best, &r.data, &other, &err), SCRY_EINVALID);
    assert_non_null(strstr(err.message, "another training"));
    assert_int_equal(truncate(state, 50), 0);
    m = (method){ 0 };
    assert_null(train(&r, &m, 0.5, SCRY_EINVALID));
    unlink(state);
}

/* A state that cannot be written stops nothing. */
static void test_state_lost(void **unused)
{
    method m = { 0 };
    run r;
    char *was = out;
    out = "/nonexistent/out";
    float *best = train(&r, &m, 0.5, 0);
    out = was;
    assert_non_null(best);
    assert_true(r.report.state_lost);
    free(best);
}

static int open_all(void **unused)
{
    const char *top = getenv("SCRY_TOP");
    char *path = scry_asprintf("%s/tests/golden/models/clip", top ? top : ".");
    strcpy(dir, "/tmp/scry-train.XXXXXX");
    int r = mkdtemp(dir) ? scry_model_open(&model, path, NULL, NULL) : -1;
    out = scry_asprintf("%s/out", dir);
    state = tune_state_path(out);
    free(path);
    return r;
}

static int close_all(void **unused)
{
    scry_model_free(model);
    rmdir(dir);
    free(out);
    free(state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_to_the_end), cmocka_unit_test(test_share_that_is_kept),
        cmocka_unit_test(test_loss_that_is_none), cmocka_unit_test(test_goes_on),
        cmocka_unit_test(test_state_of_another_run), cmocka_unit_test(test_state_lost),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
