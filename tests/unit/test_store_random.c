/* A store against plain arrays: random operations, then every answer compared.
 *
 * The embedded one in a new folder; or the one that SCRY_TEST_STORE names (milvus://...), whose
 * scores are of single precision, for SCRY_TEST_STEPS steps. SCRY_TEST_SEED is another seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "store_model.h"

#include "store/local/columns.h"
#include "store/predicates.h"

typedef struct {
    char where[64];
    scry_store *store;
    model_file file[MODEL_FILES];
    dice d;
    char root[3][96];
    uint8_t root_id[3][SCRY_ID_BYTES];
    int roots;
    int text[MODEL_CONTENTS];   /* what was read in a content: text_of; 0: it was not read */
    char texts[MODEL_CONTENTS][64];
} world;

/* Milvus computes scores in single precision and does not say how many rows passed a filter. */
static bool is_remote(const world *w)
{
    return strncmp(w->where, "milvus", 6) == 0;
}

#define OK(call) assert_ok((call), &err, #call, __LINE__)

static void assert_ok(int result, const scry_error *err, const char *call, int line)
{
    if (result < 0)
        fail_msg("line %d: %s: %s", line, call, err->message);
}

static void open_world(world *w, scry_store_mode mode)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_store_options o = SCRY_STORE_OPTIONS_INIT;
    o.mode = mode;
    o.model_identity = "0123456789abcdef";
    o.model_name = "toy";
    o.precision = "fp32";
    o.dim = MODEL_DIM;
    o.threads = 2;
    OK(scry_store_open(&w->store, w->where, &o, &err));
}

static void set_path(world *w, model_file *f)
{
    memcpy(f->root, w->root_id[0], SCRY_ID_BYTES);
    for (int i = 0; i < w->roots; i++)
        if (strcmp(f->root_path, w->root[i]) == 0)
            memcpy(f->root, w->root_id[i], SCRY_ID_BYTES);
    snprintf(f->path, sizeof f->path, "%s/%s", f->root_path, f->relative);
}

/* ---- what is read in pictures ---- */

/* Two lines; of an even number none. */
static const char *text_of(world *w, int content)
{
    int n = w->text[content];
    snprintf(w->texts[content], sizeof w->texts[content], n % 2 ? "Sign number %d\nопера LABEL %d" : "", n, n % 6);
    return w->texts[content];
}

static scry_file file_of(world *w, const model_file *m)
{
    scry_file f = model_to_file(m);
    f.text = text_of(w, m->content);
    return f;
}

/* A content that has no file any more has no text. */
static void forget_texts(world *w)
{
    bool used[MODEL_CONTENTS] = { false };
    for (int i = 0; i < MODEL_FILES; i++)
        if (w->file[i].present && !w->file[i].bad)
            used[w->file[i].content] = true;
    for (int c = 0; c < MODEL_CONTENTS; c++)
        w->text[c] = used[c] ? w->text[c] : 0;
}

static void put_texts(world *w)
{
    enum { BATCH = 30 };
    scry_error err = SCRY_ERROR_INIT;
    scry_picture_text texts[BATCH] = { 0 };
    scry_text_line lines[BATCH][2] = { 0 };
    char halves[BATCH][2][40];
    int at = below(&w->d, MODEL_CONTENTS - BATCH);
    for (int i = 0; i < BATCH; i++) {
        int n = w->text[at + i] = 1 + below(&w->d, 40);
        snprintf(halves[i][0], sizeof halves[i][0], "Sign number %d", n);
        snprintf(halves[i][1], sizeof halves[i][1], "опера LABEL %d", n % 6);
        lines[i][0].text = halves[i][0];
        lines[i][1].text = halves[i][1];
        texts[i] = (scry_picture_text){ .reader = "r1", .lines = lines[i], .line_count = n % 2 ? 2 : 0, .reason = n % 7 ? "" : "torn" };
        if (n % 7 == 0)
            w->text[at + i] = 98;
        model_hash(at + i, texts[i].content);
    }
    OK(scry_store_put_texts(w->store, texts, BATCH, &err));
    forget_texts(w);   /* of contents that the store does not have */
}

