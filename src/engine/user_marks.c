#include "engine/user_marks.h"

#include "base/alloc.h"
#include "base/nearest.h"
#include "base/sha256.h"
#include "base/utf8.h"
#include "engine/walk.h"
#include "store/predicates.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BURST_HEX = 32 };
static const char format[] = "scry-marks 1";

/* Marks to be written together; keys and values are owned. */
typedef struct {
    scry_mark *items;
    size_t count, capacity;
} mark_list;

static void add_mark(mark_list *l, const scry_mark *m)
{
    if (l->count == l->capacity) {
        l->capacity = l->capacity ? 2 * l->capacity : 64;
        l->items = scry_realloc(l->items, l->capacity * sizeof *l->items);
    }
    scry_mark *copy = &l->items[l->count++];
    *copy = *m;
    copy->key = memcpy(scry_alloc(m->key_size + 1), m->key, m->key_size);
    copy->value = scry_strdup(m->value ? m->value : "");
}

static void dispose(mark_list *l)
{
    for (size_t i = 0; i < l->count; i++) {
        free((void *)l->items[i].key);
        free((char *)l->items[i].value);
    }
    free(l->items);
}

/* ---- pictures ---- */

typedef struct {
    scry_store *store;
    const char *path;
    uint8_t id[SCRY_ID_BYTES];
    bool found;
} path_lookup;

/* The file below this root, if the store has it: roots may overlap. */
static int look_below(void *arg, const scry_root *root)
{
    path_lookup *l = arg;
    size_t n = strlen(root->path);
    scry_results *found = NULL;
    if (!scry_path_within(root->path, l->path) || !l->path[n])
        return 0;
    scry_file_id(root->id, l->path + n + (root->path[n - 1] == '/' ? 0 : 1), l->id);
    l->found = scry_store_get(l->store, l->id, &found, NULL) == 0;
    scry_results_free(found);
    return l->found;
}

static int find_named(scry_store *s, const char *name, uint8_t id[SCRY_ID_BYTES], scry_error *err)
{
    const char *hex = name + (strncmp(name, "@id:", 4) == 0 ? 4 : strncmp(name, "id:", 3) == 0 ? 3 : 0);
    if (scry_unhex(hex, id, SCRY_ID_BYTES) == 0)
        return 0;
    if (!name[0])
        return scry_fail(err, SCRY_EINVALID, "an empty name is no picture");
    char *path = scry_stored_path(name);
    path_lookup l = { .store = s, .path = path };
    int result = scry_store_roots(s, look_below, &l, err);
    if (result >= 0 && !l.found)
        result = scry_fail(err, SCRY_ENOTFOUND, "%s is not a picture of the index: `scry index %s` adds it", name, name);
    memcpy(id, l.id, SCRY_ID_BYTES);
    free(path);
    return result < 0 ? result : 0;
}

int scry_pictures_named(scry_store *s, char *const *names, size_t n, scry_id_list *out, scry_error *err)
{
    int result = 0;
    for (size_t i = 0; i < n && result == 0; i++) {
        uint8_t id[SCRY_ID_BYTES];
        result = find_named(s, names[i], id, err);
        if (result == 0)
            scry_id_list_add(out, id);
    }
    return result;
}

/* Marks of one kind on the contents of these files. */
static int marks_of_files(mark_list *l, scry_store *s, const uint8_t (*ids)[SCRY_ID_BYTES], size_t n, scry_mark m, scry_error *err)
{
    int result = 0;
    for (size_t i = 0; i < n && result == 0; i++) {
        scry_results *found = NULL;
        scry_error why = SCRY_ERROR_INIT;
        char hex[2 * SCRY_ID_BYTES + 1];
        result = scry_store_get(s, ids[i], &found, &why);
        scry_hex(ids[i], SCRY_ID_BYTES, hex);
        if (result == SCRY_ENOTFOUND)
            scry_fail(err, result, "there is no picture %s", hex);
        else if (result < 0)
            scry_fail(err, result, "%s", why.message);
        if (result == 0) {
            m.key = found->hits[0].file.content;
            m.key_size = SCRY_HASH_BYTES;
            add_mark(l, &m);
        }
        scry_results_free(found);
    }
    return result;
}

/* Put the marks, or remove them, if those of the files could be made. Disposes of the list. */
static int set_marks(scry_store *s, mark_list *l, int result, bool on, uint64_t *changed, scry_error *err)
{
    uint64_t removed = 0;
    if (result == 0)
        result = on ? scry_store_put_marks(s, l->items, l->count, err)
                    : scry_store_remove_marks(s, l->items, l->count, &removed, err);
    if (changed)
        *changed = result < 0 ? 0 : on ? l->count : removed;
    dispose(l);
    return result;
}

