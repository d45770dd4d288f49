/* mcp_tools.c - what an assistant can do: search, look at a picture, describe the collection. */
#include "cli/mcp.h"

#include "base/alloc.h"
#include "base/base64.h"
#include "base/sha256.h"
#include "engine/file_json.h"
#include "scry/query.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TEXT = 4 << 20, LOOK_SIDE = 768 };

/* ---- search ---- */

static int read_filters(const scry_json *a, scry_filter_pool *pool, scry_search *s, scry_error *err)
{
    static const struct { const char *name; scry_filter_kind kind; } texts[] = {
        { "folder", SCRY_FILTER_IN }, { "camera", SCRY_FILTER_CAMERA }, { "format", SCRY_FILTER_FORMAT }, { "label", SCRY_FILTER_LABEL },
    };
    static const struct { const char *name; scry_filter_kind kind; } times[] = {
        { "after", SCRY_FILTER_AFTER }, { "before", SCRY_FILTER_BEFORE },
    };
    for (size_t i = 0; i < 4; i++) {
        const char *text = scry_json_str(scry_json_get(a, texts[i].name), "");
        if (text[0])
            s->filter = scry_filter_and(pool, s->filter, scry_filter_text(pool, texts[i].kind, text));
    }
    for (size_t i = 0; i < 2; i++) {
        const char *text = scry_json_str(scry_json_get(a, times[i].name), "");
        int64_t t;
        if (!text[0])
            continue;
        if (scry_parse_time(text, &t, err) < 0)
            return err->code;
        s->filter = scry_filter_and(pool, s->filter, scry_filter_time(pool, times[i].kind, t));
    }
    return 0;
}

static void put_hits(const scry_results *found, double line, scry_json_writer *w)
{
    scry_buf b = SCRY_BUF_INIT(MAX_TEXT);
    scry_json_writer json = SCRY_JSON_WRITER_INIT(&b);
    scry_json_begin(&json, '{');
    scry_json_key(&json, "hits_have_a_score_of_at_least");
    scry_json_put_num(&json, line, 4);
    scry_json_key(&json, "results");
    scry_json_begin(&json, '[');
    for (size_t i = 0; i < found->count; i++) {
        scry_json_begin(&json, '{');
        scry_json_key(&json, "score");
        scry_json_put_num(&json, found->hits[i].score, 4);
        scry_json_put_file(&json, &found->hits[i].file);
        scry_json_end(&json, '}');
    }
    scry_json_end(&json, ']');
    scry_json_end(&json, '}');
    mcp_put_text(w, scry_buf_str(&b));
    scry_buf_dispose(&b);
}

static int search(mcp *m, const scry_json *a, scry_json_writer *w, scry_error *err)
{
    scry_query *q = NULL;
    scry_results *found = NULL;
    scry_search s = SCRY_SEARCH_INIT;
    scry_filter_pool *pool = scry_filter_pool_new();
    float *vector = scry_alloc((size_t)scry_model_get_info(m->model)->dim * sizeof *vector);
    scry_query_tools tools = { .session = m->session, .model = m->model, .decoder = m->decoder, .store = m->store };
    int64_t limit = scry_json_int(scry_json_get(a, "limit"), 10);
    s.limit = limit < 1 ? 1 : limit > 100 ? 100 : (size_t)limit;
    int r = scry_store_refresh(m->store, err);
    if (r == 0)
        r = scry_query_parse_line(&q, scry_json_str(scry_json_get(a, "query"), ""), err);
    if (r == 0)
        r = read_filters(a, pool, &s, err);
    if (r == 0)
        r = scry_query_embed(q, &tools, vector, NULL, err);
    if (r == 0)
        r = scry_store_search(m->store, vector, &s, &found, err);
    if (r == 0)
        put_hits(found, scry_line_at(m->line, vector), w);
    scry_results_free(found);
    scry_query_free(q);
    free(vector);
    scry_filter_pool_free(pool);
    return r;
}

/* ---- get_image ---- */

