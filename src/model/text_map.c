#include "model/text_map.h"

#include "base/alloc.h"
#include "base/dot.h"
#include "base/file.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

/* Rows of any number. */
static int view_rows(const scry_text_map *m, const char *name, scry_tensor *out, scry_error *err)
{
    return scry_tensors_get(m->tensors, name, 2, (size_t[]){ 0, m->dim }, out, err);
}

/* The numbers of the one-dimensional tensor `name` [n], to be freed. */
static int read_numbers(const scry_text_map *m, const char *name, size_t n, float **out, scry_error *err)
{
    scry_tensor t;
    int r = scry_tensors_get(m->tensors, name, 1, (size_t[]){ n }, &t, err);
    if (r < 0)
        return r;
    *out = scry_alloc(n * sizeof **out);
    scry_tensor_floats(&t, *out);
    return 0;
}

static int read_known(scry_text_map *m, scry_error *err)
{
    float *from = NULL;
    int r = view_rows(m, "known", &m->known, err);
    if (r == 0)
        r = view_rows(m, "added", &m->added, err);
    if (r == 0)
        r = read_numbers(m, "count", m->added.shape[0], &m->count, err);
    if (r == 0)
        r = read_numbers(m, "from", 1, &from, err);
    if (r == 0) {
        size_t words = 0;
        bool fits = *from >= 0 && *from < 1;
        m->words = m->known.shape[0];
        m->subjects = m->added.shape[0];
        m->from = *from;
        for (size_t s = 0; s < m->subjects && fits; s++) {
            fits = m->count[s] >= 1 && m->count[s] <= (float)(m->words - words) && m->count[s] == floorf(m->count[s]);
            words += fits ? (size_t)m->count[s] : 0;
        }
        if (!fits || words != m->words)
            r = scry_fail(err, SCRY_EINVALID, SCRY_TEXT_MAP_FILE ": count and from do not fit its %zu known words", m->words);
    }
    free(from);
    return r;
}

static int read_map(scry_text_map *m, const char *dir, scry_error *err)
{
    static const char *const files[] = { SCRY_TEXT_MAP_FILE };
    scry_tensor weight;
    int r = scry_tensors_open(&m->tensors, dir, SCRY_TEXT_MAP_FILE, err);
    if (r == 0)
        r = scry_tensors_get(m->tensors, "weight", 2, (size_t[]){ m->dim, m->dim }, &weight, err);
    if (r == 0)
        r = scry_identity_checked(m->tensors, dir, files, 1, m->digest, err);
    if (r == 0) {
        m->weight = scry_alloc(m->dim * m->dim * sizeof *m->weight);
        scry_tensor_floats(&weight, m->weight);
    }
    if (r == 0 && scry_tensors_has(m->tensors, "known"))
        r = read_known(m, err);
    return r;
}

int scry_text_map_open(scry_text_map **out, const char *dir, size_t dim, scry_error *err)
{
    char *path = scry_path_join(dir, SCRY_TEXT_MAP_FILE);
    bool there = access(path, F_OK) == 0;
    free(path);
    *out = NULL;
    if (!there)
        return 0;
    scry_text_map *m = scry_alloc(sizeof *m);
    *m = (scry_text_map){ .dim = dim };
    int r = read_map(m, dir, err);
    if (r < 0) {
        scry_text_map_free(m);
        return r;
    }
    *out = m;
    return 0;
}

void scry_text_map_free(scry_text_map *m)
{
    if (!m)
        return;
    scry_tensors_free(m->tensors);
    free(m->weight);
    free(m->count);
    free(m);
}

typedef struct {
    const float *x, *length;   /* [n, D], [n] */
    size_t n;
} texts;

/* How near the texts are to the words of a subject, the first of which is `word`: to near [n]. `row` [D] is scratch. */
static void measure_near(const scry_text_map *m, size_t subject, size_t word, const texts *t, float *row, float *near)
{
    for (size_t i = 0; i < t->n; i++)
        near[i] = -INFINITY;
    for (size_t end = word + (size_t)m->count[subject]; word < end; word++) {
        scry_tensor_row(&m->known, word, row);
        for (size_t i = 0; i < t->n; i++)
            near[i] = fmaxf(near[i], scry_dot(row, t->x + i * m->dim, m->dim));
    }
    for (size_t i = 0; i < t->n; i++)
        near[i] = (near[i] - m->from * t->length[i]) / (1 - m->from);
}

/* A subject's words are converted once for all texts. */
void scry_text_map_apply(const scry_text_map *m, const float *x, size_t n, float *out)
{
    size_t dim = m->dim;
    float *row = scry_alloc((dim + 2 * n) * sizeof *row), *length = row + dim, *near = length + n;
    for (size_t t = 0; t < n; t++) {
        for (size_t o = 0; o < dim; o++)
            out[t * dim + o] = scry_dot(m->weight + o * dim, x + t * dim, dim);
        length[t] = sqrtf(scry_dot(x + t * dim, x + t * dim, dim));
    }
    for (size_t s = 0, word = 0; s < m->subjects; word += (size_t)m->count[s++]) {
        measure_near(m, s, word, &(texts){ x, length, n }, row, near);
        for (size_t t = 0; t < n; t++) {
            if (!(near[t] > 0))
                continue;
            scry_tensor_row(&m->added, s, row);
            for (size_t i = 0; i < dim; i++)
                out[t * dim + i] += near[t] * row[i];
        }
    }
    free(row);
}