static void put_some(world *w)
{
    scry_error err = SCRY_ERROR_INIT;
    enum { BATCH = 12 };
    scry_put batch[BATCH] = { 0 };
    float vectors[BATCH][MODEL_DIM];
    int n = 1 + below(&w->d, BATCH), taken = 0;
    for (int i = 0; i < n; i++) {
        model_file *f = &w->file[below(&w->d, MODEL_FILES)];
        f->present = true;
        f->bad = false;
        f->content = below(&w->d, MODEL_CONTENTS);
        f->size = below(&w->d, 1000000);
        f->mtime_ns = (int64_t)1400000000 * 1000000000 + (int64_t)(roll(&w->d) >> 8);
        snprintf(f->key, sizeof f->key, below(&w->d, 2) ? "k%d" : "", below(&w->d, 50));
        f->label_count = (size_t)below(&w->d, 3);
        for (size_t k = 0; k < f->label_count; k++) {
            snprintf(f->label[k], sizeof f->label[k], "label %d", below(&w->d, 5));
            f->labels[k] = f->label[k];
        }
        batch[taken].file = model_to_file(f);
        uint8_t hash[SCRY_HASH_BYTES];
        model_hash(f->content, hash);
        int known = scry_store_has_content(w->store, hash, NULL, &err);
        assert_true(known >= 0);
        model_vector(f->content, vectors[taken], MODEL_DIM);
        batch[taken].vector = known && below(&w->d, 2) ? NULL : vectors[taken];
        taken++;
        /* the same file twice in one batch would make `labels` point to the later ones */
        OK(scry_store_put(w->store, batch, (size_t)taken, &err));
        taken = 0;
        forget_texts(w);
    }
}

static void put_batch(world *w)
{
    scry_error err = SCRY_ERROR_INIT;
    enum { BATCH = 40 };
    scry_put batch[BATCH];
    static float vectors[BATCH][MODEL_DIM];
    int start = below(&w->d, MODEL_FILES - BATCH);
    for (int i = 0; i < BATCH; i++) {
        model_file *f = &w->file[start + i];
        f->present = true;
        f->bad = false;
        f->content = below(&w->d, MODEL_CONTENTS);
        f->label_count = 0;
        model_vector(f->content, vectors[i], MODEL_DIM);
        batch[i] = (scry_put){ .file = model_to_file(f), .vector = vectors[i] };
    }
    OK(scry_store_put(w->store, batch, BATCH, &err));
}

static void put_bad(world *w)
{
    scry_error err = SCRY_ERROR_INIT;
    model_file *f = &w->file[below(&w->d, MODEL_FILES)];
    f->bad = f->present = true;
    f->size = below(&w->d, 1000);
    f->mtime_ns = below(&w->d, 1000);
    OK(scry_store_put_bad(w->store, f->root, f->relative, f->size, f->mtime_ns, "torn", &err));
}

static void remove_some(world *w)
{
    scry_error err = SCRY_ERROR_INIT;
    uint8_t ids[5][SCRY_ID_BYTES];
    uint64_t expected = 0, removed;
    for (int i = 0; i < 5; i++) {
        model_file *f = &w->file[below(&w->d, MODEL_FILES)];
        scry_file_id(f->root, f->relative, ids[i]);
        expected += f->present;
        f->present = f->bad = false;
    }
    OK(scry_store_remove(w->store, ids, 5, &removed, &err));
    assert_int_equal(removed, expected);
}

/* ---- comparing ---- */

