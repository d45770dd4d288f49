/* mcp_marks.c - the tools for what the store keeps for its user: favourites and saved searches. */
#include "cli/mcp.h"

#include "base/sha256.h"
#include "engine/file_json.h"
#include "engine/listing.h"
#include "engine/search_request.h"
#include "engine/user_marks.h"
#include "engine/walk.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_TEXT = 4 << 20, MAX_IDS = 1000 };

static int only_known(const scry_json *arguments, const char *const *known, size_t n, scry_error *err)
{
    void *it = NULL;
    const char *key;
    const scry_json *value;
    while (scry_json_next(arguments, &it, &key, &value)) {
        size_t i = 0;
        while (i < n && strcmp(known[i], key) != 0)
            i++;
        if (i == n)
            return scry_fail(err, SCRY_EINVALID, "unknown parameter \"%.40s\"%s%s%s%s%s", key, n ? ": expected " : "", n ? known[0] : "",
                             n > 1 ? ", " : "", n > 1 ? known[1] : "", n > 2 ? " or another of the schema" : "");
    }
    return 0;
}

/* ---- changes ---- */

/* What is done with a store that is open for writing; `out` is an object that the answer may be added to. */
typedef int change_fn(scry_store *writer, const scry_json *arguments, scry_json_writer *out, scry_error *err);

static int change(mcp *m, const scry_json *arguments, change_fn *does, scry_json_writer *w, scry_error *err)
{
    scry_store *writer = NULL;
    scry_buf b = SCRY_BUF_INIT(MAX_TEXT);
    scry_json_writer json = SCRY_JSON_WRITER_INIT(&b);
    scry_json_begin(&json, '{');
    int r = cli_open_store(&writer, m->common, SCRY_STORE_WRITE, err);
    if (r == 0)
        r = does(writer, arguments, &json, err);
    r = cli_close_store(writer, r, err);
    scry_json_end(&json, '}');
    if (r == 0)
        mcp_put_text(w, scry_buf_str(&b));
    scry_buf_dispose(&b);
    return r;
}

/* ---- favourites ---- */

/* "ids" as a list; they are added to `out`. */
static int read_ids(const scry_json *arguments, scry_id_list *out, scry_error *err)
{
    const scry_json *list = scry_json_get(arguments, "ids");
    size_t n = scry_json_size(list);
    if (scry_json_type_of(list) != SCRY_JSON_ARRAY || n == 0 || n > MAX_IDS)
        return scry_fail(err, SCRY_EINVALID, "ids takes a list of 1 to %d ids of search results", MAX_IDS);
    for (size_t i = 0; i < n; i++) {
        uint8_t id[SCRY_ID_BYTES];
        if (scry_unhex(scry_json_str(scry_json_at(list, i), ""), id, sizeof id) < 0)
            return scry_fail(err, SCRY_EINVALID, "ids[%zu] takes the 32 hexadecimal digits of a search result", i);
        scry_id_list_add(out, id);
    }
    return 0;
}

static int mark_ids(scry_store *writer, const scry_json *arguments, scry_json_writer *out, scry_error *err)
{
    scry_id_list list = { NULL, 0, 0 };
    uint64_t changed = 0;
    bool on = true;
    const scry_json *flag = scry_json_get(arguments, "favourite");
    int r = read_ids(arguments, &list, err);
    if (r == 0 && flag && !scry_value_flag(scry_json_value(flag), &on))
        r = scry_fail(err, SCRY_EINVALID, "favourite takes true or false");
    if (r == 0)
        r = scry_set_favourites(writer, (const uint8_t (*)[SCRY_ID_BYTES])list.ids, list.count, on, &changed, err);
    scry_json_add_bool(out, "favourite", on);
    scry_json_add_int(out, "pictures", (int64_t)changed);
    scry_id_list_dispose(&list);
    return r;
}

int mcp_set_favourites(mcp *m, const scry_json *arguments, scry_json_writer *w, scry_error *err)
{
    static const char *const known[] = { "ids", "favourite" };
    int r = only_known(arguments, known, 2, err);
    return r < 0 ? r : change(m, arguments, mark_ids, w, err);
}