static int put_image(mcp *m, const scry_file *f, scry_json_writer *w, scry_error *err)
{
    const uint8_t *bytes;
    size_t size;
    struct stat st;
    scry_decode_request wanted = { .kind = SCRY_DECODE_JPEG, .max_side = LOOK_SIDE };
    scry_decode_result picture;
    int r = scry_decoder_load(m->decoder, AT_FDCWD, f->path, &bytes, &size, &st, err);
    if (r == 0)
        r = scry_decoder_run(m->decoder, &wanted, &picture, err);
    if (r < 0)
        return r;
    scry_buf text = SCRY_BUF_INIT(MAX_TEXT);
    scry_base64_append(&text, picture.encoded, picture.encoded_bytes);
    scry_json_begin(w, '{');
    scry_json_key(w, "type");
    scry_json_put_str(w, "image");
    scry_json_key(w, "mimeType");
    scry_json_put_str(w, "image/jpeg");
    scry_json_key(w, "data");
    scry_json_put_str(w, scry_buf_str(&text));
    scry_json_end(w, '}');
    scry_buf_dispose(&text);
    return 0;
}

static int get_image(mcp *m, const scry_json *a, scry_json_writer *w, scry_error *err)
{
    uint8_t id[SCRY_ID_BYTES];
    scry_results *found;
    const char *hex = scry_json_str(scry_json_get(a, "id"), "");
    if (scry_unhex(hex, id, sizeof id) < 0)
        return scry_fail(err, SCRY_EINVALID, "id must be the 32 hexadecimal digits that a search gave");
    int r = scry_store_get(m->store, id, &found, err);
    if (r < 0)
        return r;
    scry_buf b = SCRY_BUF_INIT(MAX_TEXT);
    scry_json_writer json = SCRY_JSON_WRITER_INIT(&b);
    scry_json_begin(&json, '{');
    scry_json_put_file(&json, &found->hits[0].file);
    scry_json_end(&json, '}');
    r = put_image(m, &found->hits[0].file, w, err);
    if (r == 0)
        mcp_put_text(w, scry_buf_str(&b));
    scry_buf_dispose(&b);
    scry_results_free(found);
    return r;
}

/* ---- describe_index ---- */

static int put_root(void *arg, const scry_root *root)
{
    scry_buf_printf(arg, "- %s (%llu pictures)\n", root->path, (unsigned long long)root->files);
    return 0;
}

static int describe_index(mcp *m, const scry_json *a, scry_json_writer *w, scry_error *err)
{
    scry_store_info info;
    scry_buf b = SCRY_BUF_INIT(MAX_TEXT);
    int r = scry_store_refresh(m->store, err);
    if (r == 0)
        r = scry_store_get_info(m->store, &info, err);
    if (r == 0) {
        scry_buf_printf(&b, "Collection \"%s\" with %llu picture files, %llu different pictures, searched by the model %s.\nFolders:\n",
                        info.collection, (unsigned long long)info.files, (unsigned long long)info.contents, info.model_name);
        r = scry_store_roots(m->store, put_root, &b, err);
    }
    if (r >= 0)
        mcp_put_text(w, scry_buf_str(&b));
    scry_buf_dispose(&b);
    return r;
}

const mcp_tool mcp_tools[] = {
    { "search",
      "Find pictures by describing them. The query is a text, or several parts joined by + and -, e.g. \"beach - people + "
      "0.5:sunset\"; @id:ID stands for a picture found before (more like it). Gives id, path, score and data of the best.",
      "{\"type\":\"object\",\"required\":[\"query\"],\"properties\":{\"query\":{\"type\":\"string\"},"
      "\"limit\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":100,\"default\":10},"
      "\"folder\":{\"type\":\"string\",\"description\":\"absolute folder to search in\"},"
      "\"after\":{\"type\":\"string\",\"description\":\"taken at or after: 2024, 2024-05, 2024-05-17\"},"
      "\"before\":{\"type\":\"string\"},\"camera\":{\"type\":\"string\"},\"format\":{\"type\":\"string\"},\"label\":{\"type\":\"string\"}}}",
      search },
    { "get_image", "Look at a picture that a search found: the picture itself, made small, and what is known of it.",
      "{\"type\":\"object\",\"required\":[\"id\"],\"properties\":{\"id\":{\"type\":\"string\",\"description\":\"from a search result\"}}}",
      get_image },
    { "describe_index", "What the collection holds: how many pictures, which folders, which model.",
      "{\"type\":\"object\",\"properties\":{}}", describe_index },
    { NULL, NULL, NULL, NULL },
};
