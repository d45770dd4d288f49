/* remote_rare.c - of a query's words those that a row has together, for a search of whose words no row has all.
 *
 * Where the server ranks rows by their words (BM25, from 2.5 on), it is asked for the best few: their words are compared here,
 * since several words of a row may stand for one of the query ("italy" and the place). Other servers give rows that have any of the
 * words, and scry counts:
 *
 *   1. the rows with the smallest ids, which are hashes, so that these are chosen by chance. Where that is all, it is known which
 *      word is how rare, and which rows have it;
 *   2. else rows that have one of the words which none of those had: these are rare, or nowhere;
 *   3. where there is none, rows that have the rarest of the others, and one more.
 *
 * A query has at most 32 words (SCRY_QUERY_WORDS): those of a row are a mask.
 */
#include "store/milvus/remote_internal.h"

#include "base/alloc.h"
#include "store/milvus/filter_words.h"
#include "store/predicates.h"

#include <stdlib.h>
#include <string.h>

enum { BEST_ROWS = 16, MOST_ROWS = 256, MOST_FIELDS = SCRY_REMOTE_FILE_FIELDS + 3 };
_Static_assert(SCRY_QUERY_WORDS <= 32, "a mask has a bit for each");

typedef struct rare {
    scry_remote *s;
    scry_milvus *m;
    const char *wanted;
    const char *expression;              /* "": every row */
    const scry_filter_node *refine;      /* what rows are compared with that pass the expression; NULL: they pass the filter */
    const char *fields[MOST_FIELDS];     /* to ask for */
    size_t field_count;
    uint32_t *masks;                     /* [count]: of the rows that have any */
    size_t count;
    bool all;                            /* the last answer has every such row */
} rare;

/* ---- rows ---- */

/* The list of a row's words, as words.h has it. */
static void list_words(scry_buf *out, const scry_milvus_strings *row)
{
    scry_buf_clear(out);
    scry_buf_putc(out, '\n');
    for (size_t i = 0; i < row->count; i++) {
        char *word = scry_strdup(row->items[i]);
        scry_milvus_unescape(word);
        scry_buf_printf(out, "%s\n", word);
        free(word);
    }
}

static uint32_t mask_of(const char *words, const char *wanted)
{
    const char *word;
    uint32_t mask = 0;
    size_t n;
    for (int i = 0; i < SCRY_QUERY_WORDS && (word = scry_words_next(&wanted, &n)); i++)
        mask |= (uint32_t)scry_words_have(words, word, n, SCRY_WORDS_WHOLE) << i;
    return mask;
}

/* The masks of rows of an answer that pass. */
static int take_rows(rare *r, const scry_milvus_rows *rows, size_t asked, scry_error *err)
{
    const scry_milvus_column *words = scry_milvus_find_column(rows, scry_remote_schema[SCRY_REMOTE_WORDS].name, SCRY_MILVUS_ARRAY);
    scry_remote_row row = { .answer = 0 };
    scry_buf list = SCRY_BUF_INIT(SCRY_WORDS_LIMIT);
    int result = 0;
    if (rows->rows && !words)
        result = scry_fail(err, SCRY_EREMOTE, "Milvus answered without the words of the collection %s", r->s->name);
    r->all = rows->rows < asked;
    r->masks = scry_realloc(r->masks, (r->count + rows->rows + 1) * sizeof *r->masks);
    for (size_t i = 0; i < rows->rows && result == 0; i++) {
        if (r->refine && (result = r->s->read_row(r->s, &row, rows, i, err)) < 0)
            break;
        if (r->refine && !scry_filter_match(r->refine, &row.file))
            continue;
        list_words(&list, &words->lists[i]);
        uint32_t mask = mask_of(scry_buf_str(&list), r->wanted);
        if (mask)
            r->masks[r->count++] = mask;
    }
    scry_buf_dispose(&list);
    scry_remote_row_dispose(r->s, &row);
    return result;
}

static scry_milvus_consistency consistency(const rare *r)
{
    return r->s->consistency == SCRY_MILVUS_BOUNDED ? scry_remote_freshness(r->s) : r->s->consistency;
}

