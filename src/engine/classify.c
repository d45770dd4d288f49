/* classify.c - zero-shot classes: labels as texts, softmax over cosines. */
#include "scry/eval.h"

#include "base/alloc.h"
#include "base/buf.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LABEL_BYTES = 1 << 16 };

/* The template with every {} replaced, owned. */
static char *fill(const char *template, const char *label)
{
    scry_buf b = SCRY_BUF_INIT(MAX_LABEL_BYTES);
    for (const char *p = template; *p;) {
        const char *at = strstr(p, "{}");
        scry_buf_append(&b, p, at ? (size_t)(at - p) : strlen(p));
        if (!at)
            break;
        scry_buf_puts(&b, label);
        p = at + 2;
    }
    return scry_buf_take(&b);
}

/* out [n, dim] += the vectors of one template. */
static int add_template(const scry_model *model, const char *const *labels, size_t n, const char *template,
                        const scry_embed_options *options, float *rows, double *sum, scry_error *err)
{
    size_t dim = (size_t)scry_model_get_info(model)->dim;
    char **texts = scry_alloc(n * sizeof *texts);
    for (size_t i = 0; i < n; i++)
        texts[i] = fill(template, labels[i]);
    int r = scry_embed_lines(model, (const char *const *)texts, n, options, rows, NULL, err);
    for (size_t i = 0; r == 0 && i < n * dim; i++)
        sum[i] += rows[i];
    for (size_t i = 0; i < n; i++)
        free(texts[i]);
    free(texts);
    return r;
}

int scry_embed_labels(const scry_model *model, const char *const *labels, size_t n,
                      const char *const *templates, size_t template_count,
                      const scry_embed_options *options, float *out, scry_error *err)
{
    static const char *const plain[] = { SCRY_LABEL_TEMPLATE };
    size_t dim = (size_t)scry_model_get_info(model)->dim;
    scry_embed_options quiet = *options;
    quiet.progress = NULL;   /* it counts pictures */
    if (template_count == 0) {
        templates = plain;
        template_count = 1;
    }
    for (size_t t = 0; t < template_count; t++)
        if (!strstr(templates[t], "{}"))
            return scry_fail(err, SCRY_EINVALID, "the template \"%s\" has no {} for the label", templates[t]);
    double *sum = scry_try_alloc(n * dim, sizeof *sum);
    if (!sum)
        return scry_fail(err, SCRY_ENOMEM, "not enough memory for %zu labels", n);
    int r = 0;
    for (size_t t = 0; r == 0 && t < template_count; t++)
        r = add_template(model, labels, n, templates[t], &quiet, out, sum, err);
    for (size_t i = 0; r == 0 && template_count > 1 && i < n; i++) {
        double norm = 0;
        for (size_t d = 0; d < dim; d++)
            norm += sum[i * dim + d] * sum[i * dim + d];
        for (size_t d = 0; norm > 0 && d < dim; d++)
            out[i * dim + d] = (float)(sum[i * dim + d] / sqrt(norm));
    }
    free(sum);
    return r;
}

void scry_classify(double *out, const float *picture, const float *labels, size_t n, size_t dim, double logit_scale)
{
    double highest = -INFINITY, sum = 0;
    for (size_t i = 0; i < n; i++) {
        double cosine = 0;
        for (size_t d = 0; d < dim; d++)
            cosine += (double)picture[d] * labels[i * dim + d];
        out[i] = logit_scale * cosine;
        highest = fmax(highest, out[i]);
    }
    for (size_t i = 0; i < n; i++)
        sum += out[i] = exp(out[i] - highest);
    for (size_t i = 0; i < n; i++)
        out[i] /= sum;
}
