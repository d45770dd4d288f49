#include "engine/fusion.h"

#include "base/alloc.h"
#include "base/table.h"
#include "store/places.h"
#include "store/results.h"
#include "store/store_kind.h"
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
    bool behind;          /* its look is so little the query's that it comes after all that have the words */
    bool doubted;         /* finding_of the words */
    bool allowed;         /* it has some of the words, and is found by its look */
} fused;

static int compare(const void *a, const void *b)
{
    const fused *x = a, *y = b;
    if (x->behind != y->behind)
        return x->behind - y->behind;
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
    size_t kept, asked;           /* words: of the second ranking, of the query */
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

/* Without the words; scores are compared where the model knows what they mean. What has less than `least` is behind the words. */
static void value_look(fused *e, double score, const scry_groups *g, size_t doubt, double least)
{
    e->value = share(e->look + (score >= g->best ? 0 : doubt));
    e->behind = score < least;
}

static void value_words(fused *e)
{
    double look = e->look < SCRY_FUSION_DEPTH ? share(e->look) : 0;
    e->value = e->doubted ? share(e->words + SCRY_FUSION_DOUBT) : share(e->words) + look;
}

/* Whether the place that is shown with the picture has the words: New York City, not the Sunset Park in it. */
static bool is_shown_place(const scry_file *f, const char *wanted)
{
    char *title = scry_place_text(f->latitude, f->longitude);
    bool holds = scry_words_in_file(&(scry_file){ .title = title }, SCRY_FIELD_TITLE, wanted, SCRY_WORDS_WHOLE);
    free(title);
    return holds;
}

/* Whether a place of the picture is named as a whole: Sunset Park is by "Sunset Park", and not by "sunset". */
static bool is_named(const scry_file *f, const char *wanted)
{
    scry_buf words = SCRY_BUF_INIT(SCRY_WORDS_LIMIT), places = SCRY_BUF_INIT(SCRY_WORDS_LIMIT);
    scry_words_of_file(&words, f, SCRY_FIELD_PLACE);
    const char *at = scry_buf_str(&words), *word;
    scry_buf_putc(&places, '\n');
    for (size_t n; (word = scry_words_next(&at, &n));)
        if (scry_word_place(word, n) != SCRY_NO_PLACE) {
            scry_buf_append(&places, word, n);
            scry_buf_putc(&places, '\n');
        }
    bool named = scry_words_hold(scry_buf_str(&places), wanted, SCRY_WORDS_WHOLE);
    scry_buf_dispose(&words);
    scry_buf_dispose(&places);
    return named;
}

/* Whether the query is the name of a place where a picture was taken: then what only looks a little like it was not meant. */
static bool names_place(const scry_results *words, const char *wanted)
{
    bool any = strchr(wanted, '@') != NULL;   /* places among the alternatives (words.h) */
    for (size_t i = 0; any && i < words->count && i < SCRY_FUSION_DEPTH; i++)
        if (words->hits[i].file.has_position && is_named(&words->hits[i].file, wanted))
            return true;
    return false;
}

typedef enum { FOUND, DOUBTED, NOT_FOUND } finding;

/* Whether a picture has the words of a query about a look, which is not its own, in a part of a name of its place that is not shown
 * with it: a flower of Sunset Park is found by "Sunset Park", and not by "sunset", where there are best matches of that. */
static finding finding_of(const scry_hit *h, const char *wanted, const scry_groups *g, size_t doubt, bool any_best)
{
    bool hidden = doubt == 0 && !isnan(g->maybe) && h->score < g->maybe && h->file.has_position &&
                  find_fields(&h->file, wanted) == SCRY_FIELD_PLACE && !is_shown_place(&h->file, wanted);
    return !hidden || is_named(&h->file, wanted) ? FOUND : any_best ? NOT_FOUND : DOUBTED;
}

typedef enum { BY_WORDS, AS_LOOK_ALLOWS, NOT_BY_THESE } some_words;

/* What some of the words of a query say of a picture. Two or more that are at least half and were read in it: it is meant. Others
 * tell pictures apart whose look is of the best group that there is. */
static some_words by_some(const fusion *f, size_t i, const char *wanted, const scry_groups *groups, double best)
{
    const scry_hit *h = &f->words->hits[i];
    bool few = 2 * f->kept < f->asked;
    if (f->kept == f->asked ||
        (f->kept > 1 && !few && scry_words_in_file(&h->file, SCRY_FIELD_TEXT, wanted, SCRY_WORDS_WHOLE)))
        return BY_WORDS;
    bool right = isnan(groups->maybe) ? !few && f->leader[i] < SCRY_FUSION_DEPTH
                                      : h->score >= (f->look->top_score >= best ? best : groups->maybe);
    return right ? AS_LOOK_ALLOWS : NOT_BY_THESE;
}

/* Both rankings as one list, in order. Best matches by look begin at `best`. Returns how many pictures were found by words. */
static size_t rank(fusion *f, const char *wanted, const scry_groups *groups, double best)
{
    bool any_best = f->look->top_score >= best, all = f->kept == f->asked;
    double least = !isnan(best) && all && names_place(f->words, wanted) ? best : groups->maybe;
    size_t doubt = all ? doubt_of(groups, f->look->top_score) : 0, by_words = 0;
    f->all = scry_alloc((f->look->count + f->words->count) * sizeof *f->all);
    for (size_t i = 0; i < f->look->count; i++)
        f->all[f->count++] = (fused){ .look = i, .words = SIZE_MAX };
    for (size_t i = 0; i < f->words->count; i++) {
        fused *known = f->leader[i] == SIZE_MAX ? NULL : &f->all[f->leader[i]];
        finding found = finding_of(&f->words->hits[i], wanted, groups, doubt, any_best);
        some_words some = by_some(f, i, wanted, groups, best);
        if (found == NOT_FOUND || (known && known->words != SIZE_MAX) || some == NOT_BY_THESE)
            continue;
        by_words++;
        if (!known) {
            known = &f->all[f->count++];
            known->look = SIZE_MAX;
        }
        known->words = i;
        known->doubted = found == DOUBTED;
        known->allowed = some == AS_LOOK_ALLOWS;
    }
    for (size_t i = 0; i < f->count; i++)
        if (f->all[i].words == SIZE_MAX)
            value_look(&f->all[i], f->look->hits[f->all[i].look].score, groups, doubt, least);
        else
            value_words(&f->all[i]);
    qsort(f->all, f->count, sizeof *f->all, compare);
    return by_words;
}

/* One hit into the results. A picture of both rankings, or a group of near-identical ones, is shown by the file that has the
 * words: pages of text look alike and say different things. `wanted` is NULL where words have no part in the answer. */
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
    scry_found_by by = !by_words || e->allowed ? SCRY_FOUND_BY_LOOK : by_look ? SCRY_FOUND_BY_BOTH : SCRY_FOUND_BY_WORDS;
    if (wanted)
        scry_results_mark(out, out->count - 1, by, fields, wanted);
}