/* ---- by the server's ranks ---- */

/* All that rows may have for a word of the query, as the field has them. */
static void rank_query(scry_buf *out, const char *wanted)
{
    const char *word;
    char way[SCRY_WORD_BYTES];
    for (size_t n; (word = scry_words_next(&wanted, &n));)
        while (scry_words_alternative(&word, &n, way))
            if (!scry_remote_add_word(out, way))
                return;
}

/* The best rows; *ranked is false where the server refuses, which is noted. */
static int ask_best(rare *r, bool *ranked, scry_error *err)
{
    scry_remote *s = r->s;
    scry_milvus_rows *rows;
    scry_error why = SCRY_ERROR_INIT;
    scry_buf text = SCRY_BUF_INIT(SCRY_MILVUS_MAX_VARCHAR + 1);
    size_t asked = r->refine ? MOST_ROWS : BEST_ROWS;
    rank_query(&text, r->wanted);
    const scry_milvus_search search = {
        .field = SCRY_REMOTE_RANKS, .metric = "BM25", .text = scry_buf_str(&text), .limit = (int64_t)asked,
        .filter = r->expression, .fields = r->fields, .field_count = r->field_count, .consistency = consistency(r),
    };
    double deadline = scry_remote_deadline(s);
    int result;
    do
        result = scry_milvus_search_rows(r->m, s->name, &search, &rows, &why);
    while (result < 0 && scry_remote_revived(s, r->m, deadline, &why));
    scry_buf_dispose(&text);
    *ranked = result == 0;
    if (result < 0 && !scry_milvus_was_refused(r->m))
        return scry_fail(err, result, "%s", why.message);
    if (result < 0) {
        if (!atomic_exchange(&s->ranks_refused, true))
            scry_remote_notice(s, "Milvus at %s does not rank the collection %s by words (BM25), so that scry compares them: %.300s",
                               s->where, s->shown, why.message);
        return 0;
    }
    result = take_rows(r, rows, asked, err);
    scry_milvus_rows_free(rows);
    return result;
}

/* The words of the best row, or of one that has them and others: servers compare ranks of their segments that do not compare. */
static uint32_t best_of(const rare *r)
{
    uint32_t best = r->count ? r->masks[0] : 0;
    for (size_t i = 1; i < r->count; i++)
        if ((r->masks[i] & best) == best)
            best = r->masks[i];
    return best;
}

/* ---- by rows that have any ---- */

static int ask_any(rare *r, uint32_t required, uint32_t any, scry_error *err)
{
    scry_remote *s = r->s;
    scry_milvus_rows *rows;
    scry_buf filter = SCRY_BUF_INIT(2 * SCRY_REMOTE_FILTER_BYTES);
    if (r->expression[0])
        scry_buf_printf(&filter, "(%s) and ", r->expression);
    if (required) {
        scry_milvus_any_word(&filter, r->wanted, required);
        scry_buf_puts(&filter, " and ");
    }
    scry_milvus_any_word(&filter, r->wanted, any);
    const scry_milvus_query q = { scry_buf_str(&filter), r->fields, r->field_count, MOST_ROWS, consistency(r) };
    double deadline = scry_remote_deadline(s);
    int result;
    do
        result = scry_milvus_query_by_key(r->m, s->name, &q, &rows, err);
    while (result < 0 && scry_remote_revived(s, r->m, deadline, err));
    scry_buf_dispose(&filter);
    if (result < 0)
        return result;
    result = take_rows(r, rows, MOST_ROWS, err);
    scry_milvus_rows_free(rows);
    return result;
}

static void count_words(const rare *r, size_t counts[SCRY_QUERY_WORDS])
{
    memset(counts, 0, SCRY_QUERY_WORDS * sizeof *counts);
    for (size_t i = 0; i < r->count; i++)
        for (int k = 0; k < SCRY_QUERY_WORDS; k++)
            counts[k] += r->masks[i] >> k & 1;
}

/* The rarest word of those that are left, a bit; 0: none of them is in a row. Words that are as rare by the first answer are
 * compared by all. */
