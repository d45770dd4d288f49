#include "store/put_checks.h"

#include "base/required.h"

#include <math.h>

bool scry_is_unit_vector(const float *v, int dim)
{
    double sum = 0;
    for (int i = 0; i < dim; i++)
        sum += (double)v[i] * v[i];
    return fabs(sum - 1.0) < 1e-2;
}

static int check_put(const scry_put *p, int dim, scry_error *err)
{
    const scry_file *f = &p->file;
    if (!f->relative || !f->relative[0] || f->relative[0] == '/')
        return scry_fail(err, SCRY_EINVALID, "a file needs a path below its root, not \"%s\"",
                         f->relative ? f->relative : "");
    if (p->vector && !scry_is_unit_vector(p->vector, dim))
        return scry_fail(err, SCRY_EINVALID, "the vector of %s is not of unit length", f->relative);
    return scry_required_texts(f->labels, f->label_count, "a label", err);
}

int scry_check_puts(const scry_put *batch, size_t n, int dim, scry_error *err)
{
    int result = scry_required_array(batch, n, "an array of files", err);
    for (size_t i = 0; i < n && result == 0; i++)
        result = check_put(&batch[i], dim, err);
    return result;
}

static int check_text(const scry_picture_text *t, scry_error *err)
{
    size_t lines = t->reason && t->reason[0] ? 0 : t->line_count;   /* of what could not be read nobody looks at them */
    int result = scry_required(t->reader, "the identity of a reader", err);
    if (result == 0)
        result = scry_required_array(t->lines, lines, "an array of lines", err);
    for (size_t i = 0; i < lines && result == 0; i++)
        result = scry_required(t->lines[i].text, "the text of a line", err);
    return result;
}

int scry_check_texts(const scry_picture_text *texts, size_t n, scry_error *err)
{
    int result = scry_required_array(texts, n, "an array of texts", err);
    for (size_t i = 0; i < n && result == 0; i++)
        result = check_text(&texts[i], err);
    return result;
}
