/* routes_embed.c - vectors of texts and pictures, also in OpenAI's format, and zero-shot labels. */
#include "server/router.h"

#include "base/alloc.h"
#include "base/base64.h"
#include "engine/label_text.h"
#include "scry/eval.h"
#include "scry/query.h"
#include "server/cache.h"
#include "server/multipart.h"
#include "server/pictures.h"
#include "server/request.h"
#include "server/server.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_INPUTS = 256, MAX_TEXT_BODY = MAX_JSON_BODY, MAX_PICTURE_BODY = 128 << 20, MAX_JSON_BYTES = 64 << 20 };

/* ---- inputs ---- */

typedef struct {
    const char *items[MAX_INPUTS];   /* borrowed */
    size_t count;
    bool cut;                        /* once they are embedded: one is longer than the model reads */
} text_list;

/* The strings of a JSON array, or one string. false: a 400 was made. */
static bool read_texts(request *r, const scry_json *list, const char *what, text_list *out)
{
    bool one = scry_json_type_of(list) == SCRY_JSON_STRING;
    out->count = one ? 1 : scry_json_size(list);
    bool ok = out->count >= 1 && out->count <= MAX_INPUTS;
    for (size_t i = 0; ok && i < out->count; i++) {
        out->items[i] = scry_json_str(one ? list : scry_json_at(list, i), NULL);
        ok = out->items[i] && out->items[i][0];
    }
    if (!ok)
        respond_problem(r, 400, "%s must be a list of 1 to %d texts that are not empty", what, MAX_INPUTS);
    return ok;
}

/* The body, an object whose members are among `known`; NULL: whatever they are. */
static bool parse_body(request *r, const char *known, scry_json **root)
{
    if (!request_json(r, root))
        return false;
    if (known ? request_members(r, *root, known) : request_is_object(r, *root))
        return true;
    scry_json_free(*root);
    *root = NULL;
    return false;
}

/* The vectors of texts, owned rows [n, dim]; NULL: an error response was made. */
static float *embed_texts(request *r, worker_tools *tools, text_list *t)
{
    scry_error err = SCRY_ERROR_INIT;
    bool cut[MAX_INPUTS];
    float *rows = scry_alloc(t->count * (size_t)r->server->info->dim * sizeof *rows);
    if (scry_embed_texts(tools->session, t->items, t->count, rows, cut, &err) == 0) {
        t->cut = memchr(cut, true, t->count) != NULL;
        return rows;
    }
    respond_error(r, &err);
    free(rows);
    return NULL;
}

/* The vector of the picture loaded into the decoder, to one row; false: a 415 was made. */
static bool embed_loaded(request *r, worker_tools *tools, float *row)
{
    scry_decode_request wanted = { .kind = SCRY_DECODE_VIEWS, .spec = r->server->info->image };
    scry_decode_result picture;
    scry_error err = SCRY_ERROR_INIT;
    int result = scry_decoder_run(tools->decoder, &wanted, &picture, &err);
    if (result < 0) {
        respond_undecoded(r, 415, "a picture cannot be used", result, &err);
        return false;
    }
    if (scry_embed_pixels(tools->session, picture.pixels, 1, row, &err) == 0)
        return true;
    respond_error(r, &err);
    return false;
}

/* ---- POST /api/v1/embeddings ---- */

static void put_vectors(request *r, const float *rows, size_t n, bool cut)
{
    size_t dim = (size_t)r->server->info->dim;
    scry_buf b = SCRY_BUF_INIT(MAX_JSON_BYTES);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    scry_json_begin(&w, '{');
    scry_json_add_str(&w, "model", r->server->info->name);
    scry_json_add_int(&w, "dim", (int64_t)dim);
    scry_json_add_bool(&w, "text_cut", cut);
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
        put_vectors(r, p.rows, p.n, false);
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
    text_list texts;
    if (!parse_body(r, "texts", &root))
        return;
    float *rows = read_texts(r, scry_json_get(root, "texts"), "texts", &texts) ? embed_texts(r, tools, &texts) : NULL;
    if (rows)
        put_vectors(r, rows, texts.count, texts.cut);
    free(rows);
    scry_json_free(root);
}

