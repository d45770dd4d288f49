/* remote.c - opening a collection on Milvus, its connections, its information. */
#include "store/milvus/remote_internal.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/sha256.h"
#include "store/milvus/remote_external.h"
#include "store/milvus/remote_files.h"
#include "store/milvus/remote_marks.h"
#include "store/milvus/remote_replace.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- credentials ---- */

static char *from_environment(const char *name)
{
    const char *value = getenv(name);
    return value && value[0] ? scry_strdup(value) : NULL;
}

/* SCRY_MILVUS_PASSWORD, or the first line of the file SCRY_MILVUS_PASSWORD_FILE names. */
static int read_password(char **out, scry_error *err)
{
    const char *path = getenv("SCRY_MILVUS_PASSWORD_FILE");
    *out = from_environment("SCRY_MILVUS_PASSWORD");
    if (*out || !path || !path[0])
        return 0;
    scry_buf text = SCRY_BUF_INIT(4096);
    int result = scry_read_secret(path, "password", &text, err);
    size_t n = result == 0 ? strcspn(scry_buf_str(&text), "\r\n") : 0;
    if (result == 0 && n == 0)
        result = scry_fail(err, SCRY_EINVALID, "the first line of the password file %s is empty", path);
    if (result == 0)
        *out = scry_strndup(scry_buf_str(&text), n);
    scry_buf_dispose(&text);
    return result;
}

/* Says what a long call waits for; whether the user wants to stop. */
static bool is_stopped(void *arg, double waited_s)
{
    enum { SILENT_S = 3 };
    scry_remote *s = arg;
    bool long_wait = waited_s >= SILENT_S, shown = atomic_exchange(&s->shows_wait, long_wait);
    const char *stage = long_wait ? "not answering yet: it may be loading the collection" : shown ? "" : NULL;
    return s->wait.progress && s->wait.progress(s->wait.arg, stage, 0) != 0;
}

static int set_connection(scry_remote *s, const char *where, scry_error *err)
{
    s->options = (scry_milvus_options)SCRY_MILVUS_OPTIONS_INIT;
    int result = scry_milvus_set_url(&s->options, where, err);
    if (result < 0 || (result = read_password(&s->password, err)) < 0)
        return result;
    s->user = from_environment("SCRY_MILVUS_USER");
    s->token = from_environment("SCRY_MILVUS_TOKEN");
    s->ca_file = from_environment("SCRY_MILVUS_CA");
    s->cert_file = from_environment("SCRY_MILVUS_CERT");
    s->key_file = from_environment("SCRY_MILVUS_KEY");
    s->options.user = s->user;
    s->options.password = s->password;
    s->options.token = s->token;
    s->options.ca_file = s->ca_file;
    s->options.cert_file = s->cert_file;
    s->options.key_file = s->key_file;
    bool read = s->mode == SCRY_STORE_READ;
    s->options.patience_ms = read ? SCRY_REMOTE_READ_PATIENCE_MS : SCRY_REMOTE_WRITE_PATIENCE_MS;
    s->options.work_ms = read ? SCRY_REMOTE_READ_WORK_MS : SCRY_REMOTE_WRITE_PATIENCE_MS;
    s->options.stop = is_stopped;
    s->options.stop_arg = s;
    s->options.gave_up = &s->gave_up;
    return 0;
}

/* ---- connections ---- */

/* After the first contact the address is right: a server that is away restarts. */
static int connect_more(scry_remote *s, scry_milvus **out, scry_error *err)
{
    scry_milvus_options o = s->options;
    if (atomic_load(&s->contacted))
        o.connect_ms = o.patience_ms;
    int result = scry_milvus_open(out, &o, err);
    if (result == 0)
        atomic_store(&s->contacted, true);
    return result;
}

int scry_remote_take(scry_remote *s, scry_milvus **out, scry_error *err)
{
    pthread_mutex_lock(&s->lock);
    scry_milvus *m = s->idle_count ? s->idle[--s->idle_count] : NULL;
    uint64_t written = s->last_write;
    pthread_mutex_unlock(&s->lock);
    int result = m ? 0 : connect_more(s, &m, err);
    if (result == 0) {
        scry_milvus_see_write(m, written);
        *out = m;
    }
    return result;
}

