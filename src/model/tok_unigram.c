/* tok_unigram.c - SentencePiece's unigram model as Hugging Face's tokenizers runs it (XLM-R).
 *
 *     text -> added tokens cut out -> normaliser -> words, each with a leading mark
 *          -> the pieces whose scores add up highest (Viterbi) -> ids
 *
 * Everything is read from tokenizer.json; what is not known is refused by its name. The
 * search walks a word once. All pieces that start at a place are tried by growing a hash
 * byte by byte; how far that may pay is looked up by the first two characters. A place
 * that no piece found so far reaches across is final: the path up to it is put out and
 * forgotten, so that a page without spaces neither fills memory nor delays the first ids.
 * Sums are kept in double precision and in the reference's order, for its ties.
 */
#include "model/tok_internal.h"

#include "base/alloc.h"
#include "model/tok_normal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNKNOWN_PENALTY 10.0
#define NO_START UINT32_MAX

enum { REACH_BITS = 16, MAX_MARK_BYTES = 8 };

typedef struct unigram_model {
    scry_normal normal;
    scry_pieces pieces;
    uint16_t *reach;          /* owned: [1 << REACH_BITS], by two characters: longest piece so starting */
    double unknown_score;
    int32_t unknown_id;
    bool byte_fallback;
    int32_t byte_ids[256];    /* with byte_fallback */
    bool splits_white_space;  /* words are what stands between it */
    bool marks_words;         /* a mark goes before each, unless it is there */
    bool splits_marks;        /* each mark starts a new piece of text */
    bool has_mark;            /* spaces become marks */
    char mark[MAX_MARK_BYTES];
    size_t mark_n;
} unigram_model;

/* ---- the search ---- */

/* Best way to reach a place, counted in bytes from the last final one. */
typedef struct path_node {
    double score;
    uint32_t start;   /* where its last piece starts; NO_START = not reached */
    uint32_t next;    /* used when the path is put out: where the next piece starts */
    int32_t id;
} path_node;

typedef struct unigram_work {
    const scry_tokenizer *t;
    const unigram_model *m;
    scry_ids *out;
    scry_error *err;
    path_node *nodes;      /* owned */
    size_t nodes_n;
    scry_buf word;         /* the word with its mark, UTF-8 */
    bool in_unknown;       /* the last thing put out was unknown: the next one joins it */
} unigram_work;

static size_t character_bytes(char lead)
{
    unsigned char c = (unsigned char)lead;
    return c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
}

static bool starts_character(char c)
{
    return ((unsigned char)c & 0xC0) != 0x80;
}

static size_t reach_slot(uint64_t hash)
{
    return (hash ^ hash >> 32) * UINT64_C(0x9E3779B97F4A7C15) >> (64 - REACH_BITS);
}

static bool reserve(unigram_work *w, size_t n)
{
    if (n <= w->nodes_n)
        return true;
    size_t want = n + n / 2 + 256;
    path_node *nodes = want < UINT32_MAX ? realloc(w->nodes, want * sizeof *nodes) : NULL;
    if (!nodes)
        return false;
    for (size_t i = w->nodes_n; i < want; i++)
        nodes[i].start = NO_START;
    w->nodes = nodes;
    w->nodes_n = want;
    return true;
}

static void offer(unigram_work *w, size_t from, size_t to, double score, int32_t id)
{
    path_node *node = &w->nodes[to];
    double sum = score + w->nodes[from].score;
    if (node->start == NO_START || sum > node->score)
        *node = (path_node){ sum, (uint32_t)from, 0, id };
}

/* Offer every piece that starts at s, of which n bytes are left. Returns how far the
 * longest found reaches, or SIZE_MAX without memory. */
