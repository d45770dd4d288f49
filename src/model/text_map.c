#include "model/text_map.h"

#include "base/alloc.h"
#include "base/dot.h"
#include "base/file.h"
#include "model/safetensors.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

/* The tensor `name` as floats of the caller's, *rows rows (0: any number, which is told) of `columns` numbers, or of one
 * for 0. */
static int read_floats(const scry_tensors *tensors, const char *name, size_t columns, float **out, size_t *rows, scry_error *err)
{
    scry_tensor t;
    int r = scry_tensors_get(tensors, name, columns ? 2 : 1, (size_t[]){ *rows, columns }, &t, err);
    if (r < 0)
        return r;
    *rows = t.shape[0];
    *out = scry_alloc(scry_tensor_count(&t) * sizeof **out);
    scry_tensor_floats(&t, *out);
    return 0;
}

static int read_known(scry_text_map *m, const scry_tensors *tensors, scry_error *err)
{
    float *from = NULL;
    size_t one = 1;
    int r = read_floats(tensors, "known", m->dim, &m->known, &m->words, err);
    if (r == 0)
        r = read_floats(tensors, "added", m->dim, &m->added, &m->subjects, err);
    if (r == 0)
        r = read_floats(tensors, "count", 0, &m->count, &m->subjects, err);
    if (r == 0)
        r = read_floats(tensors, "from", 0, &from, &one, err);
    if (r == 0) {
        size_t words = 0;
        bool fits = *from >= 0 && *from < 1;
        for (size_t s = 0; s < m->subjects && fits; s++) {
            fits = m->count[s] >= 1 && m->count[s] <= (float)(m->words - words) && m->count[s] == floorf(m->count[s]);
            words += fits ? (size_t)m->count[s] : 0;
        }
        m->from = *from;
        if (!fits || words != m->words)
            r = scry_fail(err, SCRY_EINVALID, SCRY_TEXT_MAP_FILE ": count and from do not fit its %zu known words", m->words);
    }
    free(from);
    return r;
}

static int read_map(scry_text_map *m, const char *dir, scry_error *err)
{
    static const char *const files[] = { SCRY_TEXT_MAP_FILE };
    scry_tensors *tensors;
    scry_tensor weight;
    int r = scry_tensors_open(&tensors, dir, SCRY_TEXT_MAP_FILE, err);
    if (r < 0)
        return r;
    r = scry_tensors_get(tensors, "weight", 2, (size_t[]){ m->dim, m->dim }, &weight, err);
    if (r == 0)
        r = scry_identity_checked(tensors, dir, files, 1, m->digest, err);
    if (r == 0) {
        m->weight = scry_alloc(m->dim * m->dim * sizeof *m->weight);
        scry_tensor_floats(&weight, m->weight);
    }
    if (r == 0 && scry_tensors_has(tensors, "known"))
        r = read_known(m, tensors, err);
    scry_tensors_free(tensors);
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
    free(m->weight);
    free(m->known);
    free(m->count);
    free(m->added);
    free(m);
}

void scry_text_map_apply(const scry_text_map *m, const float *x, float *out)
{
    for (size_t o = 0; o < m->dim; o++)
        out[o] = scry_dot(m->weight + o * m->dim, x, m->dim);
    float length = sqrtf(scry_dot(x, x, m->dim));
    const float *word = m->known;
    for (size_t s = 0; s < m->subjects; s++) {
        float best = -INFINITY;
        for (size_t i = 0; i < (size_t)m->count[s]; i++, word += m->dim)
            best = fmaxf(best, scry_dot(word, x, m->dim));
        float near = (best - m->from * length) / (1 - m->from);
        for (size_t i = 0; near > 0 && i < m->dim; i++)
            out[i] += near * m->added[s * m->dim + i];
    }
}