/* A page of the pictures that pass the request's filters, newest first unless it says otherwise. */
static int put_list(mcp *m, const scry_search_request *q, scry_json_writer *w, scry_error *err)
{
    scry_listing *l = NULL;
    scry_sort sort = q->sort == SCRY_SORT_NONE ? SCRY_SORT_DATE : q->sort;
    scry_list_options o = { .filter = q->search.filter, .sort = sort, .reverse = q->reverse, .unique = true, .whole = true,
                            .first = q->search.offset + q->search.limit };
    int r = scry_listing_new(&l, m->store, &o, err);
    if (r < 0)
        return r;
    scry_results *found = scry_listing_results(l, q->search.offset);
    scry_buf b = SCRY_BUF_INIT(MAX_TEXT);
    scry_json_writer json = SCRY_JSON_WRITER_INIT(&b);
    scry_json_begin(&json, '{');
    scry_json_add_int(&json, "total", (int64_t)scry_listing_total(l));
    scry_json_key(&json, "results");
    scry_json_begin(&json, '[');
    for (size_t i = 0; i < found->count; i++) {
        scry_json_begin(&json, '{');
        scry_json_put_file(&json, &found->hits[i].file);
        scry_json_end(&json, '}');
    }
    scry_json_end(&json, ']');
    scry_json_end(&json, '}');
    if (b.failed)
        r = scry_fail(err, SCRY_ELIMIT, "the list is too long: give a smaller limit");
    else
        mcp_put_text(w, scry_buf_str(&b));
    scry_buf_dispose(&b);
    scry_results_free(found);
    scry_listing_free(l);
    return r;
}

/* limit and offset, where they are given. */
static int set_page(scry_search_request *q, const scry_json *arguments, scry_error *err)
{
    static const char *const names[] = { "limit", "offset" };
    int r = 0;
    for (size_t i = 0; i < 2 && r == 0; i++)
        if (scry_json_get(arguments, names[i]))
            r = scry_request_set(q, names[i], scry_json_value(scry_json_get(arguments, names[i])), err);
    return r;
}

int mcp_list_favourites(mcp *m, const scry_json *arguments, scry_json_writer *w, scry_error *err)
{
    static const char *const known[] = { "limit", "offset" };
    scry_search_request q;
    scry_request_init(&q, SCRY_VIA_TOOL);
    q.may_be_empty = true;
    int r = only_known(arguments, known, 2, err);
    if (r == 0)
        r = set_page(&q, arguments, err);
    if (r == 0)
        r = scry_request_set(&q, "favourites", scry_text("1"), err);
    if (r == 0)
        r = scry_request_finish(&q, err);
    if (r == 0)
        r = mcp_refresh(m, err);
    if (r == 0)
        r = put_list(m, &q, w, err);
    scry_request_dispose(&q);
    return r;
}

/* ---- saved searches ---- */

int mcp_list_saved(mcp *m, const scry_json *arguments, scry_json_writer *w, scry_error *err)
{
    scry_buf b = SCRY_BUF_INIT(MAX_TEXT);
    scry_json_writer json = SCRY_JSON_WRITER_INIT(&b);
    int r = only_known(arguments, NULL, 0, err);
    if (r == 0)
        r = mcp_refresh(m, err);
    if (r == 0)
        r = scry_saved_searches_put_json(&json, m->store, err);
    if (r == 0 && b.failed)
        r = scry_fail(err, SCRY_ELIMIT, "the saved searches take more than %d bytes", MAX_TEXT);
    if (r == 0)
        mcp_put_text(w, scry_buf_str(&b));
    scry_buf_dispose(&b);
    return r;
}

/* Its pictures: those that a query finds, or all that its filters let pass. */
static int run(mcp *m, scry_search_request *q, const scry_json *arguments, scry_json_writer *w, scry_error *err)
{
    const scry_query_part *parts;
    scry_json *saved = NULL;
    int r = scry_find_saved_search(&saved, m->store, scry_json_str(scry_json_get(arguments, "name"), ""), err);
    if (r == 0)
        r = scry_request_set_saved(q, saved, err);
    if (r == 0)
        r = set_page(q, arguments, err);
    if (r == 0)
        r = scry_request_finish(q, err);
    if (r == 0)
        r = scry_query_parts(q->query, &parts) ? mcp_search_for(m, q, w, err) : put_list(m, q, w, err);
    scry_json_free(saved);
    return r;
}

int mcp_run_saved(mcp *m, const scry_json *arguments, scry_json_writer *w, scry_error *err)
{
    static const char *const known[] = { "name", "limit", "offset" };
    scry_search_request q;
    scry_request_init(&q, SCRY_VIA_TOOL);
    q.may_be_empty = true;
    int r = only_known(arguments, known, 3, err);
    if (r == 0)
        r = mcp_refresh(m, err);
    if (r == 0)
        r = run(m, &q, arguments, w, err);
    scry_request_dispose(&q);
    return r;
}

/* Folders, one or a list, become absolute: the search is run from other places, too. */
static void put_folders(scry_json_writer *w, const scry_json *value)
{
    bool list = scry_json_type_of(value) == SCRY_JSON_ARRAY;
    size_t n = list ? scry_json_size(value) : 1;
    if (list)
        scry_json_begin(w, '[');
    for (size_t i = 0; i < n; i++) {
        char *path = scry_stored_path(scry_json_str(list ? scry_json_at(value, i) : value, ""));
        scry_json_put_str(w, path);
        free(path);
    }
    if (list)
        scry_json_end(w, ']');
}