void scry_remote_give(scry_remote *s, scry_milvus *m)
{
    if (!m)
        return;
    pthread_mutex_lock(&s->lock);
    if (scry_milvus_last_write(m) > s->last_write)
        s->last_write = scry_milvus_last_write(m);
    if (s->idle_count < SCRY_REMOTE_IDLE) {
        s->idle[s->idle_count++] = m;
        m = NULL;
    }
    pthread_mutex_unlock(&s->lock);
    scry_milvus_free(m);
}

double scry_remote_deadline(const scry_remote *s)
{
    return scry_now_ms() + s->options.work_ms;
}

/* For seconds after a restart a server answers "not loaded", until it has loaded again what was loaded before. */
bool scry_remote_revived_as(scry_remote *s, scry_milvus *m, const char *name, double deadline_ms, scry_error *err)
{
    enum { PAUSE_MS = 250 };
    if (scry_milvus_code(m) != SCRY_MILVUS_NOT_LOADED || scry_now_ms() > deadline_ms)
        return false;
    scry_milvus_wait w = { s->wait.progress, s->wait.arg, SCRY_REMOTE_JOB_MS };
    struct timespec t = { 0, PAUSE_MS * 1000000L };
    nanosleep(&t, NULL);
    scry_error why = SCRY_ERROR_INIT;
    int result = scry_milvus_load(m, name, &w, &why);
    if (result == 0)
        return true;
    if (result == SCRY_ECANCELLED || scry_milvus_code(m) == SCRY_MILVUS_NOT_ALLOWED) {
        scry_fail(err, why.code, "the collection %s at %s is not loaded: %s", strcmp(name, s->name) == 0 ? s->shown : name, s->where,
                  why.message);
        return false;
    }
    scry_log(SCRY_LOG_DEBUG, "the collection %s cannot be loaded yet", name);
    return true;
}

bool scry_remote_revived(scry_remote *s, scry_milvus *m, double deadline_ms, scry_error *err)
{
    return scry_remote_revived_as(s, m, s->name, deadline_ms, err);
}

int scry_remote_query_as(scry_remote *s, scry_milvus *m, const char *name, const scry_milvus_query *q, scry_milvus_rows **out,
                         scry_error *err)
{
    double deadline = scry_remote_deadline(s);
    int result;
    do
        result = scry_milvus_query_rows(m, name, q, out, err);
    while (result < 0 && scry_remote_revived_as(s, m, name, deadline, err));
    return result;
}

int scry_remote_query(scry_remote *s, scry_milvus *m, const scry_milvus_query *q, scry_milvus_rows **out, scry_error *err)
{
    return scry_remote_query_as(s, m, s->name, q, out, err);
}

int scry_remote_count_as(scry_remote *s, scry_milvus *m, const char *name, const char *filter, int64_t *out, scry_error *err)
{
    double deadline = scry_remote_deadline(s);
    int result;
    do
        result = scry_milvus_count(m, name, filter, SCRY_MILVUS_STRONG, out, err);
    while (result < 0 && scry_remote_revived_as(s, m, name, deadline, err));
    return result;
}

int scry_remote_upsert(scry_remote *s, scry_milvus *m, const char *name, const scry_milvus_table *table, scry_error *err)
{
    double deadline = scry_remote_deadline(s);
    int result;
    do
        result = scry_milvus_upsert(m, name, table, err);
    while (result < 0 && scry_remote_revived_as(s, m, name, deadline, err));
    return result;
}

int scry_remote_count(scry_remote *s, scry_milvus *m, const char *filter, scry_milvus_consistency consistency, int64_t *out,
                      scry_error *err)
{
    double deadline = scry_remote_deadline(s);
    int result;
    do
        result = scry_milvus_count(m, s->name, filter, consistency, out, err);
    while (result < 0 && scry_remote_revived(s, m, deadline, err));
    return result;
}

/* "Bounded" reads of other clients lag by seconds, but a strong read makes the server process all writes, after
 * which bounded reads see them too. */
