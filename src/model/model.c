#include "model/checkpoint.h"
#include "model/family.h"
#include "model/folder_faults.h"
#include "model/model_internal.h"
#include "model/pair.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"
#include "base/sha256.h"
#include "base/view_shape.h"
#include "scry/teach.h"

#include <libgen.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Passes through an unpacked text tower after which packing pays: one packing costs about
 * three short queries and makes each later one 3 times faster. */
enum { PACK_AFTER_RUNS = 3, PACK_FROM_TOKENS = 64 };

enum { MAX_FILES = 1024 };

/* Numbers that one picture or one text of full length may need at once: 1 GiB. */
enum { MAX_PASS_FLOATS = 1 << 28 };

/* ---- towers ---- */

static int new_image_tower(scry_image_tower **out, const scry_model *m, bool check, scry_error *err)
{
    scry_tower_source src = { &m->pictures.config, m->pictures.tensors, m->mode, check };
    return m->pictures.config.image.new_tower(out, &src, err);
}

static int new_text_tower(scry_text_tower **out, const scry_model *m, bool check, scry_error *err)
{
    scry_tower_source src = { &m->texts->config, m->texts->tensors, m->mode, check };
    return m->texts->config.text.new_tower(out, &src, err);
}

int scry_model_image_tower(const scry_model *m, scry_team *team, const scry_image_tower **out,
                           scry_error *err)
{
    scry_model *self = (scry_model *)m;   /* filled in when first needed, with the lock held */
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

const char *scry_precision_name(scry_precision p)
{
    static const char *const names[] = { "auto", "fp32", "bf16", "int8" };
    return (size_t)p < sizeof names / sizeof *names ? names[p] : "?";
}

/* Check that the files belong together and that a pass fits the memory limit. */
static int check_sizes(scry_model *m, const scry_image_tower *image, const scry_text_tower *text,
                       scry_error *err)
{
    int r = scry_checkpoint_check_tokenizer(&m->texts->config, m->tokenizer, m->texts->dir, err);
    if (r < 0)
        return r;
    if (image->picture_floats > MAX_PASS_FLOATS
        || text->token_floats > MAX_PASS_FLOATS / m->texts->config.text.context)
        return scry_fail(err, SCRY_ELIMIT, "%s: a single picture or text of this model needs more "
                         "than 1 GiB", m->dir);
    return 0;
}

/* Check every tensor of both towers against the configuration; fill in their sizes. */
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
        m->info.dim = (int)m->pictures.config.dim;
        m->info.context = (int)m->texts->config.text.context;
        m->image_summary = scry_strdup(image->base.summary);
        m->text_summary = scry_asprintf("%s%s", text->base.summary, m->map ? ", text map" : "");
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

/* What the digest of a checkpoint is made of. Its numbers are checked once. */
typedef struct {
    const char *names[MAX_FILES];
    scry_identity_files files;
} digested;

/* The files of a checkpoint and of its tokenizer. */
static void list_digested(digested *d, const scry_checkpoint *c, const scry_tokenizer *t)
{
    size_t n = 0;
    for (char *const *f = c->config.files; *f; f++)
        d->names[n++] = *f;
    for (const char *const *f = scry_tokenizer_files(t); *f && n < MAX_FILES; f++)
        d->names[n++] = *f;
    for (size_t i = 0; i < scry_tensors_files(c->tensors) && n < MAX_FILES; i++)
        d->names[n++] = scry_tensors_file(c->tensors, i);
    d->files = (scry_identity_files){ c->tensors, c->dir, d->names, n };
}

/* Make the digest that caches of texts go by another one. */
static void add_to_identity(char identity[SCRY_IDENTITY_CHARS + 1], const char *what)
{
    uint8_t digest[SCRY_SHA256_BYTES];
    char *both = scry_asprintf("%s %s", identity, what);
    scry_sha256_of(both, strlen(both), digest);
    scry_hex(digest, sizeof digest, identity);
    free(both);
}

static void add_to_text_identity(scry_model *m, const char *what)
{
    add_to_identity(m->text_identity, what);
}

/* A pair's pictures have the identity that they have alone: with the tokenizer which belongs to them. */
static int pair_identity(scry_model *m, scry_long_work *work, scry_error *err)
{
    const scry_checkpoint *c = &m->pictures;
    scry_tokenizer *t;
    char texts[SCRY_IDENTITY_CHARS + 1];
    digested pictures, paired;
    int r = scry_checkpoint_tokenizer(&t, &c->config, c->dir, err);
    if (r < 0)
        return r;
    list_digested(&pictures, c, t);
    list_digested(&paired, m->texts, m->tokenizer);
    work->total = scry_identity_bytes(&pictures.files) + scry_identity_bytes(&paired.files);
    r = scry_identity_of(&pictures.files, m->identity, work, err);
    scry_tokenizer_free(t);
    if (r == 0)
        r = scry_identity_of(&paired.files, texts, work, err);
    if (r < 0)
        return r;
    memcpy(m->text_identity, m->identity, sizeof m->identity);
    add_to_text_identity(m, texts);
    return 0;
}

static int read_identity(scry_model *m, const scry_long_options *o, scry_error *err)
{
    scry_long_work work = scry_work_of(o, 0);
    int r;
    if (m->texts != &m->pictures) {
        r = pair_identity(m, &work, err);
    } else {
        digested all;
        list_digested(&all, &m->pictures, m->tokenizer);
        work.total = scry_identity_bytes(&all.files);
        r = scry_identity_of(&all.files, m->identity, &work, err);
        memcpy(m->text_identity, m->identity, sizeof m->identity);
    }
    if (r == 0 && work.done)
        scry_work_finish(&work);
    m->info.identity = m->identity;
    m->info.text_identity = m->text_identity;
    return r;
}

/* A tensor of a single number, which SigLIP stores with a dimension. */
static int read_number(scry_model *m, const char *name, double *out, scry_error *err)
{
    scry_tensor t;
    float value;
    int r = scry_tensors_get(m->pictures.tensors, name, 1, (size_t[]){ 1 }, &t, NULL);
    if (r < 0)
        r = scry_tensors_get(m->pictures.tensors, name, 0, NULL, &t, err);
    if (r < 0)
        return r;
    scry_tensor_floats(&t, &value);
    *out = (double)value;
    return 0;
}

/* What turns cosines into probabilities. */
static int read_logits(scry_model *m, scry_error *err)
{
    double scale = m->pictures.config.logit_scale, bias = NAN;
    int r = isnan(scale) ? read_number(m, "logit_scale", &scale, err) : 0;
    if (r == 0 && scry_tensors_has(m->pictures.tensors, "logit_bias"))
        r = read_number(m, "logit_bias", &bias, err);
    m->info.logit_scale = exp(scale);
    m->info.logit_bias = bias;
    return r;
}

static void describe(scry_model *m)
{
    const scry_preprocess *p = &m->pictures.config.preprocess;
    static const char *const fits[] = { "centre crop", "centre crop", "squashed" };
    int size = p->spec.size;
    char *target = p->spec.fit[0] == SCRY_FIT_PATCHES
                 ? scry_asprintf("at most %zu patches of %d x %d, shape kept", scry_view_max_patches((size_t)size), SCRY_VIEW_PATCH,
                                 SCRY_VIEW_PATCH)
                 : scry_asprintf("%d x %d, %s", size, size, p->spec.views > 1 ? "several views" : fits[p->spec.fit[0]]);
    m->preprocessing = scry_asprintf(
        "%s to %s, mean %.4g %.4g %.4g, std %.4g %.4g %.4g", p->spec.filter == SCRY_FILTER_BICUBIC ? "bicubic" : "bilinear",
        target, (double)p->mean[0], (double)p->mean[1], (double)p->mean[2], (double)p->std[0], (double)p->std[1],
        (double)p->std[2]);
    free(target);
}

static void fill_info(scry_model *m)
{
    const scry_config *config = &m->pictures.config;
    scry_model_info *info = &m->info;
    bool pair = m->texts != &m->pictures;
    describe(m);
    m->family = pair ? scry_asprintf("%s with texts of %s", config->layout->name, m->texts->config.layout->name)
                     : scry_strdup(config->layout->name);
    info->name = m->name;
    info->dir = m->dir;
    info->pictures_dir = m->pictures.dir;
    info->texts_dir = m->texts->dir;
    info->family = m->family;
    info->image = config->preprocess.spec;
    info->min_score = pair ? NAN : config->min_score;
    info->text_summary = m->text_summary;
    info->image_summary = m->image_summary;
    info->tokenizer = scry_tokenizer_summary(m->tokenizer);
    info->preprocessing = m->preprocessing;
    info->dtype = scry_tensors_main_dtype(m->pictures.tensors);
    info->licence = config->licence;
}

/* The checkpoint, or the two of a pair. */
static int open_checkpoints(scry_model *m, scry_error *err)
{
    scry_pair folders;
    m->texts = &m->pictures;
    int r = scry_pair_read(&folders, m->dir, err);
    if (r == 0)
        r = scry_checkpoint_open(&m->pictures, folders.pictures, err);
    if (r == 0)
        r = scry_checkpoint_check_pictures(&m->pictures.config, folders.pictures, err);
    if (r == 0 && folders.texts) {
        m->texts = &m->paired;
        r = scry_checkpoint_open(&m->paired, folders.texts, err);
    }
    if (r == 0 && folders.texts)
        r = scry_pair_check(&m->pictures, &m->paired, err);
    scry_pair_dispose(&folders);
    return r;
}

/* What the tokenizer writes in front of a text, and what is made with it differs by it. */
static int choose_language(scry_model *m, const char *language, scry_error *err)
{
    bool fixed = language && strcmp(language, "auto") != 0;
    if (scry_tokenizer_has_languages(m->tokenizer))
        return scry_tokenizer_set_language(m->tokenizer, fixed ? language : "auto", err);
    return !fixed ? 0 : scry_fail(err, SCRY_EINVALID, "--language %.40s: the model %s is not told the language of a text (only those "
                                  "with NLLB's texts are)", language, m->name);
}

/* ---- taught names ---- */

static void state_of(const char *path, int64_t out[5])
{
    struct stat st;
    memset(out, 0, 5 * sizeof *out);
    if (stat(path, &st) == 0)
        memcpy(out, (const int64_t[]){ (int64_t)st.st_dev, (int64_t)st.st_ino, (int64_t)st.st_size, scry_time_ns(st.st_mtim),
                                       scry_time_ns(st.st_ctim) }, 5 * sizeof *out);
}

/* Takes the names over. */
static void set_names(scry_model *m, scry_names *names)
{
    size_t count;
    (void)scry_names_list(names, &count);
    pthread_mutex_lock(&m->names_lock);
    scry_names *old = m->names;
    m->names = names;
    snprintf(m->names_digest, sizeof m->names_digest, "%s", count ? scry_names_digest(names) : "");
    pthread_mutex_unlock(&m->names_lock);
    scry_names_free(old);
}

int scry_model_read_names(scry_model *m, bool *changed, scry_error *err)
{
    char *path = scry_names_path(m->identity);
    scry_names *names = NULL;
    int64_t state[5];
    int r = 0;
    state_of(path, state);
    pthread_mutex_lock(&m->names_lock);
    bool other = !m->raw && memcmp(state, m->names_state, sizeof state) != 0;
    memcpy(m->names_state, state, sizeof state);
    pthread_mutex_unlock(&m->names_lock);
    if (other)
        r = scry_names_read(&names, path, (size_t)m->info.dim, err);
    if (other && r == 0)
        set_names(m, names);
    if (changed)
        *changed = other && r == 0;
    free(path);
    return r;
}

scry_names *scry_model_names(const scry_model *m)
{
    scry_model *self = (scry_model *)m;   /* for the lock */
    pthread_mutex_lock(&self->names_lock);
    scry_names *names = scry_names_share(self->names);
    pthread_mutex_unlock(&self->names_lock);
    return names;
}

void scry_model_text_identity(const scry_model *m, char out[SCRY_IDENTITY_CHARS + 1])
{
    scry_model *self = (scry_model *)m;
    pthread_mutex_lock(&self->names_lock);
    memcpy(out, m->nameless_identity, SCRY_IDENTITY_CHARS + 1);
    if (m->names_digest[0])
        add_to_identity(out, m->names_digest);
    pthread_mutex_unlock(&self->names_lock);
}

/* The names that were taught for the pictures' checkpoint: what texts mean depends on them. */
static int first_names(scry_model *m, scry_error *err)
{
    m->info.dim = (int)m->pictures.config.dim;
    int r = scry_model_read_names(m, NULL, err);
    m->first_names = scry_names_share(m->names);
    m->info.taught = scry_names_list(m->names, &m->info.taught_count);
    scry_model_text_identity(m, m->text_identity);
    return r;
}

static int open_parts(scry_model *m, const scry_model_options *o, scry_error *err)
{
    const char *language = o->language;
    double start = scry_now_ms();
    int r = open_checkpoints(m, err);
    scry_trace("config and tensors", start);
    start = scry_now_ms();
    if (r == 0)
        r = scry_checkpoint_tokenizer(&m->tokenizer, &m->texts->config, m->texts->dir, err);
    if (r == 0)
        r = choose_language(m, language, err);
    scry_trace("tokenizer", start);
    start = scry_now_ms();
    if (r == 0)
        r = scry_text_map_open(&m->map, m->texts->dir, m->texts->config.dim, err);
    if (r == 0)
        r = check_towers(m, err);
    if (r == 0)
        r = read_logits(m, err);
    if (r == 0)
        r = read_identity(m, o->reading, err);
    if (r == 0 && m->map)
        add_to_text_identity(m, m->map->digest);
    if (r == 0 && language && strcmp(language, "auto") != 0)
        add_to_text_identity(m, language);
    memcpy(m->nameless_identity, m->text_identity, sizeof m->text_identity);
    if (r == 0 && !m->raw)
        r = first_names(m, err);
    scry_trace("tensors checked, identity", start);
    return r;
}

int scry_model_open(scry_model **out, const char *dir, const scry_model_options *options,
                    scry_error *err)
{
    static const scry_model_options defaults = SCRY_MODEL_OPTIONS_INIT;
    const scry_model_options *o = options ? options : &defaults;
    scry_error why = SCRY_ERROR_INIT;   /* of files that may be missing, too: nothing of these is for the caller */
    if (!dir)
        return scry_fail(err, SCRY_EINVALID, "a model is the folder of a checkpoint: none was given");
    if ((unsigned)o->precision > SCRY_PRECISION_INT8)
        return scry_fail(err, SCRY_EINVALID, "there is no precision %d", (int)o->precision);
    scry_model *m = scry_alloc(sizeof *m);
    pthread_mutex_init(&m->lock, NULL);
    pthread_mutex_init(&m->names_lock, NULL);
    char *copy = scry_strdup(dir);
    m->name = scry_strdup(o->name && o->name[0] && !strchr(o->name, '/') ? o->name : basename(copy));
    free(copy);
    m->raw = o->raw;
    choose_arithmetic(m, o);
    int r = scry_checkpoint_dir(&m->dir, dir, &why);
    if (r == 0)
        r = open_parts(m, o, &why);
    if (r < 0 && m->dir)
        r = scry_folder_name_pointer(m->dir, r, &why);
    if (r < 0) {
        scry_model_free(m);
        return scry_fail(err, r, "%s", why.message);
    }
    fill_info(m);
    *out = m;
    return 0;
}

const scry_model_info *scry_model_get_info(const scry_model *m)
{
    return &m->info;
}

/* Whether a word is a name, or a word of one. */
static bool is_taught(const scry_model *m, const char *word, size_t n)
{
    scry_names *names = scry_model_names(m);
    char *copy = names ? scry_strndup(word, n) : NULL;
    bool taught = copy && scry_names_have_word(names, copy);
    free(copy);
    scry_names_free(names);
    return taught;
}

double scry_model_log_probability(const scry_model *m, const char *word, size_t n)
{
    return is_taught(m, word, n) ? 0 : scry_tokenizer_log_probability(m->tokenizer, word, n);
}

bool scry_model_reads(const scry_model *m, const char *word, size_t n)
{
    return is_taught(m, word, n) || scry_tokenizer_reads(m->tokenizer, word, n);
}

int scry_model_pieces(const scry_model *m, const char *word, size_t n)
{
    int32_t ids[8];
    int with = scry_tokenizer_encode(m->tokenizer, word, n, ids, 8, NULL, NULL);
    int without = scry_tokenizer_encode(m->tokenizer, "", 0, ids, 8, NULL, NULL);
    return with < 0 || without < 0 || with <= without || is_taught(m, word, n) ? 1 : with - without;
}

void scry_model_free(scry_model *m)
{
    if (!m)
        return;
    if (m->image)
        m->image->free(m->image);
    if (m->text)
        m->text->free(m->text);
    scry_checkpoint_close(&m->pictures);
    scry_checkpoint_close(&m->paired);
    scry_tokenizer_free(m->tokenizer);
    scry_text_map_free(m->map);
    scry_names_free(m->names);
    scry_names_free(m->first_names);
    pthread_mutex_destroy(&m->lock);
    pthread_mutex_destroy(&m->names_lock);
    free(m->name);
    free(m->dir);
    free(m->family);
    free(m->text_summary);
    free(m->image_summary);
    free(m->preprocessing);
    free(m);
}
