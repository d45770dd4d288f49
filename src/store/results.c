#include "store/store_internal.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

/* A file's strings lie together in one block; the hits' array may move, blocks do not. */
typedef struct {
    scry_results public;   /* first: scry_results * is a pointer to this */
    scry_hit *hits;
    void **blocks;         /* one a hit */
    size_t capacity;
} results;

scry_results *scry_results_new(void)
{
    results *r = scry_alloc(sizeof *r);
    return &r->public;
}

static const char *put_string(char **at, const char *s)
{
    size_t n = strlen(s) + 1;
    char *to = *at;
    memcpy(to, s, n);
    *at += n;
    return to;
}

static const char *or_empty(const char *s)
{
    return s ? s : "";
}

/* Copy what `f` points to into one new block and point `f` there. */
static void *own_strings(scry_file *f)
{
    const char **fields[] = { &f->relative, &f->path, &f->format, &f->camera, &f->key };
    enum { FIELDS = sizeof fields / sizeof *fields };
    size_t size = f->label_count * sizeof(char *);
    for (size_t i = 0; i < FIELDS; i++)
        size += strlen(or_empty(*fields[i])) + 1;
    for (size_t i = 0; i < f->label_count; i++)
        size += strlen(f->labels[i]) + 1;
    const char **labels = scry_alloc(size);
    char *at = (char *)(labels + f->label_count);
    for (size_t i = 0; i < FIELDS; i++)
        *fields[i] = put_string(&at, or_empty(*fields[i]));
    for (size_t i = 0; i < f->label_count; i++)
        labels[i] = put_string(&at, f->labels[i]);
    f->labels = labels;
    return labels;
}

void scry_results_add(scry_results *public, double score, const scry_file *file, uint64_t copies)
{
    results *r = (results *)public;
    size_t i = r->public.count;
    if (i == r->capacity) {
        r->capacity = r->capacity ? 2 * r->capacity : 16;
        r->hits = scry_realloc(r->hits, r->capacity * sizeof *r->hits);
        r->blocks = scry_realloc(r->blocks, r->capacity * sizeof *r->blocks);
    }
    r->hits[i] = (scry_hit){ .score = score, .file = *file, .copies = copies };
    r->blocks[i] = own_strings(&r->hits[i].file);
    r->public.hits = r->hits;
    r->public.count++;
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
    return scry_asprintf(n && root[n - 1] == '/' ? "%s%s" : "%s/%s", root, relative);
}