int scry_remote_catch_up(scry_remote *s, scry_milvus *m, scry_error *err)
{
    int64_t count;
    pthread_mutex_lock(&s->lock);
    uint64_t written = s->last_write > scry_milvus_last_write(m) ? s->last_write : scry_milvus_last_write(m);
    pthread_mutex_unlock(&s->lock);
    int result = scry_remote_count(s, m, "", SCRY_MILVUS_STRONG, &count, err);
    if (result < 0)
        return result;
    pthread_mutex_lock(&s->lock);
    s->seen_write = written;
    pthread_mutex_unlock(&s->lock);
    return 0;
}

/* A session read of 2.3 is a snapshot at the last write's timestamp: used only while there is a write that bounded
 * reads may not see yet. */
scry_milvus_consistency scry_remote_freshness(scry_remote *s)
{
    pthread_mutex_lock(&s->lock);
    bool unseen = s->last_write != s->seen_write;
    pthread_mutex_unlock(&s->lock);
    return unseen ? SCRY_MILVUS_SESSION : SCRY_MILVUS_BOUNDED;
}

void scry_remote_notice(const scry_remote *s, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (s->notice)
        s->notice(s->wait.arg, text);
}

int scry_remote_check_writable(const scry_remote *s, scry_error *err)
{
    if (s->mode != SCRY_STORE_READ)
        return 0;
    return scry_fail(err, SCRY_EINVALID, "the collection %s of %s was opened for reading", s->shown, s->where);
}

/* ---- close, sync, refresh ---- */

static void remote_free(scry_remote *s)
{
    for (size_t i = 0; i < s->idle_count; i++)
        scry_milvus_free(s->idle[i]);
    scry_remote_roots_release(s, s->roots);
    scry_remote_favourites_release(s, s->favourites);
    scry_remote_files_free(s->files);
    scry_remote_state_free(s->state);
    scry_remote_external_free(s->external);
    scry_db_close(&s->side, NULL);
    if (s->password)
        explicit_bzero(s->password, strlen(s->password));
    char *owned[] = { s->where, s->name, s->shown, s->user, s->password, s->token, s->ca_file, s->cert_file, s->key_file,
                      s->vector_field, s->identity, s->model_name, s->precision, s->side_path, s->lent, s->lent_root,
                      s->resource_group };
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    pthread_mutex_destroy(&s->lock);
    pthread_mutex_destroy(&s->side_lock);
    free(s);
}

int scry_remote_close(scry_store *base, scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    scry_milvus *m = NULL;
    int result = 0;
    if (s->last_write != s->seen_write && (result = scry_remote_take(s, &m, err)) == 0)
        result = scry_remote_catch_up(s, m, err);
    scry_remote_give(s, m);
    remote_free(s);
    return result;
}

/* Every acknowledged row is in the server's log already. It remains to seal the rows, so that they are indexed, and to
 * let readers see them. */
int scry_remote_sync(scry_store *base, scry_error *err)
{
    enum { WORTH_A_FLUSH = 1000 };   /* rows; the server seals small remainders in its own time */
    scry_remote *s = (scry_remote *)base;
    scry_milvus *m;
    if (s->files)
        return scry_remote_files_finish(s->files, err);
    if (s->last_write == s->seen_write)
        return 0;
    int result = scry_remote_take(s, &m, err);
    if (result < 0)
        return result;
    if (!s->external)
        result = scry_remote_restore_roots(s, m, err);
    if (result == 0 && s->unflushed >= WORTH_A_FLUSH) {
        result = scry_milvus_flush(m, s->name, &s->wait, err);
        if (result == 0)
            result = scry_milvus_wait_index(m, s->name, s->vector_field, &s->wait, err);
        if (result == 0)
            s->unflushed = 0;
    }
    if (result == 0)
        result = scry_remote_catch_up(s, m, err);
    scry_remote_give(s, m);
    return result;
}

