/* The towers against PyTorch: hidden states layer by layer and final vectors of the tiny
 * checkpoints in tests/golden/models (made by make_models.py there), for the reference
 * and for every instruction set of this processor, in each precision. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/alloc.h"
#include "base/file.h"
#include "model/family.h"
#include "model/model_internal.h"
#include "nn/gemm.h"
#include "scry/eval.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    scry_tensors *golden;
    int compared;
    double worst;          /* ||ours - theirs|| / ||theirs|| of the worst hidden state */
    char worst_name[64];
    struct {
        char name[64];
        size_t done;       /* numbers compared so far */
    } seen[64];            /* towers that work a view at a time show a state several times */
} comparison;

static float *golden_floats(const scry_tensors *ts, const char *name, size_t *count)
{
    scry_tensor t;
    for (int rank = 1; rank <= 4; rank++) {
        size_t any[4] = { 0, 0, 0, 0 };
        if (scry_tensors_get(ts, name, rank, any, &t, NULL) == 0) {
            *count = scry_tensor_count(&t);
            float *out = scry_alloc(*count * sizeof *out);
            scry_tensor_floats(&t, out);
            return out;
        }
    }
    return NULL;
}

static double distance(const float *x, const float *y, size_t n)
{
    double difference = 0, size = 0;
    for (size_t i = 0; i < n; i++) {
        difference += ((double)x[i] - y[i]) * ((double)x[i] - y[i]);
        size += (double)y[i] * y[i];
    }
    return sqrt(difference / (size > 0 ? size : 1));
}

/* Where in the golden state `name` the next `n` numbers belong. */
static size_t advance(comparison *c, const char *name, size_t n)
{
    size_t i = 0;
    while (c->seen[i].name[0] && strcmp(c->seen[i].name, name) != 0)
        i++;
    assert_true(i + 1 < sizeof c->seen / sizeof *c->seen);
    snprintf(c->seen[i].name, sizeof c->seen[i].name, "%s", name);
    size_t at = c->seen[i].done;
    c->seen[i].done += n;
    return at;
}

/* The golden states begin with those of the first picture; texts are traced all at once. */
static void compare_state(void *arg, const char *name, const float *x, size_t rows, size_t cols)
{
    comparison *c = arg;
    size_t count;
    float *want = golden_floats(c->golden, name, &count);
    if (!want)
        return;
    size_t at = advance(c, name, rows * cols);
    assert_true(at + rows * cols <= count);
    double d = distance(x, want + at, rows * cols);
    if (d > c->worst) {
        c->worst = d;
        snprintf(c->worst_name, sizeof c->worst_name, "%s", name);
    }
    c->compared++;
    free(want);
}

static double lowest_cosine(const float *x, const float *y, size_t n, size_t dim)
{
    double lowest = 2;
    for (size_t i = 0; i < n; i++) {
        double dot = 0;
        for (size_t k = 0; k < dim; k++)
            dot += (double)x[i * dim + k] * y[i * dim + k];
        lowest = fmin(lowest, dot);
    }
    return lowest;
}

static char *model_dir(const char *name)
{
    const char *top = getenv("SCRY_TOP");
    return scry_asprintf("%s/tests/golden/models/%s", top ? top : ".", name);
}

/* Pictures: the first one traced, then all of them compared. */
static double check_pictures(scry_session *s, const scry_model_info *info, comparison *c)
{
    size_t bytes, n, dim = (size_t)info->dim;
    float *floats = golden_floats(c->golden, "pixels", &bytes);
    float *want = golden_floats(c->golden, "images", &n);
    n /= dim;
    uint8_t *pixels = scry_alloc(bytes);
    for (size_t i = 0; i < bytes; i++)
        pixels[i] = (uint8_t)floats[i];
    float *got = scry_alloc(n * dim * sizeof *got);
    scry_error err = SCRY_ERROR_INIT;
    scry_session_set_tracer(s, (scry_tracer){ compare_state, c });
    assert_int_equal(scry_embed_pixels(s, pixels, 1, got, &err), 0);
    scry_session_set_tracer(s, (scry_tracer){ NULL, NULL });
    assert_int_equal(scry_embed_pixels(s, pixels, n, got, &err), 0);
    double cosine = lowest_cosine(got, want, n, dim);
    free(got);
    free(pixels);
    free(floats);
    free(want);
    return cosine;
}

