#include "model/model_internal.h"

#include "base/alloc.h"
#include "base/log.h"

#include <libgen.h>
#include <math.h>
#include <stdlib.h>

/* Passes through an unpacked text tower after which packing pays: one packing costs about
 * three short queries and makes each later one 3 times faster. */
enum { PACK_AFTER_RUNS = 3, PACK_FROM_TOKENS = 64 };

enum { MAX_FILES = 1024 };

/* Numbers that one picture or one text of full length may need at once: 1 GiB. */
enum { MAX_PASS_FLOATS = 1 << 28 };

/* ---- towers ---- */

static int new_image_tower(scry_image_tower **out, const scry_model *m, bool check, scry_error *err)
{
    scry_tower_source src = { &m->config, m->tensors, m->mode, check };
    return m->config.family == SCRY_FAMILY_DUAL ? scry_effnet_new(out, &src, err)
                                                : scry_vit_new(out, &src, err);
}

static int new_text_tower(scry_text_tower **out, const scry_model *m, bool check, scry_error *err)
{
    scry_tower_source src = { &m->config, m->tensors, m->mode, check };
    return m->config.family == SCRY_FAMILY_DUAL ? scry_bert_new(out, &src, err)
                                                : scry_clip_text_new(out, &src, err);
}

int scry_model_image_tower(const scry_model *m, scry_team *team, const scry_image_tower **out,
                           scry_error *err)
{
    scry_model *self = (scry_model *)m;   /* lazily filled in, behind the lock */
    scry_image_tower *tower = atomic_load_explicit(&self->image, memory_order_acquire);
    int r = 0;
    if (!tower) {
        pthread_mutex_lock(&self->lock);
        tower = atomic_load_explicit(&self->image, memory_order_acquire);
        double start = scry_now_ms();
        if (!tower && (r = new_image_tower(&tower, m, false, err)) == 0) {
            if (!m->kernels->reference)
                r = scry_tower_pack(&tower->base, team, err);
            if (r == 0)
                atomic_store_explicit(&self->image, tower, memory_order_release);
            else
                tower->free(tower);
            scry_trace("image tower ready", start);
        }
        pthread_mutex_unlock(&self->lock);
    }
    *out = tower;
    return r;
}

static bool text_worth_packing(const scry_model *m, const scry_text_tower *tower, size_t tokens)
{
    return !m->kernels->reference && !tower->base.packed
        && (m->mode == SCRY_MODE_INT8 || tokens >= PACK_FROM_TOKENS
            || m->text_runs >= PACK_AFTER_RUNS);
}

int scry_model_text_tower(const scry_model *m, scry_team *team, size_t tokens,
                          const scry_text_tower **out, scry_error *err)
{
    scry_model *self = (scry_model *)m;
    pthread_mutex_lock(&self->lock);
    scry_text_tower *tower = self->text;
    double start = scry_now_ms();
    int r = 0;
    if (!tower && (r = new_text_tower(&tower, m, false, err)) == 0)
        scry_trace("text tower ready", start);
    start = scry_now_ms();
    if (r == 0 && text_worth_packing(m, tower, tokens)) {
        r = scry_tower_pack(&tower->base, team, err);
        if (r < 0 && !self->text)
            tower->free(tower);
        scry_trace("text tower packed", start);
    }
    if (r == 0)
        self->text = tower;
    self->text_runs++;
    pthread_mutex_unlock(&self->lock);
    *out = tower;
    return r;
}

static void grow_need(scry_scratch_need *a, const scry_scratch_need *b)
{
    a->max_k = b->max_k > a->max_k ? b->max_k : a->max_k;
    a->max_tokens = b->max_tokens > a->max_tokens ? b->max_tokens : a->max_tokens;
    a->max_head = b->max_head > a->max_head ? b->max_head : a->max_head;
}

