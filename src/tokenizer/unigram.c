/* unigram.c - SentencePiece's unigram model as Hugging Face's tokenizers runs it (XLM-R).
 *
 *     text -> added tokens cut out -> normaliser -> words, each with a leading mark
 *          -> the pieces whose scores add up highest (Viterbi) -> ids
 *
 * Everything is read from tokenizer.json; an unsupported option is refused by its name. The
 * search visits each position of a word once. All pieces that start there are tried by
 * extending a hash byte by byte, up to the length of the longest piece that starts with the
 * same two characters. A position that no piece found so far spans is final: the path up to it
 * is output and dropped, so that a page without spaces neither fills memory nor delays the
 * first ids. Sums are in double precision and in the reference's order, so that ties are
 * resolved alike.
 */
#include "tokenizer/tokenizer_internal.h"

#include "base/alloc.h"
#include "tokenizer/normalizer.h"
#include "tokenizer/tables.h"
#include "tokenizer/words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNKNOWN_PENALTY 10.0
#define NO_START UINT32_MAX

enum { REACH_BITS = 16, MAX_WORD_IDS = 256 };

typedef struct unigram_model {
    scry_normal normal;
    scry_pieces pieces;
    const uint16_t *reach;    /* [1 << REACH_BITS], by two characters: longest piece so starting */
    uint16_t *own_reach;      /* owned: the same, or NULL where it lies in cached tables */
    double unknown_score;
    int32_t unknown_id;
    bool byte_fallback;
    int32_t byte_ids[256];    /* with byte_fallback */
    scry_word_rules words;
} unigram_model;

/* ---- the search ---- */

/* The best path to a position, counted in bytes from the last final one. */
typedef struct path_node {
    double score;
    uint32_t start;   /* start of its last piece; NO_START = not reached */
    uint32_t next;    /* used when the path is output: start of the next piece */
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
    double log_probability;   /* of all words so far */
    bool in_unknown;       /* the last piece output was unknown: an unknown one after it is merged with it */
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
    return scry_slots_mix(hash) >> (64 - REACH_BITS);
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

/* Extend paths by every piece that starts at s, of which n bytes are left. Returns the
 * length of the longest found, or SIZE_MAX without memory. */
static size_t offer_pieces(unigram_work *w, const char *s, size_t n, size_t from)
{
    const unigram_model *m = w->m;
    size_t first = character_bytes(*s), second = first < n ? first + character_bytes(s[first]) : n;
    size_t longest = second, reached = 0;
    uint64_t hash = SCRY_HASH_SEED;
    bool single = false;
    for (size_t i = 1; i <= longest; i++) {
        hash = scry_hash_step(hash, s[i - 1]);
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

/* Output the path of s[0..n) and drop it; position n becomes position 0. */
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

static int put_word(void *work, const char *s, size_t n)
{
    unigram_work *w = work;
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
    w->log_probability += w->nodes[0].score;
    return 0;
no_memory:
    return scry_fail(w->err, SCRY_ENOMEM, "no memory for a word of %zu bytes", n);
}

/* ---- words ---- */

static int put_normalised(void *work, const scry_runes *r)
{
    unigram_work *w = work;
    const scry_word_walk walk = { &w->m->words, w->out, &w->word, put_word, w, w->err };
    return scry_words_each(&walk, r);
}

static void normalise(void *work, const char *text, size_t n, scry_runes *out)
{
    const unigram_work *w = work;
    scry_runes_decode(out, text, n);
    scry_normal_apply(&w->m->normal, out);
}

static int put_part(void *work, const char *text, size_t n)
{
    unigram_work *w = work;
    bool whole = !w->m->words.splits_white_space || w->m->normal.strips_left;
    scry_chunks chunks = { w->out, w->err, whole, w, normalise, put_normalised };
    return scry_tok_each_chunk(&chunks, text, n);
}

static int encode(const scry_tokenizer *t, const char *text, size_t n, scry_ids *out, scry_error *err)
{
    unigram_work w = { .t = t, .m = t->model, .out = out, .err = err, .word = SCRY_BUF_INIT(SIZE_MAX / 2) };
    int result = scry_added_walk(&t->added, false, text, n, out, put_part, &w);
    scry_buf_dispose(&w.word);
    free(w.nodes);
    return result;
}

static double log_probability(const scry_tokenizer *t, const char *text, size_t n)
{
    int32_t id[MAX_WORD_IDS];
    scry_ids ids = { id, 0, MAX_WORD_IDS, false };
    unigram_work w = { .t = t, .m = t->model, .out = &ids, .word = SCRY_BUF_INIT(SIZE_MAX / 2) };
    int result = put_part(&w, text, n);
    scry_buf_dispose(&w.word);
    free(w.nodes);
    return result < 0 ? NAN : w.log_probability;
}

/* ---- loading ---- */

static void release(void *model)
{
    unigram_model *m = model;
    scry_normal_dispose(&m->normal);
    scry_pieces_dispose(&m->pieces);
    free(m->own_reach);
    free(m);
}

static int index_reach(unigram_model *m, scry_tokfile *f, scry_error *err)
{
    if (f->tables) {
        m->reach = f->tables->reach;
        return m->reach ? 0 : scry_fail(err, SCRY_EINVALID, "%s: the cached tables are of another kind", f->path);
    }
    m->reach = m->own_reach = scry_try_alloc((size_t)1 << REACH_BITS, sizeof *m->reach);
    if (!m->reach)
        return scry_fail(err, SCRY_ENOMEM, "%s: no memory for the vocabulary", f->path);
    for (size_t i = 0; i < m->pieces.n; i++) {
        size_t n;
        const char *s = scry_pieces_text(&m->pieces, i, &n);
        size_t first = n ? character_bytes(*s) : 0;
        if (first >= n)
            continue;
        size_t second = first + character_bytes(s[first]);
        uint16_t *reach = &m->own_reach[reach_slot(scry_hash_bytes(s, second < n ? second : n))];
        if (n > *reach)
            *reach = (uint16_t)n;
    }
    scry_tokfile_keep(f, &m->pieces, NULL, m->reach);
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
        return scry_fail(err, SCRY_EINVALID, "%s is damaged: unk_id is not in the vocabulary", f->path);
    m->unknown_id = (int32_t)unknown;
    m->unknown_score = lowest - UNKNOWN_PENALTY;
    m->byte_fallback = scry_json_bool(scry_json_get(f->model, "byte_fallback"), false);
    if (result == 0)
        result = index_reach(m, f, err);
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
    t->log_probability = log_probability;
    t->pieces_are_scored = true;
    t->files[0] = f->spiece ? "spiece.model" : "tokenizer.json";
    int result = scry_normal_open(&m->normal, f->normalizer, f->path, err);
    m->normal.charsmap.longest = f->spiece;
    if (result == 0)
        result = scry_word_rules_read(&m->words, f->pre_tokenizer, f->path, err);
    if (result == 0)
        result = read_model(m, f, err);
    t->vocab_size = (size_t)(m->pieces.max_id + 1);
    t->unknown_id = m->unknown_id;
    if (result == 0)
        result = scry_tokfile_specials(f, t, err);
    t->summary = scry_asprintf("unigram pieces, %zu ids", t->vocab_size);
    return result;
}