static double check_texts(scry_session *s, const scry_model_info *info, comparison *c)
{
    size_t tokens, n, dim = (size_t)info->dim, count;
    float *floats = golden_floats(c->golden, "ids", &tokens);
    float *begin = golden_floats(c->golden, "starts", &n);
    float *want = golden_floats(c->golden, "texts", &count);
    n--;
    int32_t *ids = scry_alloc(tokens * sizeof *ids);
    size_t *starts = scry_alloc((n + 1) * sizeof *starts);
    for (size_t i = 0; i < tokens; i++)
        ids[i] = (int32_t)floats[i];
    for (size_t i = 0; i <= n; i++)
        starts[i] = (size_t)begin[i];
    float *got = scry_alloc(n * dim * sizeof *got);
    scry_error err = SCRY_ERROR_INIT;
    scry_session_set_tracer(s, (scry_tracer){ compare_state, c });
    assert_int_equal(scry_session_embed_ids(s, ids, starts, n, got, &err), 0);
    scry_session_set_tracer(s, (scry_tracer){ NULL, NULL });
    double cosine = lowest_cosine(got, want, n, dim);
    /* Repeated: the tower packs its weights after some passes, and the results must not change. */
    float *again = scry_alloc(n * dim * sizeof *again);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(scry_session_embed_ids(s, ids, starts, n, again, &err), 0);
        assert_memory_equal(again, got, n * dim * sizeof *got);
    }
    free(again);
    free(got);
    free(ids);
    free(starts);
    free(floats);
    free(begin);
    free(want);
    return cosine;
}

/* A folder in /tmp with the pair of the pictures of `clip` and the texts of `texts`. */
static char *make_pair(const char *texts)
{
    char *dir = scry_strdup("/tmp/scry-pair-XXXXXX"), *pictures_dir = model_dir("clip"), *texts_dir = model_dir(texts);
    assert_non_null(mkdtemp(dir));
    char *path = scry_path_join(dir, "config.json"), *p = realpath(pictures_dir, NULL), *t = realpath(texts_dir, NULL);
    char *text = scry_asprintf("{\"model_type\":\"scry_pair\",\"pictures\":\"%s\",\"texts\":\"%s\"}", p, t);
    assert_int_equal(scry_write_file(path, text, strlen(text), NULL), 0);
    free(text);
    free(t);
    free(p);
    free(path);
    free(texts_dir);
    free(pictures_dir);
    return dir;
}

static void remove_pair(char *dir)
{
    char *path = scry_path_join(dir, "config.json");
    remove(path);
    rmdir(dir);
    free(path);
    free(dir);
}

/* A model that reads texts only is checked in a pair. */
static bool is_texts_only(const char *name)
{
    return strcmp(name, "sentence") == 0 || strcmp(name, "mclip") == 0;
}

static void check(const char *name, const scry_model_options *o, int threads, double tolerance,
                  double cosine)
{
    char *golden_dir = model_dir(name), *dir = is_texts_only(name) ? make_pair(name) : scry_strdup(golden_dir);
    scry_error err = SCRY_ERROR_INIT;
    scry_model *m = NULL;
    scry_session *s = NULL;
    comparison c = { .golden = NULL };
    if (scry_tensors_open(&c.golden, golden_dir, "golden.safetensors", &err) < 0
        || scry_model_open(&m, dir, o, &err) < 0 || scry_session_new(&s, m, threads, &err) < 0)
        fail_msg("%s", err.message);
    const scry_model_info *info = scry_model_get_info(m);
    double pictures = is_texts_only(name) ? 1 : check_pictures(s, info, &c), texts = check_texts(s, info, &c);
    print_message("# %-9s %-16s %d threads: states %.1e (%s), 1 - cosine %.1e pictures, %.1e texts\n",
                  name, m->kernels->name, threads, c.worst, c.worst_name, 1 - pictures, 1 - texts);
    assert_true(c.compared >= 2);
    assert_true(c.worst <= tolerance);
    assert_true(pictures >= cosine && texts >= cosine);
    scry_session_free(s);
    scry_model_free(m);
    scry_tensors_free(c.golden);
    if (is_texts_only(name))
        remove_pair(dir);
    else
        free(dir);
    free(golden_dir);
}

