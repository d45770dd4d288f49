#include "store/results.h"

#include "base/alloc.h"
#include "store/file_list.h"
#include "store/words.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Each hit's strings are in one block; the hits' array may move, blocks do not. */
typedef struct {
    scry_results public;   /* first: scry_results * is a pointer to this */
    scry_hit *hits;
    void **blocks;         /* [count], one for each hit */
    size_t capacity;
} results;

scry_results *scry_results_new(void)
{
    results *r = scry_alloc(sizeof *r);
    r->public.top_score = NAN;
    return &r->public;
}

static size_t next_place(results *r)
{
    if (r->public.count == r->capacity) {
        r->capacity = r->capacity ? 2 * r->capacity : 16;
        r->hits = scry_realloc(r->hits, r->capacity * sizeof *r->hits);
        r->blocks = scry_realloc(r->blocks, r->capacity * sizeof *r->blocks);
        r->public.hits = r->hits;
    }
    return r->public.count++;
}

void scry_results_add(scry_results *public, double score, const scry_file *file, uint64_t copies)
{
    results *r = (results *)public;
    size_t i = next_place(r);
    r->hits[i] = (scry_hit){ .score = score, .file = *file, .copies = copies };
    r->blocks[i] = scry_file_own_strings(&r->hits[i].file);
}

void scry_results_move(scry_results *public, scry_results *from, size_t i, uint64_t copies)
{
    results *r = (results *)public, *source = (results *)from;
    size_t place = next_place(r);
    r->hits[place] = source->hits[i];
    r->hits[place].copies = copies;
    r->blocks[place] = source->blocks[i];
    source->hits[i] = (scry_hit){ .score = 0 };
    source->blocks[i] = NULL;
}

void scry_results_set_raw(scry_results *public, size_t i, const char *raw)
{
    results *r = (results *)public;
    void *old = r->blocks[i];
    r->hits[i].file.raw = raw;
    r->hits[i].matched = NULL;   /* strings move */
    r->blocks[i] = scry_file_own_strings(&r->hits[i].file);
    free(old);
}

void scry_results_set_away(scry_results *public, size_t i)
{
    ((results *)public)->hits[i].file.away = true;
}

void scry_results_mark(scry_results *public, size_t i, scry_found_by by, unsigned word_fields, const char *wanted)
{
    scry_hit *h = &((results *)public)->hits[i];
    h->found_by = by;
    h->word_fields = word_fields;
    if (word_fields & SCRY_FIELD_TEXT && h->file.text)
        h->matched = scry_words_line(h->file.text, wanted, &h->matched_bytes);
}

void scry_results_fold(scry_results *public, size_t i, const uint8_t id[SCRY_ID_BYTES])
{
    scry_hit *h = &((results *)public)->hits[i];
    size_t n = (size_t)h->folded++;
    if (n >= SCRY_FOLDED_IDS)
        return;
    uint8_t (*ids)[SCRY_ID_BYTES] = (uint8_t (*)[SCRY_ID_BYTES])h->folded_ids;
    if ((n & (n - 1)) == 0)   /* full: 0, 1, 2, 4, 8 ... */
        ids = scry_realloc(ids, (n ? 2 * n : 1) * sizeof *ids);
    memcpy(ids[n], id, sizeof *ids);
    h->folded_ids = (const uint8_t (*)[SCRY_ID_BYTES])ids;
}

size_t scry_fold_depth(size_t end)
{
    return end < (SCRY_FOLD_RANKED - SCRY_FOLD_AHEAD) / 2 ? 2 * end + SCRY_FOLD_AHEAD : SCRY_FOLD_RANKED;
}

void scry_results_lead(scry_results *public, scry_results *from, size_t i, const scry_hit *hit)
{
    bool same = memcmp(from->hits[i].file.content, hit->file.content, SCRY_HASH_BYTES) == 0;
    scry_results_move(public, from, i, same ? hit->copies : from->hits[i].copies);
    size_t at = public->count - 1;
    scry_hit *h = &((results *)public)->hits[at];
    free((void *)h->folded_ids);
    h->folded = 0;
    h->folded_ids = NULL;
    if (!same)
        scry_results_fold(public, at, hit->file.id);
    for (size_t k = 0; k < hit->folded && k < SCRY_FOLDED_IDS; k++)
        if (memcmp(hit->folded_ids[k], h->file.id, SCRY_ID_BYTES) != 0)
            scry_results_fold(public, at, hit->folded_ids[k]);
    h->folded = hit->folded;   /* of which no more ids are known */
}

void scry_results_clear(scry_results *public)
{
    results *r = (results *)public;
    for (size_t i = 0; i < r->public.count; i++) {
        free((void *)r->hits[i].folded_ids);
        free(r->blocks[i]);
    }
    r->public.count = 0;
}

void scry_results_free(scry_results *public)
{
    results *r = (results *)public;
    if (!r)
        return;
    scry_results_clear(public);
    free(r->blocks);
    free(r->hits);
    free(r);
}

char *scry_store_join(const char *root, const char *relative)
{
    if (relative[0] == '\0')
        return scry_strdup(root);
    size_t n = strlen(root);
    size_t slash = !n || root[n - 1] != '/', size = strlen(relative) + 1;
    char *path = scry_alloc(n + slash + size);
    memcpy(path, root, n);
    path[n] = '/';
    memcpy(path + n + slash, relative, size);
    return path;
}
