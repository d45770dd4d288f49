/* store.c - the interface of stores: checks arguments and dispatches to the store's kind. */
#include "store/store_kind.h"

#include "base/alloc.h"
#include "base/plugin.h"
#include "base/required.h"
#include "base/sha256.h"
#include "store/predicates.h"
#include "store/put_checks.h"
#include "store/results.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Kinds of stores by how their names begin; the last begins every name. */
static const struct {
    const char *prefix;
    const scry_store_driver *driver;     /* NULL: in a plugin */
    const char *plugin, *symbol;
} kinds[] = {
    { "milvus://", NULL, "milvus", "scry_milvus_driver" },
    { "milvuss://", NULL, "milvus", "scry_milvus_driver" },
    { "https://", NULL, "milvus", "scry_milvus_driver" },
    { "", &scry_local_driver, NULL, NULL },
};

static int find_driver(const scry_store_driver **out, const char *where, scry_error *err)
{
    size_t i = 0;
    if (!where || !where[0])
        return scry_fail(err, SCRY_EINVALID, "no store named: give a folder or milvus://HOST:PORT");
    while (strncmp(where, kinds[i].prefix, strlen(kinds[i].prefix)) != 0)
        i++;
    *out = kinds[i].driver;
    return *out ? 0 : scry_plugin_symbol((void **)out, kinds[i].plugin, kinds[i].symbol, err);
}

int scry_store_open(scry_store **out, const char *where, const scry_store_options *options,
                    scry_error *err)
{
    static const scry_store_options defaults = SCRY_STORE_OPTIONS_INIT;
    const scry_store_driver *driver;
    *out = NULL;
    if (!where)
        return scry_fail(err, SCRY_EINVALID, "a store is a folder or an address: none was given");
    int result = find_driver(&driver, where, err);
    return result < 0 ? result : driver->open(out, where, options ? options : &defaults, err);
}

int scry_store_collections(const char *where, int (*each)(void *arg, const char *name), void *arg,
                           scry_error *err)
{
    const scry_store_driver *driver;
    int result = find_driver(&driver, where, err);
    return result < 0 ? result : driver->collections(where, each, arg, err);
}

int scry_store_drop_collection(const char *where, const char *name, scry_error *err)
{
    const scry_store_driver *driver;
    int result = find_driver(&driver, where, err);
    if (result == 0)
        result = scry_required(name, "the name of a collection", err);
    return result < 0 ? result : driver->drop(where, name, err);
}

int scry_store_check_replaceable(scry_store *s, scry_error *err)
{
    if (!s->kind->begin_replacement)
        return scry_fail(err, SCRY_EINVALID, "a collection that another program made cannot be embedded again: index its pictures "
                         "into another one (--collection NAME)");
    return 0;
}

int scry_store_begin_replacement(scry_store **out, scry_store *s, const scry_store_options *model, bool anew,
                                 scry_error *err)
{
    *out = NULL;
    if (!model)
        return scry_fail(err, SCRY_EINVALID, "a replacement requires the model that it is made for");
    int result = scry_store_check_replaceable(s, err);
    return result < 0 ? result : s->kind->begin_replacement(out, s, model, anew, err);
}

int scry_store_replace(scry_store *s, scry_store *replacement, scry_error *err)
{
    return s->kind->replace(s, replacement, err);
}

int scry_store_drop_replacement(scry_store *s, scry_error *err)
{
    return s->kind->drop_replacement ? s->kind->drop_replacement(s, err) : 0;
}

int scry_store_close(scry_store *s, scry_error *err)
{
    return s ? s->kind->close(s, err) : 0;
}

int scry_store_sync(scry_store *s, scry_error *err)
{
    return s->kind->sync(s, err);
}

int scry_store_refresh(scry_store *s, scry_error *err)
{
    return s->kind->refresh(s, err);
}

int scry_store_get_info(scry_store *s, scry_store_info *out, scry_error *err)
{
    memset(out, 0, sizeof *out);
    return s->kind->get_info(s, out, err);
}

