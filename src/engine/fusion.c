#include "engine/fusion.h"

#include "base/alloc.h"
#include "base/table.h"
#include "store/results.h"
#include "store/words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- where the words are ---- */

/* Fields that hold every word; where none does, those that hold one. */
static unsigned find_fields(const scry_file *f, const char *wanted)
{
    scry_buf words = SCRY_BUF_INIT(SCRY_WORDS_LIMIT);
    unsigned all = 0, some = 0;
    for (unsigned field = 1; field < SCRY_FIELDS_ALL; field <<= 1) {
        scry_words_of_file(&words, f, field);
        const char *at = wanted, *word;
        for (size_t n; (word = scry_words_next(&at, &n));)
            some |= scry_words_have(scry_buf_str(&words), word, n, SCRY_WORDS_WHOLE) ? field : 0;
        all |= scry_words_hold(scry_buf_str(&words), wanted, SCRY_WORDS_WHOLE) ? field : 0;
    }
    scry_buf_dispose(&words);
    return all ? all : some;
}

/* ---- fusing ---- */

typedef struct {
    double value;
    size_t look, words;   /* places in the two rankings; SIZE_MAX: not in it */
    bool far;             /* has no words, and its look is far from the query's */
} fused;

static int compare(const void *a, const void *b)
{
    const fused *x = a, *y = b;
    if (x->far != y->far)
        return x->far - y->far;
    if (x->value != y->value)
        return x->value > y->value ? -1 : 1;
    if ((x->words == SIZE_MAX) != (y->words == SIZE_MAX))
        return x->words == SIZE_MAX ? 1 : -1;
    size_t px = x->words == SIZE_MAX ? x->look : x->words, py = y->words == SIZE_MAX ? y->look : y->words;
    return px < py ? -1 : px > py;
}

static double share(size_t place)
{
    return place == SIZE_MAX ? 0 : 1 / (SCRY_FUSION_K + (double)place + 1);
}

typedef struct {
    bool all_copies;
    scry_results *look, *words;   /* rankings */
    size_t *leader;               /* [words->count] place by look of the same picture, or of the one that it is folded into */
    fused *all;
    size_t count;
} fusion;

/* Fill in f->leader: with all copies files are compared, else their contents. */
static int pair_up(fusion *f, scry_error *err)
{
    bool files = f->all_copies;
    scry_table by_content = SCRY_TABLE_OF_BYTES(SCRY_HASH_BYTES, SCRY_HASH_BYTES, UINT32_MAX);
    scry_table by_id = SCRY_TABLE_OF_BYTES(SCRY_ID_BYTES, SCRY_ID_BYTES, UINT32_MAX);
    int result = 0;
    for (size_t i = 0; i < f->words->count && result == 0; i++) {
        const scry_file *file = &f->words->hits[i].file;
        f->leader[i] = SIZE_MAX;
        if (scry_table_add(&by_id, file->id, err) < 0 ||
            (!files && scry_table_add(&by_content, file->content, err) != (int64_t)i))
            result = scry_fail(err, SCRY_ENOMEM, "no memory for %zu pictures found by words", f->words->count);
    }
    for (size_t i = 0; i < f->look->count && result == 0; i++) {
        const scry_hit *h = &f->look->hits[i];
        int64_t at = files ? scry_table_find(&by_id, h->file.id) : scry_table_find(&by_content, h->file.content);
        if (at >= 0)
            f->leader[at] = i;
        for (size_t k = 0; k < h->folded && k < SCRY_FOLDED_IDS; k++)
            if ((at = scry_table_find(&by_id, h->folded_ids[k])) >= 0)
                f->leader[at] = i;
    }
    scry_table_dispose(&by_content);
    scry_table_dispose(&by_id);
    return result;
}

/* How much lower a picture counts that is not known to be a best match. */
static size_t doubt_of(const scry_groups *g, double top_score)
{
    return isnan(g->maybe) || top_score >= g->maybe + SCRY_FUSION_SURE * (g->best - g->maybe) ? 0 : SCRY_FUSION_DOUBT;
}

/* Without the words; scores are compared where the model knows what they mean. */
static void value_look(fused *e, double score, const scry_groups *g, size_t doubt)
{
    e->value = share(e->look + (score >= g->best ? 0 : doubt));
    e->far = score < g->maybe;
}