static void check_everywhere(const char *name)
{
    static const struct { scry_precision p; double tolerance, cosine; } precisions[] = {
        { SCRY_PRECISION_FP32, 2e-5, 0.999999 },
        { SCRY_PRECISION_BF16, 2e-2, 0.999 },
        { SCRY_PRECISION_INT8, 6e-2, 0.99 }
    };
    scry_model_options o = { .portable = true };
    check(name, &o, 1, 1e-5, 0.999999);
    check(name, &o, 3, 1e-5, 0.999999);
    const scry_kernels *all[SCRY_KERNELS_MAX];
    size_t n = scry_kernels_all(all, SCRY_KERNELS_MAX);
    o.portable = false;
    for (size_t i = 0; i < n; i++) {
        setenv("SCRY_CPU", all[i]->name, 1);
        for (size_t k = 0; k < sizeof precisions / sizeof *precisions; k++) {
            o.precision = precisions[k].p;
            for (int threads = 1; threads <= 3; threads += 2)
                check(name, &o, threads, precisions[k].tolerance, precisions[k].cosine);
        }
    }
    unsetenv("SCRY_CPU");
}

static void hugging_face_clip(void **state)
{
    check_everywhere("clip");
}

static void open_clip(void **state)
{
    check_everywhere("open_clip");
}

static void siglip(void **state)
{
    check_everywhere("siglip");
}

static void siglip_of_any_shape(void **state)
{
    check_everywhere("naflex");
}

static void open_clip_siglip_of_any_shape(void **state)
{
    check_everywhere("open_clip_naflex");
}

/* Links in `dir` to these files of a checkpoint in tests/golden, or with NAME NULL their removal. */
static void link_files(const char *dir, const char *name, const char *const *files, size_t n)
{
    char *from = model_dir(name ? name : "");
    for (size_t i = 0; i < n; i++) {
        char *source = scry_path_join(from, files[i]), *target = realpath(source, NULL), *path = scry_path_join(dir, files[i]);
        assert_int_equal(name ? symlink(target, path) : remove(path), 0);
        free(path);
        free(target);
        free(source);
    }
    free(from);
}

static const char *const changed_files[] = {
    "open_clip_model.safetensors", "tokenizer.json", "tokenizer_config.json", "open_clip_config.json"   /* the last one is not linked */
};

/* A checkpoint's folder beside the one in tests/golden, with `from` in its open_clip_config.json replaced. */
static char *make_changed(const char *name, const char *from, const char *to)
{
    char *dir = scry_strdup("/tmp/scry-changed-XXXXXX"), *golden_dir = model_dir(name);
    assert_non_null(mkdtemp(dir));
    link_files(dir, name, changed_files, 3);
    scry_buf b = SCRY_BUF_INIT(1 << 16);
    char *source = scry_path_join(golden_dir, "open_clip_config.json"), *path = scry_path_join(dir, "open_clip_config.json");
    assert_int_equal(scry_read_file(source, &b, NULL), 0);
    const char *text = scry_buf_str(&b), *at = strstr(text, from);
    assert_non_null(at);
    char *changed = scry_asprintf("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    assert_int_equal(scry_write_file(path, changed, strlen(changed), NULL), 0);
    free(changed);
    free(path);
    free(source);
    scry_buf_dispose(&b);
    free(golden_dir);
    return dir;
}

/* The same weights, read as every version of open_clip reads them where the configuration says no number of patches. */
static void without_image_seq_len_pictures_are_squares(void **state)
{
    char *golden_dir = model_dir("open_clip_naflex");
    char *dir = make_changed("open_clip_naflex", "\"image_seq_len\": 9,\n   \"image_size\": 48", "\"image_size\": 32");
    scry_tensors *golden;
    scry_model *m;
    scry_session *s;
    scry_error err = SCRY_ERROR_INIT;
    scry_model_options o = SCRY_MODEL_OPTIONS_INIT;
    o.precision = SCRY_PRECISION_FP32;
    assert_int_equal(scry_tensors_open(&golden, golden_dir, "golden.safetensors", &err), 0);
    if (scry_model_open(&m, dir, &o, &err) < 0 || scry_session_new(&s, m, 2, &err) < 0)
        fail_msg("%s", err.message);
    const scry_image_spec *spec = &scry_model_get_info(m)->image;
    assert_true(spec->size == 32 && spec->fit[0] == SCRY_FIT_SQUASH);
    size_t count, floats, dim = (size_t)scry_model_get_info(m)->dim, n = 3;
    float *pixels = golden_floats(golden, "squares.pixels", &count), *want = golden_floats(golden, "squares.images", &floats);
    assert_true(count == n * 32 * 32 * 3 && floats == n * dim);
    uint8_t *bytes = scry_alloc(count);
    float *got = scry_alloc(floats * sizeof *got);
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)pixels[i];
    assert_int_equal(scry_embed_pixels(s, bytes, (int)n, got, &err), 0);
    assert_true(lowest_cosine(got, want, n, dim) >= 0.99999);
    free(got);
    free(bytes);
    free(want);
    free(pixels);
    scry_session_free(s);
    scry_model_free(m);
    scry_tensors_free(golden);
    link_files(dir, NULL, changed_files, 4);
    assert_int_equal(rmdir(dir), 0);
    free(dir);
    free(golden_dir);
}

