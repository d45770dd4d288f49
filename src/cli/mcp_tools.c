/* mcp_tools.c - the tools: search, get a picture, describe the collection. */
#include "cli/mcp.h"

#include "base/alloc.h"
#include "base/base64.h"
#include "base/sha256.h"
#include "engine/file_json.h"
#include "engine/fusion.h"
#include "engine/nothing_found.h"
#include "engine/score_groups.h"
#include "engine/search_request.h"
#include "scry/rebuild.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TEXT = 4 << 20, LOOK_SIDE = 768 };

/* See what other programs wrote; a collection that was replaced is opened again. */
static int refresh(mcp *m, scry_error *err)
{
    scry_store *fresh;
    scry_threshold *threshold = NULL;
    int r = scry_store_refresh(m->store, err);
    if (r != SCRY_ENOTFOUND || (r = cli_open_store(&fresh, m->common, SCRY_STORE_READ, err)) < 0)
        return r;
    r = scry_rebuild_check(fresh, m->model, scry_model_get_info(m->model)->name, err);
    if (r == 0)
        r = scry_threshold_known(&threshold, fresh, m->model, err);
    if (r < 0) {
        scry_store_close(fresh, NULL);
        return r;
    }
    scry_store_close(m->store, NULL);
    scry_threshold_free(m->threshold);
    m->store = fresh;
    m->threshold = threshold;
    return 0;
}

/* ---- search ---- */

static int put_hits(const scry_search_request *q, const scry_results *found, const scry_groups *groups, scry_json_writer *w,
                    scry_error *err)
{
    scry_buf b = SCRY_BUF_INIT(MAX_TEXT);
    scry_json_writer json = SCRY_JSON_WRITER_INIT(&b);
    scry_json_begin(&json, '{');
    scry_json_add_str(&json, "query", scry_buf_str(&q->shown));
    scry_json_key(&json, "parts");
    scry_json_put_parts(&json, q->query);
    scry_json_add_num(&json, "hits_have_a_score_of_at_least", groups->maybe, 4);
    scry_json_put_groups(&json, groups);
    scry_json_put_undated(&json, found);
    scry_json_add_bool(&json, "has_more", found->has_more);
    scry_json_key(&json, "results");
    int r = scry_json_put_hits(&json, q, groups, found, found->count, err);
    scry_json_end(&json, '}');
    if (r == 0)
        mcp_put_text(w, scry_buf_str(&b));
    scry_buf_dispose(&b);
    return r;
}

static void put_why_nothing(mcp *m, const scry_search_request *q, scry_json_writer *w)
{
    scry_buf why = SCRY_BUF_INIT(MAX_TEXT);
    if (scry_why_nothing(&why, m->store, q, NULL) == 0 && why.size)
        mcp_put_text(w, scry_buf_str(&why));
    scry_buf_dispose(&why);
}

/* What an assistant should know of the results. */
static void put_notes(mcp *m, const scry_search_request *q, const scry_results *found, bool cut, scry_json_writer *w)
{
    scry_error damage = SCRY_ERROR_INIT;
    if (found->count == 0)
        put_why_nothing(m, q, w);
    if (cut)
        mcp_put_text(w, "Note: the text is longer than the model reads; its end was ignored.");
    if (scry_store_known_damage(m->store, &damage) < 0)
        mcp_put_text(w, damage.message);
}

static int search_for(mcp *m, scry_search_request *q, scry_json_writer *w, scry_error *err)
{
    scry_results *found = NULL;
    bool cut = false;
    float *vector = scry_alloc((size_t)scry_model_get_info(m->model)->dim * sizeof *vector);
    scry_query_tools tools = { .session = m->session, .model = m->model, .decoder = m->decoder, .store = m->store };
    int r = refresh(m, err);
    if (r == 0)
        r = scry_query_embed(q->query, &tools, vector, &cut, err);
    if (r == 0 && q->auto_min_score && !m->threshold)
        r = scry_threshold_find(&m->threshold, m->store, m->model, err);
    scry_groups groups = SCRY_GROUPS_INIT;
    if (r == 0)
        groups = scry_groups_of(m->threshold, m->model, q->query, vector);
    if (r == 0 && q->auto_min_score)
        q->search.min_score = groups.maybe;
    if (r == 0)
        r = scry_search_by(m->store, vector, &(scry_search_plan){ q, q->search, groups }, &found, err);
    if (r == 0)
        r = put_hits(q, found, &groups, w, err);
    if (r == 0)
        put_notes(m, q, found, cut, w);
    scry_groups_dispose(&groups);
    scry_results_free(found);
    free(vector);
    return r;
}