static const scry_filter_node *random_filter(world *w, scry_filter_pool *p, int depth)
{
    static const char *const folders[] = { "/", "/a", "/a/b", "/a/b/s1", "/a/bb", "/c/d", "/c/d/s2/f17.jpg" };
    char text[32];
    int kind = below(&w->d, depth > 0 ? 15 : 11);
    switch (kind) {
    case 0:
        return scry_filter_text(p, SCRY_FILTER_IN, folders[below(&w->d, 7)]);
    case 1:
        return scry_filter_time(p, SCRY_FILTER_AFTER, 1400000000 + (int64_t)below(&w->d, 300000000));
    case 2:
        return scry_filter_time(p, SCRY_FILTER_BEFORE, 1400000000 + (int64_t)below(&w->d, 300000000));
    case 3:
        return scry_filter_text(p, SCRY_FILTER_CAMERA, below(&w->d, 2) ? "nikon" : "o");
    case 4:
        return scry_filter_near(p, below(&w->d, 180) - 90, below(&w->d, 360) - 180, below(&w->d, 15000));
    case 5:
        return scry_filter_text(p, SCRY_FILTER_FORMAT, below(&w->d, 2) ? "JPG" : "png");
    case 6:
        snprintf(text, sizeof text, "label %d", below(&w->d, 6));
        return scry_filter_text(p, SCRY_FILTER_LABEL, text);
    case 7:
        snprintf(text, sizeof text, "k%d", below(&w->d, 50));
        return scry_filter_text(p, SCRY_FILTER_KEY, below(&w->d, 3) ? text : "");
    case 8:
        return scry_filter_number(p, SCRY_FILTER_MIN_WIDTH, 90 + below(&w->d, 180));
    case 9:
        snprintf(text, sizeof text, below(&w->d, 3) == 0 ? "S%d" : below(&w->d, 2) ? "label %d" : "number опер %d", below(&w->d, 6));
        return scry_filter_words(p, text, below(&w->d, 2) ? SCRY_WORDS_WHOLE : SCRY_WORDS_PARTS);
    case 10: {
        double south = below(&w->d, 150) - 90;
        return scry_filter_box(p, below(&w->d, 361) - 180, south, below(&w->d, 361) - 180, south + below(&w->d, 31));
    }
    case 11:
        return scry_filter_and(p, random_filter(w, p, depth - 1), random_filter(w, p, depth - 1));
    case 12:
        return scry_filter_or(p, random_filter(w, p, depth - 1), random_filter(w, p, depth - 1));
    default:
        return scry_filter_not(p, random_filter(w, p, depth - 1));
    }
}

typedef struct {
    double score;
    const model_file *file;
    uint64_t copies, folded;
} expected_hit;

static int compare_expected(const void *a, const void *b)
{
    const expected_hit *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return strcmp(x->file->path, y->file->path);
}

static size_t brute_force(world *w, const float *query, const scry_search *q, expected_hit *out,
                          uint64_t *scanned, uint64_t *undated)
{
    const model_file *first[MODEL_CONTENTS] = { NULL };
    uint64_t copies[MODEL_CONTENTS] = { 0 };
    bool is_undated[MODEL_CONTENTS] = { false };
    size_t n = 0;
    *scanned = *undated = 0;
    for (int i = 0; i < MODEL_FILES; i++) {
        const model_file *f = &w->file[i];
        scry_file file = file_of(w, f);
        if (!f->present || f->bad || !scry_filter_match(q->filter, &file))
            continue;
        *scanned += copies[f->content]++ == 0;
        if (!file.has_time && (is_remote(w) || !is_undated[f->content])) {   /* Milvus counts files */
            is_undated[f->content] = true;
            ++*undated;
        }
        if (!first[f->content] || strcmp(f->path, first[f->content]->path) < 0)
            first[f->content] = f;
        double score = model_score(query, f->content, MODEL_DIM);
        if (q->all_copies && score >= q->min_score)
            out[n++] = (expected_hit){ score, f, 0, 0 };
    }
    for (int c = 0; c < MODEL_CONTENTS && !q->all_copies; c++) {
        double score = model_score(query, c, MODEL_DIM);
        if (first[c] && score >= q->min_score)
            out[n++] = (expected_hit){ score, first[c], copies[c] - 1, 0 };
    }
    qsort(out, n, sizeof *out, compare_expected);
    return n;
}

/* Folding: in the order of the ranking, each hit joins the first shown hit that is near; returns how many are shown. */
static size_t fold_expected(expected_hit *hits, size_t n, double cosine)
{
    size_t shown = 0;
    for (size_t i = 0; i < n; i++) {
        float v[MODEL_DIM];
        size_t into = 0;
        model_vector(hits[i].file->content, v, MODEL_DIM);
        while (into < shown && model_score(v, hits[into].file->content, MODEL_DIM) < cosine)
            into++;
        if (into == shown)
            hits[shown++] = hits[i];
        else
            hits[into].folded++;
    }
    return shown;
}

/* The expected hit at a place; on Milvus, any of those with the same score within its precision. */
static const expected_hit *due_hit(const world *w, const expected_hit *expected, size_t n, size_t i, const scry_hit *h)
{
    for (size_t k = 0; is_remote(w) && k < n; k++)
        if (fabs(expected[k].score - expected[i].score) < 2e-6 && strcmp(expected[k].file->path, h->file.path) == 0)
            return &expected[k];
    return &expected[i];
}