/* Pixels that do not say how many patches they have. */
static void views_without_a_shape_are_refused(void **state)
{
    static const struct { uint8_t end[4]; const char *said; } bad[] = {
        { { 0, 0, 1, 0 }, "view 1 has 0 x 1 patches" }, { { 1, 0, 0, 0 }, "view 1 has 1 x 0 patches" },
        { { 2, 0, 5, 0 }, "view 1 has 2 x 5 patches: the model takes 1 to 9 of them" }, { { 1, 1, 1, 0 }, "view 1 has 257 x 1 patches" }
    };
    char *dir = model_dir("naflex");
    scry_model *m;
    scry_session *s;
    assert_int_equal(scry_model_open(&m, dir, NULL, NULL), 0);
    assert_int_equal(scry_session_new(&s, m, 1, NULL), 0);
    size_t bytes = 49 * 49 * 3, dim = (size_t)scry_model_get_info(m)->dim;
    uint8_t *views = scry_alloc(2 * bytes);
    float *out = scry_alloc(2 * dim * sizeof *out);
    views[bytes - 4] = views[bytes - 2] = 3;
    assert_int_equal(scry_model_get_info(m)->image.size, 49);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        scry_error err = SCRY_ERROR_INIT;
        memcpy(views + 2 * bytes - 4, bad[i].end, 4);
        assert_int_equal(scry_embed_pixels(s, views, 2, out, &err), SCRY_EINVALID);
        assert_non_null(strstr(err.message, bad[i].said));
    }
    free(out);
    free(views);
    scry_session_free(s);
    scry_model_free(m);
    free(dir);
}

static void open_clip_siglip(void **state)
{
    check_everywhere("open_clip_siglip");
}

static void chinese_clip(void **state)
{
    check_everywhere("chinese_clip");
}

static void sentence_transformers(void **state)
{
    check_everywhere("sentence");
}

static void mclip(void **state)
{
    check_everywhere("mclip");
}

/* A collection made with the pictures' model opens with the pair; what depends on the texts has another key. */
static void a_pair_has_the_identity_of_its_pictures(void **state)
{
    scry_model *alone, *pair;
    scry_error err = SCRY_ERROR_INIT;
    char *dir = model_dir("clip"), *pair_dir = make_pair("sentence"), *texts_dir = model_dir("sentence");
    assert_int_equal(scry_model_open(&alone, dir, NULL, NULL), 0);
    assert_int_equal(scry_model_open(&pair, pair_dir, NULL, NULL), 0);
    const scry_model_info *a = scry_model_get_info(alone), *p = scry_model_get_info(pair);
    assert_string_equal(a->identity, p->identity);
    assert_string_equal(a->identity, a->text_identity);
    assert_string_not_equal(p->identity, p->text_identity);
    assert_string_equal(p->family, "clip with texts of sentence-transformers");
    assert_true(p->logit_scale == a->logit_scale && p->context == 20 && p->image.size == a->image.size);
    scry_model_free(alone);
    scry_model_free(pair);
    assert_int_equal(scry_model_open(&pair, texts_dir, NULL, &err), SCRY_EINVALID);
    assert_non_null(strstr(err.message, "--texts"));
    remove_pair(pair_dir);
    pair_dir = make_pair("metaclip");   /* it has pictures of its own */
    assert_int_equal(scry_model_open(&pair, pair_dir, NULL, &err), SCRY_EINVALID);
    assert_non_null(strstr(err.message, "has pictures of its own"));
    remove_pair(pair_dir);
    free(texts_dir);
    free(dir);
}

