/* routes_embed.c - vectors of texts and pictures, OpenAI's form of the same, and zero-shot labels. */
#include "server/cache.h"
#include "server/multipart.h"
#include "server/pictures.h"
#include "server/server.h"

#include "base/alloc.h"
#include "base/base64.h"
#include "scry/eval.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_INPUTS = 256, MAX_TEXT_BODY = MAX_JSON_BODY, MAX_PICTURE_BODY = 128 << 20, MAX_JSON_BYTES = 64 << 20 };

/* ---- inputs ---- */

/* The strings of a JSON array, or one string; borrowed. false: a 400 was made. */
static bool read_texts(request *r, const scry_json *list, const char *what, const char **texts, size_t *n)
{
    *n = scry_json_type_of(list) == SCRY_JSON_STRING ? 1 : scry_json_size(list);
    bool ok = *n >= 1 && *n <= MAX_INPUTS;
    for (size_t i = 0; ok && i < *n; i++) {
        texts[i] = scry_json_str(scry_json_type_of(list) == SCRY_JSON_STRING ? list : scry_json_at(list, i), NULL);
        ok = texts[i] && texts[i][0];
    }
    if (!ok)
        respond_problem(r, 400, "%s must be a list of 1 to %d texts that are not empty", what, MAX_INPUTS);
    return ok;
}

static bool parse_body(request *r, scry_json **root)
{
    if (!request_json(r, root))
        return false;
    if (scry_json_type_of(*root) == SCRY_JSON_OBJECT)
        return true;
    respond_problem(r, 400, "the body must be a JSON object");
    scry_json_free(*root);
    *root = NULL;
    return false;
}

/* Texts to owned rows [n, dim]; NULL with an answer made. */
static float *embed_texts(request *r, worker_tools *tools, const char **texts, size_t n)
{
    scry_error err = SCRY_ERROR_INIT;
    float *rows = scry_alloc(n * (size_t)r->server->info->dim * sizeof *rows);
    if (scry_embed_texts(tools->session, texts, n, rows, NULL, &err) == 0)
        return rows;
    respond_error(r, &err);
    free(rows);
    return NULL;
}

/* What the decoder was given to one row; false with a 415 made. */
static bool embed_loaded(request *r, worker_tools *tools, float *row)
{
    scry_decode_request wanted = { .kind = SCRY_DECODE_VIEWS, .spec = r->server->info->image };
    scry_decode_result picture;
    scry_error err = SCRY_ERROR_INIT;
    if (scry_decoder_run(tools->decoder, &wanted, &picture, &err) < 0) {
        respond_problem(r, 415, "a picture cannot be used: %s", err.message);
        return false;
    }
    if (scry_embed_pixels(tools->session, picture.pixels, 1, row, &err) == 0)
        return true;
    respond_error(r, &err);
    return false;
}

/* ---- POST /api/v1/embeddings ---- */

static void put_vectors(request *r, const float *rows, size_t n)
{
    size_t dim = (size_t)r->server->info->dim;
    scry_buf b = SCRY_BUF_INIT(MAX_JSON_BYTES);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    scry_json_begin(&w, '{');
    scry_json_key(&w, "model");
    scry_json_put_str(&w, r->server->info->name);
    scry_json_key(&w, "dim");
    scry_json_put_int(&w, (int64_t)dim);
    scry_json_key(&w, "vectors");
    scry_json_begin(&w, '[');
    for (size_t i = 0; i < n; i++) {
        scry_json_begin(&w, '[');
        for (size_t d = 0; d < dim; d++)
            scry_json_put_num(&w, (double)rows[i * dim + d], 9);
        scry_json_end(&w, ']');
    }
    scry_json_end(&w, ']');
    scry_json_end(&w, '}');
    respond_json(r, 200, &b);
}

typedef struct {
    request *request;
    worker_tools *tools;
    float *rows;         /* [MAX_INPUTS, dim] */
    size_t n;
} picture_rows;

static int embed_part(void *arg, const multipart_part *part)
{
    picture_rows *p = arg;
    scry_error err = SCRY_ERROR_INIT;
    if (strcmp(part->name, "image") != 0)
        return 0;
    if (p->n == MAX_INPUTS) {
        respond_problem(p->request, 400, "more than %d pictures", MAX_INPUTS);
        return 1;
    }
    if (scry_decoder_load_bytes(p->tools->decoder, (const uint8_t *)part->data, part->size, &err) < 0) {
        respond_error(p->request, &err);
        return 1;
    }
    size_t dim = (size_t)p->request->server->info->dim;
    return embed_loaded(p->request, p->tools, p->rows + dim * p->n++) ? 0 : 1;
}