static void check_results(world *w, const scry_results *r, const expected_hit *expected, size_t n,
                          const scry_search *q, uint64_t scanned, uint64_t undated)
{
    size_t left = n > q->offset ? n - q->offset : 0, count = left < q->limit ? left : q->limit;
    assert_int_equal(r->count, count);
    assert_int_equal(r->has_more, left > q->limit);
    if (n)
        assert_true(fabs(r->top_score - expected[0].score) < (is_remote(w) ? 2e-6 : 1e-12));
    else
        assert_true(isnan(r->top_score));
    bool top = n == 0;   /* any of those with the highest score */
    for (size_t i = 0; i < n && !top && expected[0].score - expected[i].score < 2e-6; i++) {
        scry_file f = model_to_file(expected[i].file);
        top = memcmp(r->top_content, f.content, SCRY_HASH_BYTES) == 0;
    }
    assert_true(top);
    if (!is_remote(w))
        assert_int_equal(r->scanned, scanned);
    if (!is_remote(w))
        assert_int_equal(r->has_undated, scry_filter_asks_time(q->filter));
    if (r->has_undated)
        assert_int_equal(r->undated, undated);
    for (size_t i = 0; i < count; i++) {
        const scry_hit *h = &r->hits[i];
        const expected_hit *e = due_hit(w, expected, n, q->offset + i, h);
        assert_true(fabs(e->score - h->score) < (is_remote(w) ? 1e-6 : 1e-12));
        assert_string_equal(h->file.path, e->file->path);
        assert_int_equal(h->copies, e->copies);
        assert_int_equal(h->folded, e->folded);
        assert_int_equal(h->file.label_count, e->file->label_count);
        for (size_t k = 0; k < h->file.label_count; k++)
            assert_string_equal(h->file.labels[k], e->file->labels[k]);
        scry_file f = model_to_file(e->file);
        assert_memory_equal(h->file.id, f.id, SCRY_ID_BYTES);
        assert_memory_equal(h->file.content, f.content, SCRY_HASH_BYTES);
        assert_string_equal(h->file.camera, f.camera);
        assert_string_equal(h->file.key, f.key);
        if (scry_filter_asks_words(q->filter))
            assert_string_equal(h->file.text, text_of(w, e->file->content));
        assert_int_equal(h->file.width, f.width);
        assert_int_equal(h->file.taken_at, f.taken_at);
    }
}

static int never(void *arg, const scry_file *file)
{
    fail();
    return 1;
}

static void check_search(world *w)
{
    enum { QUERIES = 3 };
    static expected_hit expected[MODEL_FILES];
    scry_error err = SCRY_ERROR_INIT;
    float query[QUERIES][MODEL_DIM];
    scry_results *r[QUERIES];
    scry_filter_pool *pool = scry_filter_pool_new();
    scry_search q = SCRY_SEARCH_INIT;
    q.filter = below(&w->d, 3) ? random_filter(w, pool, 3) : NULL;
    q.limit = (size_t)below(&w->d, 30);
    q.offset = below(&w->d, 2) ? (size_t)below(&w->d, 60) : 0;
    q.all_copies = below(&w->d, 3) == 0;
    q.fold = q.all_copies || below(&w->d, 3) ? 0 : below(&w->d, 2) ? 0.9 : 0.3;
    q.min_score = below(&w->d, 3) ? -2 : below(&w->d, 100) * 0.004 - 0.2;
    for (int i = 0; i < QUERIES; i++)
        model_vector(below(&w->d, 2) ? below(&w->d, MODEL_VECTORS) : 5000 + below(&w->d, 100), query[i], MODEL_DIM);
    OK(scry_store_search_many(w->store, query[0], QUERIES, &q, r, &err));
    for (int i = 0; i < QUERIES; i++) {
        uint64_t scanned, undated;
        size_t n = brute_force(w, query[i], &q, expected, &scanned, &undated);
        n = q.fold > 0 ? fold_expected(expected, n, q.fold) : n;
        check_results(w, r[i], expected, n, &q, scanned, undated);
        scry_results_free(r[i]);
    }
    const scry_filter_node odd = { .kind = SCRY_FILTER_KINDS };
    q.filter = scry_filter_not(pool, &odd);
    assert_int_equal(scry_store_search_many(w->store, query[0], QUERIES, &q, r, &err), SCRY_EINVALID);
    assert_int_equal(scry_store_each_file(w->store, q.filter, NULL, never, NULL, &err), SCRY_EINVALID);
    scry_filter_pool_free(pool);
}