int scry_set_favourites(scry_store *s, const uint8_t (*ids)[SCRY_ID_BYTES], size_t n, bool favourite, uint64_t *changed,
                        scry_error *err)
{
    mark_list l = { NULL, 0, 0 };
    scry_mark like = { .kind = SCRY_MARK_FAVOURITE, .set_at = time(NULL) };
    int result = marks_of_files(&l, s, ids, n, like, err);
    return set_marks(s, &l, result, favourite, changed, err);
}

int scry_set_kept(scry_store *s, const uint8_t (*ids)[SCRY_ID_BYTES], size_t n, bool kept, uint64_t *changed, scry_error *err)
{
    mark_list l = { NULL, 0, 0 };
    char burst[BURST_HEX + 1] = "";
    if (kept && n < 2)
        return scry_fail(err, SCRY_EINVALID, "keeping pictures beside each other takes two or more");
    uint8_t digest[SCRY_SHA256_BYTES];
    scry_sha256_of(ids, n * SCRY_ID_BYTES, digest);   /* any text that no other burst has: a picture is in one burst at a time */
    scry_hex(digest, BURST_HEX / 2, burst);
    scry_mark like = { .kind = SCRY_MARK_KEPT, .value = burst, .set_at = time(NULL) };
    int result = marks_of_files(&l, s, ids, n, like, err);
    return set_marks(s, &l, result, kept, changed, err);
}

/* ---- saved searches ---- */

static int check_name(const char *name, scry_error *err)
{
    size_t n = strlen(name);
    bool control = false;
    for (size_t i = 0; i < n; i++)
        control |= (unsigned char)name[i] < 0x20 || name[i] == 0x7f;
    if (n > 0 && n <= SCRY_SAVED_NAME_BYTES && !control && scry_utf8_valid(name, n))
        return 0;
    return scry_fail(err, SCRY_EINVALID, "the name of a saved search is a text of 1 to %d bytes without control characters",
                     SCRY_SAVED_NAME_BYTES);
}

/* What is wrong with it would show only when it is used. */
static int check_search(const scry_json *request, scry_error *err)
{
    static const char *const not_saved[] = { "limit", "offset", "cursor" };
    const scry_query_part *parts;
    scry_search_request r;
    int result = 0;
    for (size_t i = 0; i < sizeof not_saved / sizeof *not_saved && result == 0; i++)
        if (scry_json_get(request, not_saved[i]))
            result = scry_fail(err, SCRY_EINVALID, "%s is not saved with a search: it is given when it is used", not_saved[i]);
    scry_request_init(&r, SCRY_VIA_JSON);
    r.may_be_empty = true;
    if (result == 0)
        result = scry_request_set_members(&r, request, err);
    if (result == 0)
        result = scry_request_finish(&r, err);
    size_t n = result == 0 ? scry_query_parts(r.query, &parts) : 0;
    for (size_t i = 0; i < n && result == 0; i++)
        if (parts[i].kind != SCRY_PART_TEXT && parts[i].kind != SCRY_PART_STORED)
            result = scry_fail(err, SCRY_EINVALID, "a saved search has texts and pictures of the collection (@id:ID): other pictures are not kept");
    if (result == 0 && n == 0 && !r.search.filter)
        result = scry_fail(err, SCRY_EINVALID, "a saved search has a query or filters: this one has none");
    scry_request_dispose(&r);
    return result;
}

static int add_search(mark_list *l, const char *name, const scry_json *request, int64_t set_at, scry_error *err)
{
    int result = check_name(name, err);
    if (result < 0 || (result = check_search(request, err)) < 0)
        return result;
    scry_buf b = SCRY_BUF_INIT(SCRY_MARK_VALUE_BYTES);
    scry_json_writer w = SCRY_JSON_WRITER_INIT(&b);
    scry_json_put_value(&w, request);
    scry_mark m = { .kind = SCRY_MARK_SEARCH, .key = name, .key_size = strlen(name), .value = scry_buf_str(&b), .set_at = set_at };
    if (b.failed)
        result = scry_fail(err, SCRY_ELIMIT, "the search \"%.60s\" is longer than %d bytes", name, SCRY_MARK_VALUE_BYTES);
    else
        add_mark(l, &m);
    scry_buf_dispose(&b);
    return result;
}

static int count_mark(void *arg, const scry_mark *m)
{
    ++*(uint64_t *)arg;
    return 0;
}

static int check_count(scry_store *s, size_t more, scry_error *err)
{
    uint64_t n = 0;
    int result = scry_store_each_mark(s, SCRY_MARK_SEARCH, count_mark, &n, err);
    return result < 0 ? result : n + more <= SCRY_MAX_SAVED_SEARCHES ? 0
           : scry_fail(err, SCRY_ELIMIT, "more than %d saved searches: remove some", SCRY_MAX_SAVED_SEARCHES);
}