static void open_clip_xlm_roberta(void **state)
{
    check_everywhere("open_clip_xlm");
}

static void open_clip_nllb(void **state)
{
    check_everywhere("open_clip_nllb");
}

static void open_clip_timm_and_end(void **state)
{
    check_everywhere("open_clip_eos");
}

static void open_clip_pe_and_highest(void **state)
{
    check_everywhere("open_clip_pe");
}

static void open_clip_eva(void **state)
{
    check_everywhere("open_clip_eva02");
    check_everywhere("open_clip_eva");
}

static void open_clip_clipa(void **state)
{
    check_everywhere("open_clip_clipa");
    check_everywhere("open_clip_clipa_before");
}

static void open_clip_mobileclip(void **state)
{
    check_everywhere("open_clip_mobile");
    check_everywhere("open_clip_mobile_large");
    check_everywhere("open_clip_mobile_b");
}

static void open_clip_convnext(void **state)
{
    check_everywhere("open_clip_convnext");
    check_everywhere("open_clip_convnext_mlp");
}

/* The pooling head's means are products of any two matrices, whose panels are longer than a row of this tower. */
static void scratch_is_enough_for_the_pooling_head(void **state)
{
    scry_model *m;
    scry_image_tower *tower;
    char *dir = model_dir("open_clip_pe");
    assert_int_equal(scry_model_open(&m, dir, NULL, NULL), 0);
    scry_tower_source source = { &m->pictures.config, m->pictures.tensors, m->mode, true };
    assert_int_equal(m->pictures.config.image.new_tower(&tower, &source, NULL), 0);
    assert_true(tower->need.max_k >= SCRY_GEMM_K);
    tower->free(tower);
    scry_model_free(m);
    free(dir);
}

/* Without options: the defaults. */
static void options_may_be_null(void **state)
{
    const char *texts[] = { "a dog", "a cat" }, *files[] = { "/nonexistent.png" };
    float rows[2 * 512];
    size_t failures = 0;
    scry_model *m;
    scry_eval_set *set = NULL;
    scry_error err = SCRY_ERROR_INIT;
    char *dir = model_dir("open_clip_pe");
    assert_int_equal(scry_model_open(&m, dir, NULL, NULL), 0);
    assert_true(scry_model_get_info(m)->dim <= 512);
    assert_int_equal(scry_embed_lines(m, texts, 2, NULL, rows, NULL, NULL), 0);
    assert_int_equal(scry_embed_labels(m, texts, 2, NULL, 0, NULL, rows, NULL), 0);
    assert_int_equal(scry_embed_files(m, files, 1, NULL, rows, &failures, NULL), 0);
    assert_int_equal(failures, 1);
    assert_true(isnan(rows[0]));
    assert_int_equal(scry_eval_set_read(&set, NULL, &err), SCRY_EINVALID);
    scry_model_free(m);
    free(dir);
}

static void metaclip(void **state)
{
    check_everywhere("metaclip");
}

