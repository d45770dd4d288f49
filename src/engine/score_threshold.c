/* score_threshold.c - the rows and the margin of a score threshold, read from a model's folder. */
#include "engine/score_threshold.h"

#include "base/alloc.h"
#include "base/file.h"
#include "engine/ranking.h"
#include "model/identity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_NAME "line.safetensors"

enum { MAX_ROWS = 1 << 16 };

scry_threshold *threshold_new(size_t n, size_t dim, double margin)
{
    scry_threshold *t = scry_alloc(sizeof *t);
    *t = (scry_threshold){ .n = n, .dim = dim, .rows = scry_alloc((n * dim + 1) * sizeof *t->rows), .margin = margin,
                           .best = NAN, .strange = NAN };
    return t;
}

void scry_threshold_free(scry_threshold *t)
{
    if (!t)
        return;
    free(t->words);
    free(t->subject_rows);
    free(t->rows);
    free(t);
}

void threshold_borders(const scry_threshold *t, const float *query, double *maybe, double *best)
{
    *maybe = *best = NAN;
    if (!t)
        return;
    float level = t->n ? -2 : 0, score;   /* the highest product with a row */
    for (size_t i = 0; i < t->n; i++) {
        ranking_scores(&score, query, t->rows + i * t->dim, NULL, 1, t->dim);
        level = score > level ? score : level;
    }
    *maybe = fmin(fmax((double)level + t->margin, -1), 1);
    if (!isnan(t->best))
        *best = fmin(fmax((double)level + t->best, -1), 1);
}

static int descending(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x < y) - (x > y);
}

double threshold_best_of(const scry_threshold *t, const float *picture)
{
    if (!t || !t->subjects)
        return NAN;
    float *scores = scry_alloc(t->subjects * sizeof *scores);
    ranking_scores(scores, picture, t->subject_rows, NULL, t->subjects, t->dim);
    qsort(scores, t->subjects, sizeof *scores, descending);
    double score = (double)scores[t->rank - 1] + t->fits;
    free(scores);
    return fmin(fmax(score, -1), 1);
}

double scry_threshold_at(const scry_threshold *t, const float *query)
{
    double maybe, best;
    threshold_borders(t, query, &maybe, &best);
    return maybe;
}

double scry_threshold_best_at(const scry_threshold *t, const float *query)
{
    double maybe, best;
    threshold_borders(t, query, &maybe, &best);
    return best;
}

static int read_number(const scry_tensors *file, const char *name, float *out, scry_error *err)
{
    scry_tensor number;
    int r = scry_tensors_get(file, name, 1, (size_t[]){ 1 }, &number, err);
    if (r == 0)
        scry_tensor_floats(&number, out);
    return r;
}

static int read_rows(scry_threshold **out, const scry_tensors *file, size_t dim, scry_error *err)
{
    static const char *const names[] = { "margin", "best", "strange" };
    scry_tensor rows, words;
    float value[3];
    int r = scry_tensors_get(file, "pictures", 2, (size_t[]){ 0, dim }, &rows, err);
    for (size_t i = 0; i < 3 && r == 0; i++)
        r = read_number(file, names[i], &value[i], err);
    if (r == 0)
        r = scry_tensors_get(file, "words", 2, (size_t[]){ 1, 0 }, &words, err);
    if (r < 0)
        return r;
    if (rows.shape[0] > MAX_ROWS || !scry_tensor_finite(&rows) || !(value[0] >= -2 && value[0] <= value[1] && value[1] <= 2) ||
        !(value[2] < 0) || words.dtype != SCRY_DTYPE_I8 || words.shape[1] == 0)
        return scry_fail(err, SCRY_EINVALID, "values out of range");
    scry_threshold *t = threshold_new(rows.shape[0], dim, (double)value[0]);
    t->best = (double)value[1];
    t->strange = (double)value[2];
    t->word_bytes = words.shape[1];
    t->words = scry_alloc(t->word_bytes);
    memcpy(t->words, words.data, t->word_bytes);
    scry_tensor_floats(&rows, t->rows);
    *out = t;
    return 0;
}

/* What a picture's own subjects are, in files that know any. */
static int read_subjects(scry_threshold *t, const scry_tensors *file, scry_error *err)
{
    scry_tensor rows;
    float rank, fits;
    if (!scry_tensors_has(file, "subjects"))
        return 0;
    int r = scry_tensors_get(file, "subjects", 2, (size_t[]){ 0, t->dim }, &rows, err);
    if (r == 0)
        r = read_number(file, "rank", &rank, err);
    if (r == 0)
        r = read_number(file, "fits", &fits, err);
    if (r < 0)
        return r;
    if (rows.shape[0] > MAX_ROWS || !scry_tensor_finite(&rows) || !(rank >= 1 && rank <= (float)rows.shape[0]) ||
        !(fabsf(fits) <= 2))
        return scry_fail(err, SCRY_EINVALID, "subjects out of range");
    t->subjects = rows.shape[0];
    t->rank = (size_t)rank;
    t->fits = (double)fits;
    t->subject_rows = scry_alloc(t->subjects * t->dim * sizeof *t->subject_rows);
    scry_tensor_floats(&rows, t->subject_rows);
    return 0;
}

int threshold_read(scry_threshold **out, const char *dir, size_t dim, scry_error *err)
{
    scry_tensors *file = NULL;
    scry_error why = SCRY_ERROR_INIT;
    char *path = scry_path_join(dir, FILE_NAME);
    *out = NULL;
    int r = 0;
    if (access(path, F_OK) == 0) {
        static const char *const files[] = { FILE_NAME };
        char digest[SCRY_IDENTITY_CHARS + 1];
        r = scry_tensors_open(&file, dir, FILE_NAME, &why);
        if (r == 0)
            r = scry_identity_checked(file, dir, files, 1, digest, &why);
        if (r == 0)
            r = read_rows(out, file, dim, &why);
        if (r == 0)
            r = read_subjects(*out, file, &why);
    }
    if (r < 0) {
        scry_threshold_free(*out);
        *out = NULL;
        r = scry_fail(err, SCRY_EINVALID, "cannot read the score threshold: %s is damaged or belongs to another model; restore "
                      "it (the starter's: `git checkout -- models/starter`, or install scry again). %s", path, why.message);
    }
    scry_tensors_free(file);
    free(path);
    return r;
}