static void embed_pictures(request *r, worker_tools *tools, const char *type)
{
    picture_rows p = { r, tools, scry_alloc(MAX_INPUTS * (size_t)r->server->info->dim * sizeof(float)), 0 };
    scry_error err = SCRY_ERROR_INIT;
    int result = multipart_read(type, scry_buf_str(&r->body), r->body.size, embed_part, &p, &err);
    if (result < 0)
        respond_error(r, &err);
    else if (result == 0 && p.n == 0)
        respond_problem(r, 400, "the form has no file \"image\"");
    else if (result == 0)
        put_vectors(r, p.rows, p.n);
    free(p.rows);
}

static void embeddings_post(request *r, worker_tools *tools)
{
    const char *type = request_header(r, MHD_HTTP_HEADER_CONTENT_TYPE);
    if (type && strncasecmp(type, "multipart/", 10) == 0) {
        embed_pictures(r, tools, type);
        return;
    }
    scry_json *root = NULL;
    const char *texts[MAX_INPUTS];
    size_t n;
    if (!parse_body(r, &root))
        return;
    float *rows = read_texts(r, scry_json_get(root, "texts"), "texts", texts, &n) ? embed_texts(r, tools, texts, n) : NULL;
    if (rows)
        put_vectors(r, rows, n);
    free(rows);
    scry_json_free(root);
}

/* ---- POST /v1/embeddings, as OpenAI's clients expect it ---- */

static void put_openai(request *r, const float *rows, size_t n, bool base64)
{
    size_t dim = (size_t)r->server->info->dim;
    scry_buf b = SCRY_BUF_INIT(MAX_JSON_BYTES);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    scry_json_begin(&w, '{');
    scry_json_key(&w, "object");
    scry_json_put_str(&w, "list");
    scry_json_key(&w, "model");
    scry_json_put_str(&w, r->server->info->name);
    scry_json_key(&w, "data");
    scry_json_begin(&w, '[');
    for (size_t i = 0; i < n; i++) {
        scry_json_begin(&w, '{');
        scry_json_key(&w, "object");
        scry_json_put_str(&w, "embedding");
        scry_json_key(&w, "index");
        scry_json_put_int(&w, (int64_t)i);
        scry_json_key(&w, "embedding");
        if (base64) {
            scry_buf text = SCRY_BUF_INIT(MAX_JSON_BYTES);
            scry_base64_append(&text, rows + i * dim, dim * sizeof *rows);   /* little-endian floats, as the clients read them */
            scry_json_put_str(&w, scry_buf_str(&text));
            scry_buf_dispose(&text);
        } else {
            scry_json_begin(&w, '[');
            for (size_t d = 0; d < dim; d++)
                scry_json_put_num(&w, (double)rows[i * dim + d], 9);
            scry_json_end(&w, ']');
        }
        scry_json_end(&w, '}');
    }
    scry_json_end(&w, ']');
    scry_json_key(&w, "usage");
    scry_json_begin(&w, '{');
    scry_json_key(&w, "prompt_tokens");
    scry_json_put_int(&w, 0);
    scry_json_key(&w, "total_tokens");
    scry_json_put_int(&w, 0);
    scry_json_end(&w, '}');
    scry_json_end(&w, '}');
    respond_json(r, 200, &b);
}

static void openai_post(request *r, worker_tools *tools)
{
    scry_json *root = NULL;
    const char *texts[MAX_INPUTS];
    size_t n;
    if (!parse_body(r, &root))
        return;
    const char *format = scry_json_str(scry_json_get(root, "encoding_format"), "float");
    int64_t dim = r->server->info->dim, wanted = scry_json_int(scry_json_get(root, "dimensions"), dim);
    float *rows = NULL;
    if (wanted != dim)
        respond_problem(r, 400, "this model's vectors have %lld dimensions", (long long)dim);
    else if (strcmp(format, "float") != 0 && strcmp(format, "base64") != 0)
        respond_problem(r, 400, "encoding_format must be float or base64");
    else if (read_texts(r, scry_json_get(root, "input"), "input", texts, &n))
        rows = embed_texts(r, tools, texts, n);
    if (rows)
        put_openai(r, rows, n, strcmp(format, "base64") == 0);
    free(rows);
    scry_json_free(root);
}