/* Texts rather than ids: cleaned, padded and cut as the reference does; the last one is cut if `cuts`. */
static void check_reads_texts(const char *name, const char *const texts[4], bool cuts)
{
    char *golden_dir = model_dir(name), *dir = is_texts_only(name) ? make_pair(name) : scry_strdup(golden_dir);
    scry_model_options o = SCRY_MODEL_OPTIONS_INIT;
    o.precision = SCRY_PRECISION_FP32;
    scry_model *m;
    scry_session *s;
    scry_tensors *golden;
    assert_int_equal(scry_model_open(&m, dir, &o, NULL), 0);
    assert_int_equal(scry_session_new(&s, m, 1, NULL), 0);
    assert_int_equal(scry_tensors_open(&golden, golden_dir, "golden.safetensors", NULL), 0);
    size_t count, dim = (size_t)scry_model_get_info(m)->dim;
    float *want = golden_floats(golden, "texts", &count), *got = scry_alloc(4 * dim * sizeof *got);
    bool cut[4];
    assert_int_equal(count, 4 * dim);
    assert_int_equal(scry_embed_texts(s, texts, 4, got, cut, NULL), 0);
    assert_true(lowest_cosine(got, want, 4, dim) > 0.999999);
    assert_false(cut[0]);
    assert_int_equal(cut[3], cuts);
    free(got);
    free(want);
    scry_tensors_free(golden);
    scry_session_free(s);
    scry_model_free(m);
    if (is_texts_only(name))
        remove_pair(dir);
    else
        free(dir);
    free(golden_dir);
}

static void texts_are_prepared_as_by_the_references(void **state)
{
    static const char *const texts[] = {   /* make_models.py's TEXTS */
        "a white dog", "the cat", "", "A dog, the DOG and a cat: 3 of them on a white wall!"
    };
    static const char *const chinese[] = {   /* and CHINESE_TEXTS */
        "a white dog", "\xE7\x99\xBD\xE7\x8B\x97 the cat", "", "A dog, the DOG and a cat: 3 of them on a white wall!"
    };
    static const char *const unclean[] = {   /* and OPEN_CLIP_TEXTS */
        "a white dog", "the cat", "", "A d\xC3\xB3g &amp; the_CAT\xE2\x80\x99s  white\twall!"
    };
    check_reads_texts("siglip", texts, true);
    check_reads_texts("metaclip", texts, true);
    check_reads_texts("open_clip_siglip", unclean, false);
    check_reads_texts("open_clip_eos", unclean, true);
    check_reads_texts("chinese_clip", chinese, true);
    check_reads_texts("open_clip_xlm", unclean, true);
    check_reads_texts("open_clip_pe", unclean, true);   /* padded: what the token tables read before their beginning once */
    check_reads_texts("open_clip_mobile", unclean, true);
    check_reads_texts("open_clip_mobile_large", unclean, true);
    check_reads_texts("open_clip_clipa", unclean, false);
    check_reads_texts("open_clip_clipa_before", unclean, false);
    check_reads_texts("sentence", chinese, true);
}

static void ids_outside_the_table_are_refused(void **state)
{
    scry_model *m;
    scry_session *s;
    scry_error err = SCRY_ERROR_INIT;
    char *dir = model_dir("open_clip_pe");
    assert_int_equal(scry_model_open(&m, dir, NULL, NULL), 0);
    assert_int_equal(scry_session_new(&s, m, 1, NULL), 0);
    const scry_text_config *c = &m->texts->config.text;
    const int32_t wrong[] = { -1, INT32_MIN, INT32_MAX, (int32_t)c->vocab };
    float out[64];
    assert_true(scry_model_get_info(m)->dim <= 64 && c->context < 30);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const int32_t ids[] = { 0, 5, wrong[i] };
        assert_int_equal(scry_session_embed_ids(s, ids, (size_t[]){ 0, 3 }, 1, out, &err), SCRY_EINVALID);
        assert_non_null(strstr(err.message, "token 2 of a text has id "));
    }
    const int32_t many[30] = { 0 };
    assert_int_equal(scry_session_embed_ids(s, many, (size_t[]){ 0, 30 }, 1, out, &err), SCRY_EINVALID);
    assert_int_equal(scry_session_embed_ids(s, many, (size_t[]){ 0, 0 }, 1, out, &err), SCRY_EINVALID);
    assert_int_equal(scry_session_embed_ids(s, many, (size_t[]){ 0, c->context }, 1, out, &err), 0);
    scry_session_free(s);
    scry_model_free(m);
    free(dir);
}