static int remote_refresh(scry_store *base, scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    scry_milvus *m;
    scry_milvus_schema *schema;
    int result = scry_remote_take(s, &m, err);
    if (result < 0)
        return result;
    result = scry_milvus_describe(m, s->shown, &schema, err);
    if (result == 0) {
        const char *identity = scry_milvus_find_property(schema, "scry.model_identity");
        if (!identity || strcmp(identity, s->identity) != 0 || strcmp(schema->name, s->name) != 0)
            result = scry_fail(err, SCRY_ENOTFOUND, "the collection %s at %s was replaced by another one", s->shown, s->where);
        else
            result = scry_remote_load_roots(s, schema, err);
        s->words_mixed = scry_remote_words_are_mixed(schema);
        scry_milvus_schema_free(schema);
    }
    pthread_mutex_lock(&s->lock);
    s->raws = -1;
    s->has_texts = -1;
    pthread_mutex_unlock(&s->lock);
    scry_remote_favourites_forget(s);
    scry_remote_give(s, m);
    return result;
}

/* ---- information ---- */

/* Distinct contents, as the first half of their hashes: 16 bytes a row. */
typedef struct hashes {
    unsigned char (*items)[SCRY_ID_BYTES];
    size_t count, capacity;
} hashes;

static int add_hashes(void *arg, const scry_milvus_rows *page, scry_error *err)
{
    hashes *h = arg;
    const scry_milvus_column *c = scry_milvus_find_column(page, "content", SCRY_MILVUS_VARCHAR);
    for (size_t i = 0; c && i < page->rows; i++) {
        uint8_t hash[SCRY_HASH_BYTES];
        if (scry_unhex(c->strings[i], hash, sizeof hash) < 0)
            continue;
        if (h->count == h->capacity) {
            h->capacity = h->capacity * 2 + 1024;
            h->items = scry_realloc(h->items, h->capacity * sizeof *h->items);
        }
        memcpy(h->items[h->count++], hash, SCRY_ID_BYTES);
    }
    return 0;
}

static int compare_hashes(const void *a, const void *b)
{
    return memcmp(a, b, SCRY_ID_BYTES);
}

/* Milvus cannot count distinct values: the hashes of a small collection are fetched. Of a large one only those below
 * a limit: hashes are uniformly distributed, so that their share of all is known. */
int scry_remote_count_contents(scry_remote *s, const char *expression, uint64_t files, scry_milvus_consistency consistency,
                               scry_remote_contents *out, scry_error *err)
{
    enum { FETCHED = 50000 };   /* hashes; some 4 MB of answers, half a second */
    static const char *const names[] = { "content" };
    const scry_remote_fields fields = { names, 1, SCRY_REMOTE_HEX_HASH, consistency };
    hashes h = { 0 };
    char filter[256];
    double share = files > FETCHED ? (double)FETCHED / (double)files : 1;
    snprintf(filter, sizeof filter, "%s", expression);
    if (share < 1)
        snprintf(filter, sizeof filter, "%s%scontent < \"%08x\"", expression, expression[0] ? " and " : "",
                 (unsigned)(share * 0x1p32));
    int result = scry_remote_scan(s, filter, &fields, add_hashes, &h, err);
    if (h.count)
        qsort(h.items, h.count, sizeof *h.items, compare_hashes);
    uint64_t distinct = 0;
    for (size_t i = 0; i < h.count; i++)
        distinct += i == 0 || compare_hashes(h.items[i - 1], h.items[i]) != 0;
    free(h.items);
    *out = (scry_remote_contents){ share < 1 ? (uint64_t)((double)distinct / share + 0.5) : distinct, share < 1 };
    return result;
}

void scry_remote_describe(scry_store *base, scry_store_info *out)
{
    const scry_remote *s = (scry_remote *)base;
    *out = (scry_store_info){ .where = s->where, .collection = s->shown, .model_identity = s->identity,
                              .model_name = s->model_name, .precision = s->precision, .dim = base->dim,
                              .lacks_details = !s->external && !s->has_details, .finds_words = s->has_words && !s->words_mixed,
                              .lacks_words = !s->external && (!s->has_words || s->words_mixed),
                              .keeps_marks = base->kind->put_marks && !s->is_replacement };
}