static size_t offer_pieces(unigram_work *w, const char *s, size_t n, size_t from)
{
    const unigram_model *m = w->m;
    size_t first = character_bytes(*s), second = first < n ? first + character_bytes(s[first]) : n;
    size_t longest = second, reached = 0;
    uint64_t hash = SCRY_PIECES_SEED;
    bool single = false;
    for (size_t i = 1; i <= longest; i++) {
        hash = scry_pieces_step(hash, s[i - 1]);
        if (i == second) {
            longest = m->reach[reach_slot(hash)];
            longest = longest < n ? longest : n;
        }
        if (i < n && !starts_character(s[i]))
            continue;
        if (i > first && i > longest)
            break;
        int32_t id = scry_pieces_find_hashed(&m->pieces, hash, s, i);
        if (id < 0)
            continue;
        if (!reserve(w, from + i + 1))
            return SIZE_MAX;
        offer(w, from, from + i, m->pieces.scores[id], id);
        single |= i == first;
        reached = i;
    }
    if (!single) {
        if (!reserve(w, from + first + 1))
            return SIZE_MAX;
        offer(w, from, from + first, m->unknown_score, m->unknown_id);
        reached = reached > first ? reached : first;
    }
    return reached;
}

static void put_unknown(unigram_work *w, const char *s, size_t n)
{
    if (!w->m->byte_fallback) {
        if (!w->in_unknown)
            scry_ids_push(w->out, w->m->unknown_id);
        w->in_unknown = true;
        return;
    }
    for (size_t i = 0; i < n && scry_ids_push(w->out, w->m->byte_ids[(unsigned char)s[i]]); i++)
        ;
}

/* Put out the path of s[0..n) and forget it; the place n becomes place 0. */
static void put_path(unigram_work *w, const char *s, size_t n)
{
    path_node *nodes = w->nodes;
    for (size_t at = n; at > 0; at = nodes[at].start)
        nodes[nodes[at].start].next = (uint32_t)at;
    for (size_t at = 0, to; at < n && !w->out->cut; at = to) {
        to = nodes[at].next;
        if (nodes[to].id == w->m->unknown_id) {
            put_unknown(w, s + at, to - at);
        } else {
            scry_ids_push(w->out, nodes[to].id);
            w->in_unknown = false;
        }
    }
    nodes[0].score = nodes[n].score;
    for (size_t i = 1; i <= n; i++)
        nodes[i].start = NO_START;
}

static int put_word(unigram_work *w, const char *s, size_t n)
{
    size_t base = 0, reach = 0;
    if (!reserve(w, 1))
        goto no_memory;
    w->nodes[0].score = 0;
    w->in_unknown = false;
    for (size_t at = 0; at < n; at += character_bytes(s[at])) {
        if (at == reach && at > base) {
            put_path(w, s + base, at - base);
            base = at;
            if (w->out->cut)
                return 0;
        }
        size_t found = offer_pieces(w, s + at, n - at, at - base);
        if (found == SIZE_MAX)
            goto no_memory;
        reach = at + found > reach ? at + found : reach;
    }
    put_path(w, s + base, n - base);
    return 0;
no_memory:
    return scry_fail(w->err, SCRY_ENOMEM, "no memory for a word of %zu bytes", n);
}

/* ---- words ---- */

/* One word, its spaces already marks, cut before each mark where the file says so. */
static int put_marked(unigram_work *w)
{
    const char *s = w->word.data;
    size_t n = w->word.size;
    int result = 0;
    while (n > 0 && result == 0 && !w->out->cut) {
        const char *next = w->m->splits_marks && n > 1 ? memmem(s + 1, n - 1, w->m->mark, w->m->mark_n) : NULL;
        size_t part = next ? (size_t)(next - s) : n;
        result = put_word(w, s, part);
        s += part;
        n -= part;
    }
    return result;
}

static int put_runes(unigram_work *w, const uint32_t *r, size_t n)
{
    const unigram_model *m = w->m;
    char bytes[4];
    scry_buf_clear(&w->word);
    for (size_t i = 0; i < n; i++) {
        if (m->has_mark && r[i] == ' ')
            scry_buf_append(&w->word, m->mark, m->mark_n);
        else
            scry_buf_append(&w->word, bytes, scry_utf8_put(bytes, r[i]));
        if (i == 0 && m->marks_words &&
            (w->word.size != m->mark_n || memcmp(w->word.data, m->mark, m->mark_n) != 0)) {
            size_t first = w->word.size;
            char lead[4];
            memcpy(lead, w->word.data, first);
            scry_buf_clear(&w->word);
            scry_buf_append(&w->word, m->mark, m->mark_n);
            scry_buf_append(&w->word, lead, first);
        }
    }
    if (w->word.failed)
        return scry_fail(w->err, SCRY_ENOMEM, "no memory for a word of %zu characters", n);
    return n ? put_marked(w) : 0;
}

