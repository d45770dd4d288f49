/* compose.c - the unit vector of a query. */
#include "scry/query.h"

#include "base/alloc.h"
#include "base/required.h"
#include "image/image.h"
#include "store/store_kind.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Embed the picture file `path`, or a region of it, into `out` [dim]. */
static int embed_picture(const scry_query_tools *t, const char *path, const int region[4], float *out,
                         scry_error *err)
{
    const uint8_t *bytes;
    size_t size;
    struct stat st;
    scry_error why = SCRY_ERROR_INIT;
    int r = scry_decoder_load(t->decoder, path, &bytes, &size, &st, &why);
    if (r < 0)
        return scry_fail(err, why.code, "%s: %s", path, why.message);
    scry_decode_request request = { .kind = SCRY_DECODE_VIEWS, .spec = scry_model_get_info(t->model)->image,
                                    .keep_orientation = t->keep_orientation,
                                    .region = { region[0], region[1], region[2], region[3] } };
    scry_decode_result picture;
    r = scry_decoder_run(t->decoder, &request, &picture, &why);
    if (r < 0)
        return scry_fail(err, why.code, "%s: %s", path, why.message);
    return scry_embed_pixels(t->session, picture.pixels, 1, out, err);
}

/* A picture of the store: its stored vector, or, with a region, its file embedded. */
static int embed_stored(const scry_query_tools *t, const scry_query_part *part, float *out, scry_error *err)
{
    if (!t->store)
        return scry_fail(err, SCRY_EINVALID, "there is no store to look up @id:%s in", part->text);
    if (!part->region[2])
        return scry_store_vector_of(t->store, part->id, out, err);
    scry_results *found;
    int r = scry_store_get(t->store, part->id, &found, err);
    if (r < 0)
        return r;
    r = embed_picture(t, found->hits[0].file.path, part->region, out, err);
    scry_results_free(found);
    return r;
}

static int embed_uploaded(const scry_query_tools *t, const scry_query_part *part, float *out, scry_error *err)
{
    char *path = t->uploaded_path ? t->uploaded_path(part->id) : NULL;
    int r = path ? embed_picture(t, path, part->region, out, err)
                 : scry_fail(err, SCRY_ENOTFOUND, "the uploaded picture @p:%s is not stored any more: upload it again", part->text);
    free(path);
    return r;
}

static int embed_part(const scry_query_tools *t, const scry_query_part *part, float *out, scry_error *err)
{
    switch (part->kind) {
    case SCRY_PART_PICTURE: return embed_picture(t, part->text, part->region, out, err);
    case SCRY_PART_STORED: return embed_stored(t, part, out, err);
    case SCRY_PART_UPLOADED: return embed_uploaded(t, part, out, err);
    case SCRY_PART_TEXT: break;   /* embed_texts did it */
    }
    return 0;
}

/* Embed all texts of all queries in one call, so that the tower runs on one batch. */
static int embed_texts(const scry_query_tools *t, const scry_query *const *queries, size_t n, float **vectors, bool *cut,
                       scry_error *err)
{
    size_t count = 0, capacity = 0, dim = (size_t)scry_model_get_info(t->model)->dim;
    const scry_query_part *parts;
    for (size_t q = 0; q < n; q++)
        capacity += scry_query_parts(queries[q], &parts);
    const char **texts = scry_alloc(capacity * sizeof *texts);
    float **where = scry_alloc(capacity * sizeof *where);
    size_t *owner = scry_alloc(capacity * sizeof *owner);
    for (size_t q = 0; q < n; q++) {
        size_t m = scry_query_parts(queries[q], &parts);
        for (size_t i = 0; i < m; i++)
            if (parts[i].kind == SCRY_PART_TEXT) {
                texts[count] = parts[i].text;
                owner[count] = q;
                where[count++] = vectors[q] + i * dim;
            }
    }
    float *rows = scry_alloc((count + 1) * dim * sizeof *rows);   /* [count, dim] */
    bool *cuts = scry_alloc(count + 1);
    int r = count ? scry_embed_texts(t->session, texts, count, rows, cuts, err) : 0;
    for (size_t i = 0; r == 0 && i < count; i++) {
        memcpy(where[i], rows + i * dim, dim * sizeof *rows);
        cut[owner[i]] |= cuts[i];
    }
    free(cuts);
    free(rows);
    free(owner);
    free(where);
    free(texts);
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

/* Embed the pictures of one query, then combine all its parts. `vectors` is [parts, dim]. */
static int finish_query(const scry_query *q, const scry_query_tools *t, float *vectors, size_t dim, float *out,
                        scry_error *err)
{
    const scry_query_part *parts;
    size_t n = scry_query_parts(q, &parts);
    int r = n ? 0 : scry_fail(err, SCRY_EINVALID, "the query is empty: say what to look for");
    for (size_t i = 0; r == 0 && i < n; i++)
        r = embed_part(t, &parts[i], vectors + i * dim, err);
    return r < 0 ? r : combine(parts, n, vectors, dim, out, err);
}

/* Make the session and the decoder that the caller left out and the queries need. */
static int complete_tools(scry_query_tools *t, const scry_query *const *queries, size_t n, scry_error *err)
{
    scry_decoder_options d = SCRY_DECODER_OPTIONS_INIT;
    bool decodes = false;
    d.formats = scry_formats_all();   /* the user named the file */
    for (size_t q = 0; q < n; q++)
        decodes = decodes || scry_query_needs_decoder(queries[q]);
    int r = t->session ? 0 : scry_session_new(&t->session, t->model, 0, err);
    return r == 0 && decodes && !t->decoder ? scry_decoder_new(&t->decoder, &d, err) : r;
}

int scry_query_embed_many(const scry_query *const *queries, size_t n, const scry_query_tools *tools, float *out,
                          bool *cut, scry_error *errors)
{
    size_t dim = (size_t)scry_model_get_info(tools->model)->dim;
    const scry_query_part *parts;
    scry_error all = SCRY_ERROR_INIT;
    scry_query_tools t = *tools;
    float **vectors = scry_alloc(n * sizeof *vectors);
    for (size_t q = 0; q < n; q++) {
        vectors[q] = scry_alloc(scry_query_parts(queries[q], &parts) * dim * sizeof **vectors);
        cut[q] = false;
        errors[q] = (scry_error)SCRY_ERROR_INIT;
    }
    int failed = 0, r = complete_tools(&t, queries, n, &all);
    if (r == 0)
        r = embed_texts(&t, queries, n, vectors, cut, &all);
    for (size_t q = 0; q < n; q++) {
        if (r < 0)
            errors[q] = all;
        else
            finish_query(queries[q], &t, vectors[q], dim, out + q * dim, &errors[q]);
        failed += errors[q].code < 0;
        free(vectors[q]);
    }
    free(vectors);
    if (!tools->decoder)
        scry_decoder_free(t.decoder);
    if (!tools->session)
        scry_session_free(t.session);
    return failed;
}

int scry_query_embed(const scry_query *q, const scry_query_tools *tools, float *out, bool *cut, scry_error *err)
{
    bool any_cut;
    scry_error why;
    if (!tools || !tools->model)
        return scry_fail(err, SCRY_EINVALID, "a query is embedded by a model, and none was given");
    int r = scry_required(q, "a query", err);
    if (r == 0)
        r = scry_required(out, "a place for the vector", err);
    if (r < 0)
        return r;
    int failed = scry_query_embed_many(&q, 1, tools, out, &any_cut, &why);
    if (cut)
        *cut = any_cut;
    return failed ? scry_fail(err, why.code, "%s", why.message) : 0;
}
