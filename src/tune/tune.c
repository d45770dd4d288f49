#include "tune/tune.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/json.h"
#include "tune/blocks.h"
#include "tune/data.h"
#include "tune/heads.h"
#include "tune/last_layer.h"
#include "tune/publish.h"
#include "tune/state.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void describe(const tune_data *d, scry_buf *out)
{
    static const char *const sides[] = { "both", "pictures", "texts" };
    const scry_model_info *m = scry_model_get_info(d->model);
    const scry_tune_report *r = d->report;
    scry_json_writer w = SCRY_JSON_WRITER_INIT(out);
    scry_json_begin(&w, '{');
    scry_json_add_str(&w, "tuned_from", m->dir);
    scry_json_add_str(&w, "identity", m->identity);
    if (d->o->depth > 0 && d->o->depth < SCRY_TUNE_FULL)
        scry_json_add_int(&w, "depth", d->o->depth);
    else
        scry_json_add_str(&w, "depth", d->o->depth ? "full" : "heads");
    if (d->o->depth > 0)
        scry_json_add_str(&w, "side", sides[d->o->side]);
    scry_json_add_int(&w, "pictures", (int64_t)r->pictures);
    scry_json_add_int(&w, "texts", (int64_t)r->texts);
    scry_json_add_num(&w, "keep", r->keep, 4);
    scry_json_add_num(&w, "recall_before", r->before, 4);
    scry_json_add_num(&w, "recall_after", r->after, 4);
    scry_json_end(&w, '}');
    scry_buf_putc(out, '\n');
}

static int save(const tune_data *d, tune_publishing p, scry_error *err)
{
    scry_buf record = SCRY_BUF_INIT(1 << 16);
    describe(d, &record);
    p.record = scry_buf_str(&record);
    p.replace = d->report->resumed > 0;
    int r = tune_publish(&d->checkpoint, &p, d->o->out, err);
    scry_buf_dispose(&record);
    return r;
}

static int run_heads(tune_data *d, scry_error *err)
{
    tune_shape s;
    float *b = NULL;
    int r = tune_shape_of(&s, &d->checkpoint, err);
    if (r < 0)
        return r;
    d->report->same_pictures = s.mapped;
    r = tune_heads(&b, &s, d, err);
    const tune_product product = { &s, b };
    if (r == 0 && b)
        r = save(d, (tune_publishing){ .write = tune_multiply, .arg = &product, .same_weights = s.mapped }, err);
    free(b);
    return r;
}

static int run_blocks(tune_data *d, scry_error *err)
{
    tune_blocks blocks;
    d->report->pictures_changed = d->o->side != SCRY_TUNE_TEXTS;
    int r = tune_blocks_train(&blocks, d, err);
    if (r == 0 && blocks.parameters)
        r = save(d, (tune_publishing){ .write = tune_blocks_write, .arg = &blocks }, err);
    tune_blocks_dispose(&blocks);
    return r;
}

/* Nothing may be at `out`, unless a run that was stopped left it. */
static int check_out(const char *out, scry_error *err)
{
    struct stat st;
    char *state = tune_state_path(out);
    bool unfinished = access(state, F_OK) == 0;
    free(state);
    return unfinished || lstat(out, &st) < 0 ? 0 : scry_fail(err, SCRY_EINVALID, "%s exists already: --out names a folder that is made", out);
}

int scry_tune_run(const scry_tune_options *o, scry_tune_report *report, scry_error *err)
{
    tune_data d;
    *report = (scry_tune_report){ 0 };
    int r = check_out(o->out, err);
    if (r < 0)
        return r;
    r = tune_data_open(&d, o, report, err);
    if (r == 0)
        r = tune_check_out(o->out, &d.checkpoint, 0, err);
    if (r == 0)
        r = o->depth > 0 ? run_blocks(&d, err) : run_heads(&d, err);
    tune_data_close(&d);
    char *state = tune_state_path(o->out);
    if (r == 0 && !report->stopped)
        unlink(state);
    report->state_left = r < 0 && report->epochs > 0 && access(state, F_OK) == 0;
    free(state);
    return r;
}