static int put_normalised(unigram_work *w, const scry_runes *r)
{
    if (!w->m->splits_white_space)
        return put_runes(w, r->at, r->n);
    int result = 0;
    for (size_t i = 0, end; i < r->n && result == 0 && !w->out->cut; i = end + 1) {
        for (end = i; end < r->n && !scry_rune_is_space(r->at[end]);)
            end++;
        if (end > i)
            result = put_runes(w, r->at + i, end - i);
    }
    return result;
}

static int put_part(void *work, const char *text, size_t n)
{
    unigram_work *w = work;
    scry_runes runes = SCRY_RUNES_INIT(SIZE_MAX / 8);
    int result = 0;
    while (n > 0 && result == 0 && !w->out->cut) {
        size_t chunk = w->m->splits_white_space ? scry_tok_chunk(text, n) : n;
        runes.n = 0;
        scry_runes_decode(&runes, text, chunk);
        scry_normal_apply(&w->m->normal, &runes);
        result = runes.failed ? scry_fail(w->err, SCRY_ENOMEM, "no memory for a text of %zu bytes", chunk)
                              : put_normalised(w, &runes);
        text += chunk;
        n -= chunk;
    }
    scry_runes_dispose(&runes);
    return result;
}

static int encode(const scry_tokenizer *t, const char *text, size_t n, scry_ids *out, scry_error *err)
{
    unigram_work w = { .t = t, .m = t->model, .out = out, .err = err, .word = SCRY_BUF_INIT(SIZE_MAX / 2) };
    int result = scry_added_walk(&t->added, false, text, n, out, put_part, &w);
    scry_buf_dispose(&w.word);
    free(w.nodes);
    return result;
}

/* ---- loading ---- */

static void release(void *model)
{
    unigram_model *m = model;
    scry_normal_dispose(&m->normal);
    scry_pieces_dispose(&m->pieces);
    free(m->reach);
    free(m);
}

static bool is_type(const scry_json *v, const char *type)
{
    return strcmp(scry_json_str(scry_json_get(v, "type"), ""), type) == 0;
}

static int read_metaspace(unigram_model *m, const scry_json *v, const char *path, scry_error *err)
{
    const char *mark = scry_json_str(scry_json_get(v, "replacement"), "\xE2\x96\x81");
    bool prefix = scry_json_bool(scry_json_get(v, "add_prefix_space"), true);   /* older files */
    const char *scheme = scry_json_str(scry_json_get(v, "prepend_scheme"), prefix ? "always" : "never");
    bool always = strcmp(scheme, "always") == 0;
    if ((!always && strcmp(scheme, "never") != 0) || strlen(mark) > 4 || strlen(mark) == 0)
        return scry_fail(err, SCRY_EINVALID, "%s: Metaspace with prepend_scheme \"%.20s\" is not supported "
                         "(always and never are)", path, scheme);
    m->has_mark = true;
    m->marks_words = always;
    m->splits_marks = scry_json_bool(scry_json_get(v, "split"), true);
    m->mark_n = strlen(mark);
    memcpy(m->mark, mark, m->mark_n);
    return 0;
}