static size_t end_of(const scry_search *search)
{
    size_t end;
    return scry_add_size(search->offset, search->limit, &end) ? end : SIZE_MAX;
}

/* Where best matches by look begin; NAN: not known. */
static double best_of(const scry_search_plan *plan, scry_store *s, const scry_results *look)
{
    scry_groups settled = { plan->groups.maybe, plan->groups.best, NULL };
    scry_groups_settle(&settled, plan->threshold, plan->query, s, look);
    return settled.best;
}

/* `wanted` are the words that the second ranking has. Where they are some of the query's, and no picture is found by them, the
 * answer is the one by look. */
static int fuse(const scry_search_plan *plan, scry_store *s, const char *wanted, scry_results *found[2], scry_results **out,
                scry_error *err)
{
    scry_results *look = found[0], *words = found[1];
    fusion f = { .all_copies = plan->search.all_copies, .look = look, .words = words,
                 .kept = scry_words_count(wanted), .asked = scry_words_count(plan->words->text),
                 .leader = scry_alloc((words->count + 1) * sizeof *f.leader) };
    size_t end = end_of(&plan->search);
    int result = pair_up(&f, err);
    if (result == 0) {
        bool by_words = rank(&f, wanted, &plan->groups, best_of(plan, s, look)) > 0 || f.kept == f.asked;
        *out = scry_results_new();
        (*out)->has_more = f.count > end || look->has_more || (words->has_more && by_words);
        (*out)->scanned = look->scanned;
        (*out)->top_score = look->top_score;
        memcpy((*out)->top_content, look->top_content, SCRY_HASH_BYTES);
        (*out)->has_undated = look->has_undated;
        (*out)->undated = look->undated;
        for (size_t i = plan->search.offset; i < f.count && i < end; i++)
            show(&f, &f.all[i], by_words ? wanted : NULL, *out);
    }
    free(f.all);
    free(f.leader);
    return result;
}

