/* score.c - the score threshold of models that do not bring one, estimated from the collection.
 *
 * Nearly all pairs of a stored picture and an everyday text are unrelated, so their cosines show
 * the distribution of unrelated scores for this model on these pictures. Each text's cosines are
 * taken relative to their mean, which is the product of its vector and the mean picture. The
 * threshold is four standard deviations above the median of that distribution. The standard
 * deviation is taken from the lower half, which pictures that do match a text cannot widen.
 * docs/scores.md measures how well this works.
 *
 * In the cache folder, below scores/:
 *
 *     IDENTITY.texts            [m, dim] floats: the bundled texts through this model
 *     HASH.line                 "CONTENTS MARGIN BEST DIM\n" and the mean picture [dim] as floats:
 *                               the estimate for a collection of so many contents
 */
#include "scry/score.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/sealed.h"
#include "base/sha256.h"
#include "engine/score_threshold.h"
#include "engine/ranking.h"
#include "engine/watched_embed.h"
#include "model/names.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Standard deviations above the median (docs/scores.md). */
#define SPREADS 4.0
#define BEST_SPREADS 5.0

enum { BINS = 20000, SAMPLE = 4096, MIN_PICTURES = 20, MAX_TEXTS = 4096, MAX_TEXT_BYTES = 1 << 20, MAX_LINE_BYTES = 1 << 19 };

/* ---- the estimate ---- */

/* The middle of the bin below which this share of the counts lies. */
static double quantile(const uint64_t *bins, uint64_t total, double share)
{
    uint64_t below = 0;
    size_t k = 0;
    while (k < BINS - 1 && (double)(below + bins[k]) < share * (double)total)
        below += bins[k++];
    return ((double)k + 0.5) / BINS * 2 - 1;
}

static void mean_row(float *out, const float *rows, size_t n, size_t dim)
{
    double *sum = scry_alloc(dim * sizeof *sum);
    for (size_t i = 0; i < n; i++)
        for (size_t d = 0; d < dim; d++)
            sum[d] += (double)rows[i * dim + d];
    for (size_t d = 0; d < dim; d++)
        out[d] = (float)(sum[d] / (double)n);
    free(sum);
}

scry_threshold *scry_threshold_estimate(const float *pictures, size_t n, const float *texts, size_t m, size_t dim)
{
    if (n < MIN_PICTURES || m == 0)
        return NULL;
    scry_threshold *threshold = threshold_new(1, dim, 0);
    uint64_t *bins = scry_alloc(BINS * sizeof *bins);
    float *scores = scry_alloc(n * sizeof *scores), level;
    mean_row(threshold->rows, pictures, n, dim);
    for (size_t t = 0; t < m; t++) {
        ranking_scores(scores, texts + t * dim, pictures, NULL, n, dim);
        ranking_scores(&level, texts + t * dim, threshold->rows, NULL, 1, dim);
        for (size_t i = 0; i < n; i++) {
            double place = ((double)scores[i] - (double)level + 1) / 2 * BINS;
            bins[place > 0 ? place < BINS ? (size_t)place : BINS - 1 : 0]++;
        }
    }
    double median = quantile(bins, (uint64_t)n * m, 0.5);
    double spread = median - quantile(bins, (uint64_t)n * m, 0.1587);   /* one sigma of a normal distribution */
    threshold->margin = median + SPREADS * spread;
    threshold->best = median + BEST_SPREADS * spread;
    free(scores);
    free(bins);
    return threshold;
}

/* ---- texts and pictures ---- */

int scry_background_texts(char ***out, size_t *count, scry_buf *text, scry_error *err)
{
    char *path = scry_program_file("models/background-texts.txt");
    int r = path ? scry_read_file(path, text, err)
                 : scry_fail(err, SCRY_ENOTFOUND, "models/background-texts.txt is not where the program is installed: install "
                             "scry again, or give --min-score a number");
    free(path);
    *out = scry_alloc(MAX_TEXTS * sizeof **out);
    for (char *p = r == 0 ? text->data : NULL, *next; p && *p && *count < MAX_TEXTS; p = next) {
        size_t n = strcspn(p, "\n");
        next = p + n + (p[n] == '\n');
        p[n] = '\0';
        if (n && p[0] != '#')
            (*out)[(*count)++] = p;
    }
    return r;
}

static char *cache_path(const char *name, const char *end)
{
    char *cache = scry_cache_dir(), *path = scry_asprintf("%s/scores/%s.%s", cache, name, end);
    free(cache);
    return path;
}