/* A checkpoint whose texts are padded says with what. */
static void padding_must_be_known(void **state)
{
    static const struct { const char *config, *expected; } cases[] = {
        { "{\"pad_token\":\"</s>\"}", NULL }, { "{}", "pad_token \"\" is not among the special tokens" },
        { "{\"pad_token\":\"<none>\"}", "pad_token \"<none>\"" }, { NULL, "tokenizer_config.json is missing" }
    };
    static const char *const files[] = { "open_clip_config.json", "tokenizer.json" };
    char dir[] = "/tmp/scry-padding-XXXXXX";
    assert_non_null(mkdtemp(dir));
    char *config = scry_path_join(dir, "tokenizer_config.json");
    link_files(dir, "open_clip_mobile", files, 2);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        scry_error err = SCRY_ERROR_INIT;
        remove(config);
        if (cases[i].config)
            assert_int_equal(scry_write_file(config, cases[i].config, strlen(cases[i].config), NULL), 0);
        int r = scry_checkpoint_check(dir, true, &err);
        if (cases[i].expected ? r != SCRY_EINVALID || !strstr(err.message, cases[i].expected) : r != 0)
            fail_msg("case %zu: %s", i, r < 0 ? err.message : "accepted");
    }
    remove(config);
    link_files(dir, NULL, files, 2);
    free(config);
    assert_int_equal(rmdir(dir), 0);
}

static void dual_encoder(void **state)
{
    check_everywhere("dual");
}

/* Tokens that all texts of a batch begin with are computed once: to the same bits. */
static void texts_that_begin_alike_stay_the_same(void **unused)
{
    static const char *const sets[][4] = {
        { "a photo of a cat", "a photo of a dog on a red sofa", "a photo of a", "a photo of a cat" },
        { "a", "a", "a", "a" }, { "", "a", "one two three", "cat" },
        { "two dogs run", "a dog runs on grass", "two dogs", "a dog runs on sand" }
    };
    for (int p = SCRY_PRECISION_FP32; p <= SCRY_PRECISION_INT8; p++) {
        scry_model_options o = SCRY_MODEL_OPTIONS_INIT;
        o.precision = (scry_precision)p;
        scry_model *m;
        scry_session *s;
        char *dir = model_dir("clip");
        assert_int_equal(scry_model_open(&m, dir, &o, NULL), 0);
        assert_int_equal(scry_session_new(&s, m, 2, NULL), 0);
        size_t dim = (size_t)scry_model_get_info(m)->dim;
        float *together = scry_alloc(4 * dim * sizeof(float)), *alone = scry_alloc(dim * sizeof(float));
        for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
            assert_int_equal(scry_embed_texts(s, sets[i], 4, together, NULL, NULL), 0);
            for (size_t k = 0; k < 4; k++) {
                assert_int_equal(scry_embed_texts(s, &sets[i][k], 1, alone, NULL, NULL), 0);
                assert_memory_equal(alone, together + k * dim, dim * sizeof *alone);
            }
        }
        scry_session_free(s);
        scry_model_free(m);
        free(together);
        free(alone);
        free(dir);
    }
}

/* One picture and one text of a model opened for raw vectors or for unit ones: [dim] each, owned. */
static void embed_both(const char *name, bool raw, float **picture, float **text, size_t *dim)
{
    static const char *const words[] = { "a red boat" };
    scry_model_options o = SCRY_MODEL_OPTIONS_INIT;
    o.raw = raw;
    o.precision = SCRY_PRECISION_FP32;
    scry_model *m;
    scry_session *s;
    char *dir = model_dir(name);
    assert_int_equal(scry_model_open(&m, dir, &o, NULL), 0);
    assert_int_equal(scry_session_new(&s, m, 1, NULL), 0);
    const scry_model_info *info = scry_model_get_info(m);
    *dim = (size_t)info->dim;
    size_t bytes = (size_t)info->image.size * (size_t)info->image.size * 3 * (size_t)info->image.views;
    uint8_t *pixels = scry_alloc(bytes);
    for (size_t i = 0; i < bytes; i++)
        pixels[i] = (uint8_t)(i * i % 251);
    *picture = scry_alloc(*dim * sizeof **picture);
    *text = scry_alloc(*dim * sizeof **text);
    assert_int_equal(scry_embed_pixels(s, pixels, 1, *picture, NULL), 0);
    assert_int_equal(scry_embed_texts(s, words, 1, *text, NULL, NULL), 0);
    free(pixels);
    free(dir);
    scry_session_free(s);
    scry_model_free(m);
}

static double length(const float *v, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)v[i] * v[i];
    return sqrt(sum);
}