int scry_remote_count_files(scry_store *base, scry_store_info *out, scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    scry_milvus *m;
    int64_t files = 0;
    int result = scry_remote_take(s, &m, err);
    if (result < 0)
        return result;
    result = scry_remote_count(s, m, "", SCRY_MILVUS_STRONG, &files, err);
    scry_remote_give(s, m);
    scry_remote_describe(base, out);
    out->files = (uint64_t)files;
    return result < 0 ? result : scry_remote_side_count(s, &out->bad_files, err);
}

static int remote_get_info(scry_store *base, scry_store_info *out, scry_error *err)
{
    scry_remote_contents contents = { 0 };
    int result = scry_remote_count_files(base, out, err);
    if (result == 0)
        result = scry_remote_count_contents((scry_remote *)base, "", out->files, SCRY_MILVUS_STRONG, &contents, err);
    out->contents = contents.count;
    out->contents_estimated = contents.estimated;
    return result;
}

int scry_remote_compact(scry_store *base, const scry_compact_options *options, scry_error *err)
{
    return 0;   /* Milvus compacts by itself */
}

/* What does not depend on the format of the collection. */
#define OPERATIONS \
    .close = scry_remote_close, .sync = scry_remote_sync, .refresh = remote_refresh, .get_info = remote_get_info, \
    .describe = scry_remote_describe, \
    .add_root = scry_remote_add_root, .name_root = scry_remote_name_root, \
    .move_root = scry_remote_move_root, .roots = scry_remote_each_root, \
    .put_root = scry_remote_put_root, .has_root = scry_remote_has_root, .lost_roots = scry_remote_lost_roots, \
    .put_replaces_vectors = true, \
    .each_in_range = scry_remote_each_in_range, \
    .look_ahead = scry_remote_look_ahead, .count_below = scry_remote_count_below, .each_place = scry_remote_each_place, \
    .each_sampled = scry_remote_each_sampled, .each_brief = scry_remote_each_brief, \
    .file_state = scry_remote_file_state, .has_content = scry_remote_has_content, .put = scry_remote_put, \
    .put_bad = scry_remote_put_bad, .remove = scry_remote_remove, .get = scry_remote_get, .get_many = scry_remote_get_many, \
    .vector = scry_remote_vector, .vector_of = scry_remote_vector_of, \
    .each_file = scry_remote_each_file, .each_bad = scry_remote_each_bad, .search_many = scry_remote_search_many, \
    .verify = scry_remote_verify, .samples = true, \
    .compact = scry_remote_compact, \
    .put_into_files = scry_remote_put_into_files, \
    .put_marks = scry_remote_put_marks, .remove_marks = scry_remote_remove_marks, .each_mark = scry_remote_each_mark, \
    .begin_replacement = scry_remote_begin_replacement, .replace = scry_remote_replace, \
    .drop_replacement = scry_remote_drop_replacement

const scry_store_kind scry_remote_kind = {
    OPERATIONS, .put_texts = scry_remote_put_texts, .get_text = scry_remote_get_text, .get_texts = scry_remote_get_texts,
    .each_text = scry_remote_each_text, .each_unread = scry_remote_each_unread, .count_texts = scry_remote_count_texts,
    .rare_words = scry_remote_rare_words,
};
const scry_store_kind scry_remote_textless_kind = { OPERATIONS };

/* ---- opening ---- */

static int check_name(const char *name, scry_error *err)
{
    bool good = name[0] && !isdigit((unsigned char)name[0]) && strlen(name) <= 255;
    for (const char *c = name; *c; c++)
        good &= isalnum((unsigned char)*c) || *c == '_';
    if (good)
        return 0;
    return scry_fail(err, SCRY_EINVALID, "\"%s\" is not a valid name of a Milvus collection: letters, digits and _, "
                     "not first a digit", name);
}

static int set_consistency(scry_remote *s, const char *text, scry_error *err)
{
    static const char *const names[] = { "strong", "session", "bounded", "eventually" };
    s->consistency = SCRY_MILVUS_BOUNDED;
    if (!text)
        return 0;
    for (int i = 0; i < 4; i++)
        if (strcmp(text, names[i]) == 0) {
            s->consistency = (scry_milvus_consistency)i;
            return 0;
        }
    return scry_fail(err, SCRY_EINVALID, "the consistency of Milvus is strong, session, bounded or eventually, not \"%s\"",
                     text);
}