/* Errors are ignored: without the cache the estimate is made again. */
static void update_cache(const char *path, const void *bytes, size_t n)
{
    char *folder = scry_strndup(path, (size_t)(strrchr(path, '/') - path));
    if (scry_make_dirs(folder, NULL) == 0)
        (void)!scry_sealed_write(path, bytes, n, NULL);
    free(folder);
}

int scry_score_text_vectors(float **out, size_t *m, const scry_model *model, const scry_long_options *options, scry_error *err)
{
    const scry_model_info *info = scry_model_get_info(model);
    scry_buf text = SCRY_BUF_INIT(MAX_TEXT_BYTES), cached = SCRY_BUF_INIT((size_t)MAX_TEXTS * 65536);
    char identity[SCRY_IDENTITY_CHARS + 1];
    scry_model_text_identity(model, identity);
    char **lines, *path = cache_path(identity, "texts");
    const scry_embed_options o = scry_watched_embed(options);
    *m = 0;
    int r = scry_background_texts(&lines, m, &text, err);
    size_t bytes = *m * (size_t)info->dim * sizeof **out;
    *out = r == 0 ? scry_try_alloc(bytes + 1, 1) : NULL;
    if (r == 0 && !*out)
        r = scry_fail(err, SCRY_ENOMEM, "not enough memory for %zu vectors", *m);
    if (r == 0 && scry_sealed_read(path, &cached) && cached.size == bytes)
        memcpy(*out, cached.data, bytes);
    else if (r == 0) {
        r = scry_embed_lines(model, (const char *const *)lines, *m, &o, *out, NULL, err);
        if (r == 0)
            update_cache(path, *out, bytes);
    }
    if (r < 0)
        free(*out);
    scry_buf_dispose(&cached);
    scry_buf_dispose(&text);
    free(lines);
    free(path);
    return r;
}

typedef struct {
    float *vectors;          /* [SAMPLE, dim] */
    size_t dim, seen, kept;
    uint64_t random;
} sample;

/* Reservoir sampling (Vitter's algorithm R) with a fixed seed: every file is equally likely. */
static int take_file(void *arg, const scry_file *file, const float *vector)
{
    sample *s = arg;
    size_t at = s->kept;
    s->random = s->random * 6364136223846793005u + 1442695040888963407u;
    if (s->kept < SAMPLE)
        s->kept++;
    else
        at = (size_t)((__uint128_t)s->random * (s->seen + 1) >> 64);
    s->seen++;
    if (at < SAMPLE)
        memcpy(s->vectors + at * s->dim, vector, s->dim * sizeof *vector);
    return 0;
}

/* Reading every file of a large collection takes a Milvus server minutes, so only a range of ids is
 * read: ids are hashes, which makes the files in it a random sample. */
int score_picture_vectors(float **out, size_t *n, scry_store *store, uint64_t files, size_t dim, scry_error *err)
{
    sample s = { .vectors = scry_alloc(SAMPLE * dim * sizeof *s.vectors), .dim = dim, .random = 20240519 };
    double share = files > 2 * SAMPLE ? 2.0 * SAMPLE / (double)files : 1;
    scry_id_range range = { 0, (uint64_t)(share * 0x1p32) };
    int r = scry_store_each_in_range(store, range, true, take_file, &s, err);
    if (r == 0 && s.kept < MIN_PICTURES)
        r = scry_fail(err, SCRY_ENOTFOUND, "the collection has too few pictures to estimate a score threshold for this model "
                      "(at least %d): give --min-score a number", MIN_PICTURES);
    if (r < 0)
        free(s.vectors);
    *out = r < 0 ? NULL : s.vectors;
    *n = s.kept;
    return r;
}

/* ---- the cached estimate ---- */

static char *cached_path(const scry_store_info *s, const scry_model *model)
{
    char identity[SCRY_IDENTITY_CHARS + 1];
    uint8_t digest[SCRY_SHA256_BYTES];
    char hex[2 * SCRY_SHA256_BYTES + 1];
    scry_model_text_identity(model, identity);
    char *key = scry_asprintf("scry line 3\n%s\n%s\n%s\n", identity, s->where, s->collection);
    scry_sha256_of(key, strlen(key), digest);
    scry_hex(digest, 16, hex);
    free(key);
    return cache_path(hex, "line");
}

