/* compose.c - a parsed query to one unit vector. */
#include "scry/query.h"

#include "base/alloc.h"
#include "image/image.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The picture file `path` (or a part of it) to `out` [dim]. */
static int embed_picture(const scry_query_tools *t, const char *path, const int region[4], float *out,
                         scry_error *err)
{
    if (!t->decoder)
        return scry_fail(err, SCRY_EINVALID, "pictures cannot be read here: %s", path);
    const uint8_t *bytes;
    size_t size;
    struct stat st;
    int r = scry_decoder_load(t->decoder, AT_FDCWD, path, &bytes, &size, &st, err);
    if (r < 0)
        return r;
    scry_decode_request request = { .kind = SCRY_DECODE_VIEWS, .spec = scry_model_get_info(t->model)->image,
                                    .keep_orientation = t->keep_orientation,
                                    .region = { region[0], region[1], region[2], region[3] } };
    scry_decode_result picture;
    scry_error why = SCRY_ERROR_INIT;
    r = scry_decoder_run(t->decoder, &request, &picture, &why);
    if (r < 0)
        return scry_fail(err, why.code, "%s: %s", path, why.message);
    return scry_embed_pixels(t->session, picture.pixels, 1, out, err);
}

static int embed_stored(const scry_query_tools *t, const scry_query_part *part, float *out, scry_error *err)
{
    if (!t->store)
        return scry_fail(err, SCRY_EINVALID, "there is no store to look up @id:%s in", part->text);
    scry_results *found;
    int r = scry_store_get(t->store, part->id, &found, err);
    if (r < 0)
        return r;
    r = scry_store_vector(t->store, found->hits[0].file.content, out, err);
    scry_results_free(found);
    return r;
}

static int embed_texts(const scry_query_tools *t, const scry_query_part *parts, size_t n, float *vectors,
                       size_t dim, bool *cut, scry_error *err)
{
    const char *texts[SCRY_MAX_QUERY_PARTS];
    size_t where[SCRY_MAX_QUERY_PARTS], count = 0;
    bool cuts[SCRY_MAX_QUERY_PARTS];
    for (size_t i = 0; i < n; i++)
        if (parts[i].kind == SCRY_PART_TEXT) {
            texts[count] = parts[i].text;
            where[count++] = i;
        }
    if (count == 0)
        return 0;
    float *rows = scry_alloc(count * dim * sizeof *rows);   /* [count, dim] */
    int r = scry_embed_texts(t->session, texts, count, rows, cuts, err);
    for (size_t i = 0; r == 0 && i < count; i++) {
        memcpy(vectors + where[i] * dim, rows + i * dim, dim * sizeof *rows);
        *cut |= cuts[i];
    }
    free(rows);
    return r;
}

/* out [dim] = normalise(sum of weight_i * vectors_i), in double. */
static int combine(const scry_query_part *parts, size_t n, const float *vectors, size_t dim, float *out,
                   scry_error *err)
{
    double norm2 = 0;
    double *sum = scry_alloc(dim * sizeof *sum);
    for (size_t i = 0; i < n; i++)
        for (size_t d = 0; d < dim; d++)
            sum[d] += parts[i].weight * vectors[i * dim + d];
    for (size_t d = 0; d < dim; d++)
        norm2 += sum[d] * sum[d];
    double norm = sqrt(norm2);
    for (size_t d = 0; d < dim; d++)
        out[d] = (float)(sum[d] / norm);
    free(sum);
    if (!(norm > 1e-4))
        return scry_fail(err, SCRY_EINVALID, "the parts of the query cancel each other out: change a weight");
    return 0;
}

int scry_query_embed(const scry_query *q, const scry_query_tools *tools, float *out, bool *cut, scry_error *err)
{
    const scry_query_part *parts;
    size_t n = scry_query_parts(q, &parts), dim = (size_t)scry_model_get_info(tools->model)->dim;
    if (n == 0)
        return scry_fail(err, SCRY_EINVALID, "the query is empty: say what to look for");
    bool any_cut = false;
    float *vectors = scry_alloc(n * dim * sizeof *vectors);   /* [n, dim] */
    int r = embed_texts(tools, parts, n, vectors, dim, &any_cut, err);
    for (size_t i = 0; r == 0 && i < n; i++) {
        if (parts[i].kind == SCRY_PART_PICTURE)
            r = embed_picture(tools, parts[i].text, parts[i].region, vectors + i * dim, err);
        else if (parts[i].kind == SCRY_PART_STORED)
            r = embed_stored(tools, &parts[i], vectors + i * dim, err);
    }
    if (r == 0)
        r = combine(parts, n, vectors, dim, out, err);
    if (cut)
        *cut = any_cut;
    free(vectors);
    return r;
}