static int search(mcp *m, const scry_json *arguments, scry_json_writer *w, scry_error *err)
{
    scry_search_request q;
    scry_request_init(&q, SCRY_VIA_TOOL);
    int r = arguments ? scry_request_set_members(&q, arguments, err) : 0;
    if (r == 0)
        r = scry_request_finish(&q, err);
    if (r == 0)
        r = search_for(m, &q, w, err);
    scry_request_dispose(&q);
    return r;
}

static void search_schema(scry_json_writer *w)
{
    scry_params_schema(w, SCRY_VIA_TOOL);
}

/* Refuse arguments other than `name`. */
static int only_argument(const scry_json *arguments, const char *name, scry_error *err)
{
    void *it = NULL;
    const char *key;
    const scry_json *value;
    while (scry_json_next(arguments, &it, &key, &value))
        if (!name || strcmp(key, name) != 0)
            return scry_fail(err, SCRY_EINVALID, "unknown parameter \"%.40s\": expected %s", key, name ? name : "none");
    return 0;
}

/* ---- get_image ---- */

static int put_image(mcp *m, const scry_file *f, scry_json_writer *w, scry_error *err)
{
    const uint8_t *bytes;
    size_t size;
    struct stat st;
    scry_decode_request wanted = { .kind = SCRY_DECODE_JPEG, .max_side = LOOK_SIDE };
    scry_decode_result picture;
    int r = scry_decoder_load(m->decoder, f->path, &bytes, &size, &st, err);
    if (r == 0)
        r = scry_decoder_run(m->decoder, &wanted, &picture, err);
    if (r < 0)
        return r;
    scry_buf text = SCRY_BUF_INIT(MAX_TEXT);
    scry_base64_append(&text, picture.encoded, picture.encoded_bytes);
    scry_json_begin(w, '{');
    scry_json_add_str(w, "type", "image");
    scry_json_add_str(w, "mimeType", "image/jpeg");
    scry_json_add_str(w, "data", scry_buf_str(&text));
    scry_json_end(w, '}');
    scry_buf_dispose(&text);
    return 0;
}

static int get_image(mcp *m, const scry_json *a, scry_json_writer *w, scry_error *err)
{
    uint8_t id[SCRY_ID_BYTES];
    scry_results *found;
    const char *hex = scry_json_str(scry_json_get(a, "id"), "");
    int r = only_argument(a, "id", err);
    if (r < 0)
        return r;
    if (scry_unhex(hex, id, sizeof id) < 0)
        return scry_fail(err, SCRY_EINVALID, "id takes the 32 hexadecimal digits of a search result");
    r = refresh(m, err);
    if (r == 0)
        r = scry_store_get(m->store, id, &found, err);
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
    int r = only_argument(a, NULL, err);
    if (r == 0)
        r = refresh(m, err);
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

static void image_schema(scry_json_writer *w)
{
    scry_json_key(w, "id");
    scry_json_put_raw(w, "{\"type\":\"string\",\"pattern\":\"^[0-9a-fA-F]{32}$\",\"description\":\"from a search result\"}");
}

static void no_arguments(scry_json_writer *w)
{
}

const mcp_tool mcp_tools[] = {
    { "search",
      "Find pictures by describing them. The query is a text, or several parts joined by + and -, e.g. \"beach - people + "
      "0.5:sunset\"; @id:ID stands for a picture found before (more like it). Returns id, path, score and metadata of the best.",
      "query", search_schema, search },
    { "get_image", "Look at a picture that a search found: the picture itself, scaled down, and its metadata.",
      "id", image_schema, get_image },
    { "describe_index", "Describes the collection: number of pictures, folders, model.", NULL, no_arguments, describe_index },
    { NULL, NULL, NULL, NULL, NULL },
};