typedef struct {
    const world *w;
    const scry_filter_node *filter;
    size_t count;
    uint8_t last_root[SCRY_ID_BYTES], id[SCRY_ID_BYTES], middle[SCRY_ID_BYTES];
    char last[64];
    size_t stop_at;
} walk;

static int see_file(void *arg, const scry_file *file)
{
    walk *k = arg;
    int order = memcmp(k->last_root, file->root, SCRY_ID_BYTES);
    assert_true(k->count == 0 || order < 0 || (order == 0 && strcmp(k->last, file->relative) < 0));
    memcpy(k->last_root, file->root, SCRY_ID_BYTES);
    snprintf(k->last, sizeof k->last, "%s", file->relative);
    memcpy(k->id, file->id, SCRY_ID_BYTES);
    k->count++;
    bool found = false;
    for (int i = 0; i < MODEL_FILES; i++) {
        const model_file *f = &k->w->file[i];
        found |= f->present && !f->bad && strcmp(f->path, file->path) == 0 && f->size == file->size;
    }
    assert_true(found);
    return k->stop_at && k->count == k->stop_at;
}

static int see_bad(void *arg, const char *path, int64_t size, int64_t mtime_ns, const char *reason)
{
    assert_string_equal(reason, "torn");
    ++*(size_t *)arg;
    return 0;
}

static void check_walks(world *w)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_filter_pool *pool = scry_filter_pool_new();
    walk k = { .w = w, .filter = random_filter(w, pool, 2) };
    size_t expected = 0, all = 0, bad = 0, seen_bad = 0;
    for (int i = 0; i < MODEL_FILES; i++) {
        scry_file file = file_of(w, &w->file[i]);
        bool good = w->file[i].present && !w->file[i].bad;
        expected += good && scry_filter_match(k.filter, &file);
        all += good;
        bad += w->file[i].bad;
    }
    OK(scry_store_each_file(w->store, k.filter, NULL, see_file, &k, &err));
    assert_int_equal(k.count, expected);
    OK(scry_store_each_bad(w->store, see_bad, &seen_bad, &err));
    assert_int_equal(seen_bad, bad);
    walk first = { .w = w, .stop_at = all / 2 }, rest = { .w = w };
    if (all >= 2) {
        OK(scry_store_each_file(w->store, NULL, NULL, see_file, &first, &err));
        OK(scry_store_each_file(w->store, NULL, first.id, see_file, &rest, &err));
        assert_int_equal(first.count + rest.count, all);
    }
    scry_filter_pool_free(pool);
    scry_store_info info;
    OK(scry_store_get_info(w->store, &info, &err));
    assert_int_equal(info.files, all);
    assert_int_equal(info.bad_files, bad);
}

static void check_lookups(world *w)
{
    scry_error err = SCRY_ERROR_INIT;
    for (int i = 0; i < MODEL_FILES; i += 1 + below(&w->d, 20)) {
        const model_file *f = &w->file[i];
        scry_file file = model_to_file(f), fields;
        scry_file_state state;
        OK(scry_store_file_state(w->store, f->root, f->relative, &state, &err));
        assert_int_equal(state.known, f->present);
        assert_int_equal(state.bad, f->bad);
        scry_results *r;
        int result = scry_store_get(w->store, file.id, &r, &err);
        assert_int_equal(result, f->present && !f->bad ? 0 : SCRY_ENOTFOUND);
        if (!f->present)
            continue;
        assert_int_equal(state.size, f->size);
        assert_int_equal(state.mtime_ns, f->mtime_ns);
        if (f->bad)
            continue;
        assert_memory_equal(state.content, file.content, SCRY_HASH_BYTES);
        assert_string_equal(r->hits[0].file.path, f->path);
        scry_results_free(r);
        assert_int_equal(scry_store_has_content(w->store, file.content, &fields, &err), 1);
        assert_string_equal(fields.camera, file.camera);
        assert_int_equal(fields.height, file.height);
        float stored[MODEL_DIM], given[MODEL_DIM];
        OK(scry_store_vector(w->store, file.content, stored, &err));
        model_vector(f->content, given, MODEL_DIM);
        for (int k = 0; k < MODEL_DIM; k++)
            assert_true(stored[k] == (float)(_Float16)given[k]);
    }
}