/* The files belong together, and running them stays within bounds. */
static int check_sizes(scry_model *m, const scry_image_tower *image, const scry_text_tower *text,
                       scry_error *err)
{
    size_t ids = scry_tokenizer_vocab_size(m->tokenizer);
    /* Tables are padded, but not to twice their size. */
    if (ids > text->vocab || (m->config.family == SCRY_FAMILY_DUAL && ids < text->vocab / 2))
        return scry_fail(err, SCRY_EINVALID, "%s: the tokenizer (%s) has %zu ids, the text tower %zu: these files do not "
                         "belong together", m->dir, *scry_tokenizer_files(m->tokenizer), ids, text->vocab);
    if (text->pools_token && text->eos_id >= 0 && scry_tokenizer_end_id(m->tokenizer) != text->eos_id)
        return scry_fail(err, SCRY_EINVALID, "%s: the tokenizer ends a text with id %d, the text tower waits for %lld: "
                         "these files do not belong together", m->dir, (int)scry_tokenizer_end_id(m->tokenizer),
                         (long long)text->eos_id);
    if (image->picture_floats > MAX_PASS_FLOATS
        || text->token_floats > MAX_PASS_FLOATS / text->context)
        return scry_fail(err, SCRY_ELIMIT, "%s: a single picture or text of this model needs more "
                         "than 1 GiB", m->dir);
    return 0;
}

/* Every tensor of both towers is there as configured; their sizes. */
static int check_towers(scry_model *m, scry_error *err)
{
    scry_image_tower *image = NULL;
    scry_text_tower *text = NULL;
    int r = new_image_tower(&image, m, true, err);
    if (r == 0)
        r = new_text_tower(&text, m, true, err);
    if (r == 0) {
        grow_need(&m->need, &image->need);
        grow_need(&m->need, &text->need);
        m->info.dim = (int)text->dim;
        m->info.context = (int)text->context;
        m->image_summary = scry_strdup(image->base.summary);
        m->text_summary = scry_strdup(text->base.summary);
        r = check_sizes(m, image, text, err);
    }
    if (text)
        text->free(text);
    if (image)
        image->free(image);
    return r;
}

/* ---- opening ---- */

static void choose_arithmetic(scry_model *m, const scry_model_options *o)
{
    m->kernels = o->portable ? scry_kernels_reference() : scry_kernels_best();
    scry_precision p = o->precision;
    if (o->portable)
        p = SCRY_PRECISION_FP32;
    if (p == SCRY_PRECISION_AUTO)
        p = m->kernels->fast_bf16 ? SCRY_PRECISION_BF16 : SCRY_PRECISION_FP32;
    m->info.precision = p;
    m->mode = p == SCRY_PRECISION_BF16 ? SCRY_MODE_BF16
            : p == SCRY_PRECISION_INT8 ? SCRY_MODE_INT8 : SCRY_MODE_F32;
}

static int read_identity(scry_model *m, scry_error *err)
{
    const char *files[MAX_FILES];
    size_t n = 0;
    for (const char *const *f = m->config.files; *f; f++)
        files[n++] = *f;
    for (const char *const *f = scry_tokenizer_files(m->tokenizer); *f && n < MAX_FILES; f++)
        files[n++] = *f;
    for (size_t i = 0; i < scry_tensors_files(m->tensors) && n < MAX_FILES; i++)
        files[n++] = scry_tensors_file(m->tensors, i);
    m->info.identity = m->identity;
    if (scry_identity_recall(m->dir, files, n, m->identity))
        return 0;
    int r = scry_tensors_check_finite(m->tensors, err);   /* once for a checkpoint */
    return r < 0 ? r : scry_identity_compute(m->dir, files, n, m->identity, err);
}