/* The estimate made when the collection had *contents pictures; NULL when there is none. */
static scry_threshold *read_cached(const char *path, size_t dim, unsigned long long *contents)
{
    scry_buf text = SCRY_BUF_INIT(MAX_LINE_BYTES);
    scry_threshold *threshold = NULL;
    double margin, best;
    size_t had;
    *contents = 0;
    const char *end = scry_sealed_read(path, &text) ? strchr(scry_buf_str(&text), '\n') : NULL;
    if (end && sscanf(text.data, "%llu %lf %lf %zu", contents, &margin, &best, &had) == 4 && margin >= -2 && margin <= best &&
        best <= 4 && had == dim &&
        (size_t)(end + 1 - text.data) + dim * sizeof(float) == text.size) {
        threshold = threshold_new(1, dim, margin);
        threshold->best = best;
        memcpy(threshold->rows, end + 1, dim * sizeof(float));
    }
    scry_buf_dispose(&text);
    return threshold;
}

static void write_cached(const char *path, const scry_threshold *threshold, unsigned long long contents)
{
    scry_buf b = SCRY_BUF_INIT(MAX_LINE_BYTES);
    scry_buf_printf(&b, "%llu %.6f %.6f %zu\n", contents, threshold->margin, threshold->best, threshold->dim);
    scry_buf_append(&b, threshold->rows, threshold->dim * sizeof *threshold->rows);
    if (!b.failed)
        update_cache(path, b.data, b.size);
    scry_buf_dispose(&b);
}

/* The model's own threshold: rows, or one number for all queries; *out is NULL when it has neither. */
static int bundled_threshold(scry_threshold **out, const scry_model_info *m, scry_error *err)
{
    int r = threshold_read(out, m->dir, (size_t)m->dim, err);
    if (r == 0 && !*out && !isnan(m->min_score))
        *out = threshold_new(0, (size_t)m->dim, m->min_score);
    return r;
}

/* The model's own threshold, else the cached one; then *path is where that belongs, owned by the caller, and *contents
 * how many pictures the collection had. */
static int look_up(scry_threshold **out, char **path, unsigned long long *contents, scry_store *store,
                   const scry_model *model, scry_error *err)
{
    const scry_model_info *m = scry_model_get_info(model);
    scry_store_info s;
    *path = NULL;
    int r = bundled_threshold(out, m, err);
    if (r < 0 || *out)
        return r;
    scry_store_describe(store, &s);
    *path = cached_path(&s, model);
    *out = read_cached(*path, (size_t)m->dim, contents);
    return 0;
}

int scry_threshold_known(scry_threshold **out, scry_store *store, const scry_model *model, scry_error *err)
{
    unsigned long long contents;
    char *path;
    int r = look_up(out, &path, &contents, store, model, err);
    free(path);
    return r;
}

static int estimate(scry_threshold **out, scry_store *store, uint64_t files, const scry_model *model,
                    const scry_long_options *options, scry_error *err)
{
    size_t dim = (size_t)scry_model_get_info(model)->dim, n, m;
    float *pictures, *texts;
    int r = score_picture_vectors(&pictures, &n, store, files, dim, err);
    if (r < 0)
        return r;
    r = scry_score_text_vectors(&texts, &m, model, options, err);
    if (r == 0) {
        *out = scry_threshold_estimate(pictures, n, texts, m, dim);
        free(texts);
    }
    free(pictures);
    return r;
}

int scry_threshold_find(scry_threshold **out, scry_store *store, const scry_model *model, scry_error *err)
{
    return scry_threshold_run(out, store, model, NULL, err);
}

int scry_threshold_run(scry_threshold **out, scry_store *store, const scry_model *model, const scry_long_options *options,
                       scry_error *err)
{
    scry_store_info s;
    unsigned long long contents;
    char *path;
    int r = look_up(out, &path, &contents, store, model, err);
    if (!path)
        return r;
    scry_threshold *cached = *out;
    *out = NULL;
    r = scry_store_get_info(store, &s, err);
    /* When the number of pictures has changed by a tenth, the estimate is made again. */
    bool fresh = cached && (double)contents > 0.9 * (double)s.contents && (double)contents < 1.1 * (double)s.contents + 1;
    if (r == 0 && fresh) {
        *out = cached;
        cached = NULL;
    } else if (r == 0) {
        contents = s.contents;   /* estimate() may change what s borrows */
        r = estimate(out, store, s.files, model, options, err);
        if (r == 0 && *out)
            write_cached(path, *out, contents);
    }
    scry_threshold_free(cached);
    free(path);
    return r;
}