typedef struct {
    world *w;
    uint8_t last[SCRY_ID_BYTES];
    size_t count;
} range_walk;

static int see_in_range(void *arg, const scry_file *file, const float *vector)
{
    range_walk *k = arg;
    float stored[MODEL_DIM];
    scry_error err = SCRY_ERROR_INIT;
    assert_true(k->count == 0 || memcmp(k->last, file->id, SCRY_ID_BYTES) < 0);
    memcpy(k->last, file->id, SCRY_ID_BYTES);
    k->count++;
    if (vector) {
        OK(scry_store_vector(k->w->store, file->content, stored, &err));
        assert_memory_equal(stored, vector, sizeof stored);
    }
    return 0;
}

/* All files in order of id, in ranges. */
static void check_ranges(world *w)
{
    scry_error err = SCRY_ERROR_INIT;
    const uint64_t all = (uint64_t)1 << 32, cut = roll(&w->d) >> 32;
    range_walk k = { .w = w };
    size_t expected = 0;
    for (int i = 0; i < MODEL_FILES; i++)
        expected += w->file[i].present && !w->file[i].bad;
    OK(scry_store_each_in_range(w->store, (scry_id_range){ 0, cut }, !is_remote(w), see_in_range, &k, &err));
    OK(scry_store_each_in_range(w->store, (scry_id_range){ cut, cut }, false, see_in_range, &k, &err));
    OK(scry_store_each_in_range(w->store, (scry_id_range){ cut, all }, false, see_in_range, &k, &err));
    assert_int_equal(k.count, expected);
}

static void complain(void *arg, const char *text)
{
    print_error("verify: %s\n", text);
}

static int see_unread(void *arg, const scry_file *files, size_t count)
{
    int *seen = arg;
    assert_true(count > 0);
    for (int c = 0; c < MODEL_CONTENTS; c++) {
        uint8_t hash[SCRY_HASH_BYTES];
        model_hash(c, hash);
        seen[c] += memcmp(hash, files[0].content, SCRY_HASH_BYTES) == 0;
    }
    return 0;
}

/* What was read, and what is to be read. */
static void check_texts(world *w)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_text_counts counts;
    int unread[MODEL_CONTENTS] = { 0 };
    bool used[MODEL_CONTENTS] = { false };
    uint64_t read = 0, failed = 0, with_text = 0, contents = 0;
    for (int i = 0; i < MODEL_FILES; i++)
        if (w->file[i].present && !w->file[i].bad)
            used[w->file[i].content] = true;
    OK(scry_store_each_unread(w->store, &(scry_unread){ "r1", false, 0 }, see_unread, unread, &err));
    for (int c = 0; c < MODEL_CONTENTS; c++) {
        uint8_t hash[SCRY_HASH_BYTES];
        scry_picture_text *t;
        model_hash(c, hash);
        OK(scry_store_get_text(w->store, hash, &t, &err));
        assert_int_equal(t != NULL, w->text[c] != 0);
        assert_int_equal(unread[c], used[c] && !w->text[c]);
        contents += used[c];
        if (!t)
            continue;
        read += w->text[c] != 98;
        failed += w->text[c] == 98;
        with_text += w->text[c] % 2 != 0;
        assert_int_equal(t->line_count, w->text[c] % 2 ? 2 : 0);
        assert_string_equal(t->reason, w->text[c] == 98 ? "torn" : "");
        scry_picture_text_free(t);
    }
    OK(scry_store_count_texts(w->store, below(&w->d, 2) ? "r1" : NULL, &counts, &err));
    assert_int_equal(counts.read, read);
    assert_int_equal(counts.failed, failed);
    assert_int_equal(counts.with_text, with_text);
    assert_int_equal(counts.unread, contents - read - failed);
}

static void check_all(world *w)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_verify_report report;
    for (int i = 0; i < 6; i++)
        check_search(w);
    check_walks(w);
    check_ranges(w);
    check_lookups(w);
    check_texts(w);
    OK(scry_store_verify(w->store, &report, complain, NULL, &err));
    assert_int_equal(report.problems, 0);
}