void scry_store_describe(scry_store *s, scry_store_info *out)
{
    s->kind->describe(s, out);
}

int scry_store_count_old_headers(scry_store *s, uint64_t *out, scry_error *err)
{
    *out = 0;
    return s->kind->count_old_headers ? s->kind->count_old_headers(s, out, err) : 0;
}

int scry_store_lost_roots(scry_store *s, int (*each)(void *arg, const scry_root *root), void *arg, scry_error *err)
{
    return s->kind->lost_roots ? s->kind->lost_roots(s, each, arg, err) : 0;
}

int scry_store_look_ahead(scry_store *s, const uint8_t (*ids)[SCRY_ID_BYTES], size_t n, scry_error *err)
{
    return s->kind->look_ahead ? s->kind->look_ahead(s, ids, n, err) : 0;
}

bool scry_store_looks_ahead(const scry_store *s)
{
    return s->kind->look_ahead != NULL;
}

int scry_store_count_below(scry_store *s, const scry_filter_node *filter, uint64_t *out, scry_error *err)
{
    return s->kind->count_below ? s->kind->count_below(s, filter, out, err) : 1;
}

typedef struct {
    int (*each)(void *, const uint8_t *, const char *);
    void *arg;
} place_walk;

static int pass_place(void *arg, const scry_file *file)
{
    const place_walk *w = arg;
    return w->each(w->arg, file->id, file->path);
}

int scry_store_each_place(scry_store *s, const scry_filter_node *filter,
                          int (*each)(void *arg, const uint8_t *id, const char *path), void *arg, scry_error *err)
{
    place_walk w = { each, arg };
    return s->kind->each_place ? s->kind->each_place(s, filter, each, arg, err)
                               : scry_store_each_stored(s, filter, pass_place, &w, err);
}

int scry_store_each_stored(scry_store *s, const scry_filter_node *filter, int (*each)(void *arg, const scry_file *file), void *arg,
                           scry_error *err)
{
    int result = scry_filter_check(filter, err);
    if (result < 0)
        return result;
    return s->kind->each_stored ? s->kind->each_stored(s, filter, each, arg, err)
                                : s->kind->each_file(s, filter, NULL, each, arg, err);
}

int scry_store_each_brief(scry_store *s, const scry_brief_walk *walk, int (*each)(void *arg, const scry_file *file), void *arg,
                          scry_error *err)
{
    int result = scry_filter_check(walk->filter, err);
    return result < 0 ? result : s->kind->each_brief ? s->kind->each_brief(s, walk, each, arg, err) : 1;
}

bool scry_file_is_brief(const scry_file *f)
{
    static const uint8_t none[SCRY_ID_BYTES];
    return memcmp(f->id, none, sizeof none) == 0;
}

int scry_store_each_sampled(scry_store *s, uint64_t most, int (*each)(void *arg, const scry_file *file), void *arg, double *share,
                            scry_error *err)
{
    *share = 1;
    return s->kind->each_sampled ? s->kind->each_sampled(s, most, each, arg, share, err)
                                 : s->kind->each_file(s, NULL, NULL, each, arg, err);
}

bool scry_store_samples(const scry_store *s)
{
    return s->kind->each_sampled;
}

static int check_root_path(const char *path, scry_error *err)
{
    size_t n = path ? strlen(path) : 0;
    if (n == 0 || path[0] != '/' || (n > 1 && path[n - 1] == '/'))
        return scry_fail(err, SCRY_EINVALID, "\"%s\" cannot be a root: it must be an absolute path "
                         "without a final slash", path ? path : "");
    return 0;
}

int scry_store_add_root(scry_store *s, const char *path, scry_root *out, scry_error *err)
{
    int result = check_root_path(path, err);
    return result < 0 ? result : s->kind->add_root(s, path, out, err);
}

int scry_store_name_root(scry_store *s, const char *name, const char *path, scry_root *out, scry_error *err)
{
    int result = check_root_path(path, err);
    if (result == 0 && !s->kind->name_root)
        result = scry_fail(err, SCRY_EINVALID, "roots have names in collections that scry made on Milvus only");
    return result < 0 ? result : s->kind->name_root(s, name, path, out, err);
}

