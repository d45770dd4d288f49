/* line.c - a line's rows and margin, from the folder of a model that brings them. */
#include "engine/line.h"

#include "base/alloc.h"
#include "base/file.h"
#include "engine/ranking.h"
#include "model/safetensors.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#define FILE_NAME "line.safetensors"

enum { MAX_ROWS = 1 << 16 };

scry_line *line_new(size_t n, size_t dim, double margin)
{
    scry_line *l = scry_alloc(sizeof *l);
    *l = (scry_line){ n, dim, scry_alloc((n * dim + 1) * sizeof *l->rows), margin };
    return l;
}

void scry_line_free(scry_line *l)
{
    if (!l)
        return;
    free(l->rows);
    free(l);
}

double scry_line_at(const scry_line *l, const float *query)
{
    if (!l)
        return NAN;
    float level = l->n ? -2 : 0, score;
    for (size_t i = 0; i < l->n; i++) {
        ranking_scores(&score, query, l->rows + i * l->dim, NULL, 1, 1, l->dim);
        level = score > level ? score : level;
    }
    return fmin(fmax((double)level + l->margin, -1), 1);
}

static int read_rows(scry_line **out, const scry_tensors *file, size_t dim, scry_error *err)
{
    scry_tensor rows, margin;
    float value;
    int r = scry_tensors_get(file, "pictures", 2, (size_t[]){ 0, dim }, &rows, err);
    if (r == 0)
        r = scry_tensors_get(file, "margin", 1, (size_t[]){ 1 }, &margin, err);
    if (r < 0)
        return r;
    scry_tensor_floats(&margin, &value);
    if (rows.shape[0] > MAX_ROWS || !scry_tensor_finite(&rows) || !(value >= -2 && value <= 2))
        return scry_fail(err, SCRY_EINVALID, "its numbers make no sense");
    *out = line_new(rows.shape[0], dim, (double)value);
    scry_tensor_floats(&rows, (*out)->rows);
    return 0;
}

int line_read(scry_line **out, const char *dir, size_t dim, scry_error *err)
{
    scry_tensors *file = NULL;
    scry_error why = SCRY_ERROR_INIT;
    char *path = scry_path_join(dir, FILE_NAME);
    *out = NULL;
    int r = 0;
    if (access(path, F_OK) == 0) {
        r = scry_tensors_open(&file, dir, FILE_NAME, &why);
        if (r == 0)
            r = read_rows(out, file, dim, &why);
    }
    if (r < 0)
        r = scry_fail(err, SCRY_EINVALID, "no line between hits and the rest: %s is damaged or of another model; restore "
                      "it (the starter's: `git checkout -- models/starter`, or install scry again). %s", path, why.message);
    scry_tensors_free(file);
    free(path);
    return r;
}