/* The arguments of the tool "search" as the JSON of a saved search: other names, and filters in an object of their own. */
static void put_search(scry_json_writer *w, const scry_json *search, bool filters)
{
    void *it = NULL;
    const char *key;
    const scry_json *value;
    while (scry_json_next(search, &it, &key, &value)) {
        const scry_param *p = scry_param_find(key, SCRY_VIA_TOOL);
        if (!p || filters != (p->filter != SCRY_FILTER_ALL))
            continue;
        scry_json_key(w, p->name);
        if (p->kind == SCRY_PARAM_FOLDER)
            put_folders(w, value);
        else
            scry_json_put_value(w, value);
    }
}

static int save(scry_store *writer, const scry_json *arguments, scry_json_writer *out, scry_error *err)
{
    const scry_json *search = scry_json_get(arguments, "search");
    const char *name = scry_json_str(scry_json_get(arguments, "name"), "");
    scry_search_request q;
    scry_json *kept = NULL;
    scry_buf b = SCRY_BUF_INIT(MAX_TEXT);
    scry_json_writer json = SCRY_JSON_WRITER_INIT(&b);
    scry_request_init(&q, SCRY_VIA_TOOL);
    q.may_be_empty = true;
    int r = scry_request_set_members(&q, search, err);   /* says what is wrong by the names of the tool */
    scry_request_dispose(&q);
    if (r < 0)
        return r;
    scry_json_begin(&json, '{');
    put_search(&json, search, false);
    scry_json_key(&json, "filter");
    scry_json_begin(&json, '{');
    put_search(&json, search, true);
    scry_json_end(&json, '}');
    scry_json_end(&json, '}');
    r = scry_json_parse(&kept, scry_buf_str(&b), b.size, "the search", err);
    if (r == 0)
        r = scry_save_search(writer, name, kept, err);
    scry_json_add_str(out, "saved", name);
    scry_json_free(kept);
    scry_buf_dispose(&b);
    return r;
}

int mcp_save_search(mcp *m, const scry_json *arguments, scry_json_writer *w, scry_error *err)
{
    static const char *const known[] = { "name", "search" };
    int r = only_known(arguments, known, 2, err);
    return r < 0 ? r : change(m, arguments, save, w, err);
}

static int forget(scry_store *writer, const scry_json *arguments, scry_json_writer *out, scry_error *err)
{
    const char *name = scry_json_str(scry_json_get(arguments, "name"), "");
    scry_json_add_str(out, "removed", name);
    return scry_remove_saved_search(writer, name, err);
}

int mcp_remove_saved(mcp *m, const scry_json *arguments, scry_json_writer *w, scry_error *err)
{
    static const char *const known[] = { "name" };
    int r = only_known(arguments, known, 1, err);
    return r < 0 ? r : change(m, arguments, forget, w, err);
}

/* ---- schemas ---- */

static void put_members(scry_json_writer *w, const char *const (*members)[2], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        scry_json_key(w, members[i][0]);
        scry_json_put_raw(w, members[i][1]);
    }
}

#define PAGE { "limit", "{\"type\":\"integer\",\"minimum\":1,\"maximum\":100,\"default\":10,\"description\":\"pictures\"}" }, \
             { "offset", "{\"type\":\"integer\",\"minimum\":0,\"description\":\"leave out the first pictures\"}" }
#define NAME { "name", "{\"type\":\"string\",\"minLength\":1,\"description\":\"of the saved search\"}" }

void mcp_set_favourites_schema(scry_json_writer *w)
{
    static const char *const members[][2] = {
        { "ids", "{\"type\":\"array\",\"minItems\":1,\"maxItems\":1000,\"items\":{\"type\":\"string\",\"pattern\":\"^[0-9a-fA-F]{32}$\"},"
                 "\"description\":\"ids of search results\"}" },
        { "favourite", "{\"type\":\"boolean\",\"default\":true,\"description\":\"false takes the mark away\"}" },
    };
    put_members(w, members, 2);
}

void mcp_page_schema(scry_json_writer *w)
{
    static const char *const members[][2] = { PAGE };
    put_members(w, members, 2);
}

void mcp_run_saved_schema(scry_json_writer *w)
{
    static const char *const members[][2] = { NAME, PAGE };
    put_members(w, members, 3);
}

void mcp_save_search_schema(scry_json_writer *w)
{
    static const char *const members[][2] = {
        NAME, { "search", "{\"type\":\"object\",\"description\":\"arguments of the tool search, without limit and offset; the query may be "
                          "left out where there are filters\"}" } };
    put_members(w, members, 2);
}

void mcp_name_schema(scry_json_writer *w)
{
    static const char *const members[][2] = { NAME };
    put_members(w, members, 1);
}