int scry_store_move_root(scry_store *s, const char *old_path, const char *new_path, scry_error *err)
{
    int result = check_root_path(new_path, err);
    if (result == 0)
        result = scry_required(old_path, "the root that moves", err);
    return result < 0 ? result : s->kind->move_root(s, old_path, new_path, err);
}

bool scry_store_has_root(scry_store *s, const uint8_t id[SCRY_ID_BYTES])
{
    return !s->kind->has_root || s->kind->has_root(s, id);
}

int scry_store_roots(scry_store *s, int (*each)(void *arg, const scry_root *root), void *arg,
                     scry_error *err)
{
    return s->kind->roots(s, each, arg, err);
}

int scry_store_put_root(scry_store *s, const scry_root *root, scry_error *err)
{
    int result = root->name && s->kind->name_root ? 0 : check_root_path(root->path, err);
    return result < 0 ? result : s->kind->put_root(s, root, err);
}

void scry_file_id(const uint8_t root[SCRY_ID_BYTES], const char *relative, uint8_t out[SCRY_ID_BYTES])
{
    uint8_t small[512], digest[SCRY_SHA256_BYTES];
    size_t n = strlen(relative);
    uint8_t *text = n + SCRY_ID_BYTES <= sizeof small ? small : scry_alloc(n + SCRY_ID_BYTES);
    memcpy(text, root, SCRY_ID_BYTES);
    memcpy(text + SCRY_ID_BYTES, relative, n);
    scry_sha256_of(text, n + SCRY_ID_BYTES, digest);
    memcpy(out, digest, SCRY_ID_BYTES);
    if (text != small)
        free(text);
}

void scry_id_of_text(const char *text, uint8_t out[SCRY_ID_BYTES])
{
    uint8_t digest[SCRY_SHA256_BYTES];
    scry_sha256_of(text, strlen(text), digest);
    memcpy(out, digest, SCRY_ID_BYTES);
}

int scry_store_file_state(scry_store *s, const uint8_t root[SCRY_ID_BYTES], const char *relative,
                          scry_file_state *out, scry_error *err)
{
    memset(out, 0, sizeof *out);
    int result = scry_required(relative, "a path below the root", err);
    return result < 0 ? result : s->kind->file_state(s, root, relative, out, err);
}

int scry_store_has_content(scry_store *s, const uint8_t hash[SCRY_HASH_BYTES], scry_file *out,
                           scry_error *err)
{
    if (out)
        memset(out, 0, sizeof *out);
    return s->kind->has_content(s, hash, out, err);
}

int scry_store_put(scry_store *s, const scry_put *batch, size_t n, scry_error *err)
{
    int result = scry_check_puts(batch, n, s->dim, err);
    return result < 0 || !n ? result : s->kind->put(s, batch, n, err);
}

int scry_store_remember_bad(scry_store *s, const scry_bad *b, scry_error *err)
{
    scry_bad_file bad = { .relative = b->relative, .reason = b->reason ? b->reason : "", .size = b->size, .mtime_ns = b->mtime_ns,
                          .ctime_ns = b->ctime_ns };
    int result = scry_required(b->relative, "a path below the root", err);
    if (result < 0)
        return result;
    memcpy(bad.root, b->root, SCRY_ID_BYTES);
    scry_file_id(b->root, b->relative, bad.id);
    return s->kind->put_bad(s, &bad, err);
}

int scry_store_put_bad(scry_store *s, const uint8_t root[SCRY_ID_BYTES], const char *relative,
                       int64_t size, int64_t mtime_ns, const char *reason, scry_error *err)
{
    scry_bad bad = { .relative = relative, .size = size, .mtime_ns = mtime_ns, .reason = reason };
    memcpy(bad.root, root, SCRY_ID_BYTES);
    return scry_store_remember_bad(s, &bad, err);
}