int scry_save_search(scry_store *s, const char *name, const scry_json *request, scry_error *err)
{
    mark_list l = { NULL, 0, 0 };
    int result = add_search(&l, name, request, time(NULL), err);
    if (result == 0)
        result = check_count(s, 1, err);
    if (result == 0)
        result = scry_store_put_marks(s, l.items, l.count, err);
    dispose(&l);
    return result;
}

typedef struct {
    const char *name;
    scry_nearest nearest;
    char *value;         /* owned; NULL: not found */
} search_lookup;

static int look_up(void *arg, const scry_mark *m)
{
    search_lookup *l = arg;
    char *name = scry_strndup(m->key, m->key_size);
    scry_nearest_offer(&l->nearest, name);
    if (strcmp(name, l->name) == 0)
        l->value = scry_strdup(m->value);
    free(name);
    return l->value != NULL;
}

/* The value of the saved search, owned by the caller. */
static int find_value(char **out, scry_store *s, const char *name, scry_error *err)
{
    search_lookup l = { .name = name, .nearest = SCRY_NEAREST_INIT(name) };
    int result = scry_store_each_mark(s, SCRY_MARK_SEARCH, look_up, &l, err);
    if (result >= 0 && !l.value)
        result = scry_fail(err, SCRY_ENOTFOUND, "there is no saved search \"%.80s\"%s%s%s", name, l.nearest.best[0] ? ": did you mean " : "",
                           l.nearest.best, l.nearest.best[0] ? "?" : "");
    *out = l.value;
    return result < 0 ? result : 0;
}

int scry_remove_saved_search(scry_store *s, const char *name, scry_error *err)
{
    char *value;
    int result = find_value(&value, s, name, err);
    free(value);
    scry_mark m = { .kind = SCRY_MARK_SEARCH, .key = name, .key_size = strlen(name) };
    return result < 0 ? result : scry_store_remove_marks(s, &m, 1, NULL, err);
}

int scry_find_saved_search(scry_json **out, scry_store *s, const char *name, scry_error *err)
{
    char *value;
    *out = NULL;
    int result = find_value(&value, s, name, err);
    if (result == 0)
        result = scry_json_parse(out, value, strlen(value), "the saved search", err);
    free(value);
    return result;
}

int scry_request_set_saved(scry_search_request *r, const scry_json *saved, scry_error *err)
{
    scry_request_via via = r->via;
    r->via = SCRY_VIA_JSON;
    int result = scry_request_set_members(r, saved, err);
    r->via = via;
    return result;
}

/* ---- JSON ---- */

static int put_search(void *arg, const scry_mark *m)
{
    scry_json_writer *w = arg;
    scry_json_begin(w, '{');
    scry_json_key(w, "name");
    scry_json_put_bytes(w, m->key, m->key_size);
    scry_json_key(w, "search");
    scry_json_put_raw(w, m->value);
    scry_json_add_int(w, "set_at", m->set_at);
    scry_json_end(w, '}');
    return 0;
}

int scry_saved_searches_put_json(scry_json_writer *w, scry_store *s, scry_error *err)
{
    scry_json_begin(w, '[');
    int result = scry_store_each_mark(s, SCRY_MARK_SEARCH, put_search, w, err);
    scry_json_end(w, ']');
    return result < 0 ? result : 0;
}

static int put_favourite(void *arg, const scry_mark *m)
{
    scry_json_writer *w = arg;
    char hex[2 * SCRY_HASH_BYTES + 1];
    scry_hex(m->key, SCRY_HASH_BYTES, hex);
    scry_json_begin(w, '{');
    scry_json_add_str(w, "sha256", hex);
    scry_json_add_int(w, "set_at", m->set_at);
    scry_json_end(w, '}');
    return 0;
}

static int collect(void *arg, const scry_mark *m)
{
    add_mark(arg, m);
    return 0;
}

static int by_burst(const void *a, const void *b)
{
    return strcmp(((const scry_mark *)a)->value, ((const scry_mark *)b)->value);
}

/* A list for each burst. */
static int put_kept(scry_json_writer *w, scry_store *s, scry_error *err)
{
    mark_list l = { NULL, 0, 0 };
    int result = scry_store_each_mark(s, SCRY_MARK_KEPT, collect, &l, err);
    if (l.count)
        qsort(l.items, l.count, sizeof *l.items, by_burst);
    scry_json_begin(w, '[');
    for (size_t i = 0; i < l.count; i++) {
        char hex[2 * SCRY_HASH_BYTES + 1];
        if (i == 0 || by_burst(&l.items[i - 1], &l.items[i]) != 0)
            scry_json_begin(w, '[');
        scry_hex(l.items[i].key, SCRY_HASH_BYTES, hex);
        scry_json_put_str(w, hex);
        if (i + 1 == l.count || by_burst(&l.items[i], &l.items[i + 1]) != 0)
            scry_json_end(w, ']');
    }
    scry_json_end(w, ']');
    dispose(&l);
    return result < 0 ? result : 0;
}