static int read_logit_scale(scry_model *m, scry_error *err)
{
    if (m->config.family == SCRY_FAMILY_DUAL) {
        m->info.logit_scale = exp(scry_json_num(scry_json_get(m->config.root, "logit_scale"), 0));
        return 0;
    }
    scry_tensor t;
    float value;
    int r = scry_tensors_get(m->tensors, "logit_scale", 0, NULL, &t, err);
    if (r < 0)
        return r;
    scry_tensor_floats(&t, &value);
    m->info.logit_scale = exp((double)value);
    return 0;
}

static void describe(scry_model *m)
{
    const scry_preprocess *p = &m->config.preprocess;
    static const char *const fits[] = { "centre crop", "centre crop", "squashed" };
    m->preprocessing = scry_asprintf(
        "%s to %d x %d, %s, mean %.4g %.4g %.4g, std %.4g %.4g %.4g",
        p->spec.filter == SCRY_FILTER_BICUBIC ? "bicubic" : "bilinear", p->spec.size, p->spec.size,
        p->spec.views > 1 ? "several views" : fits[p->spec.fit[0]], (double)p->mean[0],
        (double)p->mean[1], (double)p->mean[2], (double)p->std[0], (double)p->std[1],
        (double)p->std[2]);
}

static void fill_info(scry_model *m)
{
    scry_model_info *info = &m->info;
    describe(m);
    info->name = m->name;
    info->dir = m->dir;
    info->family = scry_family_name(m->config.family);
    info->image = m->config.preprocess.spec;
    info->min_score = m->config.min_score;
    info->text_summary = m->text_summary;
    info->image_summary = m->image_summary;
    info->tokenizer = scry_tokenizer_summary(m->tokenizer);
    info->preprocessing = m->preprocessing;
    info->dtype = scry_tensors_main_dtype(m->tensors);
    info->licence = m->config.licence;
}

static int open_parts(scry_model *m, scry_error *err)
{
    double start = scry_now_ms();
    int r = scry_config_read(&m->config, m->dir, err);
    if (r == 0)
        r = scry_tensors_open(&m->tensors, m->dir, m->config.weights_file, err);
    scry_trace("config and tensors", start);
    start = scry_now_ms();
    if (r == 0)
        r = scry_tokenizer_open(&m->tokenizer, m->dir,
                                m->config.family == SCRY_FAMILY_OPEN_CLIP
                                    ? SCRY_TOKENIZER_OPEN_CLIP : SCRY_TOKENIZER_HF, err);
    scry_trace("tokenizer", start);
    start = scry_now_ms();
    if (r == 0)
        r = check_towers(m, err);
    if (r == 0)
        r = read_logit_scale(m, err);
    if (r == 0)
        r = read_identity(m, err);
    scry_trace("tensors checked, identity", start);
    return r;
}

int scry_model_open(scry_model **out, const char *dir, const scry_model_options *options,
                    scry_error *err)
{
    static const scry_model_options defaults = SCRY_MODEL_OPTIONS_INIT;
    scry_model *m = scry_alloc(sizeof *m);
    pthread_mutex_init(&m->lock, NULL);
    m->dir = scry_strdup(dir);
    char *copy = scry_strdup(dir);
    m->name = scry_strdup(basename(copy));
    free(copy);
    m->raw = options && options->raw;
    choose_arithmetic(m, options ? options : &defaults);
    int r = open_parts(m, err);
    if (r < 0) {
        scry_model_free(m);
        return r;
    }
    fill_info(m);
    *out = m;
    return 0;
}

const scry_model_info *scry_model_get_info(const scry_model *m)
{
    return &m->info;
}

void scry_model_free(scry_model *m)
{
    if (!m)
        return;
    if (m->image)
        m->image->free(m->image);
    if (m->text)
        m->text->free(m->text);
    scry_tensors_free(m->tensors);
    scry_tokenizer_free(m->tokenizer);
    scry_config_dispose(&m->config);
    pthread_mutex_destroy(&m->lock);
    free(m->name);
    free(m->dir);
    free(m->text_summary);
    free(m->image_summary);
    free(m->preprocessing);
    free(m);
}