int scry_store_remove(scry_store *s, const uint8_t (*ids)[SCRY_ID_BYTES], size_t n,
                      uint64_t *removed, scry_error *err)
{
    uint64_t ignored;
    if (!removed)
        removed = &ignored;
    *removed = 0;
    int result = scry_required_array(ids, n, "an array of ids", err);
    return result < 0 || !n ? result : s->kind->remove(s, ids, n, removed, err);
}

int scry_store_get(scry_store *s, const uint8_t id[SCRY_ID_BYTES], scry_results **out,
                   scry_error *err)
{
    *out = NULL;
    return s->kind->get(s, id, out, err);
}

static int get_each(scry_store *s, const uint8_t (*ids)[SCRY_ID_BYTES], size_t n, scry_results *to, scry_error *err)
{
    for (size_t i = 0; i < n; i++) {
        scry_results *one = NULL;
        scry_error why = SCRY_ERROR_INIT;
        int result = scry_store_get(s, ids[i], &one, &why);
        if (result == 0)
            scry_results_add(to, 0, &one->hits[0].file, 0);
        scry_results_free(one);
        if (result < 0 && result != SCRY_ENOTFOUND && result != SCRY_EDAMAGED)
            return scry_fail(err, result, "%s", why.message);
    }
    return 0;
}

int scry_store_get_many(scry_store *s, const uint8_t (*ids)[SCRY_ID_BYTES], size_t n, scry_results **out, scry_error *err)
{
    if (s->kind->get_many)
        return s->kind->get_many(s, ids, n, out, err);
    *out = scry_results_new();
    int result = get_each(s, ids, n, *out, err);
    if (result < 0) {
        scry_results_free(*out);
        *out = NULL;
    }
    return result;
}

int scry_store_vector(scry_store *s, const uint8_t hash[SCRY_HASH_BYTES], float *out, scry_error *err)
{
    return s->kind->vector(s, hash, out, err);
}

int scry_store_vector_of(scry_store *s, const uint8_t id[SCRY_ID_BYTES], float *out, scry_error *err)
{
    scry_results *found;
    if (s->kind->vector_of)
        return s->kind->vector_of(s, id, out, err);
    int result = s->kind->get(s, id, &found, err);
    if (result < 0)
        return result;
    result = s->kind->vector(s, found->hits[0].file.content, out, err);
    scry_results_free(found);
    return result;
}

int scry_store_each_file(scry_store *s, const scry_filter_node *filter, const uint8_t *after,
                         int (*each)(void *arg, const scry_file *file), void *arg, scry_error *err)
{
    int result = scry_filter_check(filter, err);
    return result < 0 ? result : s->kind->each_file(s, filter, after, each, arg, err);
}

int scry_store_each_in_range(scry_store *s, scry_id_range range, bool vectors,
                             int (*each)(void *arg, const scry_file *file, const float *vector), void *arg,
                             scry_error *err)
{
    return range.first < range.end ? s->kind->each_in_range(s, range, vectors, each, arg, err) : 0;
}

int scry_store_each_bad(scry_store *s, int (*each)(void *arg, const char *path, int64_t size,
                        int64_t mtime_ns, const char *reason), void *arg, scry_error *err)
{
    return s->kind->each_bad(s, each, arg, err);
}

int scry_store_put_texts(scry_store *s, const scry_picture_text *texts, size_t n, scry_error *err)
{
    scry_store_info info = { 0 };
    int result = scry_check_texts(texts, n, err);
    if (result < 0)
        return result;
    if (s->kind->put_texts)
        return s->kind->put_texts(s, texts, n, err);
    scry_store_describe(s, &info);
    return scry_fail(err, SCRY_EINVALID, info.external ? "the text in pictures is not kept in collections of other programs, as \"%s\" is"
                     : "the collection \"%s\" was made by an earlier scry, without fields for words: " SCRY_STORE_WORDS_ADVICE,
                     info.collection);
}

int scry_store_get_text(scry_store *s, const uint8_t hash[SCRY_HASH_BYTES], scry_picture_text **out, scry_error *err)
{
    *out = NULL;
    return s->kind->get_text ? s->kind->get_text(s, hash, out, err) : 0;
}