static int read_pre_tokenizer(unigram_model *m, const scry_json *v, const char *path, scry_error *err)
{
    const scry_json *list = scry_json_get(v, "pretokenizers");
    bool sequence = is_type(v, "Sequence");
    size_t n = sequence ? scry_json_size(list) : 1;
    int result = 0;
    for (size_t i = 0; i < n && result == 0; i++) {
        const scry_json *item = sequence ? scry_json_at(list, i) : v;
        if (is_type(item, "WhitespaceSplit") && i == 0)
            m->splits_white_space = true;
        else if (is_type(item, "Metaspace") && !m->has_mark)
            result = read_metaspace(m, item, path, err);
        else
            result = scry_fail(err, SCRY_EINVALID, "%s: pre-tokenizer \"%.60s\" is not supported here "
                               "(WhitespaceSplit, then Metaspace are)", path,
                               scry_json_str(scry_json_get(item, "type"), "none"));
    }
    return result;
}

static int index_reach(unigram_model *m, const char *path, scry_error *err)
{
    m->reach = scry_try_alloc((size_t)1 << REACH_BITS, sizeof *m->reach);
    if (!m->reach)
        return scry_fail(err, SCRY_ENOMEM, "%s: no memory for the vocabulary", path);
    for (size_t i = 0; i < m->pieces.n; i++) {
        size_t n;
        const char *s = scry_pieces_text(&m->pieces, i, &n);
        size_t first = n ? character_bytes(*s) : 0;
        if (first >= n)
            continue;
        size_t second = first + character_bytes(s[first]);
        uint16_t *reach = &m->reach[reach_slot(scry_pieces_hash(s, second < n ? second : n))];
        if (n > *reach)
            *reach = (uint16_t)n;
    }
    return 0;
}

static int find_byte_pieces(unigram_model *m, const char *path, scry_error *err)
{
    for (int b = 0; b < 256; b++) {
        char text[8];
        snprintf(text, sizeof text, "<0x%02X>", (unsigned)b);
        m->byte_ids[b] = scry_pieces_find(&m->pieces, text, strlen(text));
        if (m->byte_ids[b] < 0)
            return scry_fail(err, SCRY_EINVALID, "%s: byte_fallback without the piece %s", path, text);
    }
    return 0;
}

static int read_model(unigram_model *m, scry_tokfile *f, scry_error *err)
{
    int result = scry_tokfile_take_pieces(f, &m->pieces, true, err);
    double lowest = m->pieces.n ? m->pieces.scores[0] : 0;
    for (size_t i = 0; i < m->pieces.n; i++)
        lowest = m->pieces.scores[i] < lowest ? m->pieces.scores[i] : lowest;
    int64_t unknown = scry_json_int(scry_json_get(f->model, "unk_id"), -1);
    if (result == 0 && (unknown < 0 || (size_t)unknown >= m->pieces.n))
        return scry_fail(err, SCRY_EINVALID, "%s is damaged: unk_id is no piece", f->path);
    m->unknown_id = (int32_t)unknown;
    m->unknown_score = lowest - UNKNOWN_PENALTY;
    m->byte_fallback = scry_json_bool(scry_json_get(f->model, "byte_fallback"), false);
    if (result == 0)
        result = index_reach(m, f->path, err);
    if (result == 0 && m->byte_fallback)
        result = find_byte_pieces(m, f->path, err);
    return result;
}

int scry_tok_unigram_open(scry_tokenizer *t, scry_tokfile *f, scry_error *err)
{
    unigram_model *m = scry_alloc(sizeof *m);
    scry_pieces_init(&m->pieces);
    t->model = m;
    t->release = release;
    t->encode = encode;
    t->files[0] = "tokenizer.json";
    int result = scry_normal_open(&m->normal, f->normalizer, f->path, err);
    if (result == 0)
        result = read_pre_tokenizer(m, f->pre_tokenizer, f->path, err);
    if (result == 0)
        result = read_model(m, f, err);
    t->vocab_size = (size_t)(m->pieces.max_id + 1);
    if (result == 0)
        result = scry_tokfile_added(f, t, err);
    if (result == 0)
        result = scry_tokfile_ends(f, t, err);
    if (result == 0 && t->added.any_normalized)
        result = scry_fail(err, SCRY_EINVALID, "%s: added tokens of normalised text are not supported here",
                           f->path);
    t->summary = scry_asprintf("unigram pieces, %zu ids", t->vocab_size);
    return result;
}