static uint32_t rarest(const size_t first[SCRY_QUERY_WORDS], const size_t all[SCRY_QUERY_WORDS], uint32_t left)
{
    int best = -1;
    for (int k = 0; k < SCRY_QUERY_WORDS; k++)
        if (left >> k & 1 && all[k] && (best < 0 || first[k] < first[best] || (first[k] == first[best] && all[k] < all[best])))
            best = k;
    return best < 0 ? 0 : (uint32_t)1 << best;
}

static bool any_row_has(const rare *r, uint32_t mask)
{
    for (size_t i = 0; i < r->count; i++)
        if ((r->masks[i] & mask) == mask)
            return true;
    return false;
}

static int ask_rows(rare *r, uint32_t words, uint32_t *kept, scry_error *err)
{
    size_t first[SCRY_QUERY_WORDS], all[SCRY_QUERY_WORDS], before;
    uint32_t unseen = 0;
    int result = ask_any(r, 0, words, err);
    count_words(r, first);
    memcpy(all, first, sizeof all);
    for (int k = 0; k < SCRY_QUERY_WORDS; k++)
        unseen |= (uint32_t)(first[k] == 0) << k & words;
    bool complete = r->all;
    before = r->count;
    if (result == 0 && !complete && unseen)
        result = ask_any(r, 0, unseen, err);
    uint32_t least = rarest(first, first, words), others = words & ~unseen & ~least;
    if (result == 0 && !complete && r->count == before && least && others)
        result = ask_any(r, least, others, err);
    count_words(r, all);
    for (uint32_t left = words, next; result == 0 && (next = rarest(first, all, left)); left &= ~next)
        if (any_row_has(r, *kept | next))
            *kept |= next;
    return result;
}

/* ---- both ---- */

static int find_words(rare *r, uint32_t *kept, scry_error *err)
{
    const char *at = r->wanted;
    size_t n, count = 0;
    bool ranked = false;
    while (count < SCRY_QUERY_WORDS && scry_words_next(&at, &n))
        count++;
    if (count == 0)
        return 0;
    int result = r->s->ranks && !r->s->ranks_refused ? ask_best(r, &ranked, err) : 0;
    if (result < 0 || ranked) {
        *kept = result < 0 ? 0 : best_of(r);
        return result;
    }
    return ask_rows(r, UINT32_MAX >> (32 - count), kept, err);
}

static void put_words(scry_buf *out, const char *wanted, uint32_t kept)
{
    const char *word;
    size_t n;
    for (int i = 0; i < SCRY_QUERY_WORDS && (word = scry_words_next(&wanted, &n)); i++)
        if (kept >> i & 1)
            scry_buf_printf(out, "%s%.*s\n", out->size ? "" : "\n", (int)n, word);
}

int scry_remote_rare_words(scry_store *base, const scry_filter_node *filter, const char *wanted, scry_buf *kept, scry_error *err)
{
    scry_remote *s = (scry_remote *)base;
    rare r = { .s = s, .wanted = wanted };
    scry_milvus_cover cover;
    scry_buf expression = SCRY_BUF_INIT(SCRY_REMOTE_FILTER_BYTES);
    uint32_t mask = 0;
    if (s->words_mixed)
        return 0;
    int result = scry_remote_take(s, &r.m, err);
    if (result < 0)
        return result;
    result = scry_remote_filter(s, r.m, filter, &expression, &cover, err);
    if (result == 0 && cover != SCRY_MILVUS_NOTHING) {
        r.expression = scry_buf_str(&expression);
        if (cover == SCRY_MILVUS_WIDER) {
            const scry_remote_fields fields = scry_remote_filter_fields(s, filter);
            r.refine = filter;
            memcpy(r.fields, fields.names, fields.count * sizeof *r.fields);
            r.field_count = fields.count;
        }
        r.fields[r.field_count++] = scry_remote_schema[SCRY_REMOTE_WORDS].name;
        result = find_words(&r, &mask, err);
    }
    scry_remote_give(s, r.m);
    scry_buf_dispose(&expression);
    free(r.masks);
    if (result == 0)
        put_words(kept, wanted, mask);
    return result;
}