int scry_store_each_text(scry_store *s, int (*each)(void *arg, const scry_picture_text *texts, size_t n), void *arg,
                         scry_error *err)
{
    return s->kind->each_text ? s->kind->each_text(s, each, arg, err) : 0;
}

int scry_store_each_unread(scry_store *s, const scry_unread *which,
                           int (*each)(void *arg, const scry_file *files, size_t count), void *arg, scry_error *err)
{
    return s->kind->each_unread ? s->kind->each_unread(s, which, each, arg, err) : 0;
}

int scry_store_count_texts(scry_store *s, const char *reader, scry_text_counts *out, scry_error *err)
{
    *out = (scry_text_counts){ 0 };
    return s->kind->count_texts ? s->kind->count_texts(s, reader, out, err) : 0;
}

static int check_queries(const scry_store *s, const float *queries, size_t n, scry_error *err)
{
    int result = scry_required(queries, "the query's vector", err);
    for (size_t i = 0; i < n && result == 0; i++)
        if (!scry_is_unit_vector(queries + i * (size_t)s->dim, s->dim))
            result = scry_fail(err, SCRY_EINVALID, "the query's vector is not of unit length");
    return result;
}

int scry_store_search(scry_store *s, const float *query, const scry_search *search,
                      scry_results **out, scry_error *err)
{
    return scry_store_search_many(s, query, 1, search, out, err);
}

static int check_search(const scry_search *search, scry_error *err)
{
    if (search && isnan(search->min_score))
        return scry_fail(err, SCRY_EINVALID, "the lowest score of a search is no number");
    if (search && search->fold != 0 && !(search->fold > 0 && search->fold <= 1 && !search->all_copies))
        return scry_fail(err, SCRY_EINVALID, search->all_copies ? "near-identical pictures cannot be folded while every copy "
                         "is shown" : "the cosine to fold from must be above 0 and at most 1");
    return scry_filter_check(search ? search->filter : NULL, err);
}

int scry_store_search_many(scry_store *s, const float *queries, size_t n, const scry_search *search,
                           scry_results **out, scry_error *err)
{
    static const scry_search defaults = SCRY_SEARCH_INIT;
    for (size_t i = 0; i < n; i++)
        out[i] = NULL;
    int result = check_search(search, err);
    if (result == 0 && n)
        result = check_queries(s, queries, n, err);
    if (result < 0)
        return result;
    return n ? s->kind->search_many(s, queries, n, search ? search : &defaults, out, err) : 0;
}

int scry_store_search_two(scry_store *s, const float *query, const scry_search search[2], scry_results *out[2], scry_error *err)
{
    out[0] = out[1] = NULL;
    int result = check_queries(s, query, 1, err);
    for (int i = 0; i < 2 && result == 0; i++)
        result = check_search(&search[i], err);
    if (result == 0 && s->kind->search_two)
        result = s->kind->search_two(s, query, search, out, err);
    else if (result == 0 && (result = scry_store_search(s, query, &search[1], &out[1], err)) == 0 && out[1]->count)
        result = scry_store_search(s, query, &search[0], &out[0], err);
    if (result == 0 && out[1] && out[1]->count)
        return 0;
    for (int i = 0; i < 2; i++) {
        scry_results_free(out[i]);
        out[i] = NULL;
    }
    return result;
}

int scry_store_each_word(scry_store *s, int (*each)(void *, const char *, size_t), void *arg, scry_error *err)
{
    return s->kind->each_word ? s->kind->each_word(s, each, arg, err) : 0;
}

int scry_store_rare_words(scry_store *s, const scry_filter_node *filter, const char *wanted, scry_buf *kept, scry_error *err)
{
    scry_buf_clear(kept);
    return s->kind->rare_words ? s->kind->rare_words(s, filter, wanted, kept, err) : 0;
}