/* Whether the place that is shown with the picture has the words: New York City, not the Sunset Park in it. */
static bool is_shown_place(const scry_file *f, const char *wanted)
{
    char *title = scry_place_text(f->latitude, f->longitude);
    scry_buf words = SCRY_BUF_INIT(SCRY_WORDS_LIMIT);
    scry_words_of_file(&words, &(scry_file){ .title = title }, SCRY_FIELD_TITLE);
    bool holds = scry_words_hold(scry_buf_str(&words), wanted, SCRY_WORDS_WHOLE);
    scry_buf_dispose(&words);
    free(title);
    return holds;
}

/* Whether a picture has the words of a query about a look, which is not its own, by chance: a flower of Sunset Park. */
static bool is_by_chance(const scry_hit *h, const char *wanted, const scry_groups *g, size_t doubt)
{
    return doubt == 0 && !isnan(g->maybe) && h->score < g->maybe && find_fields(&h->file, wanted) == SCRY_FIELD_PLACE &&
           !is_shown_place(&h->file, wanted);
}

/* Both rankings as one list, in order. */
static void rank(fusion *f, const char *wanted, const scry_groups *groups)
{
    f->all = scry_alloc((f->look->count + f->words->count) * sizeof *f->all);
    for (size_t i = 0; i < f->look->count; i++)
        f->all[f->count++] = (fused){ .look = i, .words = SIZE_MAX };
    for (size_t i = 0; i < f->words->count; i++) {
        fused *known = f->leader[i] == SIZE_MAX ? NULL : &f->all[f->leader[i]];
        if (!known)
            f->all[f->count++] = (fused){ .look = SIZE_MAX, .words = i };
        else if (known->words == SIZE_MAX)
            known->words = i;
    }
    size_t doubt = doubt_of(groups, f->look->top_score);
    for (size_t i = 0; i < f->count; i++) {
        fused *e = &f->all[i];
        if (e->words == SIZE_MAX)
            value_look(e, f->look->hits[e->look].score, groups, doubt);
        else if (is_by_chance(&f->words->hits[e->words], wanted, groups, doubt))
            e->value = share(e->words + SCRY_FUSION_DOUBT);
        else
            e->value = share(e->words) + (e->look < SCRY_FUSION_DEPTH ? share(e->look) : 0);
    }
    qsort(f->all, f->count, sizeof *f->all, compare);
}

/* One hit into the results. A picture of both rankings, or a group of near-identical ones, is shown by the file that has the
 * words: pages of text look alike and say different things. */
static void show(fusion *f, const fused *e, const char *wanted, scry_results *out)
{
    bool by_words = e->words != SIZE_MAX, by_look = e->look != SIZE_MAX && (!by_words || e->look < SCRY_FUSION_DEPTH);
    unsigned fields = by_words ? find_fields(&f->words->hits[e->words].file, wanted) : 0;
    if (!by_words)
        scry_results_move(out, f->look, e->look, f->look->hits[e->look].copies);
    else if (e->look == SIZE_MAX)
        scry_results_move(out, f->words, e->words, f->words->hits[e->words].copies);
    else
        scry_results_lead(out, f->words, e->words, &f->look->hits[e->look]);
    scry_found_by by = !by_words ? SCRY_FOUND_BY_LOOK : by_look ? SCRY_FOUND_BY_BOTH : SCRY_FOUND_BY_WORDS;
    scry_results_mark(out, out->count - 1, by, fields, wanted);
}

static size_t end_of(const scry_search *search)
{
    size_t end;
    return scry_add_size(search->offset, search->limit, &end) ? end : SIZE_MAX;
}

static int fuse(const scry_search_plan *plan, scry_results *look, scry_results *words, scry_results **out, scry_error *err)
{
    fusion f = { .all_copies = plan->search.all_copies, .look = look, .words = words,
                 .leader = scry_alloc((words->count + 1) * sizeof *f.leader) };
    size_t end = end_of(&plan->search);
    int result = pair_up(&f, err);
    if (result == 0) {
        rank(&f, plan->words->text, &plan->groups);
        *out = scry_results_new();
        (*out)->has_more = f.count > end || look->has_more || words->has_more;
        (*out)->scanned = look->scanned;
        (*out)->top_score = look->top_score;
        memcpy((*out)->top_content, look->top_content, SCRY_HASH_BYTES);
        (*out)->has_undated = look->has_undated;
        (*out)->undated = look->undated;
        for (size_t i = plan->search.offset; i < f.count && i < end; i++)
            show(&f, &f.all[i], plan->words->text, *out);
    }
    free(f.all);
    free(f.leader);
    return result;
}