/* ---- searching ---- */

scry_search_plan scry_plan_of(const scry_search_request *r, scry_groups groups, const scry_threshold *threshold)
{
    scry_search_plan plan = { .search = r->search, .by = (scry_search_kind)r->by, .auto_min_score = r->auto_min_score,
                              .words = r->words, .groups = groups, .threshold = threshold, .query = r->query };
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

/* Both rankings, fused: by look, and by the words that are wanted. *out stays NULL where no picture has these. */
static int search_both(scry_store *s, const float *query, const scry_search_plan *plan, const char *wanted, scry_results **out,
                       scry_error *err)
{
    const scry_filter_node words = { .kind = SCRY_FILTER_WORDS, .text = wanted, .number = SCRY_WORDS_WHOLE };
    scry_search both[2] = { plan->search, plan->search };
    scry_results *found[2];
    scry_filter_pool *pool = scry_filter_pool_new();
    both[1].filter = scry_filter_and(pool, plan->search.filter, &words);
    if (plan->auto_min_score)
        both[1].min_score = -2;
    read_from_start(&both[0]);
    read_from_start(&both[1]);
    int result = scry_store_search_two(s, query, both, found, err);
    if (result == 0 && found[1])
        result = fuse(plan, s, wanted, found, out, err);
    scry_results_free(found[0]);
    scry_results_free(found[1]);
    scry_filter_pool_free(pool);
    return result;
}

/* Where no picture has all words of the query: by those that some picture has together. */
static int search_some(scry_store *s, const float *query, const scry_search_plan *plan, scry_results **out, scry_error *err)
{
    scry_buf kept = SCRY_BUF_INIT(SCRY_WORDS_LIMIT);
    if (scry_words_count(plan->words->text) == 1)
        return 0;
    int result = scry_store_rare_words(s, plan->search.filter, plan->words->text, &kept, err);
    if (result == 0 && kept.size)
        result = search_both(s, query, plan, scry_buf_str(&kept), out, err);
    scry_buf_dispose(&kept);
    return result;
}

static int search_words(scry_store *s, const float *query, const scry_search_plan *plan, scry_results **out, scry_error *err)
{
    const char *wanted = plan->words->text;
    scry_search words = plan->search;
    scry_filter_pool *pool = scry_filter_pool_new();
    words.filter = scry_filter_and(pool, words.filter, plan->words);
    if (plan->auto_min_score)
        words.min_score = -2;
    int result = scry_store_search(s, query, &words, out, err);
    scry_filter_pool_free(pool);
    for (size_t i = 0; result == 0 && i < (*out)->count; i++)
        scry_results_mark(*out, i, SCRY_FOUND_BY_WORDS, find_fields(&(*out)->hits[i].file, wanted), wanted);
    return result;
}

int scry_search_words(scry_store *s, const float *query, const scry_search_plan *plan, scry_results **out, scry_error *err)
{
    scry_store_info info = { 0 };
    scry_store_describe(s, &info);
    *out = NULL;
    if (plan->by == SCRY_BY_WORDS)
        return search_words(s, query, plan, out, err);
    if (plan->by == SCRY_BY_LOOK || !plan->words || !info.finds_words)
        return 0;
    int result = search_both(s, query, plan, plan->words->text, out, err);
    return result < 0 || *out ? result : search_some(s, query, plan, out, err);
}

int scry_search_by(scry_store *s, const float *query, const scry_search_plan *plan, scry_results **out, scry_error *err)
{
    int result = scry_search_words(s, query, plan, out, err);
    return result < 0 || *out ? result : scry_store_search(s, query, &plan->search, out, err);
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
