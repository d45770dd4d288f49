/* line.h - inside of scry_line (score.h): made from memory or read from a model's folder. */
#ifndef SCRY_ENGINE_LINE_H
#define SCRY_ENGINE_LINE_H

#include "scry/score.h"

struct scry_line {
    size_t n, dim;
    float *rows;       /* [n, dim] */
    double margin;
};

/* All zero rows. */
scry_line *line_new(size_t n, size_t dim, double margin);

/* `dir`/line.safetensors, whose rows have `dim` numbers; *out is NULL when there is no such file. */
int line_read(scry_line **out, const char *dir, size_t dim, scry_error *err) SCRY_NODISCARD;

#endif