/* ---- POST /api/v1/classify ---- */

/* The picture that "id" or "picture" names, to one row; false with an answer made. */
static bool embed_named(request *r, worker_tools *tools, const scry_json *root, float *row)
{
    const char *id = scry_json_str(scry_json_get(root, "id"), NULL), *upload = scry_json_str(scry_json_get(root, "picture"), NULL);
    scry_query *q = NULL;
    scry_error err = SCRY_ERROR_INIT;
    if (!id == !upload) {
        respond_problem(r, 400, "name the picture by \"id\" (of the collection) or by \"picture\" (uploaded)");
        return false;
    }
    char *line = scry_asprintf("@%s:%s", id ? "id" : "p", id ? id : upload);
    scry_query_tools t = { .session = tools->session, .model = r->server->model, .decoder = tools->decoder,
                           .store = r->server->store, .uploaded_path = upload_path };
    int result = scry_query_parse_line(&q, line, &err);
    if (result == 0) {
        pthread_rwlock_rdlock(&r->server->store_lock);
        result = scry_query_embed(q, &t, row, NULL, &err);
        pthread_rwlock_unlock(&r->server->store_lock);
    }
    if (result < 0)
        respond_error(r, &err);
    scry_query_free(q);
    free(line);
    return result == 0;
}

static void put_classes(request *r, const char **labels, const double *probability, const float *rows, const float *picture,
                        size_t n)
{
    size_t dim = (size_t)r->server->info->dim;
    scry_buf b = SCRY_BUF_INIT(MAX_JSON_BYTES);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    scry_json_begin(&w, '{');
    scry_json_key(&w, "labels");
    scry_json_begin(&w, '[');
    for (size_t i = 0; i < n; i++) {
        double score = 0;
        for (size_t d = 0; d < dim; d++)
            score += (double)rows[i * dim + d] * (double)picture[d];
        scry_json_begin(&w, '{');
        scry_json_key(&w, "label");
        scry_json_put_str(&w, labels[i]);
        scry_json_key(&w, "probability");
        scry_json_put_num(&w, probability[i], 9);
        scry_json_key(&w, "score");
        scry_json_put_num(&w, score, 9);
        scry_json_end(&w, '}');
    }
    scry_json_end(&w, ']');
    scry_json_end(&w, '}');
    respond_json(r, 200, &b);
}

/* "a photo of a {}" with the label in its place; owned. */
static char *fill_template(const char *template, const char *label)
{
    const char *hole = strstr(template, "{}");
    return hole ? scry_asprintf("%.*s%s%s", (int)(hole - template), template, label, hole + 2) : scry_strdup(label);
}

static void classify_post(request *r, worker_tools *tools)
{
    scry_json *root = NULL;
    const char *labels[MAX_INPUTS], *texts[MAX_INPUTS];
    size_t n, dim = (size_t)r->server->info->dim;
    double probability[MAX_INPUTS];
    if (!parse_body(r, &root))
        return;
    float *picture = scry_alloc(dim * sizeof *picture), *rows = NULL;
    const char *template = scry_json_str(scry_json_get(root, "template"), "{}");
    if (read_texts(r, scry_json_get(root, "labels"), "labels", labels, &n) && embed_named(r, tools, root, picture)) {
        for (size_t i = 0; i < n; i++)
            texts[i] = fill_template(template, labels[i]);
        rows = embed_texts(r, tools, texts, n);
        for (size_t i = 0; i < n; i++)
            free((char *)texts[i]);
    }
    if (rows) {
        scry_classify(probability, picture, rows, n, dim, r->server->info->logit_scale);
        put_classes(r, labels, probability, rows, picture, n);
    }
    free(rows);
    free(picture);
    scry_json_free(root);
}

const route routes_embed[] = {
    { "POST", "/api/v1/embeddings", RUN_ON_WORKER, embeddings_post, MAX_PICTURE_BODY, false },
    { "POST", "/v1/embeddings", RUN_ON_WORKER, openai_post, MAX_TEXT_BODY, false },
    { "POST", "/api/v1/classify", RUN_ON_WORKER, classify_post, MAX_TEXT_BODY, false },
    { 0 },
};