/* ---- searching ---- */

scry_search_plan scry_plan_of(const scry_search_request *r, scry_groups groups)
{
    scry_search_plan plan = { .search = r->search, .by = (scry_search_kind)r->by, .auto_min_score = r->auto_min_score,
                              .words = r->words, .groups = groups };
    if (r->auto_min_score && !isnan(groups.maybe))
        plan.search.min_score = groups.maybe;
    return plan;
}

/* From the start, as far as the page needs both rankings. */
static void read_from_start(scry_search *search)
{
    size_t end = end_of(search);
    search->offset = 0;
    search->limit = end > SCRY_FUSION_DEPTH ? end : SCRY_FUSION_DEPTH;
}

int scry_search_words(scry_store *s, const float *query, const scry_search_plan *plan, scry_results **words, scry_error *err)
{
    scry_search search = plan->search;
    scry_store_info info = { 0 };
    scry_store_describe(s, &info);
    *words = NULL;
    if (plan->by == SCRY_BY_LOOK || (plan->by == SCRY_BY_AUTO && (!plan->words || !info.finds_words)))
        return 0;
    scry_filter_pool *pool = scry_filter_pool_new();
    search.filter = scry_filter_and(pool, search.filter, plan->words);
    if (plan->auto_min_score)
        search.min_score = -2;
    if (plan->by == SCRY_BY_AUTO)
        read_from_start(&search);
    int result = scry_store_search(s, query, &search, words, err);
    if (result == 0 && plan->by == SCRY_BY_AUTO && (*words)->count == 0) {
        scry_results_free(*words);
        *words = NULL;
    }
    scry_filter_pool_free(pool);
    return result;
}

int scry_search_with(scry_store *s, const float *query, const scry_search_plan *plan, scry_results *words, scry_results **out,
                     scry_error *err)
{
    scry_search search = plan->search;
    scry_results *look = NULL;
    if (plan->by == SCRY_BY_WORDS) {
        const char *wanted = plan->words->text;
        for (size_t i = 0; i < words->count; i++)
            scry_results_mark(words, i, SCRY_FOUND_BY_WORDS, find_fields(&words->hits[i].file, wanted), wanted);
        *out = words;
        return 0;
    }
    read_from_start(&search);
    int result = scry_store_search(s, query, &search, &look, err);
    if (result == 0)
        result = fuse(plan, look, words, out, err);
    scry_results_free(look);
    scry_results_free(words);
    return result;
}

int scry_search_by(scry_store *s, const float *query, const scry_search_plan *plan, scry_results **out, scry_error *err)
{
    scry_results *words;
    int result = scry_search_words(s, query, plan, &words, err);
    if (result < 0)
        return result;
    return words ? scry_search_with(s, query, plan, words, out, err) : scry_store_search(s, query, &plan->search, out, err);
}

/* ---- names ---- */

static const char *const field_names[] = { "name", "folder", "title", "description", "keyword", "label", "key", "place", "picture" };
enum { FIELDS = sizeof field_names / sizeof *field_names };

_Static_assert(SCRY_FIELDS_ALL == (1 << FIELDS) - 1, "a name for each bit of scry_word_field");

void scry_json_put_fields(scry_json_writer *w, unsigned fields)
{
    scry_json_begin(w, '[');
    for (unsigned i = 0; i < FIELDS; i++)
        if (fields >> i & 1)
            scry_json_put_str(w, field_names[i]);
    scry_json_end(w, ']');
}

const char *scry_fields_text(unsigned fields, char buffer[80])
{
    size_t n = 0;
    buffer[0] = '\0';
    for (unsigned i = 0; i < FIELDS; i++)
        if (fields >> i & 1)
            n += (size_t)snprintf(buffer + n, 80 - n, "%s%s", n ? ", " : "", field_names[i]);
    return buffer;
}

const char *scry_found_by_name(scry_found_by by)
{
    static const char *const names[] = { NULL, "look", "words", "both" };
    return names[by];
}