int scry_marks_put_json(scry_json_writer *w, scry_store *s, scry_error *err)
{
    scry_json_begin(w, '{');
    scry_json_add_str(w, "format", format);
    scry_json_key(w, "favourites");
    scry_json_begin(w, '[');
    int result = scry_store_each_mark(s, SCRY_MARK_FAVOURITE, put_favourite, w, err);
    scry_json_end(w, ']');
    scry_json_key(w, "kept");
    if (result >= 0)
        result = put_kept(w, s, err);
    scry_json_key(w, "searches");
    if (result >= 0)
        result = scry_saved_searches_put_json(w, s, err);
    scry_json_end(w, '}');
    return result < 0 ? result : 0;
}

/* ---- reading it ---- */

static int read_hash(uint8_t out[SCRY_HASH_BYTES], const scry_json *v, const char *what, scry_error *err)
{
    const char *hex = scry_json_str(v, "");
    return scry_unhex(hex, out, SCRY_HASH_BYTES) == 0 ? 0 : scry_fail(err, SCRY_EINVALID, "%s takes a SHA-256 as 64 hexadecimal digits", what);
}

static int read_favourites(mark_list *l, const scry_json *list, scry_error *err)
{
    int result = 0;
    for (size_t i = 0; i < scry_json_size(list) && result == 0; i++) {
        uint8_t hash[SCRY_HASH_BYTES];
        const scry_json *item = scry_json_at(list, i);
        result = read_hash(hash, scry_json_get(item, "sha256"), "sha256 of a favourite", err);
        scry_mark m = { .kind = SCRY_MARK_FAVOURITE, .key = hash, .key_size = sizeof hash,
                        .set_at = scry_json_int(scry_json_get(item, "set_at"), time(NULL)) };
        if (result == 0)
            add_mark(l, &m);
    }
    return result;
}

static int read_kept(mark_list *l, const scry_json *bursts, scry_error *err)
{
    int result = 0;
    for (size_t i = 0; i < scry_json_size(bursts) && result == 0; i++) {
        const scry_json *burst = scry_json_at(bursts, i);
        uint8_t hash[SCRY_HASH_BYTES];
        char name[BURST_HEX + 1] = "";
        for (size_t k = 0; k < scry_json_size(burst) && result == 0; k++) {
            result = read_hash(hash, scry_json_at(burst, k), "a picture of \"kept\"", err);
            if (k == 0)
                scry_hex(hash, BURST_HEX / 2, name);
            scry_mark m = { .kind = SCRY_MARK_KEPT, .key = hash, .key_size = sizeof hash, .value = name, .set_at = time(NULL) };
            if (result == 0)
                add_mark(l, &m);
        }
    }
    return result;
}

static int read_searches(mark_list *l, const scry_json *list, scry_error *err)
{
    int result = 0;
    for (size_t i = 0; i < scry_json_size(list) && result == 0; i++) {
        const scry_json *item = scry_json_at(list, i);
        result = add_search(l, scry_json_str(scry_json_get(item, "name"), ""), scry_json_get(item, "search"),
                            scry_json_int(scry_json_get(item, "set_at"), time(NULL)), err);
    }
    return result;
}

static int read_all(mark_list *l, const scry_json *marks, scry_marks_counts *out, scry_error *err)
{
    if (strcmp(scry_json_str(scry_json_get(marks, "format"), ""), format) != 0)
        return scry_fail(err, SCRY_EINVALID, "these are no marks of scry: \"format\" is not \"%s\"", format);
    int result = read_favourites(l, scry_json_get(marks, "favourites"), err);
    out->favourites = l->count;
    if (result == 0)
        result = read_kept(l, scry_json_get(marks, "kept"), err);
    out->kept = l->count - out->favourites;
    if (result == 0)
        result = read_searches(l, scry_json_get(marks, "searches"), err);
    out->searches = l->count - out->favourites - out->kept;
    return result;
}

int scry_marks_import(scry_store *s, const scry_json *marks, scry_marks_counts *out, scry_error *err)
{
    mark_list l = { NULL, 0, 0 };
    *out = (scry_marks_counts){ 0 };
    int result = read_all(&l, marks, out, err);
    if (result == 0)
        result = check_count(s, out->searches, err);
    if (result == 0)
        result = scry_store_put_marks(s, l.items, l.count, err);
    dispose(&l);
    return result;
}