static void add_roots(world *w)
{
    static const char *const paths[] = { "/a/b", "/a/bb", "/c/d" };
    scry_error err = SCRY_ERROR_INIT;
    w->roots = 3;
    for (int i = 0; i < 3; i++) {
        scry_root root;
        OK(scry_store_add_root(w->store, paths[i], &root, &err));
        snprintf(w->root[i], sizeof w->root[i], "%s", paths[i]);
        memcpy(w->root_id[i], root.id, SCRY_ID_BYTES);
    }
    for (int i = 0; i < MODEL_FILES; i++) {
        model_file *f = &w->file[i];
        snprintf(f->root_path, sizeof f->root_path, "%s", paths[i % 3]);
        if (i % 2)
            snprintf(f->relative, sizeof f->relative, "s%d/f%d.jpg", i % 5, i);
        else
            snprintf(f->relative, sizeof f->relative, "f%d.jpg", i);
        set_path(w, f);
    }
}

/* The root of all: what was three roots is one, with new ids. */
static void take_roots_in(world *w)
{
    scry_error err = SCRY_ERROR_INIT;
    scry_root root;
    OK(scry_store_add_root(w->store, "/a", &root, &err));
    for (int i = 0; i < 2; i++) {
        snprintf(w->root[i], sizeof w->root[i], "/a");
        memcpy(w->root_id[i], root.id, SCRY_ID_BYTES);
    }
    for (int i = 0; i < MODEL_FILES; i++) {
        model_file *f = &w->file[i];
        char relative[64];
        if (strncmp(f->path, "/a/", 3) != 0)
            continue;
        snprintf(relative, sizeof relative, "%s", f->path + 3);
        snprintf(f->relative, sizeof f->relative, "%s", relative);
        snprintf(f->root_path, sizeof f->root_path, "/a");
        set_path(w, f);
    }
    scry_root again;
    OK(scry_store_add_root(w->store, "/a/b/x", &again, &err));
    assert_memory_equal(again.id, root.id, SCRY_ID_BYTES);
    assert_string_equal(again.path, "/a");
}

static void move_a_root(world *w, const char *to)
{
    scry_error err = SCRY_ERROR_INIT;
    assert_int_equal(scry_store_move_root(w->store, w->root[2], "/a/zzz", &err), SCRY_EINVALID);
    assert_int_equal(scry_store_move_root(w->store, "/nowhere", "/x", &err), SCRY_ENOTFOUND);
    OK(scry_store_move_root(w->store, w->root[2], to, &err));
    char from[sizeof w->root[2]];
    memcpy(from, w->root[2], sizeof from);
    snprintf(w->root[2], sizeof w->root[2], "%.40s", to);
    for (int i = 0; i < MODEL_FILES; i++) {
        model_file *f = &w->file[i];
        if (strcmp(f->root_path, from) == 0) {
            snprintf(f->root_path, sizeof f->root_path, "%.30s", to);
            set_path(w, f);
        }
    }
}

static void random_operations(void **state)
{
    scry_error err = SCRY_ERROR_INIT;
    const char *seed = getenv("SCRY_TEST_SEED");
    const char *where = getenv("SCRY_TEST_STORE"), *steps = getenv("SCRY_TEST_STEPS");
    world *w = calloc(1, sizeof *w);
    if (where)
        snprintf(w->where, sizeof w->where, "%s", where);
    else
        make_scratch(w->where);
    w->d.state = seed ? strtoull(seed, NULL, 10) : 1;
    open_world(w, SCRY_STORE_CREATE);
    add_roots(w);
    check_all(w);
    for (int step = 0; step < (steps ? atoi(steps) : 60); step++) {
        switch (below(&w->d, 10)) {
        case 5: case 6: put_texts(w); break;
        case 0: put_bad(w); break;
        case 1: remove_some(w); remove_some(w); break;
        case 2: put_batch(w); break;
        case 3: OK(scry_store_compact(w->store, &err)); break;
        case 4:
            OK(scry_store_close(w->store, &err));
            open_world(w, SCRY_STORE_WRITE);
            break;
        default: put_some(w);
        }
        forget_texts(w);
        if (!where && step % 7 == 3)   /* of a folder only */
            scry_columns_update((scry_local *)w->store, 0);
        if (step == 30)
            take_roots_in(w);
        if (step == 40)
            move_a_root(w, "/elsewhere/photos");
        check_all(w);
    }
    OK(scry_store_close(w->store, &err));
    open_world(w, SCRY_STORE_READ);
    check_all(w);
    OK(scry_store_close(w->store, &err));
    if (where)
        OK(scry_store_drop_collection(where, "default", &err));
    else
        remove_tree(w->where);
    free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(random_operations) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