static scry_remote *remote_new(const char *where, const char *name, scry_store_mode mode)
{
    scry_remote *s = scry_alloc(sizeof *s);
    s->where = scry_strdup(where);
    s->name = scry_strdup(name ? name : "default");
    s->shown = scry_strdup(s->name);
    s->mode = mode;
    s->raws = s->has_texts = -1;
    s->roots = scry_remote_roots_new(0);
    pthread_mutex_init(&s->lock, NULL);
    pthread_mutex_init(&s->side_lock, NULL);
    return s;
}

/* An option that was not given may be set in the environment. */
static const char *choose(const char *given, const char *variable)
{
    const char *value = given ? given : getenv(variable);
    return value && value[0] ? value : NULL;
}

static int remote_open(scry_store **out, const char *where, const scry_store_options *given, scry_error *err)
{
    scry_store_options choice = *given, *o = &choice;
    o->milvus.index = choose(given->milvus.index, "SCRY_MILVUS_INDEX");
    o->milvus.search = choose(given->milvus.search, "SCRY_MILVUS_SEARCH");
    o->milvus.consistency = choose(given->milvus.consistency, "SCRY_MILVUS_CONSISTENCY");
    scry_remote *s = remote_new(where, o->collection, o->mode);
    s->notice = o->milvus.notice;
    s->wait = (scry_milvus_wait){ o->milvus.waiting, o->milvus.waiting_arg, SCRY_REMOTE_JOB_MS };
    scry_milvus *m = NULL;
    int result = check_name(s->name, err);
    if (result == 0)
        result = set_consistency(s, o->milvus.consistency, err);
    if (result == 0)
        result = set_connection(s, where, err);
    s->options.replicas = o->milvus.replicas;
    s->resource_group = o->milvus.resource_group ? scry_strdup(o->milvus.resource_group) : NULL;
    s->options.resource_group = s->resource_group;
    if (result == 0)
        result = scry_remote_take(s, &m, err);
    if (result == 0)
        result = scry_remote_prepare(s, m, o, err);
    scry_remote_give(s, m);
    if (result < 0)
        remote_free(s);
    else
        *out = &s->base;
    return result;
}

typedef struct name_list {
    int (*each)(void *arg, const char *name);
    void *arg;
    scry_milvus *m;
} name_list;

static int list_name(void *arg, const char *name)
{
    const name_list *l = arg;
    bool hidden = scry_remote_is_replacement(name) || scry_remote_is_marks(l->m, name);
    char *listed = hidden ? NULL : scry_remote_listed_name(l->m, name);
    int stop = listed ? l->each(l->arg, listed) : 0;
    free(listed);
    return stop;
}

static int remote_collections(const char *where, int (*each)(void *arg, const char *name), void *arg, scry_error *err)
{
    scry_remote *s = remote_new(where, NULL, SCRY_STORE_READ);
    scry_milvus *m = NULL;
    int result = set_connection(s, where, err);
    if (result == 0)
        result = scry_remote_take(s, &m, err);
    if (result == 0)
        result = scry_milvus_collections(m, list_name, &(name_list){ each, arg, m }, err);
    scry_remote_give(s, m);
    remote_free(s);
    return result;
}

static int remote_drop(const char *where, const char *name, scry_error *err)
{
    scry_remote *s = remote_new(where, name, SCRY_STORE_WRITE);
    scry_milvus *m = NULL;
    int result = check_name(s->name, err);
    if (result == 0)
        result = set_connection(s, where, err);
    if (result == 0)
        result = scry_remote_take(s, &m, err);
    if (result == 0)
        result = scry_remote_drop(m, s->name, where, err);
    if (result == 0)
        result = scry_remote_drop_marks(m, s->name, err);
    scry_remote_give(s, m);
    remote_free(s);
    return result;
}

const scry_store_driver scry_milvus_driver = { remote_open, remote_collections, remote_drop };
