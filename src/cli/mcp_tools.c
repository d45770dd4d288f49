/* mcp_tools.c - the tools: search, get a picture, describe the collection. */
#include "cli/mcp.h"

#include "base/alloc.h"
#include "base/base64.h"
#include "base/log.h"
#include "base/sha256.h"
#include "engine/duplicates_json.h"
#include "engine/file_json.h"
#include "engine/fusion.h"
#include "engine/near_words.h"
#include "engine/nothing_found.h"
#include "engine/score_groups.h"
#include "engine/search_request.h"
#include "scry/rebuild.h"
#include "scry/teach.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TEXT = 4 << 20, LOOK_SIDE = 768 };

int mcp_refresh(mcp *m, scry_error *err)
{
    scry_store *fresh;
    scry_threshold *threshold = NULL;
    (void)!scry_model_read_names(m->model, NULL, NULL);   /* a damaged file changes nothing here */
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
    if (scry_why_nothing(&why, NULL, m->store, q, NULL) == 0 && why.size)
        mcp_put_text(w, scry_buf_str(&why));
    scry_buf_dispose(&why);
}

/* A misspelled word, which was looked for by its look alone. */
static void put_meant(mcp *m, const scry_search_request *q, const scry_results *found, scry_json_writer *w)
{
    scry_buf said = SCRY_BUF_INIT(MAX_TEXT);
    scry_meant meant;
    if (scry_meant_by(&meant, m->store, m->model, q, found)) {
        scry_say_meant(&said, &meant);
        mcp_put_text(w, scry_buf_str(&said));
    }
    scry_buf_dispose(&said);
}

/* What an assistant should know of the results. */
static void put_notes(mcp *m, const scry_search_request *q, const scry_results *found, bool cut, scry_json_writer *w)
{
    scry_error damage = SCRY_ERROR_INIT;
    if (found->count == 0)
        put_why_nothing(m, q, w);
    else
        put_meant(m, q, found, w);
    if (cut)
        mcp_put_text(w, "Note: the text is longer than the model reads; its end was ignored.");
    if (scry_store_known_damage(m->store, &damage) < 0)
        mcp_put_text(w, damage.message);
}

