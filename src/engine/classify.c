/* classify.c - zero-shot classes: labels as texts, softmax over cosines. */
#include "scry/eval.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "base/required.h"
#include "engine/label_text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LABEL_BYTES = 1 << 16 };

/* NULL: longer than MAX_LABEL_BYTES. */
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
    char *text = b.failed ? NULL : scry_buf_take(&b);
    scry_buf_dispose(&b);
    return text;
}

char **scry_label_texts(const char *template, const char *const *labels, size_t n, scry_error *err)
{
    if (scry_required(template, "a template", err) < 0 || scry_required_texts(labels, n, "a label", err) < 0)
        return NULL;
    if (!strstr(template, "{}"))
        return scry_fail(err, SCRY_EINVALID, "the template \"%.200s\" has no {} for the label", template), NULL;
    char **texts = scry_alloc((n + 1) * sizeof *texts);
    for (size_t i = 0; i < n; i++)
        if (!(texts[i] = fill(template, labels[i]))) {
            scry_fail(err, SCRY_ELIMIT, "the label \"%.60s...\" with its template is longer than %d bytes", labels[i], MAX_LABEL_BYTES);
            scry_label_texts_free(texts, i);
            return NULL;
        }
    return texts;
}

void scry_label_texts_free(char **texts, size_t n)
{
    for (size_t i = 0; texts && i < n; i++)
        free(texts[i]);
    free(texts);
}

/* `sums` [n, dim] at unit length; those without a direction stay as `out` has them. */
static void put_units(float *out, const double *sums, size_t n, size_t dim)
{
    for (size_t i = 0; i < n; i++, out += dim, sums += dim) {
        double norm = 0;
        for (size_t d = 0; d < dim; d++)
            norm += sums[d] * sums[d];
        for (size_t d = 0; norm > 0 && d < dim; d++)
            out[d] = (float)(sums[d] / sqrt(norm));
    }
}

int scry_embed_labels(const scry_model *model, const char *const *labels, size_t n,
                      const char *const *templates, size_t template_count,
                      const scry_embed_options *options, float *out, scry_error *err)
{
    static const char *const plain[] = { SCRY_LABEL_TEMPLATE };
    size_t dim = (size_t)scry_model_get_info(model)->dim;
    scry_embed_options quiet = SCRY_EMBED_OPTIONS_INIT;
    if (options)
        quiet = *options;
    quiet.progress = NULL;   /* it counts pictures */
    if (template_count == 0) {
        templates = plain;
        template_count = 1;
    }
    int r = scry_required_texts(templates, template_count, "a template", err);
    if (r == 0)
        r = scry_required_array(out, n, "a place for the vectors", err);
    double *sum = r == 0 ? scry_try_alloc(n * dim, sizeof *sum) : NULL;
    if (!sum)
        return r < 0 ? r : scry_fail(err, SCRY_ENOMEM, "not enough memory for %zu labels", n);
    for (size_t t = 0; r == 0 && t < template_count; t++) {
        char **texts = scry_label_texts(templates[t], labels, n, err);
        r = texts ? scry_embed_lines(model, (const char *const *)texts, n, &quiet, out, NULL, err) : SCRY_EINVALID;
        for (size_t i = 0; r == 0 && i < n * dim; i++)
            sum[i] += out[i];
        scry_label_texts_free(texts, n);
    }
    if (r == 0 && template_count > 1)
        put_units(out, sum, n, dim);
    free(sum);
    return r;
}

static void scaled_cosines(double *out, const float *picture, const float *labels, size_t n, size_t dim, double scale)
{
    for (size_t i = 0; i < n; i++) {
        double cosine = 0;
        for (size_t d = 0; d < dim; d++)
            cosine += (double)picture[d] * labels[i * dim + d];
        out[i] = scale * cosine;
    }
}

void scry_classify(double *out, const float *picture, const float *labels, size_t n, size_t dim, double logit_scale)
{
    double highest = -INFINITY, sum = 0;
    scaled_cosines(out, picture, labels, n, dim, logit_scale);
    for (size_t i = 0; i < n; i++)
        highest = fmax(highest, out[i]);
    for (size_t i = 0; i < n; i++)
        sum += out[i] = exp(out[i] - highest);
    for (size_t i = 0; i < n; i++)
        out[i] /= sum;
}

void scry_label_probabilities(double *out, const scry_model_info *model, const float *picture, const float *labels,
                              size_t n)
{
    size_t dim = (size_t)model->dim;
    if (isnan(model->logit_bias)) {
        scry_classify(out, picture, labels, n, dim, model->logit_scale);
        return;
    }
    scaled_cosines(out, picture, labels, n, dim, model->logit_scale);
    for (size_t i = 0; i < n; i++)
        out[i] = 1 / (1 + exp(-(out[i] + model->logit_bias)));
}