/* ---- POST /v1/embeddings, as OpenAI's clients expect it ---- */

static void put_openai(request *r, const float *rows, size_t n, bool base64, bool cut)
{
    size_t dim = (size_t)r->server->info->dim;
    scry_buf b = SCRY_BUF_INIT(MAX_JSON_BYTES);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    scry_json_begin(&w, '{');
    scry_json_add_str(&w, "object", "list");
    scry_json_add_str(&w, "model", r->server->info->name);
    scry_json_key(&w, "data");
    scry_json_begin(&w, '[');
    for (size_t i = 0; i < n; i++) {
        scry_json_begin(&w, '{');
        scry_json_add_str(&w, "object", "embedding");
        scry_json_add_int(&w, "index", (int64_t)i);
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
    scry_json_add_bool(&w, "text_cut", cut);
    scry_json_key(&w, "usage");
    scry_json_begin(&w, '{');
    scry_json_add_int(&w, "prompt_tokens", 0);
    scry_json_add_int(&w, "total_tokens", 0);
    scry_json_end(&w, '}');
    scry_json_end(&w, '}');
    respond_json(r, 200, &b);
}

/* GET /v1/models: the one that there is. */
static void models_get(request *r, worker_tools *tools)
{
    scry_buf b = SCRY_BUF_INIT(8192);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    scry_json_begin(&w, '{');
    scry_json_add_str(&w, "object", "list");
    scry_json_key(&w, "data");
    scry_json_begin(&w, '[');
    scry_json_begin(&w, '{');
    scry_json_add_str(&w, "id", r->server->info->name);
    scry_json_add_str(&w, "object", "model");
    scry_json_add_int(&w, "created", 0);
    scry_json_add_str(&w, "owned_by", "scry");
    scry_json_end(&w, '}');
    scry_json_end(&w, ']');
    scry_json_end(&w, '}');
    respond_json(r, 200, &b);
}

/* OpenAI's API also takes lists of token ids, or lists of such lists. */
static bool holds_tokens(const scry_json *input)
{
    scry_json_type first = scry_json_type_of(scry_json_at(input, 0));
    return scry_json_type_of(input) == SCRY_JSON_ARRAY && (first == SCRY_JSON_INT || first == SCRY_JSON_ARRAY);
}

/* Whether the vectors are wanted in base64, or as numbers; false: an error response was made. */
static bool read_encoding(request *r, const scry_json *root, bool *base64)
{
    const char *format = "float";
    if (!request_text(r, root, "encoding_format", &format))
        return false;
    *base64 = strcmp(format, "base64") == 0;
    if (!*base64 && strcmp(format, "float") != 0)
        respond_problem(r, 400, "encoding_format must be float or base64");
    return r->status == 0;
}

static void openai_post(request *r, worker_tools *tools)
{
    scry_json *root = NULL;
    text_list texts;
    if (!parse_body(r, NULL, &root))   /* clients send more than this server can use: user, truncate, ... */
        return;
    bool base64 = false;
    const scry_json *dimensions = scry_json_get(root, "dimensions");
    int64_t dim = r->server->info->dim;
    float *rows = NULL;
    if (dimensions && scry_json_int(dimensions, -1) != dim)
        respond_problem(r, 400, "this model's vectors have %lld dimensions", (long long)dim);
    else if (read_encoding(r, root, &base64) && holds_tokens(scry_json_get(root, "input")))
        respond_problem(r, 400, "input holds arrays of token ids: send texts, this model has a tokenizer of its own");
    else if (r->status == 0 && read_texts(r, scry_json_get(root, "input"), "input", &texts))
        rows = embed_texts(r, tools, &texts);
    if (rows)
        put_openai(r, rows, texts.count, base64, texts.cut);
    free(rows);
    scry_json_free(root);
}

/* ---- POST /api/v1/classify ---- */

/* The vector of the picture that "id" or "picture" names, to one row; false: an error response was made. */
static bool embed_named(request *r, worker_tools *tools, const scry_json *root, float *row)
{
    const char *id = NULL, *upload = NULL;
    scry_error err = SCRY_ERROR_INIT;
    if (!request_text(r, root, "id", &id) || !request_text(r, root, "picture", &upload))
        return false;
    if (!id == !upload) {
        respond_problem(r, 400, "name the picture by \"id\" (of the collection) or by \"picture\" (uploaded)");
        return false;
    }
    scry_query *q = scry_query_new();
    scry_query_tools t = { .session = tools->session, .model = r->server->model, .decoder = tools->decoder,
                           .uploaded_path = upload_path };
    int result = scry_query_add_id(q, id ? SCRY_PART_STORED : SCRY_PART_UPLOADED, id ? id : upload, NULL, 1, &err);
    if (result == 0) {
        pthread_rwlock_rdlock(&r->server->store_lock);
        t.store = r->server->store;
        result = scry_query_embed(q, &t, row, NULL, &err);
        pthread_rwlock_unlock(&r->server->store_lock);
    }
    if (result < 0)
        respond_error(r, &err);
    scry_query_free(q);
    return result == 0;
}

/* `rows` are the vectors of the labels. */
static void put_classes(request *r, const text_list *labels, const float *rows, const float *picture)
{
    double probability[MAX_INPUTS];
    scry_label_probabilities(probability, r->server->info, picture, rows, labels->count);
    size_t dim = (size_t)r->server->info->dim;
    scry_buf b = SCRY_BUF_INIT(MAX_JSON_BYTES);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    scry_json_begin(&w, '{');
    scry_json_key(&w, "labels");
    scry_json_begin(&w, '[');
    for (size_t i = 0; i < labels->count; i++) {
        double score = 0;
        for (size_t d = 0; d < dim; d++)
            score += (double)rows[i * dim + d] * (double)picture[d];
        scry_json_begin(&w, '{');
        scry_json_add_str(&w, "label", labels->items[i]);
        scry_json_add_num(&w, "probability", probability[i], 9);
        scry_json_add_num(&w, "score", score, 9);
        scry_json_end(&w, '}');
    }
    scry_json_end(&w, ']');
    scry_json_add_bool(&w, "text_cut", labels->cut);
    scry_json_end(&w, '}');
    respond_json(r, 200, &b);
}

/* The vectors of labels in a template, as embed_texts has them. */
static float *embed_labels(request *r, worker_tools *tools, const char *template, text_list *labels)
{
    scry_error err = SCRY_ERROR_INIT;
    text_list texts = { .count = labels->count };
    char **filled = scry_label_texts(template, labels->items, labels->count, &err);
    if (!filled) {
        respond_error(r, &err);
        return NULL;
    }
    memcpy(texts.items, filled, labels->count * sizeof *filled);
    float *rows = embed_texts(r, tools, &texts);
    labels->cut = texts.cut;
    scry_label_texts_free(filled, labels->count);
    return rows;
}

static void classify_post(request *r, worker_tools *tools)
{
    scry_json *root = NULL;
    text_list labels;
    if (!parse_body(r, "id picture labels template", &root))
        return;
    float *picture = scry_alloc((size_t)r->server->info->dim * sizeof *picture), *rows = NULL;
    const char *template = "{}";
    if (request_text(r, root, "template", &template) && read_texts(r, scry_json_get(root, "labels"), "labels", &labels) && embed_named(r, tools, root, picture))
        rows = embed_labels(r, tools, template, &labels);
    if (rows)
        put_classes(r, &labels, rows, picture);
    free(rows);
    free(picture);
    scry_json_free(root);
}

const route routes_embed[] = {
    { "POST", "/api/v1/embeddings", RUN_ON_WORKER, embeddings_post, MAX_PICTURE_BODY, false, "" },
    { "POST", "/v1/embeddings", RUN_ON_WORKER, openai_post, MAX_TEXT_BODY, false, "" },
    { "GET", "/v1/models", RUN_ON_LOOP, models_get, 0, false, "" },
    { "POST", "/api/v1/classify", RUN_ON_WORKER, classify_post, MAX_TEXT_BODY, false, "" },
    { 0 },
};