int mcp_search_for(mcp *m, scry_search_request *q, scry_json_writer *w, scry_error *err)
{
    scry_results *found = NULL;
    bool cut = false;
    float *vector = scry_alloc((size_t)scry_model_get_info(m->model)->dim * sizeof *vector);
    scry_query_tools tools = { .session = m->session, .model = m->model, .decoder = m->decoder, .store = m->store };
    int r = mcp_refresh(m, err);
    if (r == 0)
        r = scry_query_embed(q->query, &tools, vector, &cut, err);
    if (r == 0 && q->auto_min_score && !m->threshold)
        r = scry_threshold_find(&m->threshold, m->store, m->model, err);
    scry_groups groups = SCRY_GROUPS_INIT;
    if (r == 0)
        groups = scry_groups_of(m->threshold, m->model, q->query, vector);
    scry_search_plan plan = scry_plan_of(q, groups, m->threshold);
    if (r == 0)
        r = scry_search_by(m->store, vector, &plan, &found, err);
    if (r == 0) {
        scry_groups_settle(&groups, m->threshold, q->query, m->store, found);
        r = put_hits(q, found, &groups, w, err);
    }
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
        r = mcp_search_for(m, &q, w, err);
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

/* The record, with what was read in it. */
static int put_record(mcp *m, const scry_file *f, scry_json_writer *w, scry_error *err)
{
    scry_picture_text *text = NULL;
    scry_buf b = SCRY_BUF_INIT(MAX_TEXT);
    scry_json_writer json = SCRY_JSON_WRITER_INIT(&b);
    int r = scry_store_get_text(m->store, f->content, &text, err);
    scry_json_begin(&json, '{');
    scry_json_put_file(&json, f);
    if (text && text->line_count) {
        scry_json_key(&json, "words_in_picture");
        scry_json_put_picture_text(&json, text, NULL);
    }
    scry_json_end(&json, '}');
    if (r == 0)
        mcp_put_text(w, scry_buf_str(&b));
    scry_buf_dispose(&b);
    scry_picture_text_free(text);
    return r;
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
    r = mcp_refresh(m, err);
    if (r == 0)
        r = scry_store_get(m->store, id, &found, err);
    if (r < 0)
        return r;
    r = put_image(m, &found->hits[0].file, w, err);
    if (r == 0)
        r = put_record(m, &found->hits[0].file, w, err);
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
        r = mcp_refresh(m, err);
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

/* ---- find_duplicates ---- */

enum { DUPLICATE_GROUPS = 10, MAX_DUPLICATE_GROUPS = 50, SHOWN_DUPLICATES = 20, DUPLICATES_MS = 50000 };

typedef struct {
    double until_ms;
    scry_cancel late;
    double similarity;
    bool exact;
    int64_t limit, offset;
} duplicates_call;

static void watch_time(void *arg, uint64_t done, uint64_t total)
{
    duplicates_call *c = arg;
    if (scry_now_ms() > c->until_ms)
        atomic_store(&c->late, 1);
}

static int read_number(const scry_json *a, const char *name, int64_t least, int64_t most, int64_t *out, scry_error *err)
{
    const scry_json *v = scry_json_get(a, name);
    if (!v || (scry_value_whole(scry_json_value(v), out) && *out >= least && *out <= most))
        return 0;
    return scry_fail(err, SCRY_EINVALID, "%s takes a whole number from %lld to %lld", name, (long long)least, (long long)most);
}

static int read_duplicates(duplicates_call *c, const scry_json *a, scry_error *err)
{
    static const char *const known[] = { "folder", "exact", "similarity", "limit", "offset" };
    void *it = NULL;
    const char *key;
    const scry_json *value;
    while (scry_json_next(a, &it, &key, &value)) {
        size_t i = 0;
        while (i < sizeof known / sizeof *known && strcmp(known[i], key) != 0)
            i++;
        if (i == sizeof known / sizeof *known)
            return scry_fail(err, SCRY_EINVALID, "unknown parameter \"%.40s\": expected folder, exact, similarity, limit, offset", key);
    }
    const scry_json *exact = scry_json_get(a, "exact"), *similarity = scry_json_get(a, "similarity");
    if (exact && !scry_value_flag(scry_json_value(exact), &c->exact))
        return scry_fail(err, SCRY_EINVALID, "exact takes true or false");
    if (similarity && !(scry_value_number(scry_json_value(similarity), &c->similarity) && c->similarity > 0 && c->similarity <= 1))
        return scry_fail(err, SCRY_EINVALID, "similarity takes a number above 0 and up to 1");
    int r = read_number(a, "limit", 1, MAX_DUPLICATE_GROUPS, &c->limit, err);
    return r < 0 ? r : read_number(a, "offset", 0, INT32_MAX, &c->offset, err);
}

static int put_duplicates(mcp *m, const scry_duplicates *d, const duplicates_call *c, scry_json_writer *w, scry_error *err)
{
    scry_buf b = SCRY_BUF_INIT(MAX_TEXT);
    scry_json_writer json = SCRY_JSON_WRITER_INIT(&b);
    uint64_t bytes, others = scry_duplicates_rest(d, &bytes);
    size_t count = scry_duplicates_count(d), from = (size_t)c->offset < count ? (size_t)c->offset : count;
    scry_json_begin(&json, '{');
    scry_json_add_int(&json, "total", (int64_t)count);
    scry_json_add_int(&json, "others", (int64_t)others);
    scry_json_add_int(&json, "bytes", (int64_t)bytes);
    scry_json_key(&json, "groups");
    scry_duplicates_page page = { .from = from, .others = SHOWN_DUPLICATES };
    page.count = count - from < (size_t)c->limit ? count - from : (size_t)c->limit;
    int r = scry_duplicates_put_json(&json, m->store, d, &page, err);
    scry_json_end(&json, '}');
    if (r == 0)
        mcp_put_text(w, scry_buf_str(&b));
    scry_buf_dispose(&b);
    return r;
}

static int find_duplicates(mcp *m, const scry_json *a, scry_json_writer *w, scry_error *err)
{
    duplicates_call c = { .until_ms = scry_now_ms() + DUPLICATES_MS, .similarity = SCRY_FOLD_AUTO, .limit = DUPLICATE_GROUPS };
    scry_duplicates *d = NULL;
    scry_search_request q;
    scry_request_init(&q, SCRY_VIA_TOOL);
    q.may_be_empty = true;
    int r = read_duplicates(&c, a, err);
    if (r == 0 && scry_json_get(a, "folder"))
        r = scry_request_set(&q, "folder", scry_json_value(scry_json_get(a, "folder")), err);
    if (r == 0)
        r = scry_request_finish(&q, err);
    if (r == 0)
        r = mcp_refresh(m, err);
    scry_duplicates_options o = { .filter = q.search.filter, .cosine = c.exact ? 0 : c.similarity,
                                  .progress = watch_time, .arg = &c, .cancel = &c.late };
    if (r == 0)
        r = scry_duplicates_find(&d, m->store, &o, err);
    if (r == SCRY_ECANCELLED)
        r = scry_fail(err, SCRY_ELIMIT, "there are too many pictures to compare in %d seconds: give a folder, or exact", DUPLICATES_MS / 1000);
    if (r == 0)
        r = scry_duplicates_hide_kept(d, m->store, err);
    if (r == 0)
        r = put_duplicates(m, d, &c, w, err);
    scry_duplicates_free(d);
    scry_request_dispose(&q);
    return r;
}

static void duplicates_schema(scry_json_writer *w)
{
    static const char *const members[][2] = {
        { "folder", "{\"type\":\"string\",\"minLength\":1,\"description\":\"only pictures in this folder and below it\"}" },
        { "exact", "{\"type\":\"boolean\",\"description\":\"only files of the same bytes\"}" },
        { "similarity", "{\"type\":\"number\",\"minimum\":0.01,\"maximum\":1,\"description\":\"cosine from which two pictures are nearly the same "
                        "(default: 0.95)\"}" },
        { "limit", "{\"type\":\"integer\",\"minimum\":1,\"maximum\":50,\"default\":10,\"description\":\"groups\"}" },
        { "offset", "{\"type\":\"integer\",\"minimum\":0,\"description\":\"leave out the first groups\"}" },
    };
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        scry_json_key(w, members[i][0]);
        scry_json_put_raw(w, members[i][1]);
    }
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
    { "get_image", "Look at a picture that a search found: the picture itself, scaled down, its metadata, and, where they "
      "were read, the words in it with the corners of each line (in 0..1 of width and height).",
      "id", image_schema, get_image },
    { "find_duplicates",
      "Groups of pictures that are the same, or nearly, those with the most bytes to save first: which one to keep and why (more pixels, a date, "
      "more bytes, the oldest, the shortest path), and the others with their cosine to it. Nothing is deleted.",
      NULL, duplicates_schema, find_duplicates },
    { "set_favourites", "Mark pictures as favourites, or take the mark away. Marks are kept in the store, with the picture, not with its file name.",
      "ids", mcp_set_favourites_schema, mcp_set_favourites },
    { "list_favourites", "The favourites, newest first.", NULL, mcp_page_schema, mcp_list_favourites },
    { "list_saved_searches", "The searches that were saved, by name.", NULL, no_arguments, mcp_list_saved },
    { "run_saved_search", "The pictures of a saved search: the best for its query, or, where it has filters only, all that pass, newest first.",
      "name", mcp_run_saved_schema, mcp_run_saved },
    { "save_search", "Save a search under a name, or replace the one of that name: an album that fills itself.", "name search",
      mcp_save_search_schema, mcp_save_search },
    { "remove_saved_search", "Remove a saved search. No picture is removed.", "name", mcp_name_schema, mcp_remove_saved },
    { "describe_index", "Describes the collection: number of pictures, folders, model.", NULL, no_arguments, describe_index },
    { NULL, NULL, NULL, NULL, NULL },
};
