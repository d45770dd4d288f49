#include "model/text_map.h"

#include "base/alloc.h"
#include "base/dot.h"
#include "base/file.h"
#include "model/safetensors.h"

#include <stdlib.h>
#include <unistd.h>

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
    m->dim = dim;
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
    free(m);
}

void scry_text_map_apply(const scry_text_map *m, const float *x, float *out)
{
    for (size_t o = 0; o < m->dim; o++)
        out[o] = scry_dot(m->weight + o * m->dim, x, m->dim);
}