/* A raw vector is not of unit length; with one view it has the direction of the unit vector. */
static void raw_vectors_keep_their_length(void **unused)
{
    static const char *const names[] = { "clip", "dual" };
    for (size_t i = 0; i < 2; i++) {
        float *raw[2], *unit[2];
        size_t dim;
        embed_both(names[i], true, &raw[0], &raw[1], &dim);
        embed_both(names[i], false, &unit[0], &unit[1], &dim);
        for (int k = 0; k < 2; k++) {
            double size = length(raw[k], dim);
            assert_true(fabs(length(unit[k], dim) - 1) < 1e-5);
            assert_true(fabs(size - 1) > 1e-3);
            for (size_t j = 0; j < dim && (i == 0 || k == 1); j++)
                assert_true(fabs(raw[k][j] / size - unit[k][j]) < 1e-5);
            free(raw[k]);
            free(unit[k]);
        }
    }
}

/* SigLIP was trained with a sigmoid for each pair, the others with a softmax. */
static void probabilities_are_those_of_the_training(void **unused)
{
    static const struct { const char *name; double scale, bias; } models[] = {   /* make_models.py's */
        { "open_clip_siglip", 7.38905609893065, -3 }, { "open_clip_eos", 7.38905609893065, NAN }
    };
    for (size_t i = 0; i < 2; i++) {
        scry_model *m;
        char *dir = model_dir(models[i].name);
        assert_int_equal(scry_model_open(&m, dir, NULL, NULL), 0);
        const scry_model_info *info = scry_model_get_info(m);
        size_t dim = (size_t)info->dim;
        float *picture = scry_alloc(dim * sizeof *picture), *labels = scry_alloc(2 * dim * sizeof *labels);
        picture[0] = labels[0] = 1;   /* cosines 1 and 0 */
        labels[dim + 1] = 1;
        double p[2], a = models[i].scale + models[i].bias, b = models[i].bias;
        scry_label_probabilities(p, info, picture, labels, 2);
        assert_true(fabs(info->logit_scale - models[i].scale) < 1e-6);
        double want = i == 0 ? 1 / (1 + exp(-a)) : 1 / (1 + exp(-models[i].scale));
        assert_true(fabs(p[0] - want) < 1e-9);
        assert_true(fabs(p[1] - (i == 0 ? 1 / (1 + exp(-b)) : 1 - want)) < 1e-9);
        free(picture);
        free(labels);
        scry_model_free(m);
        free(dir);
    }
}

int main(void)
{
    setenv("XDG_CACHE_HOME", "/dev/null/none", 1);   /* no digests are kept */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hugging_face_clip), cmocka_unit_test(open_clip),
        cmocka_unit_test(siglip), cmocka_unit_test(siglip_of_any_shape), cmocka_unit_test(open_clip_siglip_of_any_shape),
        cmocka_unit_test(without_image_seq_len_pictures_are_squares), cmocka_unit_test(views_without_a_shape_are_refused),
        cmocka_unit_test(open_clip_siglip), cmocka_unit_test(open_clip_timm_and_end),
        cmocka_unit_test(open_clip_pe_and_highest), cmocka_unit_test(open_clip_mobileclip),
        cmocka_unit_test(open_clip_eva), cmocka_unit_test(open_clip_clipa),
        cmocka_unit_test(open_clip_convnext),
        cmocka_unit_test(scratch_is_enough_for_the_pooling_head),
        cmocka_unit_test(metaclip), cmocka_unit_test(chinese_clip), cmocka_unit_test(open_clip_xlm_roberta),
        cmocka_unit_test(open_clip_nllb), cmocka_unit_test(sentence_transformers), cmocka_unit_test(mclip),
        cmocka_unit_test(a_pair_has_the_identity_of_its_pictures), cmocka_unit_test(probabilities_are_those_of_the_training),
        cmocka_unit_test(texts_are_prepared_as_by_the_references),
        cmocka_unit_test(ids_outside_the_table_are_refused), cmocka_unit_test(padding_must_be_known),
        cmocka_unit_test(dual_encoder), cmocka_unit_test(texts_that_begin_alike_stay_the_same),
        cmocka_unit_test(raw_vectors_keep_their_length), cmocka_unit_test(options_may_be_null)
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