int scry_verify_run(scry_store *s, const scry_verify_options *options, scry_verify_report *out, scry_error *err)
{
    static const scry_verify_options defaults = SCRY_VERIFY_OPTIONS_INIT;
    const scry_verify_options *o = options ? options : &defaults;
    scry_verify_report unwanted;
    out = out ? out : &unwanted;
    *out = (scry_verify_report){ 0 };
    if (o->sample && !s->kind->samples)
        return scry_fail(err, SCRY_EINVALID, "a sample is for stores on Milvus that scry made: omit --sample");
    return s->kind->verify(s, o, out, err);
}

int scry_store_verify(scry_store *s, scry_verify_report *out,
                      void (*problem)(void *arg, const char *text), void *arg, scry_error *err)
{
    return scry_verify_run(s, &(scry_verify_options){ .problem = problem, .arg = arg }, out, err);
}

int scry_store_verify_sample(scry_store *s, uint64_t most, scry_verify_report *out,
                             void (*problem)(void *arg, const char *text), void *arg, scry_error *err)
{
    return scry_verify_run(s, &(scry_verify_options){ .problem = problem, .arg = arg, .sample = most ? most : 1 }, out, err);
}

int scry_store_check_files(scry_store *s, scry_verify_report *out, int (*pace)(void *arg, size_t bytes),
                           void (*problem)(void *arg, const char *text), void *arg, scry_error *err)
{
    scry_verify_report unwanted;
    out = out ? out : &unwanted;
    *out = (scry_verify_report){ 0 };
    return s->kind->check_files ? s->kind->check_files(s, out, pace, problem, arg, err) : 0;
}

int scry_store_known_damage(scry_store *s, scry_error *err)
{
    return s->kind->known_damage ? s->kind->known_damage(s, err) : 0;
}

int scry_compact_run(scry_store *s, const scry_compact_options *options, scry_error *err)
{
    static const scry_compact_options defaults = SCRY_COMPACT_OPTIONS_INIT;
    return s->kind->compact(s, options ? options : &defaults, err);
}

int scry_store_compact(scry_store *s, scry_error *err)
{
    return scry_compact_run(s, NULL, err);
}

int scry_store_check_overlap(const char *where, const char *root, const char *path, scry_error *err)
{
    if (scry_path_within(root, path) || scry_path_within(path, root))
        return scry_fail(err, SCRY_EINVALID, "%s cannot become a root of %s: it overlaps the root %s there", path, where, root);
    return 0;
}

int scry_store_other_model(const char *collection, const char *built_name, const char *built_identity,
                           const scry_store_options *o, scry_error *err)
{
    const char *name = o->model_name && o->model_name[0] ? o->model_name : "the given one";
    if (strcmp(name, built_name) == 0)
        return scry_fail(err, SCRY_EINVALID, "the files of model %s are not those that collection \"%s\" was built with "
                         "(%.12s, now %.12s): restore them if they were damaged, or embed its pictures again: `scry index "
                         "--rebuild`", name, collection, built_identity, o->model_identity);
    return scry_fail(err, SCRY_EINVALID, "collection \"%s\" was built with model %s (%.12s), not with %s (%.12s): use that "
                     "one, or embed its pictures again: `scry index --rebuild --model %s`", collection,
                     built_name[0] ? built_name : "?", built_identity, name, o->model_identity, name);
}

int scry_store_check_model(scry_store *s, const char *identity, const char *name, int dim, scry_error *err)
{
    scry_store_info info = { 0 };
    scry_store_options o = { .model_identity = identity, .model_name = name };
    int result = scry_required(identity, "a model's identity", err);
    if (result < 0)
        return result;
    scry_store_describe(s, &info);
    if (info.model_identity[0])
        return strcmp(identity, info.model_identity) == 0 ? 0
               : scry_store_other_model(info.collection, info.model_name, info.model_identity, &o, err);
    if (info.dim == dim)
        return 0;
    return scry_fail(err, SCRY_EINVALID, "the collection \"%s\" holds vectors of %d numbers, and the model %s makes %d: it was "
                     "built with another model", info.collection, info.dim, name ? name : "that was given", dim);
}
