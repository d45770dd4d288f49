/* remote_index.c - the index of a collection: created, or replaced when options ask for another. */
#include "store/milvus/remote_internal.h"

#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- index specification ---- */

static const struct { const char *name, *milvus; } index_types[] = {
    { "flat", "FLAT" }, { "hnsw", "HNSW" }, { "ivf_flat", "IVF_FLAT" }, { "ivf_sq8", "IVF_SQ8" }, { "autoindex", "AUTOINDEX" },
    { "ivf_pq", "IVF_PQ" }, { "scann", "SCANN" }, { "diskann", "DISKANN" },
    { "hnsw_sq", "HNSW_SQ" }, { "hnsw_pq", "HNSW_PQ" }, { "ivf_rabitq", "IVF_RABITQ" },   /* of later servers */
};
#define INDEX_NAMES "flat, hnsw, hnsw_sq, hnsw_pq, ivf_flat, ivf_sq8, ivf_pq, ivf_rabitq, scann, diskann or autoindex"

static bool is_bare(const char *value, size_t n)
{
    return strspn(value, "0123456789.") >= n || (n == 4 && strncmp(value, "true", n) == 0) || (n == 5 && strncmp(value, "false", n) == 0);
}

/* "M=16,sq_type=SQ8" as {"M":16,"sq_type":"SQ8"}. Owned; NULL and an error when it is not such a list. */
static char *params_to_json(const char *text, const char *what, scry_error *err)
{
    scry_buf b = SCRY_BUF_INIT(4096);
    scry_buf_putc(&b, '{');
    bool good = true;
    for (const char *p = text; *p && good;) {
        size_t key = strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_");
        size_t value = key && p[key] == '=' ? strcspn(p + key + 1, ",") : 0;
        const char *from = p + key + 1, *quote = value && is_bare(from, value) ? "" : "\"";
        good = value > 0 && strspn(from, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789.") >= value;
        if (good)
            scry_buf_printf(&b, "%s\"%.*s\":%s%.*s%s", b.size > 1 ? "," : "", (int)key, p, quote, (int)value, from, quote);
        p = good ? from + value + (from[value] == ',') : p;
    }
    scry_buf_putc(&b, '}');
    if (good && !b.failed)
        return scry_buf_take(&b);
    scry_buf_dispose(&b);
    scry_fail(err, SCRY_EINVALID, "\"%s\" is not a list of parameters of %s: NAME=VALUE,...", text, what);
    return NULL;
}

/* The value of a parameter in "M=16,efConstruction=200", up to a comma; NULL when it is not there. */
static const char *find_param(const char *params, const char *name, size_t n)
{
    for (const char *p = params; *p;) {
        if (strncmp(p, name, n) == 0 && p[n] == '=')
            return p + n + 1;
        p += strcspn(p, ",");
        p += *p == ',';
    }
    return NULL;
}

/* "hnsw:M=16" to Milvus's name and parameters (owned). */
static int parse_index(const char *spec, const char **type, char **params, scry_error *err)
{
    static const struct { const char *type, *name, *value; } defaults[] = {   /* which 2.3 demands */
        { "HNSW", "M", "16" }, { "HNSW", "efConstruction", "200" }, { "IVF", "nlist", "512" },
        { "SCANN", "nlist", "512" }, { "HNSW_SQ", "sq_type", "SQ8" },
    };
    size_t n = strcspn(spec, ":");
    *type = NULL;
    for (size_t i = 0; i < sizeof index_types / sizeof *index_types; i++)
        if (strlen(index_types[i].name) == n && strncasecmp(spec, index_types[i].name, n) == 0)
            *type = index_types[i].milvus;
    if (!*type)
        return scry_fail(err, SCRY_EINVALID, "\"%.*s\" is not an index type: " INDEX_NAMES, (int)n, spec);
    const char *given = spec[n] ? spec + n + 1 : "";
    scry_buf all = SCRY_BUF_INIT(4096);
    scry_buf_puts(&all, given);
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
        if (strncmp(*type, defaults[i].type, strlen(defaults[i].type)) == 0 &&
            !find_param(given, defaults[i].name, strlen(defaults[i].name)))
            scry_buf_printf(&all, "%s%s=%s", all.size ? "," : "", defaults[i].name, defaults[i].value);
    *params = params_to_json(scry_buf_str(&all), "an index", err);
    scry_buf_dispose(&all);
    return *params ? 0 : SCRY_EINVALID;
}

/* "ef=64", "nprobe=16", "reorder_k=100", "search_list=100", or several. */
int scry_remote_parse_search(scry_remote *s, const char *text, scry_error *err)
{
    enum { MOST = 32768 };
    const struct { const char *name; int *value; } known[] = {
        { "ef=", &s->ef }, { "nprobe=", &s->nprobe }, { "reorder_k=", &s->reorder_k }, { "search_list=", &s->search_list },
    };
    s->ef = 64;
    s->nprobe = 16;
    s->search_list = 100;
    s->reorder_k = 0;
    for (const char *p = text; *p;) {
        char *end = NULL;
        int *value = NULL;
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            if (strncmp(p, known[i].name, strlen(known[i].name)) == 0)
                value = known[i].value;
        long n = value ? strtol(strchr(p, '=') + 1, &end, 10) : 0;
        if (!value || n < 1 || n > MOST || (*end && *end != ','))
            return scry_fail(err, SCRY_EINVALID, "\"%s\" is not a search parameter of Milvus: ef=NUMBER, nprobe=NUMBER, reorder_k=NUMBER or "
                             "search_list=NUMBER, up to %d", text, MOST);
        *value = (int)n;
        p = *end ? end + 1 : end;
    }
    return 0;
}

/* ---- making, replacing ---- */

static int make_index(scry_remote *s, scry_milvus *m, const char *spec, scry_error *err)
{
    const char *type;
    char *params;
    int result = parse_index(spec, &type, &params, err);
    if (result < 0)
        return result;
    result = scry_milvus_create_index(m, s->name, s->vector_field, type, "COSINE", params, err);
    free(params);
    return result;
}

static int check_metric(const scry_remote *s, scry_error *err)
{
    if (strcmp(s->metric, "COSINE") == 0 || strcmp(s->metric, "L2") == 0 || strcmp(s->metric, "IP") == 0)
        return 0;
    return scry_fail(err, SCRY_EINVALID, "the index of the collection %s at %s has the metric %s: scry searches by COSINE, IP "
                     "or L2", s->shown, s->where, s->metric);
}

/* Whether the index fits the specification: type, and the parameters that both name. */
static bool is_same(const scry_milvus_index *index, const char *type, const char *spec)
{
    bool same = strcmp(index->type, type) == 0;
    const char *wanted = spec + strcspn(spec, ":");
    for (const char *p = *wanted ? wanted + 1 : wanted; *p && same;) {
        size_t name = strcspn(p, "="), all = strcspn(p, ",");
        const char *there = name < all ? find_param(index->params, p, name) : NULL;
        size_t n = there ? strcspn(there, ",") : 0;
        same = !there || (n == all - name - 1 && strncmp(there, p + name + 1, n) == 0);
        p += all + (p[all] == ',');
    }
    return same;
}

/* Restore the previous index after the server refused the new one. */
static void restore_index(scry_remote *s, scry_milvus *m, const scry_milvus_index *index)
{
    scry_error err = SCRY_ERROR_INIT;
    char *params = params_to_json(index->params, "an index", &err);
    if (!params || scry_milvus_create_index(m, s->name, s->vector_field, index->type, index->metric, params, &err) < 0 ||
        scry_milvus_load(m, s->name, &s->wait, &err) < 0)
        scry_remote_notice(s, "the collection %s has no index now (%s): run scry index with another --milvus-index", s->name,
                           err.message);
    free(params);
}

/* Searches of others fail between the release and the load; an interrupted replacement leaves
 * a collection without an index, which the next index run makes. */
static int replace_index(scry_remote *s, scry_milvus *m, const scry_milvus_index *index, const char *spec, scry_error *err)
{
    scry_remote_notice(s, "the index %s of the collection %s is replaced by %s; it cannot be searched until that is built",
                       index->type, s->name, spec);
    int result = scry_milvus_release(m, s->name, err);
    if (result == 0)
        result = scry_milvus_drop_index(m, s->name, s->vector_field, index->name, err);
    if (result < 0)
        return result;
    result = make_index(s, m, spec, err);
    if (result == 0)
        return scry_milvus_wait_index(m, s->name, s->vector_field, &s->wait, err);
    restore_index(s, m, index);
    return result;
}

/* A user may lack the right to ask whether it is loaded, and still be allowed to mark pictures: the first call finds out, as it
 * does for readers. */
static int load(scry_remote *s, scry_milvus *m, scry_store_mode mode, scry_error *err)
{
    scry_error why = SCRY_ERROR_INIT;
    int result = scry_milvus_load(m, s->name, &s->wait, &why);
    if (result >= 0 || (mode == SCRY_STORE_WRITE && scry_milvus_code(m) == SCRY_MILVUS_NOT_ALLOWED))
        return 0;
    return scry_fail(err, result, "%s", why.message);
}

/* Of the field by which the server ranks rows by their words. They are in a row once each, and it does not matter how many others
 * are: with b = 0 a row's score is the sum of how rare those of the query are that it has. */
static int make_ranks(scry_remote *s, scry_milvus *m, scry_error *err)
{
    scry_milvus_index index;
    int result = scry_milvus_describe_index(m, s->name, SCRY_REMOTE_RANKS, &index, err);
    if (result < 0 || index.type[0])
        return result;
    return scry_milvus_create_index(m, s->name, SCRY_REMOTE_RANKS, "SPARSE_INVERTED_INDEX", "BM25", "{\"bm25_k1\":1.2,\"bm25_b\":0}", err);
}

int scry_remote_index_and_load(scry_remote *s, scry_milvus *m, const scry_store_options *o, bool may_replace,
                               scry_error *err)
{
    const char *spec = o->milvus.index ? o->milvus.index : "flat", *type;
    scry_milvus_index index;
    char *params;
    int result = parse_index(spec, &type, &params, err);
    if (result < 0)
        return result;
    free(params);
    result = scry_milvus_describe_index(m, s->name, s->vector_field, &index, err);
    bool absent = result == 0 && !index.type[0];
    if (absent && o->mode == SCRY_STORE_READ)   /* it may just be made by another program */
        return scry_fail(err, SCRY_ENOTFOUND, "the collection %s at %s has no index yet: run scry index once", s->shown, s->where);
    bool other = result == 0 && !absent && o->milvus.index && o->mode == SCRY_STORE_CREATE && !is_same(&index, type, spec);
    if (other && !may_replace)
        return scry_fail(err, SCRY_EINVALID, "the collection %s at %s was not made by scry and has the index %s: change it with "
                         "its own tools, or omit --milvus-index", s->shown, s->where, index.type);
    if (absent)
        result = make_index(s, m, spec, err);
    else if (other)
        result = replace_index(s, m, &index, spec, err);
    if (result == 0 && s->ranks && (absent || o->mode == SCRY_STORE_CREATE))
        result = make_ranks(s, m, err);
    if (result == 0 && (absent || other))
        result = scry_milvus_describe_index(m, s->name, s->vector_field, &index, err);
    if (result < 0)
        return result;
    snprintf(s->index_type, sizeof s->index_type, "%s", index.type);
    snprintf(s->metric, sizeof s->metric, "%s", index.metric);
    snprintf(s->index_params, sizeof s->index_params, "%s", index.params);
    result = check_metric(s, err);
    return result < 0 || o->mode == SCRY_STORE_READ ? result : load(s, m, o->mode, err);
}
