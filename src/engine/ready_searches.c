#include "engine/ready_searches.h"

#include "base/alloc.h"
#include "engine/score_threshold.h"
#include "scry/query.h"
#include "scry/score.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_RESULTS = 3, COMPARED = 12, SAME = 8 };   /* if SAME of the first COMPARED results are the same, one word is enough */

static const struct { const char *name, *query; } words[] = {
    { "people", "people" }, { "baby", "a baby" }, { "children", "children playing" }, { "portrait", "a portrait of a person" },
    { "wedding", "a wedding" }, { "birthday", "a birthday cake" }, { "party", "people at a party" }, { "selfie", "a selfie" },
    { "dog", "a dog" }, { "cat", "a cat" }, { "bird", "a bird" }, { "horse", "a horse" }, { "cow", "cows" }, { "fish", "a fish" },
    { "insect", "a butterfly or an insect" }, { "zoo", "an elephant, a lion or a giraffe" },
    { "beach", "a beach" }, { "sea", "the sea" }, { "lake", "a lake" }, { "river", "a river" }, { "waterfall", "a waterfall" },
    { "mountains", "mountains" }, { "forest", "a forest" }, { "desert", "a desert" }, { "garden", "a garden" }, { "flowers", "flowers" },
    { "tree", "a tree" }, { "field", "a field and a meadow" }, { "sunset", "a sunset" }, { "sky", "clouds in the sky" }, { "snow", "snow" },
    { "autumn", "autumn leaves" }, { "night", "at night" }, { "fireworks", "fireworks" },
    { "city", "a city with buildings" }, { "street", "a street" }, { "house", "a house" }, { "church", "a church" }, { "castle", "a castle" },
    { "bridge", "a bridge" }, { "museum", "a museum" }, { "kitchen", "a kitchen" }, { "living room", "a living room" },
    { "car", "a car" }, { "train", "a train" }, { "bicycle", "a bicycle" }, { "motorcycle", "a motorcycle" }, { "boat", "a boat" },
    { "airplane", "an airplane" },
    { "food", "food on a plate" }, { "fruit", "fruit" }, { "pizza", "a pizza" }, { "cake", "a cake" }, { "coffee", "a cup of coffee" },
    { "football", "playing football" }, { "skiing", "skiing" }, { "swimming", "swimming" }, { "concert", "a concert" }, { "dancing", "dancing" },
    { "document", "a document with text" }, { "screenshot", "a screenshot" }, { "map", "a map" }, { "drawing", "a drawing" },
    { "painting", "a painting" },
};
enum { WORDS = sizeof words / sizeof *words };

/* How many results are good: they are in order of their scores. */
static size_t count_good(const scry_results *r, double least)
{
    size_t n = 0;
    while (n < r->count && r->hits[n].score >= least)
        n++;
    return n;
}

static size_t in_common(const scry_results *a, const scry_results *b)
{
    size_t n = 0;
    for (size_t i = 0; i < a->count && i < COMPARED; i++)
        for (size_t k = 0; k < b->count && k < COMPARED; k++)
            n += memcmp(a->hits[i].file.content, b->hits[k].file.content, SCRY_HASH_BYTES) == 0;
    return n;
}

typedef struct {
    size_t word, count;
} candidate;

static int by_count(const void *a, const void *b)
{
    const candidate *x = a, *y = b;
    return x->count != y->count ? (x->count < y->count ? 1 : -1) : (x->word > y->word) - (x->word < y->word);
}

/* The best good result that is no cover yet; false: each is one. */
static bool choose_cover(scry_ready_search *out, size_t n, const scry_results *r, size_t good)
{
    for (size_t i = 0; i < good; i++) {
        bool used = false;
        for (size_t k = 0; k < n && !used; k++)
            used = memcmp(out[k].cover, r->hits[i].file.id, SCRY_ID_BYTES) == 0;
        if (used)
            continue;
        memcpy(out[n].cover, r->hits[i].file.id, SCRY_ID_BYTES);
        return true;
    }
    return false;
}

/* Those that are worth a place, each unlike the ones before it. */
static int choose(scry_ready_search out[SCRY_READY_MAX], const candidate *c, scry_results *const *found)
{
    size_t n = 0, chosen[SCRY_READY_MAX];
    for (size_t i = 0; i < WORDS && n < SCRY_READY_MAX && c[i].count >= LEAST_RESULTS; i++) {
        const scry_results *r = found[c[i].word];
        bool like_another = false;
        for (size_t k = 0; k < n && !like_another; k++)
            like_another = in_common(r, found[chosen[k]]) >= SAME;
        if (like_another || !choose_cover(out, n, r, c[i].count))
            continue;
        out[n].name = words[c[i].word].name;
        out[n].query = words[c[i].word].query;
        out[n].count = c[i].count;
        chosen[n++] = c[i].word;
    }
    return (int)n;
}

static int embed_words(float *vectors, const scry_model *model, scry_session *session, scry_error *err)
{
    scry_query *queries[WORDS];
    scry_error errors[WORDS];
    scry_query_tools tools = { .session = session, .model = model };
    bool cut[WORDS];
    int result = 0;
    for (size_t i = 0; i < WORDS; i++) {
        queries[i] = scry_query_new();
        errors[i] = (scry_error)SCRY_ERROR_INIT;
        if (result == 0)
            result = scry_query_add_text(queries[i], words[i].query, 1, err);
    }
    if (result == 0 && scry_query_embed_many((const scry_query *const *)queries, WORDS, &tools, vectors, cut, errors) > 0)
        for (size_t i = 0; i < WORDS && result == 0; i++)
            if (errors[i].code)
                result = scry_fail(err, errors[i].code, "%s", errors[i].message);
    for (size_t i = 0; i < WORDS; i++)
        scry_query_free(queries[i]);
    return result;
}

static int search_words(scry_ready_search out[SCRY_READY_MAX], scry_store *s, const scry_threshold *t, const float *vectors,
                        scry_error *err)
{
    scry_results *found[WORDS] = { NULL };
    candidate c[WORDS];
    scry_search search = SCRY_SEARCH_INIT;
    search.limit = SCRY_READY_SEEN;
    int result = scry_store_search_many(s, vectors, WORDS, &search, found, err);
    for (size_t i = 0; i < WORDS && result == 0; i++) {
        double maybe, best;
        threshold_borders(t, vectors + i * t->dim, &maybe, &best);
        c[i] = (candidate){ i, count_good(found[i], isnan(best) ? maybe : best) };
    }
    if (result == 0) {
        qsort(c, WORDS, sizeof *c, by_count);
        result = choose(out, c, found);
    }
    for (size_t i = 0; i < WORDS; i++)
        scry_results_free(found[i]);
    return result;
}

int scry_ready_searches(scry_ready_search out[SCRY_READY_MAX], scry_store *s, const scry_model *model, scry_session *session,
                        scry_error *err)
{
    int dim = scry_model_get_info(model)->dim;
    scry_threshold *t = NULL;
    scry_error why = SCRY_ERROR_INIT;
    int result = scry_threshold_find(&t, s, model, &why);
    if (result < 0)
        return result == SCRY_ENOTFOUND ? 0 : scry_fail(err, result, "%s", why.message);
    float *vectors = scry_alloc(WORDS * (size_t)dim * sizeof *vectors);
    result = embed_words(vectors, model, session, err);
    if (result == 0)
        result = search_words(out, s, t, vectors, err);
    free(vectors);
    scry_threshold_free(t);
    return result;
}
